"""Backfill on real databases: from anything that may lie in the target to what the source's rows say."""

import pytest

from adapters.changes import ADMINS, LISTING, Aggregate, Ref, RowKind, user_aggregate
from adapters.dynamodb.items import Item
from adapters.dynamodb.keys import Key
from adapters.dynamodb.typed_json import Attributes
from tests.planted_shop import BUYER, CHILD_CATEGORY, ORDER, ORDERED_PRODUCT, PRODUCT, SELLER, empty_shop
from tests.sweeping import KEYS, MAPPER, SweptShop, key_of

SHOWN = [
    Ref(RowKind.USER, SELLER),
    Ref(RowKind.CART, BUYER, ORDERED_PRODUCT),
    Ref(RowKind.ORDER, ORDER),
    Ref(RowKind.PRODUCT, PRODUCT),
    Ref(RowKind.CATEGORY, CHILD_CATEGORY),
]
FENCES = 12 + 25 + 8 + 3
"""A fence for each user, product and category, the tree, the listing and the super admins."""
LOGS = 1
ITEMS = 12 * 3 + 2 + 8 + 7 * 3 + 25 + 8 * 2
"""What the planted shop needs: users with their markers, super admins, carts, orders, products, categories."""


@pytest.fixture
def shop(swept_shop: SweptShop) -> SweptShop:
    """The planted shop, in the source alone."""
    return swept_shop


def strings(**values: str) -> Attributes:
    """String attributes."""
    return {name: {"S": value} for name, value in values.items()}


async def check_healed(shop: SweptShop) -> None:
    """A backfill leaves nothing as it was, and both databases equal."""
    report = await shop.backfill()
    assert [] == report.failures
    assert (await shop.verify()).is_equal
    assert FENCES + LOGS + ITEMS <= len(await shop.items())


async def test_backfill_puts_every_item(shop: SweptShop) -> None:
    """Afterwards both databases are equal, and nothing is in the target that is not needed."""
    report = await shop.backfill()
    assert (12, 25, 8) == tuple(report.kinds[kind].aggregates for kind in ("user", "product", "category"))
    assert ITEMS == sum(counts.put for counts in report.kinds.values())
    assert 0 == sum(counts.deleted + counts.retried for counts in report.kinds.values())
    assert report.is_complete
    assert FENCES + LOGS + ITEMS == len(await shop.items())
    assert (await shop.verify()).is_equal


async def test_backfill_sets_fences_to_versions(shop: SweptShop) -> None:
    """Each fence is at its aggregate's version, so that the next writer is the next version; counts are there."""
    await shop.backfill()
    versions = {Aggregate.parse(f"{KINDS[kind]}#{i}"): v for kind, i, v in await shop.mysql.rows(VERSIONS) if v}
    fences = {
        Aggregate.parse(key.partition): item for key, item in (await shop.items()).items() if key.table == "Fence"
    }
    assert versions == {aggregate: int(str(item["v"]["N"])) for aggregate, item in fences.items()}
    assert ({"N": "4"}, {"N": "0"}) == (fences[user_aggregate(BUYER)]["orders"], fences[user_aggregate(12)]["orders"])
    assert {"N": "2"} == fences[ADMINS]["n"]


KINDS = {1: "tree", 2: "user", 3: "product", 4: "category", 5: "listing", 6: "admins"}
VERSIONS = "SELECT kind, id, version FROM crossfade_version"


async def test_backfill_leaves_gap_in_log_of_listing(shop: SweptShop) -> None:
    """A version of the listing has no entry, so that nobody who follows the log keeps an old listing."""
    await shop.backfill()
    fence = await shop.fence(LISTING)
    assert {"N": "2"} == (fence or {})["v"]
    assert await shop.get(KEYS.log_entry(2)) is not None
    assert await shop.get(KEYS.log_entry(1)) is None


async def test_backfill_counts_references_anew(shop: SweptShop) -> None:
    """The number of order items of a product is counted, whatever was remembered of it."""
    await shop.mysql.execute("INSERT INTO crossfade_version (kind, id, version, n) VALUES (3, 1, 5, 99)")
    await shop.backfill()
    assert {"N": "3"} == (await shop.get(KEYS.product(ORDERED_PRODUCT)) or {})["order_refs"]
    assert [(3,)] == await shop.mysql.rows("SELECT n FROM crossfade_version WHERE kind = 3 AND id = 1")


