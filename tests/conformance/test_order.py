"""Orders, made step by step; `test_checkout.py` makes them at once."""

import itertools
from decimal import Decimal

import pytest

from tests.conformance.refusals import faults_of, missing, refusal_of
from tests.conformance.shop import Record, Shop
from tests.factories import make_item, make_order, make_product, make_products, make_user

INT_MAX = 2**31 - 1
STATUSES = ("pending", "completed", "cancelled")


def ids(orders: list[Record]) -> list[int]:
    """The ids of orders, in order."""
    return [order["id"] for order in orders]


async def order_of(shop: Shop, order_id: int) -> Record:
    """An order that exists, with its items."""
    order: Record = await shop.call("order.get_order_by_id", order_id=order_id)
    return order


async def test_get_order_by_id_returns_items_with_live_products(shop: Shop) -> None:
    """An order holds its items by id, each with its product as it is now and its price as it was then."""
    user, products = await make_user(shop), await make_products(shop, 2)
    order = await make_order(shop, user)
    items = [
        await make_item(shop, order, product, quantity=quantity, price_at_time=Decimal("9.90"))
        for product, quantity in ((products[1], 2), (products[0], 1), (products[1], 3))
    ]
    own = {"product_id": products[1]["id"], "seller_id": products[1]["seller_id"]}
    await shop.call("product.update_product", **own, name="after", price=99)
    live = {
        product["id"]: await shop.call("product.get_product_with_details", product_id=product["id"])
        for product in products
    }
    expected = {**order, "items": [{**item, "product": live[item["product_id"]]} for item in items]}
    assert expected == await order_of(shop, order["id"])
    assert "after" == expected["items"][0]["product"]["name"]


async def test_get_order_by_id_returns_null_for_an_unknown_id(shop: Shop) -> None:
    """An order that does not exist is null."""
    order = await make_order(shop, await make_user(shop))
    assert await shop.call("order.get_order_by_id", order_id=order["id"] + 1) is None


async def test_get_user_orders_returns_newest_first(shop: Shop) -> None:
    """A user's orders come by time and, within a second, by id, with their items, 20 unless more are asked for."""
    user, other, product = await make_user(shop), await make_user(shop), await make_product(shop)
    orders = [await make_order(shop, user, product) for _ in range(11)]
    await shop.next_second()
    orders += [await make_order(shop, user) for _ in range(11)]
    await make_order(shop, other, product)
    newest = ids(orders)[::-1]
    listed = await shop.call("order.get_user_orders", user_id=user["id"])
    assert newest[:20] == ids(listed)
    assert await order_of(shop, newest[0]) == listed[0]
    assert await order_of(shop, newest[19]) == listed[19]
    assert 22 == await shop.call("order.get_user_order_count", user_id=user["id"])


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [
        (2, 0, "ed"),
        (2, 2, "cb"),
        (2, 4, "a"),
        (1000, 0, "edcba"),
        (1000, 4, "a"),
        (5, 5, ""),
        (5, 6, ""),
        (1000, 2**31 - 1, ""),
        (1000, 2**31, ""),
        (1000, 2**40, ""),
        (1000, 2**63, ""),
        (1000, 10**30, ""),
    ],
)
async def test_get_user_orders_pages_by_limit_and_offset(shop: Shop, limit: int, offset: int, expected: str) -> None:
    """An offset may be as large as it likes: past the end there is nothing."""
    user = await make_user(shop)
    names = {(await make_order(shop, user))["id"]: name for name in "abcde"}
    listed = await shop.call("order.get_user_orders", user_id=user["id"], limit=limit, offset=offset)
    assert expected == "".join(names[order["id"]] for order in listed)


@pytest.mark.parametrize(
    "bad", [{"limit": 0}, {"limit": 1001}, {"limit": -1}, {"offset": -1}, {"limit": 0, "offset": -1}]
)
async def test_get_user_orders_refuses_bad_pages(shop: Shop, bad: Record) -> None:
    """A page has 1 to 1000 orders, and starts at none below zero."""
    assert sorted(bad) == await faults_of(shop.call("order.get_user_orders", user_id=1, **bad))


async def test_get_user_orders_of_nobody_is_empty(shop: Shop) -> None:
    """A user without orders and a user who does not exist have none."""
    user = await make_user(shop)
    for user_id in (user["id"], user["id"] + 1):
        assert [] == await shop.call("order.get_user_orders", user_id=user_id)
        assert 0 == await shop.call("order.get_user_order_count", user_id=user_id)


