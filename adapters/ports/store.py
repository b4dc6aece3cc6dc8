"""The stores behind the operations: reading, the unit of work of a write, the journal, and the shadow's writer.

authority: Reader.read, Writer.unit -> UnitOfWork      journal: IntentJournal      shadow: Shadow
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from adapters.changes import Aggregate, Change, Image, Intent, IntentPart, ItemKey, Ref
from adapters.deadline import Deadline
from adapters.errors import CrossfadeError
from adapters.flags import ControlState, Flags, Heartbeat
from adapters.operations import Operation

Arguments = Mapping[str, object]


class RestartCause(StrEnum):
    """Why a write has to start over; nothing of the attempt is left behind."""

    EPOCH_MOVED = "epoch_moved"
    LOCKS_GREW = "locks_grew"
    LOCK_CONFLICT = "lock_conflict"


class Restart(Exception):  # a signal of the write protocol, not an error of the wire
    """The write must be rolled back and started over, with `wants` among its locks from the first."""

    def __init__(self, cause: RestartCause, *, wants: Iterable[Aggregate] = ()) -> None:
        super().__init__(cause.value)
        self.cause = cause
        self.wants = frozenset(wants)


class CommitLost(Exception):  # a signal of the write protocol, not an error of the wire
    """COMMIT was sent and its answer never came: only the journal can tell whether it happened."""


class Reader(Protocol):
    """A database that answers reads."""

    async def read(self, operation: Operation, arguments: Arguments, deadline: Deadline) -> object:
        """The operation's answer.

        Raises Unavailable when the database cannot be reached, DeadlineExceeded when it is too slow.
        """


class UnitOfWork(Protocol):
    """One transaction of the authority. Leaving it without a commit rolls back; a broken connection is never reused."""

    @property
    def change(self) -> Change:
        """What the transaction did so far; complete once `perform` has returned."""

    async def perform(self, operation: Operation, arguments: Arguments) -> object:
        """Begin, check the epoch, lock and bump the aggregates in order, mutate, read the images: the answer.

        Raises Restart, any wire error of the operation, Unavailable.
        """

    async def lock_now(
        self, aggregates: Iterable[Aggregate], *, shared: Iterable[Aggregate] = (), is_patient: bool = False
    ) -> None:
        """Begin, check the epoch, lock and bump these aggregates without waiting: the repairer's way in.

        A patient one queues for them as a writer does. Raises Restart `lock_conflict` when one is or stays busy.
        """

    async def images(self, refs: Iterable[Ref]) -> dict[Ref, Image]:
        """The rows as they are now, with the counts of their fences put into the change. Missing rows are left out."""

    async def rebump(self, aggregate: Aggregate, *, above: int) -> None:
        """Raise a locked aggregate's version above that of debris found in the shadow."""

    async def defer(self, op_id: UUID, operation: str, parts: Sequence[IntentPart]) -> None:
        """Insert deferred parts as journalled, due at once, in this transaction."""

    async def commit(self, op_id: UUID | None, *, parts: int) -> None:
        """Delete the call's open parts, all of which must still be open, and COMMIT, in one round trip.

        Without an op id only COMMIT. Raises Restart when a part is gone, CommitLost when the answer is.
        """

    async def commit_journalled(self, op_id: UUID, *, parts: int) -> None:
        """Mark the call's open parts journalled and COMMIT. Raises like `commit`."""

    async def recount(self, product_ids: Iterable[int]) -> None:
        """Count the order items that refer to locked products anew."""

    async def unsettled(self, intents: Sequence[Intent]) -> list[Intent]:
        """Those of the intents that are still open or journalled, locked until the end of the transaction."""

    async def settle(self, intents: Sequence[Intent]) -> None:
        """Open becomes aborted, journalled becomes done: settled, and kept for the COMMIT probe."""

    async def rollback(self) -> None:
        """Undo everything; safe to call on a broken connection."""


