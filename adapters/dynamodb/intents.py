"""What the journal must know of a change before its first request: the items of the call, and those left to repair."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.changes import LISTING, Aggregate, Image, IntentPart, ItemKey, Ref, RowKind
from adapters.dynamodb.actions import Action, possible_items
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.typed_json import item_size_bytes

AGGREGATES_MAX: Final = 300
"""Aggregates that one row of the journal can index."""
DEFERRED_ACTIONS_MAX: Final = 90
DEFERRED_MAX_BYTES: Final = 3_500_000
PRODUCT_MAX_BYTES: Final = 80_000
"""More than a product weighs as an item: of its columns only the description, at 65,535 bytes, is long."""


def call_parts(actions: Sequence[Action], aggregates: Iterable[Aggregate]) -> tuple[IntentPart, ...]:
    """Every key that the call may put or delete, with its aggregates, at most AGGREGATES_MAX to a part.

    The listing is in each part, so that whatever is repaired gets its log entry.
    """
    ordered = sorted(aggregates)
    shared = (LISTING,) if LISTING in ordered else ()
    own = [aggregate for aggregate in ordered if aggregate not in shared]
    size = AGGREGATES_MAX - len(shared)
    groups = [own[start : start + size] for start in range(0, len(own), size)] or [[]]
    part_of = {aggregate: number for number, group in enumerate(groups) for aggregate in group}
    keys: list[list[ItemKey]] = [[] for _ in groups]
    for action in actions:
        if action.ref is not None:
            keys[part_of[action.aggregates[0]]].append(_item_key(action.key, action.ref))
    return tuple(IntentPart((*group, *shared), tuple(its_keys)) for group, its_keys in zip(groups, keys, strict=True))


def deferred_parts(deferred: Iterable[Image | Ref], *, mapper: ItemMapper, keys: Keys) -> tuple[IntentPart, ...]:
    """The rows left to the repairer, in parts that fit one transaction with a fence for each aggregate."""
    entries = {entry.key: entry for each in deferred for entry in _entries(each, mapper, keys)}
    packs = [_Pack()]
    for entry in sorted(entries.values(), key=lambda entry: entry.aggregate):
        if not packs[-1].takes(entry):
            packs.append(_Pack())
        packs[-1].add(entry)
    return tuple(pack.part for pack in packs if pack.keys)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An item that is left to the repairer."""

    aggregate: Aggregate
    key: ItemKey
    size_bytes: int


@dataclass(slots=True)
class _Pack:
    """A part being filled."""

    aggregates: dict[Aggregate, None] = field(default_factory=dict)
    keys: list[ItemKey] = field(default_factory=list)
    size_bytes: int = 0

    @property
    def part(self) -> IntentPart:
        return IntentPart(tuple(self.aggregates), tuple(self.keys))

    def takes(self, entry: _Entry) -> bool:
        actions = len(self.aggregates | {entry.aggregate: None}) + len(self.keys) + 1
        return actions <= DEFERRED_ACTIONS_MAX and self.size_bytes + entry.size_bytes <= DEFERRED_MAX_BYTES

    def add(self, entry: _Entry) -> None:
        self.aggregates[entry.aggregate] = None
        self.keys.append(entry.key)
        self.size_bytes += entry.size_bytes


def _entries(row: Image | Ref, mapper: ItemMapper, keys: Keys) -> Iterator[_Entry]:
    if not isinstance(row, Ref):
        for item in possible_items(row, mapper):
            key = ItemKey(item.table, item.partition, item.sort, item.ref)
            yield _Entry(row.owner, key, item_size_bytes(item.attributes))
    elif row.kind is RowKind.PRODUCT:
        yield _Entry(row.owner, _item_key(keys.product(row.id), row), PRODUCT_MAX_BYTES)
    else:
        raise ValueError(f"the keys of {row} are not in its name")


def _item_key(key: Key, ref: Ref) -> ItemKey:
    return ItemKey(key.table, key.partition, key.sort, ref)
