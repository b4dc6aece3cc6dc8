"""The reads of orders: items and products with them, order, pages, statuses."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio

from adapters.mysql.connection import Connection
from adapters.mysql.order import OrderReads
from adapters.records import OrderDetails, OrderItemDetails, ProductDetails
from adapters.values import INT_MAX, NO_RECORD
from tests.mysql_schema import insert, insert_category, insert_product, insert_user

AT = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


@pytest_asyncio.fixture
async def shop(mysql_shop: Connection) -> AsyncIterator[Connection]:
    """Users 1 and 2, a category, and products 1 and 2 of user 1."""
    await insert_user(mysql_shop, "ana", id=1)
    await insert_user(mysql_shop, "ben", id=2)
    await insert_category(mysql_shop, "Tea", id=1)
    for number in (1, 2):
        await insert_product(mysql_shop, id=number, created_at=AT, updated_at=AT)
    yield mysql_shop


async def insert_order(shop: Connection, *, products: Iterable[int] = (), **columns: object) -> int:
    """An order of user 1 with one item for each product."""
    valid: dict[str, object] = {"user_id": 1, "total_amount": "12.50"}
    order_id = await insert(shop, "orders", **{**valid, **columns})
    for product_id in products:
        await insert(shop, "order_items", order_id=order_id, product_id=product_id, quantity=2, price_at_time="0.01")
    return order_id


def ids(orders: Iterable[OrderDetails]) -> list[int]:
    """The ids of the orders."""
    return [order.id for order in orders]


async def test_get_order_by_id_returns_every_field(shop: Connection) -> None:
    """With its items by id, a product that comes twice included, and their products as they are now."""
    number = await insert_order(
        shop,
        products=(2, 1, 2),
        user_id=2,
        total_amount="99999999.99",
        status="cancelled",
        created_at=AT,
        updated_at=AT,
    )
    item_ids = [row[0] for row in await shop.rows("SELECT id FROM order_items ORDER BY id")]
    tea = ("Green tea", None, Decimal("12.50"), 0, None, AT, AT, "Tea", "ana", "ana@shop.test")
    items = [
        OrderItemDetails(item_id, number, product_id, 2, Decimal("0.01"), ProductDetails(product_id, 1, 1, *tea))
        for item_id, product_id in zip(item_ids, (2, 1, 2), strict=True)
    ]
    expected = OrderDetails(number, 2, Decimal("99999999.99"), "cancelled", AT, AT, items)
    assert expected == await OrderReads(shop).get_order_by_id(order_id=number)


async def test_get_order_by_id_without_items_and_with_nulls(shop: Connection) -> None:
    """No items is an empty list; a NULL status reads pending, NULL times read None."""
    number = await insert_order(shop, total_amount="0", status=None, created_at=None, updated_at=None)
    order = await OrderReads(shop).get_order_by_id(order_id=number)
    assert OrderDetails(number, 1, Decimal("0.00"), "pending", None, None, []) == order
    assert order is not None
    assert "0.00" == str(order.total_amount)


@pytest.mark.parametrize("number", [NO_RECORD, INT_MAX])
async def test_reads_of_nobody_and_nothing(shop: Connection, number: int) -> None:
    """An id that no order and no user has."""
    await insert_order(shop)
    reads = OrderReads(shop)
    assert await reads.get_order_by_id(order_id=number) is None
    assert [] == await reads.get_user_orders(user_id=number)
    assert 0 == await reads.get_user_order_count(user_id=number)


async def test_get_user_orders_is_newest_first_then_by_id(shop: Connection) -> None:
    """Only the user's own; ties of one second by descending id; orders without a time last; all items with each."""
    await insert_order(shop, user_id=2, products=(1,))
    tie = [await insert_order(shop, created_at=AT, products=(1, 2)) for _ in range(3)]
    timeless = await insert_order(shop, created_at=None)
    old = await insert_order(shop, created_at="2025-01-01 00:00:00", products=(2,))
    orders = await OrderReads(shop).get_user_orders(user_id=1)
    assert [*reversed(tie), old, timeless] == ids(orders)
    assert [[1, 2]] * 3 + [[2], []] == [[item.product_id for item in order.items] for order in orders]
    assert 5 == await OrderReads(shop).get_user_order_count(user_id=1)


