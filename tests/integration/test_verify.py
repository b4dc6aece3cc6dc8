"""Verify on real databases: what is equal, what differs and how, and what nobody can tell."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import pytest_asyncio

from adapters.changes import IntentPart, Ref, RowKind, user_aggregate
from adapters.dynamodb.items import Item
from adapters.dynamodb.keys import Key
from adapters.dynamodb.typed_json import AttributeValue
from adapters.errors import Conflict
from adapters.mysql.connection import Connection
from adapters.ports.sweep import DifferenceKind
from proxy.sync import verify as verify_module
from proxy.sync.report import VerifyReport
from tests.planted_shop import BARE, BUYER, CHILD_CATEGORY, ORDER, ORDERED_PRODUCT, PRODUCT, SELLER
from tests.sweeping import KEYS, MAPPER, SweptShop, key_of

ROWS = {"user": 12, "cart": 8, "order": 7, "product": 25, "category": 8}
"""What the planted shop has."""
SHOWN = {
    "user": Ref(RowKind.USER, SELLER),
    "cart": Ref(RowKind.CART, BUYER, ORDERED_PRODUCT),
    "order": Ref(RowKind.ORDER, ORDER),
    "product": Ref(RowKind.PRODUCT, PRODUCT),
    "category": Ref(RowKind.CATEGORY, CHILD_CATEGORY),
}
NOT_COMPARED = {"price", "product_name"}


@pytest_asyncio.fixture
async def shop(swept_shop: SweptShop) -> SweptShop:
    """The planted shop in both databases, equal."""
    assert (await swept_shop.backfill()).is_complete
    return swept_shop


def altered(value: AttributeValue, path: str) -> tuple[AttributeValue, set[str]]:
    """A value that differs in every place, and the paths of these places."""
    ((kind, content),) = value.items()
    match content:
        case str():
            return {kind: f"{content}9"}, {path}
        case bool():
            return {kind: not content}, {path}
        case dict():
            parts = {name: altered(each, f"{path}.{name}") for name, each in content.items()}
            return {kind: {name: each for name, (each, _) in parts.items()}}, set().union(
                *(p for _, p in parts.values())
            )
        case list():
            places = [altered(each, f"{path}[{place}]") for place, each in enumerate(content)]
            return {kind: [each for each, _ in places]}, set().union(*(p for _, p in places))
        case _:
            raise AssertionError(value)


def body(item: Item) -> Iterator[tuple[str, AttributeValue]]:
    """The attributes of an item that are no keys."""
    names = KEYS.names(item.table)
    return ((name, value) for name, value in item.attributes.items() if name not in names)


def ignored(entity: str) -> set[str]:
    """The attributes of an entity that are not compared."""
    return NOT_COMPARED if entity == "cart" else set()


def named(report: VerifyReport, kind: DifferenceKind) -> set[tuple[str, str]]:
    """The places that a report names, with the attributes."""
    return {(each.item, each.path) for each in report.differences if each.kind is kind}


def place(item: Item) -> str:
    """An item as a report names it."""
    return f"{item.table} {item.partition} {item.sort}"


async def shown_items(shop: SweptShop) -> list[tuple[str, Item]]:
    """All items of the rows that tests look at, with their entities."""
    return [(entity, item) for entity, ref in SHOWN.items() for item in MAPPER.items_of(await shop.image(ref))]


async def test_equal_shop_is_equal_row_by_row(shop: SweptShop) -> None:
    """Accents, NULLs, odd booleans and full columns compare equal; each row counts once."""
    report = await shop.verify()
    assert report.is_equal
    # The number of super admins is compared as if it were one row more of the users.
    assert ROWS == {entity: counts.equal for entity, counts in report.entities.items()}
    assert [] == report.differences


async def test_altered_attributes_are_named(shop: SweptShop) -> None:
    """Every attribute of every item of every entity is compared, inside maps and lists too."""
    expected = set()
    for entity, item in await shown_items(shop):
        changed: dict[str, AttributeValue] = dict(item.attributes)
        for name, value in body(item):
            changed[name], paths = altered(value, name)
            expected |= {(place(item), path) for path in paths if name not in ignored(entity)}
        await shop.put(item.table, changed)
    report = await shop.verify()
    assert expected == named(report, DifferenceKind.DIFFERS)
    assert not report.is_equal
    assert all(report.entities[entity].different for entity in SHOWN)


async def test_missing_attributes_are_named(shop: SweptShop) -> None:
    """An attribute that should be there and is not."""
    expected = set()
    for entity, item in await shown_items(shop):
        await shop.put(item.table, {name: item.attributes[name] for name in KEYS.names(item.table)})
        expected |= {(place(item), name) for name, _ in body(item) if name not in ignored(entity)}
    assert expected == named(await shop.verify(), DifferenceKind.MISSING)


async def test_extra_attributes_are_named(shop: SweptShop) -> None:
    """An attribute that should not be there; a row is different once, however many of its items are."""
    items = await shown_items(shop)
    for _, item in items:
        await shop.put(item.table, {**item.attributes, "colour": {"S": "red"}})
    report = await shop.verify()
    assert {(place(item), "colour") for _, item in items} == named(report, DifferenceKind.EXTRA)
    expected = {entity: (number - 1, 1) for entity, number in ROWS.items()}
    assert expected == {entity: (counts.equal, counts.different) for entity, counts in report.entities.items()}


async def test_missing_items_are_named(shop: SweptShop) -> None:
    """Each item of a row is missed by itself."""
    items = await shown_items(shop)
    for _, item in items:
        await shop.delete(key_of(item))
    assert {(place(item), "") for _, item in items} == named(await shop.verify(), DifferenceKind.MISSING)


@pytest.mark.parametrize("entity", SHOWN)
async def test_items_without_row_are_named(shop: SweptShop, entity: str) -> None:
    """Items of rows that are gone, markers and pointers included."""
    items = MAPPER.items_of(await shop.image(SHOWN[entity]))
    await delete_row(shop.mysql, entity)
    report = await shop.verify()
    assert {(place(item), "") for item in items} <= named(report, DifferenceKind.EXTRA)
    assert {SHOWN[entity].kind.value} <= {each.entity for each in report.differences}


async def delete_row(session: Connection, entity: str) -> None:
    """Delete the row of an entity that tests look at, and it alone."""
    deletes = {
        "user": f"DELETE FROM users WHERE id = {SELLER}",
        "cart": f"DELETE FROM shopping_carts WHERE user_id = {BUYER} AND product_id = {ORDERED_PRODUCT}",
        "order": f"DELETE FROM orders WHERE id = {ORDER}",
        "product": f"DELETE FROM products WHERE id = {PRODUCT}",
        "category": f"DELETE FROM categories WHERE id = {CHILD_CATEGORY}",
    }
    await session.batch(f"SET foreign_key_checks = 0; {deletes[entity]}; SET foreign_key_checks = 1")


STALE = [
    ("Support", {"PK": "uname#old", "SK": "U", "id": "3", "owner": "user#3"}),
    ("Support", {"PK": "ADMINS", "SK": "0000000003", "id": "3", "owner": "user#3"}),
    ("Support", {"PK": "status#pending#1", "SK": "2026-01-31T09:15:00Z#0000000001", "owner": "user#3"}),
    ("Support", {"PK": "oid#999", "SK": "O", "owner": "user#3"}),
    ("Support", {"PK": "TREE", "SK": "0000000099", "category_id": "99", "owner": "tree#1"}),
    ("Users", {"PK": "old@shop.test", "SK": "#META", "id": "3", "owner": "user#3"}),
    ("Users", {"PK": "ben@shop.test", "SK": "CART#25", "user_id": "3", "product_id": "25", "owner": "user#3"}),
    ("Categories", {"PK": "ROOT", "SK": "grun", "category_id": "4", "owner": "tree#1"}),
    ("Products", {"PK": "99", "SK": "#META"}),
    ("Users", {"PK": "nobody@shop.test", "SK": "#META"}),
    ("Support", {"PK": "uname#lost", "SK": "U", "owner": "user#3"}),
]
"""Items that no row needs: old markers and pointers, copies under old keys, rows that are gone, what shows nothing."""


async def test_stale_items_are_named(shop: SweptShop) -> None:
    """Each by itself, as an item too many."""
    for table, strings in STALE:
        await shop.put(table, {name: {"S": value} for name, value in strings.items()})
    report = await shop.verify()
    assert {(f"{table} {item['PK']} {item['SK']}", "") for table, item in STALE} == named(report, DifferenceKind.EXTRA)
    assert len(STALE) == len(report.differences)
    assert 2 == report.entities["unknown"].different


async def test_own_items_are_not_compared(shop: SweptShop) -> None:
    """The log, the control state, counters, keys of calls, jobs and fences without rows are no rows' items."""
    for partition, sort in (("LOG", "0000000000000042"), ("CONTROL", "CONTROL"), ("NEXTID", "users"), ("idem#a", "I")):
        await shop.put("Support", {"PK": {"S": partition}, "SK": {"S": sort}, "v": {"N": "1"}})
    await shop.put("Fence", {"PK": {"S": "user#999"}, "v": {"N": "3"}, "op": {"S": "x"}, "orders": {"N": "7"}})
    assert (await shop.verify()).is_equal


