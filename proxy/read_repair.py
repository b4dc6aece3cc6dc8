"""What a confirmed mismatch leaves behind: its report, and an intent for the rows that were shown differently.

    answers ── rows_in ──▶ rows that differ ──▶ images of both sides ──▶ items that may be wrong ──▶ intent, due at once

The repairer makes those items what the authority of writes says; another aggregate that has its name on one gives it up
first. What a number or a word told leads to all rows of the user it was about; an item that no answer showed is found
by verify.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from uuid import uuid4

from adapters.changes import (
    LISTING,
    Aggregate,
    CartImage,
    CategoryImage,
    Image,
    IntentPart,
    ItemKey,
    OrderImage,
    ProductImage,
    Ref,
    RowKind,
    UserImage,
    user_aggregate,
)
from adapters.ports.mismatches import Mismatches, Report
from adapters.ports.store import Arguments, IntentJournal
from adapters.ports.sweep import SourceSweep, TargetSweep
from adapters.records import CartItem, Category, Order, Product, User
from proxy.shown import rows_in
from proxy.sync.walk import claimed

OPERATION: Final = "read_repair"
KEYS_MAX: Final = 60
"""Items of one part: with their fences they fit one transaction."""
SHOWN_IN_LISTS: Final = frozenset({RowKind.PRODUCT, RowKind.USER})


@dataclass(frozen=True, slots=True)
class AftermathParts:
    """What it takes to keep a report and to ask for a repair."""

    mismatches: Mismatches
    journal: IntentJournal
    source: SourceSweep
    target: TargetSweep
    wake_repairer: Callable[[], None]
    is_repairing: bool = True


class Aftermath:
    """Sees to a confirmed mismatch."""

    def __init__(self, parts: AftermathParts) -> None:
        self._parts = parts

    async def follow(self, report: Report, arguments: Arguments, *, source: object, target: object) -> None:
        """Keep the report and ask for a repair of what the two answers show differently."""
        await self._parts.mismatches.keep(report)
        if not self._parts.is_repairing:
            return
        refs = differing(source, target) or await self._rows_of_user(arguments)
        keys = await self._suspects(refs, target)
        for part in [*await self._given_up(keys), *parts_of(keys)]:
            await self._parts.journal.insert_due(OPERATION, [part], op_id=uuid4())
        if keys:
            self._parts.wake_repairer()

    async def _rows_of_user(self, arguments: Arguments) -> set[Ref]:
        user_id = arguments.get("user_id")
        if not isinstance(user_id, int) or user_id < 1:
            return set()
        return {Ref(RowKind.USER, user_id), *await self._parts.source.refs_of([user_aggregate(user_id)])}

    async def _suspects(self, refs: set[Ref], target: object) -> Mapping[ItemKey, Aggregate]:
        """The items of the rows as the one side has them and as the other shows them, with their owners."""
        shown = [record for ref, record in rows_in(target) if ref in refs]
        images = await self._parts.source.images(refs | set(above(refs, shown)))
        wanted = [image for ref, image in images.items() if ref in refs]
        as_shown = [image for record in shown if (image := _image_of(record, images)) is not None]
        return {**self._parts.target.map(as_shown).keys, **self._parts.target.map(wanted).keys}

    async def _given_up(self, keys: Mapping[ItemKey, Aggregate]) -> list[IntentPart]:
        """What others do first: give up what lies under these keys in their name. What nobody owns is deleted here."""
        owners = {(key.table, key.partition, key.sort): owner for key, owner in keys.items()}
        parts = []
        for item in await self._parts.target.items_at(owners):
            if item.owner is None:
                await self._parts.target.remove_unowned(item)
            elif item.owner != owners[item.place]:
                parts.append(IntentPart((item.owner,), (item.key(claimed(item.ref, item.owner)),)))
        return parts


def differing(source: object, target: object) -> set[Ref]:
    """The rows that two answers show differently, or only one of them shows."""
    ours, theirs = _by_ref(source), _by_ref(target)
    return {ref for ref in ours.keys() | theirs.keys() if ours.get(ref) != theirs.get(ref)}


def parts_of(keys: Mapping[ItemKey, Aggregate]) -> list[IntentPart]:
    """Intents for items: with a product or a user what lists show may have been wrong."""
    listed = sorted(keys, key=lambda key: (key.ref, key.table, key.partition, key.sort))
    parts = []
    for start in range(0, len(listed), KEYS_MAX):
        chunk = listed[start : start + KEYS_MAX]
        aggregates = {keys[key] for key in chunk}
        if any(key.ref.kind in SHOWN_IN_LISTS for key in chunk):
            aggregates.add(LISTING)
        parts.append(IntentPart(tuple(sorted(aggregates)), tuple(chunk)))
    return parts


def _by_ref(answer: object) -> Mapping[Ref, Sequence[object]]:
    found: dict[Ref, list[object]] = defaultdict(list)
    for ref, record in rows_in(answer):
        if record not in found[ref]:
            found[ref].append(record)
    return found


def above(refs: Iterable[Ref], shown: Iterable[object]) -> Iterator[Ref]:
    """The rows whose names are in the keys of these: users of lines and orders, parents of categories."""
    yield from (Ref(RowKind.USER, ref.id) for ref in refs if ref.kind is RowKind.CART)
    for record in shown:
        if isinstance(record, Order):
            yield Ref(RowKind.USER, record.user_id)
        elif isinstance(record, Category) and record.parent_id is not None:
            yield Ref(RowKind.CATEGORY, record.parent_id)


def _image_of(record: object, images: Mapping[Ref, Image]) -> Image | None:
    """An image that has the keys of a record as it is shown; None where `images` lack what is above it."""
    emails = {ref.id: image.user.email for ref, image in images.items() if isinstance(image, UserImage)}
    paths = {ref.id: image.path for ref, image in images.items() if isinstance(image, CategoryImage)}
    match record:
        case User():
            # With the marker of super admins, whatever is shown: it may be what is wrong.
            return UserImage(replace(record, super_admin=True))
        case Product():
            return ProductImage(record, (), 0)
        case CartItem() if record.user_id in emails:
            return CartImage(record, emails[record.user_id], Decimal(0), "")
        case Order() if record.user_id in emails:
            return OrderImage(record, emails[record.user_id], ())
        case Category() if record.parent_id is None or record.parent_id in paths:
            path = () if record.parent_id is None else paths[record.parent_id]
            return CategoryImage(record, (*path, record.name), 0, 0)
        case _:
            return None
