"""Work on a few aggregates at a time under their locks, beside the shop's writers, who always come first.

groups -> side by side -> lock without waiting, work, commit or roll back -> busy: again after a while
-> not possible together: one by one
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from adapters.changes import TREE, Aggregate, AggregateKind
from adapters.deadline import Deadline
from adapters.errors import Conflict, DeadlineExceeded, Reason, Subject, Unavailable
from adapters.flags import ControlState
from adapters.ports.store import CommitLost, IntentJournal, Restart, RestartCause, Shadow, UnitOfWork, Writer
from adapters.ports.sweep import SourceSweep, TargetSweep

UNIT_LIMIT_S: Final = 600.0
"""A unit holds its locks no longer, however many rows a user has."""
FAULTS_MAX: Final = 6
TRIES_UNQUEUED: Final = 3
"""How often a lock is tried before queueing for it, which holds up those behind."""
PAUSE_S: Final = 0.05
PAUSE_MAX_S: Final = 0.5
DOUBLINGS: Final = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SweepParts:
    """What a sweep works with; `state` reads the control state of the database that decides."""

    authority: Writer
    journal: IntentJournal
    shadow: Shadow
    source: SourceSweep
    target: TargetSweep
    state: Callable[[], Awaitable[ControlState]]


class StillBusy(Exception):
    """The locks could not be had in the time allowed."""


class Locked:
    """Units of work for sweeps. `on_retry` is told of each try that has to be repeated, by one of its aggregates."""

    def __init__(self, parts: SweepParts, state: ControlState, *, on_retry: Callable[[Aggregate], None]) -> None:
        self._parts = parts
        self._state = state
        self._on_retry = on_retry

    async def run(
        self,
        aggregates: Collection[Aggregate],
        work: Callable[[UnitOfWork], Awaitable[T]],
        *,
        patience_s: float,
        may_queue: bool,
    ) -> T:
        """Do the work with all these aggregates locked; it commits, or else is rolled back.

        What is busy is tried again with growing pauses, so is what a fault stopped, FAULTS_MAX times. A lock that is
        hardly ever free is never met so: if it may queue, it does after TRIES_UNQUEUED tries. Raises StillBusy once
        patience is at an end, Conflict when the phase has changed to one without dual writes, and what the work raises.
        """
        until = Deadline.after(patience_s)
        tries = faults = 0
        while True:
            try:
                return await self._once(aggregates, work, is_patient=may_queue and tries >= TRIES_UNQUEUED)
            except Restart as restart:
                if restart.cause is RestartCause.EPOCH_MOVED:
                    self._state = await admitted(self._parts)
                elif until.remaining_s <= 0:
                    raise StillBusy(f"{', '.join(map(str, sorted(aggregates)))}: busy") from restart
            except (Unavailable, DeadlineExceeded, CommitLost) as error:
                faults += 1
                if faults >= FAULTS_MAX:
                    raise _lasting(error) from error
            self._on_retry(max(aggregates))
            await asyncio.sleep(pause_s(tries))
            tries += 1

    async def _once(
        self, aggregates: Collection[Aggregate], work: Callable[[UnitOfWork], Awaitable[T]], *, is_patient: bool
    ) -> T:
        deadline = Deadline.after(UNIT_LIMIT_S)
        async with self._parts.authority.unit(self._state, deadline=deadline) as unit:
            await unit.lock_now(aggregates, is_patient=is_patient)
            return await work(unit)


async def admitted(parts: SweepParts) -> ControlState:
    """The control state, if sweeps have a place in it. Raises Conflict, saying why they have not."""
    state = await parts.state()
    if state.flags.dual_write:
        return state
    message = (
        "the source does not get writes any more: there is nothing to copy from it or to compare with"
        if state.flags.read_from_dynamodb
        else "the target does not get writes; move to phase 2 first"
    )
    raise Conflict(message, reason=Reason.UNSERVED_PHASE, subject=Subject("flags"))


def locks_of(aggregates: Iterable[Aggregate]) -> frozenset[Aggregate]:
    """What to lock so that none of their items changes: with a category the tree, which owns its items."""
    locks = frozenset(aggregates)
    return locks | {TREE} if any(each.kind is AggregateKind.CATEGORY for each in locks) else locks


def pause_s(tries: int) -> float:
    """How long to wait after so many tries, in seconds: doubling, with jitter."""
    return random.uniform(0.5, 1.0) * min(PAUSE_MAX_S, PAUSE_S * (1 << min(tries, DOUBLINGS)))  # noqa: S311  # no secret


async def side_by_side(items: Iterable[T], work: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Work on all items, so many at a time. The first error is raised once the others have been cancelled."""
    places = asyncio.Semaphore(at_once)

    async def placed(item: T) -> None:
        async with places:
            await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for item in items:
                tasks.create_task(placed(item))
    except ExceptionGroup as group:
        raise group.exceptions[0] from group


def _lasting(error: Exception) -> Exception:
    return Unavailable("the answer to a commit was lost again and again") if isinstance(error, CommitLost) else error
