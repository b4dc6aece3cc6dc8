"""A write that goes to both databases, or to neither.

    1 to 3  unit.perform     begin, epoch, locks and versions, mutate, read the images          on the authority
    4       journal.open     the intent, durable before the first byte goes to the shadow        on its own connection
    5       shadow.write     one transaction: fences, puts, deletes                              on the shadow
    6       unit.commit      the intent deleted and the write committed, in one step             on the authority

Whatever ends the process between two steps, the intent tells the repairer which items to make equal to the authority's
rows. Version and fence keep a late request of a dead call from undoing what came after it. The protocol was
model-checked; change it only together with its model.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol, assert_never
from uuid import UUID, uuid4

from adapters.changes import Aggregate
from adapters.deadline import Deadline
from adapters.errors import Conflict, CrossfadeError, DeadlineExceeded, Outcome, Unavailable
from adapters.flags import ControlState, WriteFailurePolicy
from adapters.ports.store import (
    CommitLost,
    CommitState,
    IntentJournal,
    Restart,
    RestartCause,
    Shadow,
    ShadowOutcome,
    ShadowPlan,
    ShadowResult,
    UnitOfWork,
    Writer,
)
from proxy.calls import CallRequest
from proxy.guard import Guard
from proxy.logs import EventLog
from proxy.metrics import DualWriteOutcome

LOCK_CONFLICT_TRIES: Final = 3
REBUMP_TRIES: Final = 3
PROBE_LIMIT_S: Final = 5.0

log = EventLog(__name__)


class Step(StrEnum):
    """The places between which a process may die; tests make it die there."""

    PERFORMED = "performed"
    INTENT_OPENED = "intent_opened"
    SHADOW_WRITTEN = "shadow_written"
    COMMITTED = "committed"


class Repairs(Protocol):
    """The repairer, as far as a write needs it."""

    async def repair_call(self, op_id: UUID, *, deadline: Deadline) -> None:
        """Settle the intent that a call left, now if that is possible in time."""

    async def repair_aggregate(self, aggregate: Aggregate, *, deadline: Deadline) -> None:
        """Settle the unsettled intents of an aggregate, now if that is possible in time."""


async def _no_step(_: Step) -> None:
    """Nothing happens between the steps."""


@dataclass(frozen=True, slots=True)
class WriteParts:
    """What a dual write works with."""

    authority: Writer
    journal: IntentJournal
    shadow: Shadow
    repairs: Repairs
    authority_guard: Guard
    shadow_guard: Guard
    count: Callable[[str, DualWriteOutcome], None]
    wake_repairer: Callable[[], None]
    limit_s: float
    on_step: Callable[[Step], Awaitable[None]] = field(default=_no_step)


@dataclass(slots=True)
class _Call:
    """One attempt's own state: its id, whether the shadow may have been reached, and what it has to lock."""

    request: CallRequest
    state: ControlState
    wants: frozenset[Aggregate]
    op_id: UUID = field(default_factory=uuid4)

    @property
    def name(self) -> str:
        return self.request.operation.full_name