class CommitState(StrEnum):
    """What became of a COMMIT whose answer was lost."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"


class IntentJournal(Protocol):
    """The intents, written on connections of their own so that they outlive the transaction they belong to."""

    async def open(
        self, op_id: UUID, operation: str, parts: Sequence[IntentPart], *, epoch: int, deadline: Deadline
    ) -> bool:
        """Insert the parts as open, durable on return; False when the epoch has moved and nothing was inserted."""

    async def delete(self, op_id: UUID) -> None:
        """Forget the open parts of a call that surely wrote nothing to the shadow."""

    async def probe(self, op_id: UUID, *, deadline: Deadline) -> CommitState:
        """What became of the call's COMMIT; waits for its transaction to end.

        To be asked once: where it says ROLLED_BACK, a COMMIT that arrives later is refused.
        """

    async def due(self, *, limit: int, aggregate: Aggregate | None = None) -> list[Intent]:
        """Unsettled intents that are due, oldest first, claimed for a few seconds by compare-and-set.

        Open ones count from an age of 2 s. With an aggregate: all unsettled ones that name it, due or not.
        """

    async def of_call(self, op_id: UUID) -> list[Intent]:
        """The unsettled parts of a call."""

    async def postpone(self, intents: Sequence[Intent], *, error: str, is_busy: bool) -> None:
        """Back off: 1 s doubling to 60 s; a busy one 2 s without counting an attempt."""

    async def insert_due(self, operation: str, parts: Sequence[IntentPart], *, op_id: UUID) -> None:
        """Insert journalled parts that are due at once: a repair asked for from outside a write."""

    async def backlog(self) -> tuple[int, float]:
        """The number of unsettled intents and the age of the oldest, in seconds."""

    async def owed(self) -> int:
        """How many unsettled intents a read of the shadow might show.

        Not the deferred parts, which readers pass over, and not what is younger than 2 s of calls under way.
        """

    async def sweep(self) -> int:
        """Remove settled intents older than 24 h; how many."""


class ShadowOutcome(StrEnum):
    """What became of a write to the shadow."""

    APPLIED = "applied"
    FENCE_REFUSED = "fence_refused"
    OWNER_REFUSED = "owner_refused"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class ShadowResult:
    """The outcome and the error.

    FENCE_REFUSED: `debris` has every aggregate whose fence was in the way, with the version stored there. Of a plan of
    `Shadow.plan` nothing was written; one of `Shadow.converge` may be written in part, and planned again above the
    debris it goes on. OWNER_REFUSED: `aggregate` owns the item in the way, None where it names no owner.
    """

    outcome: ShadowOutcome
    aggregate: Aggregate | None = None
    debris: Mapping[Aggregate, int] = field(default_factory=dict)
    error: CrossfadeError | None = None


class ShadowPlan(Protocol):
    """The requests that bring the shadow up to a change; what they hold is the shadow's own."""

    @property
    def parts(self) -> Sequence[IntentPart]:
        """The intent of the call itself."""

    @property
    def deferred(self) -> Sequence[IntentPart]:
        """What is left to the repairer."""

    @property
    def is_empty(self) -> bool:
        """Whether the shadow has nothing to do."""


class Shadow(Protocol):
    """The database that follows."""

    def plan(self, change: Change, *, op_id: UUID) -> ShadowPlan:
        """The requests for a change, pure.

        Raises PayloadTooLarge when an item passes the shadow's limit, Unavailable for a row that it cannot hold.
        """

    def converge(self, change: Change, *, listed: Iterable[ItemKey], op_id: UUID) -> ShadowPlan:
        """The requests that make every listed item what `change.after` says: put, or deleted if still its owner's.

        `op_id` must be new: under the id of a call, the call's own debris would pass for the repair.
        """

    async def write(self, plan: ShadowPlan, *, deadline: Deadline) -> ShadowResult:
        """Send the plan; repeats what is definite, remembers what is ambiguous. Raises no fault of the shadow."""


class Control(Protocol):
    """The control state in the database that decides."""

    async def read(self, *, limit_s: float | None = None) -> ControlState:
        """The state now; `limit_s` takes the place of the usual limit."""

    async def switch(
        self,
        flags: Flags,
        *,
        expected_epoch: int,
        who: str,
        address: str,
        reason: str,
        gate: Mapping[str, object] | None = None,
        is_settled_demanded: bool = False,
    ) -> ControlState:
        """Change the flags and write the audit entry in one transaction, once the writes in flight are done.

        `gate` is what the gate said, for the record; None where none was asked.

        Raises Conflict when the epoch is another by now or, if that is demanded, an intent is unsettled that a read of
        the shadow might show; Unavailable naming the connections in the way when it waits in vain.
        """

    async def kill(self, connection_ids: Sequence[int]) -> None:
        """Kill those of the connections that stand in the way of a switch."""

    async def leave(self, instance: str) -> None:
        """Take this worker off the fleet's list."""

    async def heartbeat(self, instance: str, *, epoch: int, limit_s: float | None = None) -> None:
        """Say that this worker lives and serves this epoch; `limit_s` as for `read`."""

    async def fleet(self) -> list[Heartbeat]:
        """The workers that were heard of in the last minute."""


class ControlMirror(Protocol):
    """The copy of the control state in the other database."""

    async def read(self) -> ControlState | None:
        """The copy, None where there is none yet."""

    async def write(self, state: ControlState) -> None:
        """Bring the copy up to `state` unless it is newer already."""


class Writer(Protocol):
    """The authority of writes."""

    def unit(
        self,
        state: ControlState,
        *,
        deadline: Deadline,
        also_lock: frozenset[Aggregate] = frozenset(),
    ) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction on a connection of its own, for a call made under `state`."""
