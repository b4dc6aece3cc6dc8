"""The checkout: all of it or nothing."""

from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.conformance.refusals import (
    CART_CHANGED,
    CART_TOO_LARGE,
    EMPTY_CART,
    INSUFFICIENT_INVENTORY,
    failure_of,
    faults_of,
    missing,
    out_of_range,
    refusal_of,
)
from tests.conformance.shop import Record, Shop
from tests.factories import make_line, make_product, make_products, make_user

INT_MAX = 2**31 - 1
LINES_MAX = 30


class Picture(NamedTuple):
    """Everything that a checkout changes."""

    cart: list[Record]
    orders: list[Record]


async def picture(shop: Shop, user: Record) -> Picture:
    """The cart of a user, which shows the stock, and the orders."""
    return Picture(
        await shop.call("cart.get_cart_items", user_id=user["id"]),
        await shop.call("order.get_user_orders", user_id=user["id"]),
    )


async def test_checkout_makes_a_completed_order_of_the_cart(shop: Shop) -> None:
    """The order has the cart's lines, newest first, at live prices, and is what a read gives."""
    user = await make_user(shop)
    first = await make_product(shop, price=Decimal("0.10"), inventory_quantity=5)
    second = await make_product(shop, price=Decimal("19.99"), inventory_quantity=2)
    await make_line(shop, user, first, 3)
    await make_line(shop, user, second, 2)
    await shop.call("product.update_product", product_id=first["id"], seller_id=first["seller_id"], price=0.2)
    order = await shop.call("order.checkout", user_id=user["id"])
    assert ("completed", user["id"], "40.58") == (order["status"], order["user_id"], str(order["total_amount"]))
    assert order["created_at"] == order["updated_at"]
    assert [(second["id"], 2, Decimal("19.99")), (first["id"], 3, Decimal("0.20"))] == [
        (item["product_id"], item["quantity"], item["price_at_time"]) for item in order["items"]
    ]
    assert order == await shop.call("order.get_order_by_id", order_id=order["id"])
    assert Picture([], [order]) == await picture(shop, user)
    assert [order] == await shop.call("order.get_orders_by_status", status="completed")


async def test_checkout_reduces_the_stock(shop: Shop) -> None:
    """What was bought is gone from the stock, down to the last piece, and updated_at tells."""
    user, product = await make_user(shop), await make_product(shop, inventory_quantity=3)
    await make_line(shop, user, product, 3)
    await shop.next_second()
    order = await shop.call("order.checkout", user_id=user["id"])
    sold = await shop.call("product.get_product_by_id", product_id=product["id"])
    assert {**product, "inventory_quantity": 0, "updated_at": sold["updated_at"]} == sold
    assert product["updated_at"] < sold["updated_at"]
    assert 0 == order["items"][0]["product"]["inventory_quantity"]
    assert 0 == (await shop.call("product.get_products", filters={"in_stock_only": True}))["total"]


async def test_checkout_leaves_other_carts_alone(shop: Shop) -> None:
    """Another's cart keeps its lines, in stock or not."""
    user, other, product = await make_user(shop), await make_user(shop), await make_product(shop, inventory_quantity=1)
    for owner in (user, other):
        await make_line(shop, owner, product)
    await shop.call("order.checkout", user_id=user["id"])
    assert 1 == await shop.call("cart.get_cart_item_count", user_id=other["id"])
    before = await picture(shop, other)
    failure = await failure_of(shop.call("order.checkout", user_id=other["id"]))
    assert INSUFFICIENT_INVENTORY == failure.refusal
    assert before == await picture(shop, other)


async def test_checkout_lets_the_next_cart_begin(shop: Shop) -> None:
    """After a checkout the same products may be put into the cart and bought again."""
    user, product = await make_user(shop), await make_product(shop, inventory_quantity=2)
    orders = []
    for _ in range(2):
        await make_line(shop, user, product)
        orders.append((await shop.call("order.checkout", user_id=user["id"]))["id"])
    assert orders[::-1] == [order["id"] for order in (await picture(shop, user)).orders]


@pytest.mark.parametrize("expected", [Decimal("25.00"), 25, Decimal("25.0000001")])
async def test_checkout_takes_the_expected_total(shop: Shop, expected: object) -> None:
    """A total that is as expected lets the checkout pass."""
    user = await make_user(shop)
    await make_line(shop, user, await make_product(shop, price=Decimal("12.50")), 2)
    order = await shop.call("order.checkout", user_id=user["id"], expected_total=expected)
    assert Decimal("25.00") == order["total_amount"]


@pytest.mark.parametrize("expected", ["24.99", "25.01", "0", "99999999.99"])
async def test_checkout_refuses_another_total(shop: Shop, expected: str) -> None:
    """A live total other than the expected one is told, and nothing is written."""
    user = await make_user(shop)
    await make_line(shop, user, await make_product(shop, price=Decimal("12.50")), 2)
    before = await picture(shop, user)
    failure = await failure_of(shop.call("order.checkout", user_id=user["id"], expected_total=Decimal(expected)))
    assert (CART_CHANGED, "25.00") == (failure.refusal, str(failure.problem["total"]))
    assert before == await picture(shop, user)


