"""What a sweep needs of both databases: all rows of the one, all items of the other, and what tells them apart.

    SourceSweep   aggregates page by page, their rows by name, the rows' images     reads without locks
    TargetSweep   items page by page, the items that rows need, how the two differ

A read of the source that begins after an aggregate's version row was locked sees all that was written under it before.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from adapters.changes import Aggregate, AggregateKind, Image, ItemKey, Ref

Place = tuple[str, str, str]
"""Table, partition and sort key."""


@dataclass(frozen=True, slots=True)
class IdRange:
    """How many aggregates of a kind there are, and the highest id among them, 0 where there are none."""

    total: int
    last_id: int


@dataclass(frozen=True, slots=True)
class Extent:
    """An aggregate that has rows, and about how many items it takes to show them."""

    aggregate: Aggregate
    items: int


class SourceSweep(Protocol):
    """The rows, from end to end. Raises Unavailable, DeadlineExceeded."""

    async def range_of(self, kind: AggregateKind) -> IdRange:
        """How many users, products or categories there are, and the highest id."""

    async def extents(self, kind: AggregateKind, *, after_id: int, last_id: int, limit: int) -> list[Extent]:
        """The next users, products or categories by id, up to the last; [] at the end."""

    async def refs_of(self, aggregates: Collection[Aggregate]) -> list[Ref]:
        """The rows that users, products and categories own now, children included."""

    async def images(self, refs: Collection[Ref]) -> dict[Ref, Image]:
        """The rows as they are now; missing ones are left out."""

    async def counts(self, aggregates: Collection[Aggregate]) -> dict[Aggregate, int]:
        """What the fences of these aggregates count, now: orders of a user, super admins; others are left out."""


@dataclass(frozen=True, slots=True)
class MappedRows:
    """The items that rows need, and for rows that cannot have any the reason."""

    keys: Mapping[ItemKey, Aggregate]
    """Each with the aggregate that owns it."""
    faults: Mapping[Ref, str]


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item as it lies in the target.

    `ref` is the row that it shows, None where that cannot be told; `owner` the aggregate that owns it, None where the
    item names none that could; `owner_text` what it says itself.
    """

    table: str
    partition: str
    sort: str
    ref: Ref | None
    owner: Aggregate | None
    owner_text: str | None

    def __str__(self) -> str:
        return f"{self.table} {self.partition} {self.sort}"

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self.table, self.partition, self.sort

    def key(self, ref: Ref) -> ItemKey:
        """Its key, as the item of this row."""
        return ItemKey(self.table, self.partition, self.sort, ref)


class DifferenceKind(StrEnum):
    """What the target's side of a difference is."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """One difference between a row and its items.

    `item` is the item's table and key; `path` the attribute, empty for the whole item; the values are texts as in
    JSON, None where there is none, and secrets are masked. `ref` None: an item that shows no row.
    """

    ref: Ref | None
    item: str
    path: str
    kind: DifferenceKind
    source: str | None
    target: str | None

    @property
    def entity(self) -> str:
        """The entity of the row."""
        return "unknown" if self.ref is None else self.ref.kind.value

    def __str__(self) -> str:
        row = "no row" if self.ref is None else f"{self.entity} {self.ref.id}"
        values = f": source={self.source}, target={self.target}" if self.path else ""
        return f"{row}: {self.item}{' ' if self.path else ''}{self.path} {self.kind}{values}"


class TargetSweep(Protocol):
    """The items, from end to end. Raises Unavailable, DeadlineExceeded."""

    def map(self, images: Iterable[Image]) -> MappedRows:
        """The items that these rows need. Pure."""

    async def differences(self, images: Collection[Image], counts: Mapping[Aggregate, int]) -> list[ItemDifference]:
        """How the items of these rows, and these counts in fences, differ from what they should be."""

    def scan(self) -> AsyncIterator[Sequence[FoundItem]]:
        """All items that show rows, or seem to, page by page in no order, read consistently."""

    async def items_at(self, places: Collection[Place]) -> list[FoundItem]:
        """The items that lie there now, as `scan` tells of them."""

    async def remove_unowned(self, item: FoundItem) -> bool:
        """Delete an item without an owner if it still says of its owner what it said; whether it was deleted."""
