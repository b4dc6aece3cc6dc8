"""The repairer: makes the shadow equal to the authority's rows wherever an intent says that it may not be.

State-based: an intent names items, and whatever the rows say now is what those items become. So repairs need no order
among them, may run twice, and may run beside writers: the version rows keep them apart.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from adapters.changes import LISTING, TREE, Aggregate, Change, Intent, IntentPart, ItemKey, Ref, RowKind
from adapters.deadline import Deadline
from adapters.errors import CrossfadeError, Unavailable
from adapters.ports.store import (
    CommitLost,
    IntentJournal,
    Restart,
    RestartCause,
    Shadow,
    ShadowOutcome,
    UnitOfWork,
    Writer,
)
from proxy.converge import converge
from proxy.flags.snapshot import Snapshot
from proxy.logs import EventLog
from proxy.metrics import RepairResult

BATCH: Final = 1024
AT_ONCE: Final = 8
AGGREGATES_MAX: Final = 64
"""How many aggregates are settled under one set of locks: intents that hang together may be very many."""
KEYS_MAX: Final = 300
"""How many items: a user who moved often while the shadow was away has many, and calls wait for the lock meanwhile."""
TOGETHER_MAX: Final = 90
"""How many aggregates and items small groups may have together, to be settled in one request to the shadow."""
REPAIR_LIMIT_S: Final = 20.0
ALARM_ATTEMPTS: Final = 10
BUSY_TRIES: Final = 3
BUSY_WAIT_S: Final = 0.05

RECOUNTED_AFTER: Final = frozenset({"user.delete"})
"""The writes whose deferred parts leave the references of products to be counted anew."""

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class RepairReport:
    """How many intents were found due, settled, found busy, and failed."""

    found: int = 0
    settled: int = 0
    busy: int = 0
    failed: int = 0

    def __add__(self, other: "RepairReport") -> "RepairReport":
        return RepairReport(
            self.found + other.found,
            self.settled + other.settled,
            self.busy + other.busy,
            self.failed + other.failed,
        )


class RepairCounter(Protocol):
    """Who is told what became of intents."""

    def __call__(self, result: RepairResult, *, intents: int) -> None:
        """Count that many intents."""


async def _always() -> bool:
    """Nobody knows better."""
    return True


@dataclass(frozen=True, slots=True)
class RepairParts:
    """What a repair works with. `is_shadow_there` is asked before intents are claimed; by default they always are."""

    authority: Writer
    journal: IntentJournal
    shadow: Shadow
    snapshot: Snapshot
    count: RepairCounter
    is_shadow_there: Callable[[], Awaitable[bool]] = field(default=_always)


class Held(Unavailable):
    """A key of the intent belongs to another aggregate, whose own repair must give it up first."""


class Repairer:
    """Settles intents, in the background and at the request of a write."""

    def __init__(self, parts: RepairParts) -> None:
        self._parts = parts

    async def run_once(self) -> RepairReport:
        """Settle what is due, and go on while there is more and it gets done.

        While the shadow is known to be away nothing is tried: calls would wait for locks held in vain, and what is put
        off again and again would be late once the shadow is back.
        """
        total = RepairReport()
        while self._is_dual() and await self._parts.is_shadow_there():
            intents = await self._parts.journal.due(limit=BATCH)
            report = await self._settle_all(intents, limit_s=REPAIR_LIMIT_S)
            total += report
            if report.settled == 0:
                break
        return total

    def _is_dual(self) -> bool:
        """Only while both databases are written to is there anything to be made equal."""
        state = self._parts.snapshot.latest
        return state is not None and state.flags.dual_write

    async def repair_call(self, op_id: UUID, *, deadline: Deadline) -> None:
        """Settle what a call left behind, if that is possible in time; the background goes on with it if not."""
        await self._settle_all(await self._parts.journal.of_call(op_id), limit_s=deadline.remaining_s)

    async def repair_aggregate(self, aggregate: Aggregate, *, deadline: Deadline) -> None:
        """Settle the unsettled intents of an aggregate, if that is possible in time."""
        intents = await self._parts.journal.due(limit=BATCH, aggregate=aggregate)
        await self._settle_all(intents, limit_s=deadline.remaining_s)

    async def _settle_all(self, intents: Sequence[Intent], *, limit_s: float) -> RepairReport:
        """Groups that share no aggregate, several at once; a group's failure is its own."""
        reports: list[RepairReport] = []
        places = asyncio.Semaphore(AT_ONCE)

        async def settle(groups: list[list[Intent]]) -> None:
            async with places:
                reports.append(await self._settle_together(groups, limit_s=limit_s))

        async with asyncio.TaskGroup() as tasks:
            for groups in joined(grouped(intents)):
                tasks.create_task(settle(groups))
        return sum(reports, RepairReport())

    async def _settle_together(self, groups: list[list[Intent]], *, limit_s: float) -> RepairReport:
        """Several groups under one set of locks; one by one where an aggregate is busy or one is in another's way."""
        if len(groups) > 1:
            everything = [intent for group in groups for intent in group]
            try:
                if await self._was_settled(everything, Deadline.after(limit_s), is_patient=False):
                    self._parts.count(RepairResult.REPAIRED, intents=len(everything))
                    return RepairReport(found=len(everything), settled=len(everything))
            except Held as held:
                log.info("repair_divided", intents=[intent.id for intent in everything], reason=str(held))
            except (CrossfadeError, Restart, CommitLost) as error:
                await self._put_off(everything, error)
                return RepairReport(found=len(everything), failed=len(everything))
        parts = [part for group in groups for part in parted(group)]
        return sum([await self._settle(part, Deadline.after(limit_s)) for part in parts], RepairReport())

    async def _settle(self, intents: list[Intent], deadline: Deadline) -> RepairReport:
        """One group, merged; what fails is put off."""
        found = len(intents)
        try:
            for tries in range(BUSY_TRIES + 1):
                # Where writers come one after another, only a place in their queue gets the lock.
                if await self._was_settled(intents, deadline, is_patient=tries == BUSY_TRIES):
                    self._parts.count(RepairResult.REPAIRED, intents=found)
                    return RepairReport(found=found, settled=found)
                await asyncio.sleep(BUSY_WAIT_S)
            await self._parts.journal.postpone(intents, error="busy", is_busy=True)
            self._parts.count(RepairResult.BUSY, intents=found)
            return RepairReport(found=found, busy=found)
        except (CrossfadeError, Restart, CommitLost) as error:
            await self._put_off(intents, error)
            return RepairReport(found=found, failed=found)

    async def _put_off(self, intents: list[Intent], error: Exception) -> None:
        self._parts.count(RepairResult.FAILED, intents=len(intents))
        is_alarming = any(intent.attempts + 1 >= ALARM_ATTEMPTS for intent in intents)
        report = log.error if is_alarming else log.warning
        report("repair_failed", intents=[intent.id for intent in intents], error=error)
        try:
            await self._parts.journal.postpone(intents, error=str(error), is_busy=False)
        except (CrossfadeError, Restart) as unreachable:
            log.warning("repair_not_postponed", error=unreachable)

    async def _was_settled(self, intents: list[Intent], deadline: Deadline, *, is_patient: bool) -> bool:
        """Lock, look again, converge, settle, commit; False when an aggregate is busy."""
        state = self._parts.snapshot.current()
        try:
            async with self._parts.authority.unit(state, deadline=deadline) as unit:
                await lock_for_repair(unit, [intent.part for intent in intents], is_patient=is_patient)
                unsettled = await unit.unsettled(intents)
                if not unsettled:
                    return True
                await self._converge(unit, unsettled, deadline)
                await unit.settle(unsettled)
                await unit.commit(None, parts=0)
                return True
        except Restart as restart:
            if restart.cause is RestartCause.LOCK_CONFLICT:
                return False
            raise

    async def _converge(self, unit: UnitOfWork, intents: list[Intent], deadline: Deadline) -> None:
        keys = {key for intent in intents for key in intent.part.keys}
        if any(intent.operation in RECOUNTED_AFTER for intent in intents):
            await unit.recount(key.ref.id for key in keys if key.ref.kind is RowKind.PRODUCT)
        refs = {key.ref for key in keys}
        unit.change.after.update(await unit.images(refs))
        note_listed(unit.change, refs=refs)
        result = await converge(self._parts.shadow, unit, keys, deadline)
        if result.outcome is ShadowOutcome.OWNER_REFUSED and result.aggregate is not None:
            raise Held(f"a key is still held by {result.aggregate}")
        if result.outcome is not ShadowOutcome.APPLIED:
            raise result.error or Unavailable("the shadow refused the repair")