async def test_get_user_orders_counts_orders_not_items(shop: Connection) -> None:
    """Both limit and offset are of orders, however many items these have."""
    numbers = [await insert_order(shop, created_at=AT, products=(1, 2, 1)) for _ in range(5)]
    reads = OrderReads(shop)
    pages = [await reads.get_user_orders(user_id=1, limit=2, offset=offset) for offset in (0, 2, 4, 5)]
    assert [numbers[:2:-1], numbers[2:0:-1], numbers[:1], []] == [ids(page) for page in pages]
    assert [3] * 5 == [len(order.items) for page in pages for order in page]


@pytest.mark.parametrize("offset", [INT_MAX, INT_MAX + 1, 2**63, 10**30])
async def test_get_user_orders_far_past_the_end_is_empty(shop: Connection, offset: int) -> None:
    """No offset is too large to ask for."""
    await insert_order(shop)
    assert [] == await OrderReads(shop).get_user_orders(user_id=1, limit=1000, offset=offset)


async def test_get_orders_by_status_takes_null_for_pending(shop: Connection) -> None:
    """Orders of all users, pending and NULL in one order by time; completed ones apart."""
    numbers = [
        await insert_order(shop, user_id=1 + n % 2, status=status, created_at=AT, products=(1, 2))
        for n, status in enumerate(("pending", None, "completed", None, "pending"))
    ]
    old = await insert_order(shop, status=None, created_at="2025-01-01 00:00:00")
    new = await insert_order(shop, status="pending", created_at="2026-12-31 00:00:00")
    reads = OrderReads(shop)
    expected = [new, numbers[4], numbers[3], numbers[1], numbers[0], old]
    for limit in (1, 2, 4, 6, 1000):
        found = await reads.get_orders_by_status(status="pending", limit=limit)
        assert expected[:limit] == ids(found)
        assert {"pending"} == {order.status for order in found}
    assert [2, 2] == [len(order.items) for order in found[1:3]]
    assert [numbers[2]] == ids(await reads.get_orders_by_status(status="completed"))
    assert [] == await reads.get_orders_by_status(status="cancelled")


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("pending", True),
        ("PENDING", True),
        ("pénding", True),
        ("", False),
        ("1", False),
        ("2", False),
        ("pending ", False),
    ],
)
async def test_get_orders_by_status_compares_by_the_collation(shop: Connection, text: str, *, is_found: bool) -> None:
    """As for every text looked up; a number is no status, though MySQL may take it for one."""
    number = await insert_order(shop)
    await insert_order(shop, status="completed")
    assert ([number] if is_found else []) == ids(await OrderReads(shop).get_orders_by_status(status=text))


async def test_get_orders_by_status_walks_an_index(shop: Connection) -> None:
    """However many orders are pending, a page of them does not read them all."""
    await shop.batch(
        "SET SESSION cte_max_recursion_depth = 10000; INSERT INTO orders (user_id, total_amount, status, created_at)"
        " WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        " SELECT 1, 1, IF(i MOD 100, 'pending', NULL), '2026-01-01' + INTERVAL i SECOND FROM n; ANALYZE TABLE orders"
    )
    await OrderReads(shop).get_orders_by_status(status="pending", limit=10)
    await shop.batch("FLUSH STATUS")
    found = await OrderReads(shop).get_orders_by_status(status="pending", limit=10)
    read = [int(count) for _, count in await shop.rows("SHOW SESSION STATUS LIKE 'Handler_read%%'")]
    assert 10 == len(found)
    assert 1000 > sum(read)