async def test_second_backfill_changes_fences_alone(shop: SweptShop) -> None:
    """It can be run at any time, again and again."""

    async def items() -> dict[Key, Attributes]:
        found = await shop.items()
        return {key: item for key, item in found.items() if key.table != "Fence" and key.partition != "LOG"}

    await shop.backfill()
    before = await items()
    await shop.backfill()
    assert before == await items()


async def shown_items(shop: SweptShop) -> list[Item]:
    """All items of a row of each entity."""
    return [item for ref in SHOWN for item in MAPPER.items_of(await shop.image(ref))]


async def test_missing_items_are_put(shop: SweptShop) -> None:
    """Each item of a row comes back."""
    await shop.backfill()
    for item in await shown_items(shop):
        await shop.delete(key_of(item))
    await check_healed(shop)


async def test_empty_items_are_replaced(shop: SweptShop) -> None:
    """Items of nothing but a key, which no aggregate owns, give way where a row needs the key."""
    await shop.backfill()
    for item in await shown_items(shop):
        await shop.put(item.table, {name: item.attributes[name] for name in KEYS.names(item.table)})
    await check_healed(shop)


@pytest.mark.parametrize("owner", ["user#999", "user#5", "tree#1", "product#5", "listing#1", "nobody"])
async def test_items_of_wrong_owner_are_replaced(shop: SweptShop, owner: str) -> None:
    """Items that another aggregate owns, or none that could, give way, whatever row they claim to show."""
    await shop.backfill()
    for item in await shown_items(shop):
        await shop.put(item.table, {**item.attributes, "owner": {"S": owner}})
    await check_healed(shop)


async def test_items_of_other_rows_are_replaced(shop: SweptShop) -> None:
    """Items under a row's keys that show rows that were never there."""
    await shop.backfill()
    for item in await shown_items(shop):
        keys = {name: item.attributes[name] for name in KEYS.names(item.table)}
        ids = strings(id="999", user_id="999", order_id="999", category_id="999", owner="user#999")
        await shop.put(item.table, {**keys, **ids})
    await check_healed(shop)


STALE = [
    ("Support", strings(PK="uname#old", SK="U", id="3", owner="user#3")),
    ("Support", strings(PK="uname#lost", SK="U", owner="user#3")),
    ("Support", strings(PK="uid#999", SK="U", owner="user#999")),
    ("Support", strings(PK="ADMINS", SK="0000000003", owner="user#3")),
    ("Support", strings(PK="status#pending#1", SK="2026-01-31T09:15:00Z#0000000001", owner="user#3")),
    ("Support", strings(PK="oid#999", SK="O", owner="user#3")),
    ("Support", strings(PK="TREE", SK="0000000099", category_id="99", owner="tree#1")),
    ("Users", strings(PK="old@shop.test", SK="#META", id="3", owner="user#3")),
    ("Users", strings(PK="ben@shop.test", SK="CART#25", user_id="3", product_id="25", owner="user#3")),
    ("Categories", strings(PK="ROOT", SK="grun", category_id="4", owner="tree#1")),
    ("Products", strings(PK="99", SK="#META")),
    ("Users", strings(PK="older@shop.test", SK="#META", id="3")),
    ("Users", strings(PK="ben@shop.test", SK="CART#24", user_id="3", product_id="24", owner="user#4")),
]
"""Items that no row needs: old markers and pointers, copies under old keys, rows that are gone, one without owner."""


async def test_stale_items_are_deleted(shop: SweptShop) -> None:
    """Items that no row needs go, each by the lock of who owns it."""
    for table, attributes in STALE:
        await shop.put(table, attributes)
    report = await shop.backfill()
    assert report.is_complete
    assert len(STALE) == sum(counts.deleted for counts in report.kinds.values())
    assert (await shop.verify()).is_equal


async def test_item_of_nobody_is_left_and_named(shop: SweptShop) -> None:
    """What shows no row and has no owner is none of ours to delete."""
    key = Key("Users", "else@shop.test", "#META")
    await shop.put("Users", strings(PK="else@shop.test", SK="#META", colour="red"))
    (failure,) = (await shop.backfill()).failures
    assert "Users else@shop.test #META" == failure.subject
    assert await shop.get(key) is not None


