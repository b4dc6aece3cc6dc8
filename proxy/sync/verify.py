"""Verify: every row compared with its items, and every item with its row, without writing.

    rows    read and compared without locks; what differs is compared again under the lock, and counts only then
    items   every item of the target; one that no row needs is looked at again under its owner's lock

Under the lock nobody is writing the aggregate. A difference may still be a debt that the journal knows of: the repairer
is given a while to pay it; then it is one of which nobody can tell.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from adapters.changes import ADMINS, TREE, Aggregate, AggregateKind, Image, Ref, RowKind, category_aggregate
from adapters.flags import ControlState
from adapters.ports.store import UnitOfWork
from adapters.ports.sweep import DifferenceKind, FoundItem, ItemDifference
from proxy.sync.locked import Locked, StillBusy, SweepParts, admitted, locks_of, side_by_side
from proxy.sync.report import Progress, VerifyReport, Watcher
from proxy.sync.walk import KINDS, chunks, grouped, is_needed, needed_by_rows, pages

GROUP_ITEMS: Final = 400
ROWS_AT_ONCE: Final = 400
AT_ONCE: Final = 2
LOCKED_AT_ONCE: Final = 20
PATIENCE_S: Final = 2.0
GROUP_PATIENCE_S: Final = 0.5
"""How long busy locks are tried for: those of one aggregate, and those of several, before each is tried alone."""
UNKNOWN: Final = "unknown"
"""The entity of an item that shows no row."""
KINDS_OF_ROWS: Final[Mapping[AggregateKind, frozenset[RowKind]]] = {
    AggregateKind.USER: frozenset({RowKind.USER, RowKind.CART, RowKind.ORDER}),
    AggregateKind.PRODUCT: frozenset({RowKind.PRODUCT}),
    AggregateKind.CATEGORY: frozenset({RowKind.CATEGORY}),
}
WAITS_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
"""The pauses in which the repairer may pay what the journal says is owed."""


@dataclass(slots=True)
class _Found:
    """What a comparison found of one aggregate: its rows, counted, and their differences."""

    rows: Counter[str] = field(default_factory=Counter)
    differences: list[ItemDifference] = field(default_factory=list)


_Findings = dict[Aggregate, _Found]
_Comparing = Callable[[Sequence[Aggregate]], Awaitable[_Findings]]


async def verify(
    parts: SweepParts, *, progress: Watcher, entities: Collection[RowKind] = frozenset(RowKind)
) -> VerifyReport:
    """Compare the target with the source, beside their writers, in memory that does not grow with the shop.

    Rows of other `entities` are left out, and so is what shows no row at all unless all of them are compared.

    Raises Conflict where the phase has no dual writes or comes to have none, Unavailable or DeadlineExceeded when a
    database stays out of reach.
    """
    run = _Verify(parts, await admitted(parts), progress, frozenset(entities))
    for kind in KINDS:
        if KINDS_OF_ROWS[kind] & frozenset(entities):
            await run.compare_rows(kind)
    if RowKind.USER in entities:
        await run.compare_admins()
    await run.compare_items()
    return run.report


class _Verify:
    """One run."""

    def __init__(self, parts: SweepParts, state: ControlState, progress: Watcher, entities: frozenset[RowKind]) -> None:
        self._parts = parts
        self._entities = entities
        self._locked = Locked(parts, state, on_retry=lambda _: None)
        self._progress = progress
        self.report = VerifyReport()

    async def compare_rows(self, kind: AggregateKind) -> None:
        """Compare all rows of the aggregates of a kind with their items."""
        ids, done = await self._parts.source.range_of(kind), 0
        async for page in pages(self._parts.source, kind, last_id=ids.last_id):
            await side_by_side(grouped(page, limit=GROUP_ITEMS), self._compare_group, at_once=AT_ONCE)
            done += len(page)
            self._progress(Progress(kind.name.lower(), done, max(done, ids.total)))

    async def compare_admins(self) -> None:
        """Compare the number of super admins with what their fence counts."""
        await self._compare_group([ADMINS])

    async def compare_items(self) -> None:
        """Look for items that no row needs."""
        done = 0
        async for page in self._parts.target.scan():
            strays: dict[Aggregate | None, list[FoundItem]] = defaultdict(list)
            for item in await self._strays([item for item in page if self._is_asked(item.ref)]):
                strays[_home_of_item(item)].append(item)
            self._count(_found(strays.pop(None, [])), is_certain=True)
            owned = {home: items for home, items in strays.items() if home is not None}
            await self._settle({home: _found(items) for home, items in owned.items()}, partial(self._again, owned))
            done += len(page)
            self._progress(Progress("item", done, None))

    async def _compare_group(self, aggregates: Sequence[Aggregate]) -> None:
        found = await self._compare(aggregates)
        for each in found.values():
            if not each.differences:
                self._count(each, is_certain=True)
        await self._settle({home: each for home, each in found.items() if each.differences}, self._compare)

    async def _compare(self, aggregates: Sequence[Aggregate]) -> _Findings:
        """All rows of these aggregates with their items, and their fences' counts; takes no locks."""
        found: _Findings = defaultdict(_Found)
        refs = await self._parts.source.refs_of(aggregates)
        counts = await self._parts.source.counts(aggregates)
        for some in [*chunks(refs, ROWS_AT_ONCE)] or [[]]:
            images = await self._parts.source.images(some)
            homes: dict[Ref | None, Aggregate] = {ref: _home(image) for ref, image in images.items()}
            for ref in images:
                found[homes[ref]].rows[ref.kind.value] += 1
            # Aggregates' own rows come first, so that all counts are compared with the first rows; a user who is gone
            # by now is not.
            compared = {each: n for each, n in counts.items() if each == ADMINS or each in homes.values()}
            counts = {}
            for difference in await self._parts.target.differences(images.values(), compared):
                found[homes.get(difference.ref, ADMINS)].differences.append(difference)
        return found

    async def _again(
        self, owned: Mapping[Aggregate, Sequence[FoundItem]], aggregates: Sequence[Aggregate]
    ) -> _Findings:
        """The strays of these aggregates that still are."""
        places = [item.place for each in aggregates for item in owned[each]]
        found: _Findings = {each: _Found() for each in aggregates}
        for item in await self._strays(await self._parts.target.items_at(places)):
            found.setdefault(_home_of_item(item) or aggregates[0], _Found()).differences.append(_extra(item))
        return found

    async def _strays(self, items: Iterable[FoundItem]) -> list[FoundItem]:
        listed = list(items)
        needed = await needed_by_rows(self._parts, listed)
        return [item for item in listed if not is_needed(item, needed)]

    async def _settle(self, suspects: _Findings, compare: _Comparing) -> None:
        """Compare again under the locks, until each is equal, surely different or the time is up."""
        for wait_s in WAITS_S:
            suspects = await self._judge(suspects, compare)
            if not suspects:
                return
            await asyncio.sleep(wait_s)
        for found in (await self._judge(suspects, compare)).values():
            self._count(found, is_certain=False)

    async def _judge(self, suspects: _Findings, compare: _Comparing) -> _Findings:
        """Compare once under the locks and count what is certain; the rest."""
        undecided: _Findings = {}
        for some in chunks(sorted(suspects), LOCKED_AT_ONCE):
            undecided |= await self._judge_group(some, suspects, compare)
        return undecided

    async def _judge_group(self, some: Sequence[Aggregate], suspects: _Findings, compare: _Comparing) -> _Findings:
        async def work(_: UnitOfWork) -> tuple[_Findings, set[Aggregate]]:
            found = await compare(some)
            return found, {home for home, each in found.items() if each.differences and await self._is_owed(home)}

        is_alone = len(some) == 1
        # Of a group of categories the tree alone is ever busy, and queueing for one lock holds up nobody for another.
        may_queue = is_alone or some[0].kind is AggregateKind.CATEGORY
        patience_s = PATIENCE_S if may_queue else GROUP_PATIENCE_S
        try:
            found, owed = await self._locked.run(locks_of(some), work, patience_s=patience_s, may_queue=may_queue)
        except StillBusy:
            if is_alone:
                return {some[0]: suspects[some[0]]}
            alone = [await self._judge_group([each], suspects, compare) for each in some]
            return {home: each for findings in alone for home, each in findings.items()}
        for home, each in found.items():
            if home not in owed:
                self._count(each, is_certain=True)
        return {home: found[home] for home in owed}

    async def _is_owed(self, home: Aggregate) -> bool:
        """Whether the journal knows of something that the target has not got yet."""
        return any([await self._parts.journal.due(limit=1, aggregate=each) for each in locks_of([home])])

    def _is_asked(self, ref: Ref | None) -> bool:
        return len(self._entities) == len(RowKind) if ref is None else ref.kind in self._entities

    def _count(self, found: _Found, *, is_certain: bool) -> None:
        differences = [each for each in found.differences if self._is_asked(each.ref)]
        differing = Counter(entity for entity, _ in {(each.entity, each.ref) for each in differences})
        for entity in found.rows | differing:
            if entity not in self._entities and entity != UNKNOWN:
                continue
            counts = self.report.entities[entity]
            counts.equal += max(found.rows[entity] - differing[entity], 0)
            if is_certain:
                counts.different += differing[entity]
            else:
                counts.could_not_tell += differing[entity]
        if is_certain:
            for each in differences:
                self.report.note(each)


def _home(image: Image) -> Aggregate:
    """The aggregate by whose turn a row is compared."""
    return category_aggregate(image.ref.id) if image.ref.kind is RowKind.CATEGORY else image.owner


def _home_of_item(item: FoundItem) -> Aggregate | None:
    """The aggregate whose lock keeps an item as it is, None where it has no owner."""
    is_category = item.owner == TREE and item.ref is not None and item.ref.kind is RowKind.CATEGORY
    return category_aggregate(item.ref.id) if is_category and item.ref is not None else item.owner


def _found(strays: Iterable[FoundItem]) -> _Found:
    return _Found(differences=[_extra(item) for item in strays])


def _extra(item: FoundItem) -> ItemDifference:
    return ItemDifference(item.ref, str(item), "", DifferenceKind.EXTRA, None, None)
