"""What a change does to which items, one by one and in no order. Pure.

images before and after -> planned     listed keys and images now -> converging     a listing's version -> logged
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.changes import (
    LISTING,
    TREE,
    Aggregate,
    AggregateKind,
    Change,
    Image,
    ItemKey,
    Ref,
    RowKind,
    category_aggregate,
    product_aggregate,
)
from adapters.dynamodb.items import Item, ItemMapper, UnmappableRow
from adapters.dynamodb.keys import Key
from adapters.dynamodb.typed_json import ITEM_MAX_BYTES, Attributes, AttributeValue, item_size_bytes, text_value
from adapters.errors import PayloadTooLarge

UNSEEN_ITEM_BYTES: Final = 40_000
"""What a delete of an item whose size nobody knows is taken to weigh: a hundred of them fill a transaction."""


@dataclass(frozen=True, slots=True)
class Action:
    """A put of `attributes`, or a delete where they are None.

    `aggregates`: whose fences must be in its transaction. `owners`: one of them must own what lies under the key, if
    anything does; empty is no condition. `showing`: attributes that it must have besides, each with the values that
    will do. `ref`: None for a log entry. `is_pointer`: a put of an item that only says where another lies.
    """

    key: Key
    ref: Ref | None
    aggregates: tuple[Aggregate, ...]
    owners: tuple[Aggregate, ...]
    showing: Mapping[str, Sequence[AttributeValue]]
    attributes: Attributes | None
    size_bytes: int
    is_pointer: bool = False

    @property
    def is_put(self) -> bool:
        """Whether it leaves an item."""
        return self.attributes is not None


def planned(change: Change, mapper: ItemMapper) -> list[Action]:
    """The actions of a change: its new items, and the end of old ones whose keys no new one has.

    A pointer that stays as it was is left alone. Raises PayloadTooLarge, UnmappableRow.
    """
    puts: dict[Key, Item] = {}
    kept: set[Key] = set()
    for ref, image in change.after.items():
        before = {_key(item): item for item in _items_before(change.before.get(ref), mapper)}
        for item in mapper.items_of(image):
            key = _key(item)
            if item.is_pointer and item == before.get(key):
                kept.add(key)
            else:
                puts[key] = item
    gone = [item for image in change.before.values() for item in _items_before(image, mapper)]
    gone = [item for item in gone if _key(item) not in kept and _key(item) not in puts]
    versions = change.versions
    return [*(_put(item, versions) for item in puts.values()), *(_delete(item, versions) for item in gone)]


def converging(change: Change, listed: Iterable[ItemKey], mapper: ItemMapper) -> list[Action]:
    """The actions that make each listed item what the images after say. Raises PayloadTooLarge.

    A row that cannot have items has none, and does not keep others from being repaired. An item whose present owner is
    not locked is that one's affair. (An order's id can come back with another user, when the authority crashed before
    it had committed the first.)
    """
    items = [item for image in change.after.values() for item in possible_items(image, mapper)]
    now = {_key(item): item for item in items if _is_locked(item, change.versions)}
    wanted: dict[Key, dict[Ref, None]] = {}
    for each in listed:
        wanted.setdefault(Key(each.table, each.partition, each.sort), {})[each.ref] = None
    return [
        _put(now[key], change.versions) if key in now else _delete_unseen(key, refs, change.versions)
        for key, refs in wanted.items()
    ]


def logged(key: Key, attributes: Attributes) -> Action:
    """The put of a log entry. Raises PayloadTooLarge."""
    size_bytes = _checked_size_bytes(attributes, "the listing's log entry")
    return Action(key, None, (LISTING,), (), {}, attributes, size_bytes)


def possible_items(image: Image, mapper: ItemMapper) -> tuple[Item, ...]:
    """The items that show a row; none for one that cannot have any."""
    try:
        return mapper.items_of(image)
    except UnmappableRow:
        return ()


def _items_before(image: Image | None, mapper: ItemMapper) -> tuple[Item, ...]:
    return () if image is None else possible_items(image, mapper)


def _key(item: Item) -> Key:
    return Key(item.table, item.partition, item.sort)


def _is_locked(item: Item, versions: Mapping[Aggregate, int]) -> bool:
    return item.ref.kind is not RowKind.ORDER or item.owner in versions


def _put(item: Item, versions: Mapping[Aggregate, int]) -> Action:
    size_bytes = _checked_size_bytes(item.attributes, f"{item.ref.kind} {item.ref.id}")
    owners = () if item.owner is None else (item.owner,)
    fences = _fences(item.ref, owners, versions)
    return Action(_key(item), item.ref, fences, owners, {}, item.attributes, size_bytes, item.is_pointer)


def _delete(item: Item, versions: Mapping[Aggregate, int]) -> Action:
    owners = () if item.owner is None else (item.owner,)
    fences, size_bytes = _fences(item.ref, owners, versions), item_size_bytes(item.attributes)
    return Action(_key(item), item.ref, fences, owners, _showing(item.ref), None, size_bytes)


def _delete_unseen(key: Key, refs: Collection[Ref], versions: Mapping[Aggregate, int]) -> Action:
    """The delete of an item that may show any of several rows, whichever came last to the key."""
    owners = tuple(dict.fromkeys(owner for ref in refs for owner in _owners(ref, versions)))
    first, *_ = refs
    # Where several users may have had an order, all their fences would not fit beside its delete. It needs none: the
    # order never comes back, and its turn comes when the fences have been raised.
    is_free = first.kind is RowKind.ORDER and len(owners) > 1
    fences = () if is_free else tuple(dict.fromkeys(each for ref in refs for each in _fences(ref, owners, versions)))
    return Action(key, first, fences, owners, _showing(*refs), None, UNSEEN_ITEM_BYTES)


def _owners(ref: Ref, versions: Mapping[Aggregate, int]) -> Iterator[Aggregate]:
    """Who may own the items of a row that is gone.

    An order does not name its user; any user whose lock is held may have had it, and an id belongs to one order ever.
    """
    match ref.kind:
        case RowKind.ORDER:
            yield from (aggregate for aggregate in versions if aggregate.kind is AggregateKind.USER)
        case RowKind.PRODUCT:
            pass
        case RowKind.USER | RowKind.CART | RowKind.CATEGORY:
            yield ref.owner


def _showing(*refs: Ref) -> Mapping[str, Sequence[AttributeValue]]:
    """What must still be in an item to be deleted as one of these rows', besides its owner.

    All categories have one owner, so the owner does not tell whether another took the key.
    """
    ids = [text_value(ref.id) for ref in refs if ref.kind is RowKind.CATEGORY]
    return {"category_id": ids} if ids else {}


def _fences(ref: Ref, owners: tuple[Aggregate, ...], versions: Mapping[Aggregate, int]) -> tuple[Aggregate, ...]:
    """The locked aggregates that the items of a row depend on.

    A category's items are the tree's; where only products come and go its own counter is locked instead.
    """
    if ref.kind is RowKind.PRODUCT:
        fences: tuple[Aggregate, ...] = (product_aggregate(ref.id),)
    elif ref.kind is RowKind.CATEGORY and TREE not in versions:
        fences = (category_aggregate(ref.id),)
    else:
        fences = owners
    if not fences or not set(fences) <= versions.keys():
        raise ValueError(f"items of {ref} are touched without a lock on {', '.join(map(str, fences)) or 'their owner'}")
    return fences


def _checked_size_bytes(attributes: Attributes, subject: str) -> int:
    size_bytes = item_size_bytes(attributes)
    if size_bytes > ITEM_MAX_BYTES:
        raise PayloadTooLarge(f"{subject} would take {size_bytes} bytes as an item, which holds {ITEM_MAX_BYTES}")
    return size_bytes
