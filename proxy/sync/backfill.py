"""Backfill: the whole target made equal to the source, while the shop goes on writing to both.

    copy     users, products, categories: lock, read rows, put their items with the fences, commit
    remove   every item of the target: one that no row needs, or that another owns, is deleted under its owner's lock
    again    what met an item of another owner is copied, now that it is gone
    announce the listing's version leaves a gap, so that whoever caches it loads it anew; super admins are counted

Each lock is a repair without an intent: what a killed backfill leaves behind is right or will be overwritten, and a new
one begins at the beginning.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from adapters.changes import (
    ADMINS,
    LISTING,
    Aggregate,
    AggregateKind,
    ItemKey,
    Ref,
    RowKind,
    category_aggregate,
)
from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, PayloadTooLarge, Unavailable
from adapters.flags import ControlState
from adapters.ports.store import ShadowOutcome, UnitOfWork
from adapters.ports.sweep import FoundItem, MappedRows
from proxy.converge import converge
from proxy.sync.locked import Locked, StillBusy, SweepParts, admitted, locks_of, side_by_side
from proxy.sync.report import BackfillReport, CopyCounts, Failure, Progress, Watcher
from proxy.sync.walk import KINDS, chunks, claimed, grouped, is_in_place, needed_by_rows, pages

GROUP_ACTIONS: Final = 40
"""Items and fences of small aggregates that share a transaction: few enough that a busy one holds up few others."""
ROWS_AT_ONCE: Final = 300
"""Rows of one aggregate that are read and written at once."""
STRAYS_AT_ONCE: Final = 40
AT_ONCE: Final = 4
WRITE_LIMIT_S: Final = 10.0
"""One write must end before the session that holds its locks is dropped for its silence."""
GROUP_PATIENCE_S: Final = 1.0
"""After so long with one of them busy, the aggregates of a group are copied one by one."""

KIND_OF_ROW: Final[Mapping[RowKind, AggregateKind]] = {
    RowKind.USER: AggregateKind.USER,
    RowKind.CART: AggregateKind.USER,
    RowKind.ORDER: AggregateKind.USER,
    RowKind.PRODUCT: AggregateKind.PRODUCT,
    RowKind.CATEGORY: AggregateKind.CATEGORY,
}
"""The kind of the aggregates by which rows are copied."""


class Refused(Exception):
    """The target holds something against the write that only another aggregate's turn can remove."""


async def backfill(parts: SweepParts, *, progress: Watcher) -> BackfillReport:
    """Make the target equal to the source; may be run again at any time, also after it was killed.

    Raises Conflict where the phase has no dual writes or comes to have none, Unavailable or DeadlineExceeded when a
    database stays out of reach.
    """
    run = _Backfill(parts, await admitted(parts), progress)
    for kind in KINDS:
        await run.copy(kind)
    await run.remove_strays()
    await run.copy_again()
    await run.announce()
    return run.report