async def test_rows_deleted_beside_proxy_lose_their_items(shop: SweptShop) -> None:
    """The whole shop gone, the target holds fences and the log alone."""
    await shop.backfill()
    await empty_shop(shop.mysql)
    report = await shop.backfill()
    assert report.is_complete
    assert ITEMS == sum(counts.deleted for counts in report.kinds.values())
    assert {"Fence", "LOG"} == {"Fence" if k.table == "Fence" else k.partition for k in await shop.items()}
    assert (await shop.verify()).is_equal


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET email = 'moved@shop.test' WHERE id = 3",
        "UPDATE users SET email = CONCAT('x', email), username = CONCAT('y', username), super_admin = 0",
        """UPDATE users SET email = 'tmp' WHERE id = 3; UPDATE users SET email = 'ben@shop.test' WHERE id = 4;
        UPDATE users SET email = '東京@shop.test' WHERE id = 3""",
        "UPDATE orders SET user_id = 4, created_at = '2020-01-01 00:00:00'",
        "UPDATE categories SET name = 'Trinken' WHERE id = 1",
        "UPDATE categories SET parent_id = NULL WHERE id = 4",
        """UPDATE categories SET name = 'x' WHERE id = 2; UPDATE categories SET name = 'Tea' WHERE id = 3;
        UPDATE categories SET name = 'Coffee' WHERE id = 2""",
        "UPDATE shopping_carts SET product_id = product_id + 10",
        "UPDATE orders SET status = 'cancelled'",
        "DELETE FROM shopping_carts; DELETE FROM orders WHERE user_id = 3",
        "DELETE FROM users WHERE id IN (3, 5, 6); DELETE FROM categories WHERE id = 8",
    ],
)
async def test_rows_changed_beside_proxy_are_followed(shop: SweptShop, statement: str) -> None:
    """Moved and swapped keys, other owners, other paths: what was put before goes where it is in the way."""
    await shop.backfill()
    await shop.mysql.batch(statement)
    report = await shop.backfill()
    assert report.is_complete
    assert (await shop.verify()).is_equal


async def test_user_of_many_orders_is_copied_whole(shop: SweptShop) -> None:
    """More rows than are written at once go in several writes under one lock, each of several transactions."""
    await shop.mysql.batch(
        """INSERT INTO orders (id, user_id, total_amount, status)
        WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 330)
        SELECT 1000 + i, 7, 1, 'pending' FROM n"""
    )
    await check_healed(shop)
    assert {"N": "330"} == (await shop.fence(user_aggregate(7)) or {})["orders"]


async def test_item_without_owner_among_many_gives_way(shop: SweptShop) -> None:
    """Also where it stops one of several transactions, whose outcome is then in doubt."""
    await shop.mysql.batch(
        """INSERT INTO orders (id, user_id, total_amount, status)
        WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 120)
        SELECT 1000 + i, 7, 1, 'pending' FROM n"""
    )
    item = await shop.item_of(Ref(RowKind.ORDER, 1120))
    await shop.put(item.table, {name: value for name, value in item.attributes.items() if name != "owner"})
    await check_healed(shop)


async def test_row_that_cannot_have_items_is_named(shop: SweptShop) -> None:
    """A time that is NULL and two categories of one key stop nothing but themselves."""
    await shop.mysql.batch(
        """INSERT INTO orders (id, user_id, total_amount, created_at) VALUES (99, 3, 1, NULL);
        INSERT INTO categories (id, name, parent_id) VALUES (99, 'COFFEE', 1)"""
    )
    failures = {failure.subject: failure.reason for failure in (await shop.backfill()).failures}
    assert {"order 99", "category 99"} == failures.keys()
    assert "created_at is NULL" in failures["order 99"]
    assert "category 3 has the same key" in failures["category 99"]
    different = {each.ref for each in (await shop.verify()).differences}
    assert {Ref(RowKind.ORDER, 99), Ref(RowKind.CATEGORY, 99)} == different


async def test_order_too_large_is_named(shop: SweptShop) -> None:
    """An order that passes the limit of an item stops its user's other rows, and nobody else's."""
    await shop.mysql.batch(
        """INSERT INTO order_items (order_id, product_id, quantity, price_at_time)
        WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
        SELECT 7, 7, 1, 99999999.99 FROM n"""
    )
    (failure,) = (await shop.backfill()).failures
    assert "user#9" == failure.subject
    assert "order 7 would take" in failure.reason
    assert {"user#9"} == {f"user#{e.ref.id}" for e in (await shop.verify()).differences if e.ref and e.entity == "user"}


async def test_backfill_tells_how_far_it_is(shop: SweptShop) -> None:
    """Each step counts up, those over rows to a known end."""
    await shop.backfill()
    assert [("user", 12, 12), ("product", 25, 25), ("category", 8, 8)] == [
        (each.step, each.done, each.total) for each in shop.progress if each.total is not None
    ]
    assert ("item", None) == (shop.progress[-1].step, shop.progress[-1].total)