async def test_checkout_refuses_an_empty_cart(shop: Shop) -> None:
    """Nothing cannot be bought."""
    user = await make_user(shop)
    assert EMPTY_CART == await refusal_of(shop.call("order.checkout", user_id=user["id"]))
    assert EMPTY_CART == await refusal_of(shop.call("order.checkout", user_id=user["id"], expected_total=0))
    assert Picture([], []) == await picture(shop, user)


async def test_checkout_misses_an_unknown_user(shop: Shop) -> None:
    """Nobody cannot buy."""
    user_id = (await make_user(shop))["id"] + 1
    assert missing("user", user_id) == await refusal_of(shop.call("order.checkout", user_id=user_id))


async def test_checkout_tells_what_is_short(shop: Shop) -> None:
    """Too little in stock of anything refuses all: issues as in validate_cart_inventory, and nothing is written."""
    user = await make_user(shop)
    for name, stock in (("hat", 1), ("cap", 100), ("scarf", 0)):
        await make_line(shop, user, await make_product(shop, name=name, inventory_quantity=stock), 2)
    before = await picture(shop, user)
    failure = await failure_of(shop.call("order.checkout", user_id=user["id"]))
    issues = ["scarf: requested 2, but only 0 available", "hat: requested 2, but only 1 available"]
    assert (INSUFFICIENT_INVENTORY, issues) == (failure.refusal, failure.problem["issues"])
    assert issues == (await shop.call("cart.validate_cart_inventory", user_id=user["id"]))["issues"]
    assert before == await picture(shop, user)


async def test_checkout_takes_the_largest_total(shop: Shop) -> None:
    """A total may be all that its column holds."""
    user = await make_user(shop)
    await make_line(shop, user, await make_product(shop, price=Decimal("99999999.98")))
    await make_line(shop, user, await make_product(shop, price=Decimal("0.01")))
    order = await shop.call("order.checkout", user_id=user["id"])
    assert "99999999.99" == str(order["total_amount"])


@pytest.mark.parametrize(("price", "quantity"), [("50000000.00", 2), ("99999999.99", INT_MAX), ("0.05", INT_MAX)])
async def test_checkout_refuses_a_total_beyond_the_column(shop: Shop, price: str, quantity: int) -> None:
    """Prices that fit may have a sum that does not: nothing is bought."""
    user = await make_user(shop)
    await make_line(shop, user, await make_product(shop, price=Decimal(price), inventory_quantity=INT_MAX), quantity)
    before = await picture(shop, user)
    asked = shop.call("order.checkout", user_id=user["id"])
    assert out_of_range("order", "total_amount") == await refusal_of(asked)
    assert before == await picture(shop, user)


@pytest.mark.parametrize("bad", [Decimal("-0.01"), Decimal("0.001"), 100_000_000, "25.00", None])
async def test_checkout_refuses_a_bad_expected_total(shop: Shop, bad: object) -> None:
    """An expected total is money; left out, any total will do."""
    user = await make_user(shop)
    await make_line(shop, user, await make_product(shop))
    assert ["expected_total"] == await faults_of(shop.call("order.checkout", user_id=user["id"], expected_total=bad))
    assert 1 == await shop.call("cart.get_cart_item_count", user_id=user["id"])


async def test_checkout_takes_thirty_products(shop: Shop) -> None:
    """The largest cart that every shop can check out, each product selling out."""
    user, products = await make_user(shop), await make_products(shop, LINES_MAX, inventory_quantity=1)
    for product in products:
        await make_line(shop, user, product)
    order = await shop.call("order.checkout", user_id=user["id"])
    assert [product["id"] for product in reversed(products)] == [item["product_id"] for item in order["items"]]
    assert Picture([], [order]) == await picture(shop, user)
    assert 0 == (await shop.call("product.get_products", filters={"in_stock_only": True}))["total"]


async def test_checkout_refuses_more_than_thirty_products_for_two_databases(dual_shop: Shop) -> None:
    """A cart that one transaction of the second database cannot hold is refused as a whole."""
    user, products = await make_user(dual_shop), await make_products(dual_shop, LINES_MAX + 1)
    for product in products:
        await make_line(dual_shop, user, product)
    before = await picture(dual_shop, user)
    assert CART_TOO_LARGE == await refusal_of(dual_shop.call("order.checkout", user_id=user["id"]))
    assert before == await picture(dual_shop, user)
    await dual_shop.call("cart.remove_item", user_id=user["id"], product_id=products[0]["id"])
    assert LINES_MAX == len((await dual_shop.call("order.checkout", user_id=user["id"]))["items"])


async def test_checkout_takes_any_number_of_products_with_one_database(single_shop: Shop) -> None:
    """With one database a cart of 120 products is checked out."""
    user, products = await make_user(single_shop), await make_products(single_shop, 120)
    for product in products:
        await make_line(single_shop, user, product)
    order = await single_shop.call("order.checkout", user_id=user["id"])
    assert (120, Decimal("1500.00")) == (len(order["items"]), order["total_amount"])