async def test_get_orders_by_status_returns_all_users_newest_first(shop: Shop) -> None:
    """Orders of one status come from everyone, and no others do."""
    users = [await make_user(shop) for _ in range(3)]
    orders = [await make_order(shop, users[number % 3]) for number in range(9)]
    for order in orders[:4]:
        await shop.call("order.update_order_status", order_id=order["id"], status="cancelled")
    cancelled = await shop.call("order.get_orders_by_status", status="cancelled")
    assert ids(orders[:4])[::-1] == ids(cancelled)
    assert await order_of(shop, orders[0]["id"]) == cancelled[-1]
    assert ids(orders[4:])[::-1] == ids(await shop.call("order.get_orders_by_status", status="pending"))
    assert ids(orders[4:])[:-3:-1] == ids(await shop.call("order.get_orders_by_status", status="pending", limit=2))
    assert [] == await shop.call("order.get_orders_by_status", status="completed")


async def test_get_orders_by_status_has_50_by_default(shop: Shop) -> None:
    """More than 50 come only when asked for."""
    user = await make_user(shop)
    newest = [(await make_order(shop, user))["id"] for _ in range(51)][::-1]
    assert newest[:50] == ids(await shop.call("order.get_orders_by_status", status="pending"))
    assert newest == ids(await shop.call("order.get_orders_by_status", status="pending", limit=1000))


@pytest.mark.parametrize("status", ["", "shipped", "pending ", "1", "0", "x" * 1000, "\U0001f980"])
async def test_get_orders_by_status_finds_nothing_by_an_unknown_status(shop: Shop, status: str) -> None:
    """Any text may be asked for."""
    await make_order(shop, await make_user(shop))
    assert [] == await shop.call("order.get_orders_by_status", status=status)


@pytest.mark.parametrize("status", ["PENDING", "pénding", "pend\u00ading"])
async def test_get_orders_by_status_ignores_case_and_accents(shop: Shop, status: str) -> None:
    """A status is looked up as the collation compares texts."""
    order = await make_order(shop, await make_user(shop))
    assert [order["id"]] == ids(await shop.call("order.get_orders_by_status", status=status))


async def test_create_order_returns_a_pending_order(shop: Shop) -> None:
    """The answer is what a read gives, with every field of the record; there are no items yet."""
    user = await make_user(shop)
    order = await shop.call("order.create_order", user_id=user["id"], total_amount=Decimal("12.50"))
    expected = {
        "id": order["id"],
        "user_id": user["id"],
        "total_amount": Decimal("12.50"),
        "status": "pending",
        "created_at": order["created_at"],
        "updated_at": order["created_at"],
    }
    assert expected == order
    assert {**order, "items": []} == await order_of(shop, order["id"])


@pytest.mark.parametrize(
    ("amount", "stored"),
    [("0", "0.00"), ("-0.0", "0.00"), ("0.0000001", "0.00"), ("99999999.99", "99999999.99"), ("1.0000009", "1.00")],
)
async def test_create_order_stores_amounts_to_the_cent(shop: Shop, amount: str, stored: str) -> None:
    """An order may cost nothing; amounts are rounded as prices are."""
    user = await make_user(shop)
    order = await shop.call("order.create_order", user_id=user["id"], total_amount=Decimal(amount))
    assert stored == str(order["total_amount"])
    assert {**order, "items": []} == await order_of(shop, order["id"])


@pytest.mark.parametrize("amount", ["-0.01", "100000000", "0.005", "1.00001"])
async def test_create_order_refuses_other_amounts(shop: Shop, amount: str) -> None:
    """An amount is zero or more, in whole cents, and at most what the column holds."""
    user = await make_user(shop)
    asked = shop.call("order.create_order", user_id=user["id"], total_amount=Decimal(amount))
    assert ["total_amount"] == await faults_of(asked)
    assert 0 == await shop.call("order.get_user_order_count", user_id=user["id"])


async def test_create_order_misses_an_unknown_user(shop: Shop) -> None:
    """Nobody cannot order."""
    user_id = (await make_user(shop))["id"] + 1
    assert missing("user", user_id) == await refusal_of(make_order(shop, {"id": user_id}))
    assert [] == await shop.call("order.get_orders_by_status", status="pending")


async def test_create_order_item_returns_the_item_as_stored(shop: Shop) -> None:
    """The answer is what a read gives; the stock and the order's total are left alone."""
    order, product = await make_order(shop, await make_user(shop)), await make_product(shop, inventory_quantity=0)
    item = await make_item(shop, order, product, quantity=INT_MAX, price_at_time=Decimal(0))
    expected = {
        "id": item["id"],
        "order_id": order["id"],
        "product_id": product["id"],
        "quantity": INT_MAX,
        "price_at_time": Decimal("0.00"),
    }
    assert expected == item
    details = await shop.call("product.get_product_with_details", product_id=product["id"])
    stored = await order_of(shop, order["id"])
    assert {**order, "items": [{**item, "product": details}], "updated_at": stored["updated_at"]} == stored
    assert 0 == details["inventory_quantity"]


