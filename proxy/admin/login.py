"""Logging in: tries are counted before a password is looked at, over all workers, so that none slip by side by side."""

from datetime import UTC, datetime
from typing import Final

from adapters.collation import key_form
from adapters.deadline import Deadline
from adapters.errors import Fault, Forbidden, InvalidArgument, TooManyAttempts, Unauthenticated
from adapters.ports.attempts import LoginAttempts
from adapters.records import User
from proxy.admin.admins import Admins
from proxy.admin.passwords import Passwords
from proxy.logs import EventLog

WINDOW_S: Final = 900
NAME_TRIES: Final = 10
"""The tries that one name has from one address within the window; a right password begins anew."""
ADDRESS_TRIES: Final = 100
"""Those of one address with all names together."""
USERNAME_MAX: Final = 50
TEXT_MAX: Final = 1000
LOGIN_LIMIT_S: Final = 10.0
_ANY_NAME: Final = ""

log = EventLog(__name__)


class Login:
    """Knows super admins by name and password."""

    def __init__(self, admins: Admins, attempts: LoginAttempts, passwords: Passwords) -> None:
        self._admins = admins
        self._attempts = attempts
        self._passwords = passwords

    async def run(self, name: str, password: str, address: str) -> User:
        """The super admin of this name and password. Raises as Doorman.log_in."""
        _check(name, password)
        spelled = key_form(name)
        await self._count(spelled, address)
        user = await self._admins.by_username(name) if len(name) <= USERNAME_MAX else None
        if not self._passwords.is_tuned:
            self._passwords.tune(admin.password_hash for admin in await self._admins.all())
        password_hash = None if user is None else user.password_hash
        is_right = await self._passwords.is_right(password, password_hash, Deadline.after(LOGIN_LIMIT_S))
        if user is None or not is_right:
            # Not the name that was given: it may be a password in the wrong field.
            log.warning("login_failed", address=address, user_id=None if user is None else user.id)
            raise Unauthenticated("the user name or the password is wrong")
        if not user.super_admin:
            log.warning("login_refused", address=address, user_id=user.id)
            raise Forbidden("this user is no super admin")
        await self._attempts.forget(spelled, address)
        log.info("login_succeeded", address=address, user_id=user.id)
        return user

    async def _count(self, name: str, address: str) -> None:
        for counted, most in ((name, NAME_TRIES), (_ANY_NAME, ADDRESS_TRIES)):
            if await self._attempts.failures(counted, address, WINDOW_S) >= most:
                raise _too_many(address)
        now = datetime.now(UTC)
        for counted, most in ((name, NAME_TRIES), (_ANY_NAME, ADDRESS_TRIES)):
            await self._attempts.record(counted, address, now)
            # Others may have counted in the same moment: whoever finds too many now was one of them.
            if await self._attempts.failures(counted, address, WINDOW_S) > most:
                raise _too_many(address)


def _check(name: str, password: str) -> None:
    given = {"username": name, "password": password}
    faults = [
        Fault(field, f"must have 1 to {TEXT_MAX} characters")
        for field, text in given.items()
        if not 0 < len(text) <= TEXT_MAX
    ]
    if faults:
        raise InvalidArgument("user name and password are needed", faults=faults)


def _too_many(address: str) -> TooManyAttempts:
    log.warning("login_limited", address=address)
    return TooManyAttempts("too many tries to log in", retry_after_s=WINDOW_S)