async def test_counts_of_fences_are_compared(shop: SweptShop) -> None:
    """The orders of a user and the number of super admins, which calls answer from."""
    for aggregate, name in (("user#3", "orders"), ("admins#1", "n")):
        await shop.put("Fence", {"PK": {"S": aggregate}, "v": {"N": "3"}, "op": {"S": "x"}, name: {"N": "77"}})
    report = await shop.verify()
    assert {("Fence user#3", "orders"), ("Fence admins#1", "n")} == named(report, DifferenceKind.DIFFERS)
    assert {("4", "77"), ("2", "77")} == {(each.source, each.target) for each in report.differences}


async def test_secrets_are_compared_and_not_shown(shop: SweptShop) -> None:
    """A difference of password hashes is named without either."""
    item = await shop.item_of(SHOWN["user"])
    await shop.put(item.table, {**item.attributes, "password_hash": {"S": "$2b$12$two"}})
    (difference,) = (await shop.verify()).differences
    assert ("password_hash", "***", "***") == (difference.path, difference.source, difference.target)


async def test_row_that_cannot_have_items_is_different(shop: SweptShop) -> None:
    """An order without time has no key there; it is named with the reason."""
    await shop.mysql.execute("INSERT INTO orders (id, user_id, total_amount, created_at) VALUES (99, 3, 1, NULL)")
    report = await shop.verify()
    assert "created_at is NULL" in next(str(e.source) for e in report.differences if e.path == "created_at")
    assert 1 == report.entities["order"].different


