"""Walking the items from end to end, for sweeps: which row each shows, whose it is, and how items differ from rows.

images -> items_of -> BatchGet, consistent -> differences        Scan, consistent -> ref_of, owner -> FoundItem
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from adapters.changes import ADMINS, TREE, Aggregate, AggregateKind, Image, ItemKey, Ref, RowKind
from adapters.dynamodb.chunks import COUNT_NAMES
from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.differences import attribute_differences
from adapters.dynamodb.errors import Failure, Verdict
from adapters.dynamodb.expressions import says_owner
from adapters.dynamodb.items import Item, ItemMapper, UnmappableRow
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.shapes import OWNER, SHAPES, TREE_NODE, owner_named
from adapters.dynamodb.typed_json import Attributes, number_value, read_text
from adapters.ports.sweep import DifferenceKind, FoundItem, ItemDifference, MappedRows, Place
from adapters.values import NO_RECORD

OPERATION: Final = "sweep"
"""What the observer of requests is told that they serve."""
AS_OF_LAST_WRITE: Final = frozenset({"price", "product_name"})
"""What a cart line's item copies from the product at the line's last write: it is not compared."""
OWN_TABLE: Final = TREE_NODE.table
"""The table in which the proxy also keeps items that show no row and have no owner."""

Found = Mapping[Key, Attributes]


class DynamoDBSweep:
    """See TargetSweep."""

    def __init__(self, client: DynamoDBClient, *, mapper: ItemMapper, keys: Keys) -> None:
        self._client = client
        self._mapper = mapper
        self._keys = keys

    def map(self, images: Iterable[Image]) -> MappedRows:
        """See TargetSweep. Of rows that need the same key the first has it."""
        keys: dict[ItemKey, Aggregate] = {}
        faults: dict[Ref, str] = {}
        holders: dict[Key, Ref] = {}
        for image in images:
            try:
                items = self._mapper.items_of(image)
            except UnmappableRow as error:
                faults[image.ref] = str(error)
                continue
            others = [holders[_key(item)] for item in items if _key(item) in holders]
            if others:
                faults[image.ref] = f"{_name(image.ref)}: {_name(others[0])} has the same key"
                continue
            holders.update((_key(item), item.ref) for item in items)
            keys.update((ItemKey(item.table, item.partition, item.sort, item.ref), image.owner) for item in items)
        return MappedRows(keys, faults)

    async def differences(self, images: Collection[Image], counts: Mapping[Aggregate, int]) -> list[ItemDifference]:
        """See TargetSweep."""
        expected: list[Item] = []
        different: list[ItemDifference] = []
        for image in images:
            try:
                expected += self._mapper.items_of(image)
            except UnmappableRow as error:
                different.append(ItemDifference(image.ref, "", error.column, DifferenceKind.MISSING, str(error), None))
        fences = {self._keys.fence(aggregate): aggregate for aggregate in counts}
        found = await self._get([*dict.fromkeys(map(_key, expected)), *fences])
        for item in expected:
            different += _item_differences(item, found.get(_key(item)))
        for key, aggregate in fences.items():
            different += _count_differences(aggregate, counts[aggregate], found.get(key, {}))
        return different

    async def scan(self) -> AsyncIterator[Sequence[FoundItem]]:
        """See TargetSweep."""
        for table in dict.fromkeys(shape.table for shape in SHAPES):
            payload = {"TableName": self._client.table_name(table), "ConsistentRead": True}
            async for page in self._client.pages("Scan", payload, operation=OPERATION):
                found = [self._found_item(table, attributes) for attributes in page]
                yield [item for item in found if not _is_own(item)]

    async def items_at(self, places: Collection[Place]) -> list[FoundItem]:
        """See TargetSweep."""
        found = await self._get([Key(*place) for place in dict.fromkeys(places)])
        return [self._found_item(key.table, attributes) for key, attributes in found.items()]

    async def remove_unowned(self, item: FoundItem) -> bool:
        """See TargetSweep."""
        payload = {
            "TableName": self._client.table_name(item.table),
            "Key": self._keys.typed(Key(*item.place)),
            **says_owner(item.owner_text),
        }
        try:
            await self._client.request("DeleteItem", payload, operation=OPERATION)
        except Failure as failure:
            if failure.verdict is not Verdict.REFUSED:
                raise
            return False
        return True

    async def _get(self, keys: Sequence[Key]) -> Found:
        """The items under keys, all different."""
        tables = {self._client.table_name(key.table): key.table for key in keys}
        wanted: dict[str, list[Attributes]] = {name: [] for name in tables}
        for key in keys:
            wanted[self._client.table_name(key.table)].append(self._keys.typed(key))
        found = await self._client.batch_get(wanted, operation=OPERATION) if keys else {}
        return {
            self._key_in(tables[name], attributes): attributes for name, items in found.items() for attributes in items
        }

    def _key_in(self, table: str, attributes: Attributes) -> Key:
        return Key(table, *(read_text(attributes, name) for name in self._keys.names(table)))

    def _found_item(self, table: str, attributes: Attributes) -> FoundItem:
        key = self._key_in(table, attributes)
        ref = self._mapper.ref_of(table, key.partition, key.sort, attributes)
        text = read_text(attributes, OWNER) if "S" in attributes.get(OWNER, {}) else None
        return FoundItem(table, key.partition, key.sort, ref, _owner(ref, text), text)


def _key(item: Item) -> Key:
    return Key(item.table, item.partition, item.sort)


def _name(ref: Ref) -> str:
    return f"{ref.kind} {ref.id}"


def _is_own(item: FoundItem) -> bool:
    """Whether it is one of the proxy's own that show no row: log entries, the control state, counters."""
    return item.table == OWN_TABLE and item.ref is None and item.owner_text is None


def _owner(ref: Ref | None, text: str | None) -> Aggregate | None:
    """The aggregate that owns an item which shows this row and names this owner, if that one can own such."""
    if ref is not None and ref.kind is RowKind.PRODUCT:
        return ref.owner
    named = None if text is None else owner_named(text)
    if named is None or named.kind is AggregateKind.USER:
        return named
    return TREE if named == TREE and ref is not None and ref.kind is RowKind.CATEGORY else None


def _item_differences(item: Item, found: Attributes | None) -> Iterator[ItemDifference]:
    place = f"{item.table} {item.partition} {item.sort}"
    if found is None:
        yield ItemDifference(item.ref, place, "", DifferenceKind.MISSING, None, None)
        return
    ignored = AS_OF_LAST_WRITE if item.ref.kind is RowKind.CART else ()
    for each in attribute_differences(item.attributes, found, ignored=ignored):
        yield ItemDifference(item.ref, place, each.path, each.kind, each.source, each.target)


def _count_differences(aggregate: Aggregate, count: int, fence: Attributes) -> Iterator[ItemDifference]:
    """A fence without a count counts nothing: readers see 0."""
    name = COUNT_NAMES[aggregate.kind]
    ref = Ref(RowKind.USER, NO_RECORD if aggregate == ADMINS else aggregate.id)
    stored = {name: fence.get(name, number_value(0))}
    for each in attribute_differences({name: number_value(count)}, stored):
        yield ItemDifference(ref, f"Fence {aggregate}", each.path, each.kind, each.source, each.target)