class _Backfill:
    """One run."""

    def __init__(self, parts: SweepParts, state: ControlState, progress: Watcher) -> None:
        self._parts = parts
        self._locked = Locked(parts, state, on_retry=self._retried)
        self._progress = progress
        self._again: set[Aggregate] = set()
        self._is_last_round = False
        self.report = BackfillReport()

    async def copy(self, kind: AggregateKind) -> None:
        """Write the items of all rows of a kind."""
        ids, done = await self._parts.source.range_of(kind), 0
        async for page in pages(self._parts.source, kind, last_id=ids.last_id):
            # Each category takes the lock of the tree, so that they would only wait for each other.
            at_once = 1 if kind is AggregateKind.CATEGORY else AT_ONCE
            await side_by_side(grouped(page, limit=GROUP_ACTIONS), self._copy_group, at_once=at_once)
            done += len(page)
            self._progress(Progress(_name(kind), done, max(done, ids.total)))

    async def remove_strays(self) -> None:
        """Delete the items that no row needs and those that another owns."""
        done = 0
        async for page in self._parts.target.scan():
            needed = await needed_by_rows(self._parts, page)
            strays = [item for item in page if not is_in_place(item, needed)]
            await self._remove(strays)
            keys = {item.key(item.ref) for item in strays if item.ref is not None}
            self._again |= {_home(key.ref, needed[key]) for key in keys & needed.keys()}
            done += len(page)
            self._progress(Progress("item", done, None))

    async def copy_again(self) -> None:
        """Copy the aggregates that were refused, and those some of whose items were deleted as another's."""
        self._is_last_round = True
        for aggregate in sorted(self._again):
            await self._copy_group([aggregate])

    async def announce(self) -> None:
        """Tell whoever caches the listing, and count the super admins."""
        await self._locked.run({LISTING, ADMINS}, self._announce, patience_s=math.inf, may_queue=True)

    async def _copy_group(self, aggregates: Sequence[Aggregate]) -> None:
        """Copy aggregates of one kind together, or else one by one."""
        if len(aggregates) == 1:
            await self._copy_one(aggregates[0])
            return
        # Of a group of categories the tree alone is ever busy, and queueing for one lock holds up nobody for another.
        may_queue = aggregates[0].kind is AggregateKind.CATEGORY
        patience_s = math.inf if may_queue else GROUP_PATIENCE_S
        try:
            await self._copy_together(aggregates, patience_s=patience_s, may_queue=may_queue)
        except (StillBusy, Refused, PayloadTooLarge, Unavailable, DeadlineExceeded):
            for each in aggregates:
                await self._copy_one(each)

    async def _copy_one(self, aggregate: Aggregate) -> None:
        """Copy an aggregate, or leave it: for later, where it may come right by then, else as it is."""
        try:
            await self._copy_together([aggregate], patience_s=math.inf, may_queue=True)
        except (Refused, PayloadTooLarge) as error:
            await self._clear(aggregate)
            self._leave(aggregate, error)
        except (Unavailable, DeadlineExceeded) as error:
            # Of a write of several transactions it is not always known that an item without owner stopped it.
            if not await self._clear(aggregate):
                raise
            self._leave(aggregate, error)

    async def _copy_together(self, aggregates: Sequence[Aggregate], *, patience_s: float, may_queue: bool) -> None:
        work = partial(self._copy_rows, aggregates)
        await self._locked.run(locks_of(aggregates), work, patience_s=patience_s, may_queue=may_queue)

    async def _copy_rows(self, aggregates: Sequence[Aggregate], unit: UnitOfWork) -> None:
        refs = await self._parts.source.refs_of(aggregates)
        await unit.recount(each.id for each in aggregates if each.kind is AggregateKind.PRODUCT)
        put = 0
        faults: dict[Ref, str] = {}
        for number, rows in enumerate(chunks(refs, ROWS_AT_ONCE)):
            if number:
                await _begin_anew(unit)
            mapped = await self._read(unit, rows)
            if mapped.keys:
                await self._converge(unit, mapped.keys)
            put += len(mapped.keys)
            faults.update(mapped.faults)
        await unit.commit(None, parts=0)
        counts = self._counts_of(aggregates[0].kind)
        counts.aggregates += len(aggregates)
        counts.put += put
        self.report.failures += [Failure(f"{ref.kind} {ref.id}", reason) for ref, reason in faults.items()]

    async def _read(self, unit: UnitOfWork, refs: Iterable[Ref]) -> MappedRows:
        """Read rows into the unit's change, those left out that cannot have items."""
        images = await unit.images(refs)
        mapped = self._parts.target.map(images.values())
        unit.change.after = {ref: image for ref, image in images.items() if ref not in mapped.faults}
        return mapped

    async def _converge(self, unit: UnitOfWork, listed: Iterable[ItemKey]) -> None:
        result = await converge(self._parts.shadow, unit, listed, Deadline.after(WRITE_LIMIT_S))
        if result.outcome is ShadowOutcome.APPLIED:
            return
        if result.outcome is ShadowOutcome.OWNER_REFUSED or result.aggregate is not None:
            raise Refused(str(result.error))
        raise result.error or Unavailable("the target refused the write")

    async def _remove(self, strays: Iterable[FoundItem]) -> None:
        by_owner: dict[Aggregate | None, list[FoundItem]] = defaultdict(list)
        for item in strays:
            by_owner[item.owner].append(item)
        for item in by_owner.pop(None, []):
            await self._remove_unowned(item)
        for owner, items in by_owner.items():
            if owner is not None:
                for some in chunks(items, STRAYS_AT_ONCE):
                    await self._remove_owned(owner, some)

    async def _remove_unowned(self, item: FoundItem) -> None:
        """An item that no aggregate owns is in no writer's way but ours: the condition of its delete is lock enough."""
        if item.ref is None:
            self.report.failures.append(Failure(str(item), "it shows no row and names no owner"))
        elif await self._parts.target.remove_unowned(item):
            self._counts_of(KIND_OF_ROW[item.ref.kind]).deleted += 1

    async def _remove_owned(self, owner: Aggregate, items: Sequence[FoundItem]) -> None:
        work = partial(self._remove_rows, owner, items)
        try:
            removed, failed = await self._locked.run(locks_of([owner]), work, patience_s=math.inf, may_queue=True)
        except Refused as error:
            self.report.failures.append(Failure(str(owner), str(error)))
            return
        self._counts_of(owner.kind).deleted += removed
        self.report.failures += [Failure(str(item), f"{owner} could not delete it") for item in failed]

    async def _remove_rows(
        self, owner: Aggregate, items: Collection[FoundItem], unit: UnitOfWork
    ) -> tuple[int, list[FoundItem]]:
        """How many were deleted, and which should be gone and are not."""
        listed = [item.key(claimed(item.ref, owner)) for item in items]
        mapped = await self._read(unit, {key.ref for key in listed})
        await self._converge(unit, listed)
        # Looked at while no writer may touch them: a moment later the owner may have put one back, and gone on.
        left = set(await self._parts.target.items_at([item.place for item in items])).intersection(items)
        await unit.commit(None, parts=0)
        return len(set(listed) - mapped.keys.keys()), [item for item in left if not is_in_place(item, mapped.keys)]

    async def _announce(self, unit: UnitOfWork) -> None:
        # A version without an entry in the listing's log: whoever goes by the log must load the listing anew.
        await unit.rebump(LISTING, above=unit.change.versions[LISTING])
        unit.change.counts.update(await self._parts.source.counts([ADMINS]))
        await self._converge(unit, [])
        await unit.commit(None, parts=0)

    def _leave(self, aggregate: Aggregate, error: Exception) -> None:
        if self._is_last_round or isinstance(error, PayloadTooLarge):
            self.report.failures.append(Failure(str(aggregate), str(error)))
        else:
            self._again.add(aggregate)

    async def _clear(self, aggregate: Aggregate) -> bool:
        """Delete what lies without an owner where an aggregate's items belong: no other turn would remove it."""
        cleared = 0
        for rows in chunks(await self._parts.source.refs_of([aggregate]), ROWS_AT_ONCE):
            needed = self._parts.target.map((await self._parts.source.images(rows)).values()).keys
            for item in await self._parts.target.items_at([(key.table, key.partition, key.sort) for key in needed]):
                cleared += item.owner is None and await self._parts.target.remove_unowned(item)
        self._counts_of(aggregate.kind).deleted += cleared
        return cleared > 0

    def _counts_of(self, kind: AggregateKind) -> CopyCounts:
        return self.report.kinds[_name(kind)]

    def _retried(self, aggregate: Aggregate) -> None:
        self._counts_of(aggregate.kind).retried += 1


async def _begin_anew(unit: UnitOfWork) -> None:
    """Take new versions, without which the fences would refuse a second write."""
    for aggregate, version in list(unit.change.versions.items()):
        await unit.rebump(aggregate, above=version)


def _home(ref: Ref, owner: Aggregate) -> Aggregate:
    """The aggregate by whose turn a row is copied."""
    return category_aggregate(ref.id) if ref.kind is RowKind.CATEGORY else owner


def _name(kind: AggregateKind) -> str:
    return kind.name.lower()
