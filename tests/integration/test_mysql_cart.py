"""The reads of carts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio

from adapters.mysql.cart import CartReads
from adapters.mysql.connection import Connection
from adapters.records import CartItem, CartItemDetails, CartValidation, ProductDetails
from adapters.values import INT_MAX, NO_RECORD
from tests.mysql_schema import insert, insert_category, insert_product, insert_user

AT = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


@pytest_asyncio.fixture
async def shop(mysql_shop: Connection) -> AsyncIterator[Connection]:
    """Users 1 and 2, a category, and products 1 to 4 with stocks of 0 to 3."""
    await insert_user(mysql_shop, "ana", id=1)
    await insert_user(mysql_shop, "ben", id=2)
    await insert_category(mysql_shop, "Tea", id=1)
    for number in range(1, 5):
        await insert_product(
            mysql_shop, id=number, name=f"tea {number}", inventory_quantity=number - 1, created_at=AT, updated_at=AT
        )
    yield mysql_shop


async def insert_line(shop: Connection, product_id: int, **columns: object) -> int:
    """A line in user 1's cart."""
    valid = {"user_id": 1, "product_id": product_id, "created_at": AT, "updated_at": AT}
    return await insert(shop, "shopping_carts", **{**valid, **columns})


async def test_get_cart_items_returns_every_field(shop: Connection) -> None:
    """The line, and the product as it is now."""
    number = await insert_line(shop, 2, quantity=INT_MAX)
    await shop.execute("UPDATE products SET price = 99999999.99, updated_at = updated_at WHERE id = 2")
    tea = ("tea 2", None, Decimal("99999999.99"), 1, None, AT, AT, "Tea", "ana", "ana@shop.test")
    expected = CartItemDetails(number, 1, 2, INT_MAX, AT, AT, ProductDetails(2, 1, 1, *tea))
    assert [expected] == await CartReads(shop).get_cart_items(user_id=1)


async def test_get_cart_items_is_newest_first_then_by_id(shop: Connection) -> None:
    """Only the user's own; ties by descending id, lines without a time last."""
    await insert_line(shop, 1, user_id=2)
    timeless = await insert_line(shop, 1, created_at=None)
    tie = [await insert_line(shop, product_id) for product_id in (2, 3)]
    new = await insert_line(shop, 4, created_at="2026-12-31 00:00:00")
    items = await CartReads(shop).get_cart_items(user_id=1)
    assert [new, *reversed(tie), timeless] == [item.id for item in items]
    assert 4 == await CartReads(shop).get_cart_item_count(user_id=1)


@pytest.mark.parametrize("user_id", [2, NO_RECORD, INT_MAX])
async def test_empty_cart_is_empty_and_valid(shop: Connection, user_id: int) -> None:
    """That of a user without lines, and that of nobody."""
    await insert_line(shop, 1)
    reads = CartReads(shop)
    assert [] == await reads.get_cart_items(user_id=user_id)
    assert 0 == await reads.get_cart_item_count(user_id=user_id)
    assert CartValidation(valid=True, issues=[]) == await reads.validate_cart_inventory(user_id=user_id)


async def test_get_cart_item_by_user_and_product_returns_that_line(shop: Connection) -> None:
    """Without the product; None where there is no such line. NULL times read None."""
    reads = CartReads(shop)
    number = await insert_line(shop, 3, quantity=7, created_at=None, updated_at=None)
    expected = CartItem(number, 1, 3, 7, None, None)
    assert expected == await reads.get_cart_item_by_user_and_product(user_id=1, product_id=3)
    for user_id, product_id in ((1, 2), (2, 3), (NO_RECORD, 3), (1, NO_RECORD)):
        assert await reads.get_cart_item_by_user_and_product(user_id=user_id, product_id=product_id) is None


async def test_validate_cart_inventory_names_short_lines_in_cart_order(shop: Connection) -> None:
    """Only lines that ask for more than there is; the words are interface."""
    reads = CartReads(shop)
    await insert_line(shop, 3, quantity=2)
    await insert_line(shop, 4, quantity=3)
    assert CartValidation(valid=True, issues=[]) == await reads.validate_cart_inventory(user_id=1)
    await insert_line(shop, 2, quantity=5)
    await insert_line(shop, 1, quantity=1)
    await insert_line(shop, 1, quantity=9, user_id=2)
    issues = ["tea 1: requested 1, but only 0 available", "tea 2: requested 5, but only 1 available"]
    assert CartValidation(valid=False, issues=issues) == await reads.validate_cart_inventory(user_id=1)
