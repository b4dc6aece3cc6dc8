"""What a worker keeps of the tree and of the listing, and how it is brought up to their fences.

    tree      fence, Query of its items, then fence and items together, a hundred at a time: all of one version
    listing   first   fence, Scan, sellers, and what the last two versions named, for they may have been under way
              behind  fence and log entries together, then fence and what the entries name together

A version is reached only when its log entry was read; where one is missing the listing is loaded anew.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from adapters.changes import LISTING, TREE
from adapters.dynamodb.fenced import Fenced, Kept, Stamp, stamp_of
from adapters.dynamodb.items import category_from
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.listing import Listed, Listing, Seller, listed_from, seller_from
from adapters.dynamodb.own_items import ListingChange, listing_change_from
from adapters.dynamodb.reading import TOGETHER_MAX, ItemReader
from adapters.dynamodb.tree import Tree
from adapters.dynamodb.typed_json import Attributes
from adapters.records import Category

# Besides a hundred items, a transaction reads at most 4 MB.
NODES_TOGETHER: Final = TOGETHER_MAX - 1
PRODUCTS_TOGETHER: Final = 40
SELLERS_TOGETHER: Final = TOGETHER_MAX - 1
LOG_TOGETHER: Final = 25
BEHIND_MIN: Final = 1000
"""So far behind, or by as many versions as there are products, it is cheaper to load the listing anew."""
ENTRIES_AT_ONCE: Final = 100
"""Entries that are made before other calls have their turn: search forms of long texts take a while."""


class Gap(Exception):
    """A version of the listing whose log entry is not there, or a fence of another history: load anew."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """What both fences say."""

    tree: Stamp
    listing: Stamp


class Caches:
    """The caches of one worker."""

    def __init__(self, keys: Keys) -> None:
        self.tree: Fenced[Tree] = Fenced("tree", _renew_tree)
        self.listing: Fenced[Listing] = Fenced("listing", _ListingRenewal().renew)
        self.tree_fence = keys.fence(TREE)
        self.listing_fence = keys.fence(LISTING)

    @property
    def fences(self) -> tuple[Key, Key]:
        """Both fences."""
        return self.tree_fence, self.listing_fence

    @property
    def kept(self) -> Stamps | None:
        """As of when both are kept; None before both have been loaded."""
        tree, listing = self.tree.kept, self.listing.kept
        return None if tree is None or listing is None else Stamps(tree.stamp, listing.stamp)

    def stamps_in(self, found: Mapping[Key, Attributes]) -> Stamps:
        """The stamps in what was read under the fences."""
        return Stamps(stamp_of(found.get(self.tree_fence)), stamp_of(found.get(self.listing_fence)))

    async def warm(self, items: ItemReader) -> None:
        """Bring both up to their fences; what a deadline cuts short the next call goes on with."""
        stamps = self.stamps_in(await items.many(self.fences))
        await self.tree.at(stamps.tree, items)
        await self.listing.at(stamps.listing, items)


async def listing_bytes(items: ItemReader, *, enough_bytes: int) -> int:
    """About what the listing of all products takes in memory; once it is above `enough_bytes` no more is read."""
    needed_bytes, start = 0, None
    while True:
        page, start = await items.scan_page(items.keys.product(0).table, start)
        needed_bytes += Listing(entry for entry in await _entries(page) if entry is not None).size_bytes
        if start is None or needed_bytes > enough_bytes:
            return needed_bytes


async def _renew_tree(items: ItemReader, kept: Kept[Tree] | None, _seen: Stamp) -> Kept[Tree]:
    """The tree of one version: every read together with the fence must find the same."""
    fence = items.keys.fence(TREE)
    while True:
        stamp = stamp_of((await items.together([fence]))[0])
        if kept is not None and kept.stamp == stamp:
            return kept
        place = items.keys.tree()
        nodes = [items.key_of(place.table, item) for item in await items.all_of(place)]
        found: list[Attributes | None] = []
        stamps = set()
        for part in _parts(nodes, NODES_TOGETHER) or [[]]:
            again, *read = await items.together([fence, *part])
            stamps.add(stamp_of(again))
            found += read
        if stamps == {stamp}:
            return Kept(stamp, Tree(_categories(found)))


def _categories(found: Iterable[Attributes | None]) -> Iterator[Category]:
    for item in found:
        with suppress(KeyError, ValueError):  # An item that shows no category is passed over.
            if item is not None:
                yield category_from(item)


@dataclass(slots=True)
class _Load:
    """A listing being loaded: the stamp it began at, and how far the Scan has come."""

    stamp: Stamp
    start: Attributes | None = None
    is_scanned: bool = False
    entries: list[Listed] = field(default_factory=list)


class _ListingRenewal:
    """Brings the listing up, and remembers a load that was cut short: the next call goes on with it."""

    def __init__(self) -> None:
        self._load: _Load | None = None

    async def renew(self, items: ItemReader, kept: Kept[Listing] | None, seen: Stamp) -> Kept[Listing]:
        """The listing, at least as new as the fence is now."""
        while True:
            if kept is None:
                kept = await self._loaded(items)
            try:
                return await _caught_up(items, kept, seen)
            except Gap:
                kept = None

    async def _loaded(self, items: ItemReader) -> Kept[Listing]:
        load = self._load
        if load is None:
            (fence,) = await items.together([items.keys.fence(LISTING)])
            load = self._load = _Load(stamp_of(fence))
        while not load.is_scanned:
            page, start = await items.scan_page(items.keys.product(0).table, load.start)
            made = [entry for entry in await _entries(page) if entry is not None]
            load.entries += made
            load.start, load.is_scanned = start, start is None
        sellers = await _sellers(items, {entry.seller_id for entry in load.entries})
        listing = Listing(load.entries, sellers)
        last = load.stamp.version
        log = [items.keys.log_entry(version) for version in (last - 1, last) if version > 0]
        _, *found = await items.together([items.keys.fence(LISTING), *log])
        await _apply(items, listing, [listing_change_from(entry) for entry in found if entry is not None])
        self._load = None
        return Kept(load.stamp, listing)


async def _caught_up(items: ItemReader, kept: Kept[Listing], seen: Stamp) -> Kept[Listing]:
    """The listing at the version of its fence. The fence is looked at with every entry that is read.

    Raises Gap. Cut short, or with a gap, the listing may have some things newer than its stamp says, and none older.
    """
    listing, reached = kept.value, kept.stamp
    wanted = max(seen.version, reached.version)
    fence_key = items.keys.fence(LISTING)
    while True:
        if wanted - reached.version > max(BEHIND_MIN, len(listing)):
            raise Gap
        upto = min(wanted, reached.version + LOG_TOGETHER)
        log = [items.keys.log_entry(version) for version in range(reached.version + 1, upto + 1)]
        fence, *found = await items.together([fence_key, *log])
        stamp = stamp_of(fence)
        entries = [entry for entry in found if entry is not None]
        is_other = stamp.version < reached.version or (stamp.version == reached.version and stamp != reached)
        if is_other or len(entries) < len(log):
            raise Gap
        await _apply(items, listing, [listing_change_from(entry) for entry in entries])
        if upto == stamp.version:
            return Kept(stamp, listing)
        reached, wanted = Stamp(upto, reached.op if not log else ""), stamp.version


async def _apply(items: ItemReader, listing: Listing, changes: Sequence[ListingChange]) -> None:
    """Read anew what log entries name, together with the fence, and take it.

    With a product that is new its seller is read anew as well: while there was none before it, nobody told of a change.
    """
    products = {items.keys.product(each): each for change in changes for each in sorted(change.product_ids)}
    sellers = {each for change in changes for each in change.seller_ids if listing.is_selling(each)}
    found = await _beside_fence(items, list(products), PRODUCTS_TOGETHER)
    entries = await _entries(found.get(key) for key in products)
    listed = (entry for entry in entries if entry is not None)
    new = {entry.seller_id for entry in listed if not listing.is_sold_by(entry.id, entry.seller_id)}
    named = {items.keys.user_by_id(each): each for each in sorted(sellers | new)}
    found = await _beside_fence(items, list(named), SELLERS_TOGETHER)
    # No await below: a call sees all of it or nothing.
    listing.take(
        dict(zip(products.values(), entries, strict=True)),
        {seller_id: seller_from(found[key]) if key in found else None for key, seller_id in named.items()},
    )


async def _beside_fence(items: ItemReader, keys: Sequence[Key], at_once: int) -> Mapping[Key, Attributes]:
    found: dict[Key, Attributes] = {}
    for part in _parts(keys, at_once):
        _, *read = await items.together([items.keys.fence(LISTING), *part])
        found.update((key, item) for key, item in zip(part, read, strict=True) if item is not None)
    return found


async def _sellers(items: ItemReader, user_ids: Iterable[int]) -> Mapping[int, Seller]:
    keys = {items.keys.user_by_id(each): each for each in user_ids}
    read = ((keys[key], seller_from(item)) for key, item in (await items.many(keys)).items())
    return {user_id: seller for user_id, seller in read if seller is not None}


async def _entries(found: Iterable[Attributes | None]) -> list[Listed | None]:
    """The entries of items, None for each that is not there."""
    made: list[Listed | None] = []
    waiting = iter(found)
    while part := list(islice(waiting, ENTRIES_AT_ONCE)):
        made += [None if item is None else listed_from(item) for item in part]
        await asyncio.sleep(0)
    return made


def _parts(keys: Sequence[Key], size: int) -> list[Sequence[Key]]:
    return [keys[start : start + size] for start in range(0, len(keys), size)]
