"""Super admins: making and unmaking them by the path of any write, and on record."""

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from adapters.deadline import Deadline
from adapters.errors import Conflict, CrossfadeError, NotFound, Reason, Subject
from adapters.operations import Operation
from adapters.ports.audit import Act, Audit
from adapters.records import User
from proxy.admin.admins import Admins
from proxy.admin.records import Actor
from proxy.calls import CallRequest, Dispatcher
from proxy.logs import EventLog

WRITE_LIMIT_S: Final = 5.0

log = EventLog(__name__)


class People:
    """Changes who is super admin. `operations` is the catalogue with those of users."""

    def __init__(
        self, dispatcher: Dispatcher, operations: Mapping[str, Operation], admins: Admins, audit: Audit
    ) -> None:
        self._dispatcher = dispatcher
        self._operations = operations
        self._admins = admins
        self._audit = audit

    async def promote(self, user_id: int, *, actor: Actor) -> User:
        """See ControlRoom."""
        return await self._set(user_id, actor, is_admin=True)

    async def demote(self, user_id: int, *, actor: Actor) -> User:
        """See ControlRoom."""
        return await self._set(user_id, actor, is_admin=False)

    async def all(self) -> list[User]:
        """See ControlRoom."""
        return await self._admins.all()

    async def _set(self, user_id: int, actor: Actor, *, is_admin: bool) -> User:
        subject = Subject("user", user_id)
        user = await self._admins.by_id(user_id)
        if user is None:
            raise NotFound("there is no such user", subject=subject)
        if bool(user.super_admin) == is_admin:
            message = f"{user.username} is {'a' if is_admin else 'no'} super admin already"
            raise Conflict(message, reason=Reason.ALREADY_SO, subject=subject)
        name = "promote_to_super_admin" if is_admin else "demote_from_super_admin"
        request = CallRequest(
            self._operations[f"user.{name}"], {"id": user_id}, Deadline.after(WRITE_LIMIT_S), f"admin-{uuid4().hex}"
        )
        changed = (await self._dispatcher.call(request)).result
        if not isinstance(changed, User):
            raise NotFound("there is no such user", subject=subject)
        await self._put_on_record(changed, actor, is_admin=is_admin)
        return changed

    async def _put_on_record(self, user: User, actor: Actor, *, is_admin: bool) -> None:
        """After the fact: the write is done, and answered as done, also where its entry must go to the log alone."""
        who = {"user_id": user.id, "username": user.username}
        before, after = ({**who, "super_admin": value} for value in (not is_admin, is_admin))
        kind = "promote" if is_admin else "demote"
        try:
            await self._audit.record(Act(kind, who=actor.who, address=actor.address, before=before, after=after))
        except CrossfadeError:
            log.exception("admin_change_unrecorded", kind=kind, user=user.id, who=actor.who)
