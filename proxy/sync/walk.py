"""The way through both databases: groups of aggregates on the one side, items out of place on the other."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from adapters.changes import Aggregate, AggregateKind, ItemKey, Ref, RowKind
from adapters.ports.sweep import Extent, FoundItem, SourceSweep
from adapters.values import NO_RECORD
from proxy.sync.locked import SweepParts

PAGE: Final = 500
"""Aggregates enumerated at once."""
KINDS: Final = (AggregateKind.USER, AggregateKind.PRODUCT, AggregateKind.CATEGORY)
"""The kinds of aggregate that own rows, in the order in which they are swept; the tree goes with its categories."""

T = TypeVar("T")


async def pages(source: SourceSweep, kind: AggregateKind, *, last_id: int) -> AsyncIterator[list[Extent]]:
    """All aggregates of a kind by id; those made after the walk began, beyond the last, would let it never end."""
    after_id = 0
    while page := await source.extents(kind, after_id=after_id, last_id=last_id, limit=PAGE):
        yield page
        after_id = page[-1].aggregate.id


def grouped(page: Iterable[Extent], *, limit: int) -> Iterator[list[Aggregate]]:
    """Neighbours together as long as their items, with a fence for each, are at most `limit`; a larger one alone."""
    group: list[Aggregate] = []
    taken = 0
    for extent in page:
        cost = extent.items + 1
        if group and taken + cost > limit:
            yield group
            group, taken = [], 0
        group.append(extent.aggregate)
        taken += cost
    if group:
        yield group


def chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The values in their order, so many at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


async def needed_by_rows(parts: SweepParts, items: Iterable[FoundItem]) -> Mapping[ItemKey, Aggregate]:
    """The items that the rows which these items show need as they are now, with their owners."""
    images = await parts.source.images({item.ref for item in items if item.ref is not None})
    return parts.target.map(images.values()).keys


def is_needed(item: FoundItem, needed: Mapping[ItemKey, Aggregate]) -> bool:
    """Whether the row that an item shows needs an item there."""
    return item.ref is not None and item.key(item.ref) in needed


def is_in_place(item: FoundItem, needed: Mapping[ItemKey, Aggregate]) -> bool:
    """Whether it is needed, and owned by who should own it."""
    return item.ref is not None and item.owner is not None and needed.get(item.key(item.ref)) == item.owner


def claimed(ref: Ref | None, owner: Aggregate) -> Ref:
    """The row for whose item the owner has to answer: the one shown, if the owner can own it, else its own first."""
    if ref is not None and ref.kind is RowKind.ORDER:
        can_own = owner.kind is AggregateKind.USER
    else:
        can_own = ref is not None and ref.owner == owner
    if ref is not None and can_own:
        return ref
    return Ref(RowKind.USER, owner.id) if owner.kind is AggregateKind.USER else Ref(RowKind.CATEGORY, NO_RECORD)