async def lock_for_repair(unit: UnitOfWork, parts: Iterable[IntentPart], *, is_patient: bool) -> None:
    """Lock all aggregates of the parts; the tree is shared where a category's item is concerned."""
    listed = list(parts)
    aggregates = {aggregate for part in listed for aggregate in part.aggregates}
    has_categories = any(key.ref.kind is RowKind.CATEGORY for part in listed for key in part.keys)
    shared = [TREE] if has_categories and TREE not in aggregates else []
    await unit.lock_now(aggregates, shared=shared, is_patient=is_patient)


def note_listed(change: Change, *, refs: Iterable[Ref]) -> None:
    """Where the listing is among the locks, its log entry names all products and sellers concerned."""
    if LISTING in change.versions:
        change.listed_products.update(ref.id for ref in refs if ref.kind is RowKind.PRODUCT)
        change.listed_sellers.update(ref.id for ref in refs if ref.kind is RowKind.USER)


def grouped(intents: Sequence[Intent]) -> list[list[Intent]]:
    """Intents that share an aggregate end in one group, so that groups can be settled side by side."""
    group_of: dict[Aggregate, list[Intent]] = {}
    groups: dict[int, list[Intent]] = {}
    for intent in intents:
        merged = [intent]
        for other in {id(group_of[a]): group_of[a] for a in intent.part.aggregates if a in group_of}.values():
            merged += other
            del groups[id(other)]
        groups[id(merged)] = merged
        group_of.update({aggregate: merged for member in merged for aggregate in member.part.aggregates})
    return list(groups.values())