class DualWrite:
    """The steps, their order and what each failure means."""

    def __init__(self, parts: WriteParts, *, reread: Callable[[], Awaitable[ControlState]]) -> None:
        self._parts = parts
        self._reread = reread

    async def run(self, request: CallRequest, state: ControlState) -> tuple[object, ControlState]:
        """The answer, applied in both, and the state it was made under.

        Raises the operation's errors, Unavailable, DeadlineExceeded; each says what became of the write.
        """
        # However long the caller would wait: the session that holds the locks must outlive the write.
        request = replace(request, deadline=request.deadline.capped(self._parts.limit_s))
        wants: frozenset[Aggregate] = frozenset()
        conflicts = 0
        while True:
            try:
                return await self._attempt(_Call(request, state, wants)), state
            except Restart as restart:
                conflicts += restart.cause is RestartCause.LOCK_CONFLICT
                if conflicts >= LOCK_CONFLICT_TRIES or request.deadline.remaining_s <= 0:
                    raise _too_busy(request) from restart
                wants |= restart.wants
                if restart.cause is RestartCause.EPOCH_MOVED:
                    state = await self._reread()

    async def _attempt(self, call: _Call) -> object:
        """One pass through the steps. The whole write path."""
        parts = self._parts
        deadline = call.request.deadline
        async with parts.authority.unit(call.state, deadline=deadline, also_lock=call.wants) as unit:
            with parts.authority_guard.watch(call.request.operation):
                result = await unit.perform(call.request.operation, call.request.arguments)
            await parts.on_step(Step.PERFORMED)
            if not unit.change.is_written:
                return result
            if not call.state.flags.dual_write:
                await self._commit(unit, call, parts=0)
                return result
            plan = parts.shadow.plan(unit.change, op_id=call.op_id)
            if plan.is_empty:
                await self._commit(unit, call, parts=0)
                return result
            if not await parts.journal.open(
                call.op_id, call.name, plan.parts, epoch=call.state.epoch, deadline=deadline
            ):
                raise Restart(RestartCause.EPOCH_MOVED)
            await parts.on_step(Step.INTENT_OPENED)
            await self._follow(unit, call, plan)
            return result

    async def _follow(self, unit: UnitOfWork, call: _Call, plan: ShadowPlan) -> None:
        """Steps 5 and 6: bring the shadow up, then commit; or undo what can be undone and leave the rest to repair."""
        parts = self._parts
        written = await self._write_shadow(unit, call, plan)
        await parts.on_step(Step.SHADOW_WRITTEN)
        match written.outcome:
            case ShadowOutcome.APPLIED:
                await self._settle_and_commit(unit, call, plan)
            case ShadowOutcome.OWNER_REFUSED:
                await self._yield_to_owner(unit, call, written)
            case ShadowOutcome.FAILED | ShadowOutcome.AMBIGUOUS | ShadowOutcome.FENCE_REFUSED:
                await self._fail(unit, call, plan, written)
            case _:
                assert_never(written.outcome)

    async def _write_shadow(self, unit: UnitOfWork, call: _Call, plan: ShadowPlan) -> ShadowResult:
        """Step 5, again with a higher version where debris of a dead call is in the way, while the lock is held."""
        if not self._parts.shadow_guard.breaker.allow():
            return ShadowResult(ShadowOutcome.FAILED, error=Unavailable("the other database failed too often of late"))
        result = await self._send(call, plan)
        for _ in range(REBUMP_TRIES):
            if result.outcome is not ShadowOutcome.FENCE_REFUSED:
                break
            for aggregate, version in result.debris.items():
                await unit.rebump(aggregate, above=version)
            result = await self._send(call, self._parts.shadow.plan(unit.change, op_id=call.op_id))
        return result

    async def _send(self, call: _Call, plan: ShadowPlan) -> ShadowResult:
        log.debug("dual_write_attempted", operation=call.name, op_id=str(call.op_id))
        started_s = time.perf_counter()
        result = await self._parts.shadow.write(plan, deadline=call.request.deadline)
        is_failed = result.outcome in {ShadowOutcome.FAILED, ShadowOutcome.AMBIGUOUS}
        error = result.error if is_failed else None
        self._parts.shadow_guard.ended(call.request.operation, error, time.perf_counter() - started_s)
        return result

    async def _settle_and_commit(self, unit: UnitOfWork, call: _Call, plan: ShadowPlan) -> None:
        if plan.deferred:
            await unit.defer(call.op_id, call.name, plan.deferred)
        await self._commit(unit, call, parts=len(plan.parts))
        if plan.deferred:
            self._parts.wake_repairer()
        self._count(call, DualWriteOutcome.APPLIED)
        await self._parts.on_step(Step.COMMITTED)

    async def _commit(self, unit: UnitOfWork, call: _Call, *, parts: int, is_journalled: bool = False) -> None:
        """COMMIT; when its answer is lost the journal tells what became of it, on a connection of its own."""
        try:
            if is_journalled:
                await unit.commit_journalled(call.op_id, parts=parts)
            else:
                await unit.commit(call.op_id if parts else None, parts=parts)
        except CommitLost as lost:
            if not parts or await self._probe(call) is None:
                self._count(call, DualWriteOutcome.UNKNOWN)
                msg = "the commit was sent and its answer was lost"
                raise Unavailable(msg, outcome=Outcome.UNKNOWN) from lost

    async def _probe(self, call: _Call) -> CommitState | None:
        """What became of the COMMIT, None when nobody can tell now. Raises Unavailable when it was rolled back."""
        deadline = call.request.deadline.after(PROBE_LIMIT_S)
        try:
            state = await self._parts.journal.probe(call.op_id, deadline=deadline)
        except CrossfadeError as error:
            log.warning("commit_probe_failed", operation=call.name, op_id=str(call.op_id), error=error)
            return None
        if state is CommitState.ROLLED_BACK:
            self._count(call, DualWriteOutcome.ROLLED_BACK)
            msg = "the connection was lost before the commit"
            raise Unavailable(msg, outcome=Outcome.NOT_APPLIED)
        return state

    async def _yield_to_owner(self, unit: UnitOfWork, call: _Call, written: ShadowResult) -> None:
        """A key still belongs to another aggregate in the shadow: repair that one, then start over once."""
        await unit.rollback()
        await self._parts.journal.delete(call.op_id)
        if written.aggregate is None or written.aggregate in call.wants:
            self._count(call, DualWriteOutcome.ROLLED_BACK)
            msg = "another record still holds the key there"
            raise Unavailable(msg, outcome=Outcome.NOT_APPLIED)
        await self._parts.repairs.repair_aggregate(written.aggregate, deadline=call.request.deadline)
        # Wanting the owner marks the second attempt; holding it too does no harm.
        raise Restart(RestartCause.LOCKS_GREW, wants=[written.aggregate])

    async def _fail(self, unit: UnitOfWork, call: _Call, plan: ShadowPlan, written: ShadowResult) -> None:
        """The shadow could not be brought up: journal it, or roll back; an ambiguous one leaves its intent behind."""
        log.warning("dual_write_failed", operation=call.name, op_id=str(call.op_id), error=written.error)
        if call.state.flags.write_failure_policy is WriteFailurePolicy.JOURNAL:
            if plan.deferred:
                await unit.defer(call.op_id, call.name, plan.deferred)
            await self._commit(unit, call, parts=len(plan.parts), is_journalled=True)
            self._count(call, DualWriteOutcome.JOURNALLED)
            return
        await unit.rollback()
        self._count(call, DualWriteOutcome.ROLLED_BACK)
        log.warning("dual_write_rolled_back", operation=call.name, op_id=str(call.op_id))
        if written.outcome is ShadowOutcome.FAILED:
            await self._parts.journal.delete(call.op_id)
        elif call.request.deadline.remaining_s > 0:
            await self._parts.repairs.repair_call(call.op_id, deadline=call.request.deadline)
        raise _not_applied(written)

    def _count(self, call: _Call, outcome: DualWriteOutcome) -> None:
        self._parts.count(call.name, outcome)


def _too_busy(request: CallRequest) -> CrossfadeError:
    name = request.operation.full_name
    if request.deadline.remaining_s <= 0:
        return DeadlineExceeded(f"the deadline passed before {name} got its locks", outcome=Outcome.NOT_APPLIED)
    return Unavailable(f"{name} could not get its locks", outcome=Outcome.NOT_APPLIED)


def _not_applied(written: ShadowResult) -> CrossfadeError:
    """The error for the caller: the write is in neither database, or will be in neither once repaired."""
    if isinstance(written.error, DeadlineExceeded):
        return DeadlineExceeded(str(written.error), outcome=Outcome.NOT_APPLIED)
    if isinstance(written.error, Conflict):
        return written.error
    reason = str(written.error) if written.error else "the other database refused the write"
    return Unavailable(reason, outcome=Outcome.NOT_APPLIED)
