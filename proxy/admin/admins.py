"""Users as the control plane needs them: as they are now, also while one database is away.

The authority answers, nothing is compared, and when it cannot be reached the other database answers, if it is complete:
whoever pulls the emergency brake must not need the very part that fails.
"""

from collections.abc import Mapping
from typing import Final

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Unavailable
from adapters.flags import Flags
from adapters.operations import catalogue
from adapters.ports.store import Reader
from adapters.records import User
from proxy.flags.snapshot import Snapshot
from proxy.logs import EventLog
from proxy.phase import Side

READ_LIMIT_S: Final = 1.0
"""How long one database may take to say who somebody is."""

log = EventLog(__name__)


class Admins:
    """Finds users beside the flags in force."""

    def __init__(self, snapshot: Snapshot, readers: Mapping[Side, Reader]) -> None:
        self._snapshot = snapshot
        self._readers = readers
        self._operations = catalogue(("user",))

    async def by_id(self, user_id: int, deadline: Deadline | None = None) -> User | None:
        """The user with this id, now. Raises Unavailable."""
        deadline = deadline or Deadline.after(2 * READ_LIMIT_S)
        return _user(await self._read("user.find_by_id", {"id": user_id}, deadline))

    async def by_username(self, username: str) -> User | None:
        """The user of this name, as the shop's collation sees it. Raises Unavailable."""
        deadline = Deadline.after(2 * READ_LIMIT_S)
        return _user(await self._read("user.find_by_username", {"username": username}, deadline))

    async def all(self) -> list[User]:
        """Every super admin, now, by (username, id). Raises Unavailable."""
        found = await self._read("user.find_all_super_admins", {}, Deadline.after(2 * READ_LIMIT_S))
        return [user for user in found if isinstance(user, User)] if isinstance(found, list) else []

    async def _read(self, operation: str, arguments: Mapping[str, object], deadline: Deadline) -> object:
        failure: Exception | None = None
        for side in sides(self._flags()):
            limit = deadline.capped(READ_LIMIT_S)
            try:
                return await self._readers[side].read(self._operations[operation], arguments, limit)
            except (Unavailable, DeadlineExceeded) as error:
                log.warning("admin_not_read", side=side, error=error)
                failure = error
        raise Unavailable("no database can say now who is a super admin") from failure

    def _flags(self) -> Flags:
        # However old: who is an admin does not hang on it, and a stale copy is what an admin is needed for.
        state = self._snapshot.latest
        if state is None:
            raise Unavailable("the flags in force are not known yet")
        return state.flags


def sides(flags: Flags) -> tuple[Side, ...]:
    """Who may be asked for a user, in this order: the authority, then the other database if it is complete."""
    authority = Side.TARGET if flags.read_from_dynamodb else Side.SOURCE
    is_complete = flags.dual_write and (flags.dual_read or flags.read_from_dynamodb)
    return (authority, authority.other) if is_complete else (authority,)


def _user(found: object) -> User | None:
    return found if isinstance(found, User) else None