async def break_bare_user(shop: SweptShop) -> Key:
    """Make an item of a user differ; where it lies."""
    item = await shop.item_of(Ref(RowKind.USER, BARE))
    await shop.put(item.table, {**item.attributes, "username": {"S": "other"}})
    return key_of(item)


async def test_difference_of_busy_row_is_not_told(shop: SweptShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a lock cannot be had, a difference is neither one nor none."""
    monkeypatch.setattr(verify_module, "WAITS_S", (0.01,))
    monkeypatch.setattr(verify_module, "PATIENCE_S", 0.1)
    await break_bare_user(shop)
    await shop.mysql.batch(f"BEGIN; SELECT * FROM crossfade_version WHERE kind = 2 AND id = {BARE} FOR UPDATE")
    report = await shop.verify()
    assert (0, 1) == (report.entities["user"].different, report.entities["user"].could_not_tell)
    assert not report.is_equal
    await shop.mysql.batch("ROLLBACK")
    assert 1 == (await shop.verify()).entities["user"].different


async def test_difference_owed_by_journal_is_not_told(shop: SweptShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an unsettled intent will bring is neither different nor equal, for rows and for stray items."""
    monkeypatch.setattr(verify_module, "WAITS_S", (0.01,))
    await break_bare_user(shop)
    await shop.put("Support", {"PK": {"S": "uname#z"}, "SK": {"S": "U"}, "id": {"S": "3"}, "owner": {"S": "user#3"}})
    for user_id in (BARE, BUYER):
        part = IntentPart((user_aggregate(user_id),), ())
        await shop.parts.journal.insert_due("test", [part], op_id=uuid4())
    report = await shop.verify()
    assert (0, 2) == (report.entities["user"].different, report.entities["user"].could_not_tell)
    assert [] == report.differences


async def test_verify_writes_nothing(shop: SweptShop) -> None:
    """Neither items nor versions are other ones after it, also where it took locks."""
    await break_bare_user(shop)
    versions = await shop.mysql.rows("SELECT * FROM crossfade_version")
    items = await shop.items()
    await shop.verify()
    assert versions == await shop.mysql.rows("SELECT * FROM crossfade_version")
    assert items == await shop.items()


@pytest.mark.parametrize(("phase", "reason"), [(1, "move to phase 2 first"), (5, "source does not get writes")])
async def test_verify_is_refused_without_dual_writes(shop: SweptShop, phase: int, reason: str) -> None:
    """Where one database does not get the writes there is nothing to compare."""
    await shop.set_phase(phase)
    with pytest.raises(Conflict, match=reason):
        await shop.verify()


async def test_verify_tells_how_far_it_is(shop: SweptShop) -> None:
    """Each step counts up, those over rows to a known end."""
    shop.progress.clear()
    await shop.verify()
    assert [("user", 12, 12), ("product", 25, 25), ("category", 8, 8)] == [
        (each.step, each.done, each.total) for each in shop.progress if each.total is not None
    ]
    assert ("item", None) == (shop.progress[-1].step, shop.progress[-1].total)