def joined(groups: Sequence[list[Intent]]) -> list[list[list[Intent]]]:
    """The groups, small ones several together; one that failed before stays alone, so as to hold up no other."""
    found: list[list[list[Intent]]] = []
    size = TOGETHER_MAX
    for group in groups:
        own = TOGETHER_MAX if any(intent.attempts for intent in group) else _size(group)
        if size + own > TOGETHER_MAX:
            found.append([])
            size = 0
        found[-1].append(group)
        size += own
    return found


def _size(group: Sequence[Intent]) -> int:
    """How many aggregates and items a group has."""
    aggregates = {aggregate for intent in group for aggregate in intent.part.aggregates}
    return len(aggregates) + len({key for intent in group for key in intent.part.keys})


def parted(group: Sequence[Intent]) -> list[list[Intent]]:
    """A group in parts to be settled one after another, each of few enough aggregates and items, or of one intent."""
    parts: list[list[Intent]] = []
    aggregates: set[Aggregate] = set()
    keys: set[ItemKey] = set()
    for intent in group:
        aggregates |= set(intent.part.aggregates)
        keys |= set(intent.part.keys)
        if not parts or len(aggregates) > AGGREGATES_MAX or len(keys) > KEYS_MAX:
            parts.append([])
            aggregates, keys = set(intent.part.aggregates), set(intent.part.keys)
        parts[-1].append(intent)
    return parts