@pytest.mark.parametrize("status", STATUSES)
async def test_create_order_item_takes_any_status_and_a_product_twice(shop: Shop, status: str) -> None:
    """Items are added to an order in any state, of one product as often as one likes."""
    order, product = await make_order(shop, await make_user(shop)), await make_product(shop)
    await shop.call("order.update_order_status", order_id=order["id"], status=status)
    items = [(await make_item(shop, order, product))["id"] for _ in range(2)]
    assert items == [item["id"] for item in (await order_of(shop, order["id"]))["items"]]
    assert items[0] < items[1]


async def test_create_order_item_misses_an_unknown_order_or_product(shop: Shop) -> None:
    """Both must exist, the order is missed first, and nothing is written."""
    order, product = await make_order(shop, await make_user(shop)), await make_product(shop)
    no_order, no_product = {"id": order["id"] + 1}, {**product, "id": product["id"] + 1}
    assert missing("order", no_order["id"]) == await refusal_of(make_item(shop, no_order, product))
    assert missing("product", no_product["id"]) == await refusal_of(make_item(shop, order, no_product))
    assert missing("order", no_order["id"]) == await refusal_of(make_item(shop, no_order, no_product))
    assert {**order, "items": []} == await order_of(shop, order["id"])


@pytest.mark.parametrize(
    "bad",
    [
        {"quantity": 0},
        {"quantity": INT_MAX + 1},
        {"price_at_time": Decimal("-0.01")},
        {"quantity": -1, "price_at_time": "1"},
    ],
)
async def test_create_order_item_refuses_bad_fields(shop: Shop, bad: Record) -> None:
    """Every wrong argument is named at once, and nothing is written."""
    order, product = await make_order(shop, await make_user(shop)), await make_product(shop)
    assert sorted(bad, key=str) == sorted(await faults_of(make_item(shop, order, product, **bad)))
    assert {**order, "items": []} == await order_of(shop, order["id"])


async def test_update_order_status_takes_any_transition(shop: Shop) -> None:
    """Every status may follow every other, itself included, updated_at tells, and nothing else changes."""
    user, product = await make_user(shop), await make_product(shop)
    cases = []
    for before, after in itertools.product(STATUSES, repeat=2):
        order = await make_order(shop, user, product)
        assert await shop.call("order.update_order_status", order_id=order["id"], status=before) is True
        cases.append((await order_of(shop, order["id"]), after))
    await shop.next_second()
    for order, after in cases:
        assert await shop.call("order.update_order_status", order_id=order["id"], status=after) is True
        updated = await order_of(shop, order["id"])
        assert {**order, "status": after, "updated_at": updated["updated_at"]} == updated
        assert order["updated_at"] < updated["updated_at"]
    for status in STATUSES:
        expected = [order["id"] for order, after in reversed(cases) if after == status]
        assert expected == ids(await shop.call("order.get_orders_by_status", status=status))


async def test_update_order_status_is_false_for_an_unknown_order(shop: Shop) -> None:
    """Nothing is written for an order that does not exist."""
    assert await shop.call("order.update_order_status", order_id=1, status="completed") is False


@pytest.mark.parametrize("status", ["", "Pending", "shipped", "pending ", None, 1])
async def test_update_order_status_refuses_another_status(shop: Shop, status: object) -> None:
    """There are three statuses, spelled one way."""
    order = await make_order(shop, await make_user(shop))
    asked = shop.call("order.update_order_status", order_id=order["id"], status=status)
    assert ["status"] == await faults_of(asked)
    assert {**order, "items": []} == await order_of(shop, order["id"])


async def test_orders_made_step_by_step_end_like_a_checkout(shop: Shop) -> None:
    """A shop that checks out step by step finds the order completed, the stock reduced and the cart empty."""
    user, products = await make_user(shop), await make_products(shop, 2, inventory_quantity=5)
    for product in products:
        await shop.call("cart.add_item", user_id=user["id"], product_id=product["id"], quantity=2)
    order = await make_order(shop, user)
    for product in products:
        await make_item(shop, order, product, quantity=2)
        assert await shop.call("product.reduce_inventory", product_id=product["id"], quantity=2) is True
    await shop.call("cart.clear_cart", user_id=user["id"])
    await shop.call("order.update_order_status", order_id=order["id"], status="completed")
    (completed,) = await shop.call("order.get_orders_by_status", status="completed")
    assert [(products[0]["id"], 2, 3), (products[1]["id"], 2, 3)] == [
        (item["product_id"], item["quantity"], item["product"]["inventory_quantity"]) for item in completed["items"]
    ]
    assert 0 == await shop.call("cart.get_cart_item_count", user_id=user["id"])
