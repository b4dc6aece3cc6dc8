"""The use cases of the control plane, as the admin API, the page and the command line call them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from adapters.flags import ControlState
from adapters.records import User
from proxy.admin.records import Actor, Changed, Gate, Job, LogKind, LogPage, Status


class ControlRoom(Protocol):
    """Everything an admin can see and do.

    All raise InvalidArgument with a fault for each wrong value, and Unavailable when what they need cannot be reached.
    Every change is on record with actor, address, reason, the flags before and after, and what the gate said.
    """

    async def state(self) -> ControlState:
        """The flags in force, their version and who set them: the deciding copy, else the freshest one known."""

    async def status(self) -> Status:
        """All there is to see. Raises nothing for what cannot be reached: its place is None and `faults` says why."""

    async def gate(self, target: int) -> Gate:
        """The checks before a move to this phase from the present one, measured now."""

    async def set_flags(
        self,
        changes: Mapping[str, object],
        *,
        actor: Actor,
        reason: str = "",
        version: int | None = None,
        is_forced: bool = False,
    ) -> Changed:
        """Set flags, all or none, by names of flags, `migration_phase` or the four READ_ and WRITE_ names.

        Raises Conflict `stale_version` when `version` is not the one in force, and `gate_closed` with the failing
        checks where the change has an effect whose gate is shut; `is_forced` goes past it and needs a reason.
        """

    async def reset_flags(self, *, actor: Actor, reason: str = "", version: int | None = None) -> Changed:
        """Set every flag to the value of the present phase, or of the nearest lower one where there is none."""

    async def move(
        self, phase: int, *, actor: Actor, reason: str = "", version: int | None = None, is_forced: bool = False
    ) -> Changed:
        """Move to a phase: forward one at a time through its gate, backward to any at once. Raises as `set_flags`."""

    async def roll_back(
        self, *, actor: Actor, reason: str = "", to: int | None = None, is_forced: bool = False
    ) -> Changed:
        """Move to the previous phase, or a lower one. No gate; forced, it goes on without workers that are silent."""

    async def start_validation(self, entities: Sequence[str] | None, *, actor: Actor, mode: str = "full") -> Job:
        """Start a comparison of all rows of these entities, or of all. Raises Conflict while another one runs."""

    async def job(self, job_id: int) -> Job:
        """A job by its id. Raises NotFound."""

    async def cancel_job(self, job_id: int, *, actor: Actor) -> Job:
        """Stop a job, wherever in the fleet it runs. Raises NotFound; a job that has ended stays as it is."""

    async def logs(self, *, kind: LogKind | None = None, limit: int = 50, cursor: str | None = None) -> LogPage:
        """Entries of one kind, or of all kinds merged; the newest first, ties by kind and id."""

    async def promote(self, user_id: int, *, actor: Actor) -> User:
        """Make a user super admin, through the same path as any write. Raises NotFound, Conflict when already so."""

    async def demote(self, user_id: int, *, actor: Actor) -> User:
        """Take the right away. Raises NotFound, Conflict when the user has none or is the last super admin."""

    async def super_admins(self) -> list[User]:
        """By (username, id), read from the authority without comparing, else from the other complete database."""
