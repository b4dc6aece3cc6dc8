"""The control room: the use cases of an admin, each in the hands of the part that knows how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.flags import ControlState
from adapters.records import User
from proxy.admin.logbook import LogBook
from proxy.admin.moves import Copies, Moves
from proxy.admin.overview import Overview
from proxy.admin.people import People
from proxy.admin.records import Actor, Changed, Gate, Job, LogKind, LogPage, Status
from proxy.admin.validations import Validations
from proxy.flags.model import PHASE


@dataclass(frozen=True, slots=True)
class Room:
    """See ControlRoom."""

    copies: Copies
    moves: Moves
    overview: Overview
    validations: Validations
    log: LogBook
    people: People

    async def state(self) -> ControlState:
        """See ControlRoom."""
        return await self.copies.state()

    async def status(self) -> Status:
        """See ControlRoom."""
        return await self.overview.status()

    async def gate(self, target: int) -> Gate:
        """See ControlRoom."""
        return await self.moves.gate(target)

    async def set_flags(
        self,
        changes: Mapping[str, object],
        *,
        actor: Actor,
        reason: str = "",
        version: int | None = None,
        is_forced: bool = False,
    ) -> Changed:
        """See ControlRoom."""
        return await self.moves.set_flags(changes, actor=actor, reason=reason, version=version, is_forced=is_forced)

    async def reset_flags(self, *, actor: Actor, reason: str = "", version: int | None = None) -> Changed:
        """See ControlRoom."""
        return await self.moves.reset(actor=actor, reason=reason, version=version)

    async def move(
        self, phase: int, *, actor: Actor, reason: str = "", version: int | None = None, is_forced: bool = False
    ) -> Changed:
        """See ControlRoom."""
        changes = {PHASE: phase}
        return await self.moves.set_flags(changes, actor=actor, reason=reason, version=version, is_forced=is_forced)

    async def roll_back(
        self, *, actor: Actor, reason: str = "", to: int | None = None, is_forced: bool = False
    ) -> Changed:
        """See ControlRoom."""
        return await self.moves.roll_back(actor=actor, reason=reason, to=to, is_forced=is_forced)

    async def start_validation(self, entities: Sequence[str] | None, *, actor: Actor, mode: str = "full") -> Job:
        """See ControlRoom."""
        return await self.validations.start(entities, actor=actor, mode=mode)

    async def job(self, job_id: int) -> Job:
        """See ControlRoom."""
        return await self.validations.find(job_id)

    async def cancel_job(self, job_id: int, *, actor: Actor) -> Job:
        """See ControlRoom."""
        return await self.validations.cancel(job_id, actor=actor)

    async def logs(self, *, kind: LogKind | None = None, limit: int = 50, cursor: str | None = None) -> LogPage:
        """See ControlRoom."""
        return await self.log.page(kind=kind, limit=limit, cursor=cursor)

    async def promote(self, user_id: int, *, actor: Actor) -> User:
        """See ControlRoom."""
        return await self.people.promote(user_id, actor=actor)

    async def demote(self, user_id: int, *, actor: Actor) -> User:
        """See ControlRoom."""
        return await self.people.demote(user_id, actor=actor)

    async def super_admins(self) -> list[User]:
        """See ControlRoom."""
        return await self.people.all()
