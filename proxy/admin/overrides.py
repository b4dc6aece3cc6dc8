"""The cookie that one browser reads by: made for a super admin, and looked at with each call that carries it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.deadline import Deadline
from adapters.errors import Conflict, CrossfadeError, Reason, Subject, Unauthenticated
from adapters.flags import ControlState
from proxy.admin.admins import Admins
from proxy.admin.ports import ControlRoom
from proxy.admin.records import Verdict
from proxy.admin.tokens import Seal
from proxy.flags.override import Reading, from_claims, to_claims
from proxy.logs import EventLog

LIFE: Final = timedelta(hours=1)
CHECK_S: Final = 1.0
"""How long it counts that somebody was a super admin; also that nobody could say."""
KNOWN_MAX: Final = 1000

BACKFILL: Final = "backfill finished"
"""The check of the gate to comparing that says whether the target has every row."""
COMPARING: Final = 3

log = EventLog(__name__)


class OverrideSeal:
    """Signs overrides, and reads those of its own."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def sign(self, user_id: int, reading: Reading) -> tuple[str, datetime]:
        """The cookie's value and when it expires."""
        expires_at = datetime.now(UTC).replace(microsecond=0) + LIFE
        return self._seal.sign(user_id, expires_at, **to_claims(reading)), expires_at

    def read(self, cookie: str) -> tuple[int, datetime, Reading] | None:
        """Whose it is, when it expires and what it asks for; None unless it is valid."""
        try:
            claims = self._seal.read(cookie)
        except Unauthenticated:
            return None
        reading = from_claims(claims.values)
        return None if reading is None else (claims.user_id, claims.expires_at, reading)


class CookieOverrides:
    """See Overrides: a super admin is one now, give or take a second."""

    def __init__(self, seal: OverrideSeal, admins: Admins) -> None:
        self._seal = seal
        self._admins = admins
        self._known: dict[int, tuple[float, bool]] = {}

    async def reading(self, cookie: str, deadline: Deadline) -> Reading | None:
        """See Overrides."""
        found = self._seal.read(cookie)
        if found is None:
            return None
        user_id, _, reading = found
        return reading if await self._is_admin(user_id, deadline) else None

    async def _is_admin(self, user_id: int, deadline: Deadline) -> bool:
        until_s, is_admin = self._known.get(user_id, (0.0, False))
        if time.monotonic() < until_s:
            return is_admin
        is_admin = await self._ask(user_id, deadline)
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[user_id] = (time.monotonic() + CHECK_S, is_admin)
        return is_admin

    async def _ask(self, user_id: int, deadline: Deadline) -> bool:
        try:
            user = await self._admins.by_id(user_id, deadline)
        except CrossfadeError as error:
            log.warning("override_not_checked", user_id=user_id, error=error)
            return False
        return user is not None and user.super_admin


class BackfillCheck:
    """Before reads of all go to the target one browser's may, once the target has every row."""

    def __init__(self, room: ControlRoom) -> None:
        self._room = room

    async def __call__(self, state: ControlState, reading: Reading) -> None:
        """Raise Conflict unless it is safe to read so.

        To be asked when a cookie is made: it is bound to the version of the flags, and while that stands so does this.
        """
        is_read_by_all = state.flags.dual_read or state.flags.read_from_dynamodb
        if is_read_by_all or not (reading.dual_read or reading.read_from_dynamodb):
            return
        gate = await self._room.gate(COMPARING)
        verdicts = {check.name: check.verdict for check in gate.checks}
        if verdicts.get(BACKFILL) is not Verdict.PASSED:
            raise Conflict(
                "the target has not every row: no backfill has ended since it began to get every write",
                reason=Reason.UNSAFE_OVERRIDE,
                subject=Subject("flags"),
            )
