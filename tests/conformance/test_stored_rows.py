"""Rows that no operation would write, but the columns allow: they are read, copied and compared as they are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.conformance.refusals import last_super_admin, refusal_of
from tests.conformance.shop import Record, Shop
from tests.factories import make_admin, make_category, make_line, make_product, make_user

OLD = datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC)
OLD_TEXT = "2019-12-31T23:59:59Z"
NO_TIMES = {"created_at": None, "updated_at": None}


async def plant_user(shop: Shop, name: str, **columns: object) -> int:
    """A user's row."""
    return await shop.plant("users", username=name, email=f"{name}@shop.test", password_hash="hash", **columns)


async def plant_product(shop: Shop, **columns: object) -> int:
    """A product's row, of a user and in a category that the shop made."""
    seller, category = await make_user(shop), await make_category(shop)
    valid = {"seller_id": seller["id"], "category_id": category["id"], "name": "old", "price": Decimal("5.00")}
    return await shop.plant("products", **{**valid, **columns})


async def read_user(shop: Shop, user_id: int) -> Record:
    """A user that exists."""
    user: Record = await shop.call("user.find_by_id", id=user_id)
    return user


@pytest.mark.parametrize(("stored", "read"), [(None, False), (0, False), (1, True), (2, True), (-1, True)])
async def test_find_by_id_reads_any_stored_boolean(shop: Shop, stored: int | None, read: bool) -> None:  # noqa: FBT001  # a column of the table
    """NULL is false, and every number but 0 is true, in the list of super admins too."""
    user_id = await plant_user(shop, "old", is_seller=stored, super_admin=stored)
    user = await read_user(shop, user_id)
    assert (read, read) == (user["is_seller"], user["super_admin"])
    assert ([user] if read else []) == await shop.call("user.find_all_super_admins")


async def test_demote_from_super_admin_counts_any_stored_boolean(shop: Shop) -> None:
    """A super admin by an odd number is one; NULL is none."""
    odd_id = await plant_user(shop, "odd", super_admin=2)
    null_id = await plant_user(shop, "null", super_admin=None)
    assert last_super_admin(odd_id) == await refusal_of(shop.call("user.demote_from_super_admin", id=odd_id))
    assert (await shop.call("user.demote_from_super_admin", id=null_id))["super_admin"] is False
    await make_admin(shop)
    assert (await shop.call("user.demote_from_super_admin", id=odd_id))["super_admin"] is False


async def test_find_by_id_reads_null_in_every_nullable_column_of_users(single_shop: Shop) -> None:
    """NULL names and times are null; an update sets the time."""
    user_id = await plant_user(single_shop, "old", first_name=None, last_name=None, is_seller=None, **NO_TIMES)
    user = await read_user(single_shop, user_id)
    nulls = {"first_name": None, "last_name": None, "created_at": None, "updated_at": None}
    assert {**user, **nulls, "is_seller": False, "super_admin": False} == user
    updated = await single_shop.call("user.upgrade_to_seller", id=user_id)
    assert {**user, "is_seller": True, "updated_at": updated["updated_at"]} == updated
    assert updated["updated_at"] is not None


async def test_get_products_reads_null_in_every_nullable_column_of_products(single_shop: Shop) -> None:
    """NULL texts and times are null, and a product without a time comes last."""
    untimed_id = await plant_product(single_shop, description=None, image_url=None, **NO_TIMES)
    timed_id = await plant_product(single_shop, created_at=OLD)
    page = await single_shop.call("product.get_products")
    assert [timed_id, untimed_id] == [product["id"] for product in page["products"]]
    nulls = {"description": None, "image_url": None, "created_at": None, "updated_at": None}
    assert {**page["products"][1], **nulls} == page["products"][1]


async def test_get_category_path_reads_null_in_every_nullable_column_of_categories(single_shop: Shop) -> None:
    """A category's NULL time is null."""
    category_id = await single_shop.plant("categories", name="old", parent_id=None, created_at=None)
    expected = {"id": category_id, "name": "old", "parent_id": None, "created_at": None}
    assert [expected] == await single_shop.call("category.get_category_path", category_id=category_id)


async def test_get_cart_items_reads_null_in_every_nullable_column_of_carts(single_shop: Shop) -> None:
    """A line's NULL times are null, and the line comes last; adding to it sets its updated_at."""
    user, product = await make_user(single_shop), await make_product(single_shop)
    planted = {"user_id": user["id"], "product_id": product["id"], **NO_TIMES}
    line_id = await single_shop.plant("shopping_carts", **planted)
    newer = await make_line(single_shop, user, await make_product(single_shop))
    lines = await single_shop.call("cart.get_cart_items", user_id=user["id"])
    assert [newer["id"], line_id] == [line["id"] for line in lines]
    assert (1, None, None) == (lines[1]["quantity"], lines[1]["created_at"], lines[1]["updated_at"])
    line = await make_line(single_shop, user, product, 2)
    assert (line_id, 3, None, False) == (
        line["id"],
        line["quantity"],
        line["created_at"],
        line["updated_at"] is None,
    )


async def test_get_user_orders_reads_null_in_every_nullable_column_of_orders(single_shop: Shop) -> None:
    """NULL times are null, and the order comes last; a NULL status reads pending."""
    user = await make_user(single_shop)
    planted = {"user_id": user["id"], "total_amount": Decimal("1.00"), "status": None, **NO_TIMES}
    untimed_id = await single_shop.plant("orders", **planted)
    timed_id = await single_shop.plant("orders", **{**planted, "created_at": OLD})
    orders = await single_shop.call("order.get_user_orders", user_id=user["id"])
    assert [timed_id, untimed_id] == [order["id"] for order in orders]
    assert {**orders[1], "status": "pending", "created_at": None, "updated_at": None} == orders[1]
    assert orders == await single_shop.call("order.get_orders_by_status", status="pending")


async def test_get_orders_by_status_counts_null_as_pending(shop: Shop) -> None:
    """An order without a status is pending until it gets one."""
    user = await make_user(shop)
    order_id = await shop.plant("orders", user_id=user["id"], total_amount=Decimal("1.00"), status=None)
    (order,) = await shop.call("order.get_orders_by_status", status="pending")
    assert (order_id, "pending") == (order["id"], order["status"])
    assert order == await shop.call("order.get_order_by_id", order_id=order_id)
    assert await shop.call("order.update_order_status", order_id=order_id, status="pending") is True
    assert await shop.call("order.update_order_status", order_id=order_id, status="completed") is True
    assert [] == await shop.call("order.get_orders_by_status", status="pending")


async def test_get_user_orders_orders_by_time_before_id(shop: Shop) -> None:
    """An order's place is its time; its id only breaks ties."""
    user = await make_user(shop)
    ages_s = {"newest": 0, "tie a": 60, "tie b": 60, "oldest": 120}
    ids = {}
    for name in ("tie a", "newest", "oldest", "tie b"):
        times = {"created_at": OLD - timedelta(seconds=ages_s[name])}
        planted = {"user_id": user["id"], "total_amount": Decimal("1.00"), **times}
        ids[await shop.plant("orders", **planted)] = name
    expected = ["newest", "tie b", "tie a", "oldest"]
    for orders in (
        await shop.call("order.get_user_orders", user_id=user["id"]),
        await shop.call("order.get_orders_by_status", status="pending"),
    ):
        assert expected == [ids[order["id"]] for order in orders]
        assert OLD_TEXT == orders[0]["created_at"]


async def test_get_cart_items_orders_by_time_before_id(shop: Shop) -> None:
    """A line's place is its time, and so is the place of its issue."""
    user = await make_user(shop)
    ids = []
    for number in range(3):
        product_id = await plant_product(shop, name=f"p{number}", inventory_quantity=0)
        planted = {"user_id": user["id"], "product_id": product_id, "created_at": OLD - timedelta(days=number)}
        ids.append(await shop.plant("shopping_carts", **planted))
    assert ids == [line["id"] for line in await shop.call("cart.get_cart_items", user_id=user["id"])]
    issues = [f"p{number}: requested 1, but only 0 available" for number in range(3)]
    assert issues == (await shop.call("cart.validate_cart_inventory", user_id=user["id"]))["issues"]


async def test_get_products_orders_by_time_before_id(shop: Shop) -> None:
    """A product's place is its time, in every list."""
    ids = [await plant_product(shop, created_at=OLD - timedelta(days=number)) for number in range(3)]
    for operation, arguments in (("get_products", {}), ("search_products", {"search_term": "old"})):
        page = await shop.call(f"product.{operation}", **arguments)
        assert ids == [product["id"] for product in page["products"]]
    second = await shop.call("product.get_products", page=2, limit=1)
    assert (ids[1], OLD.day - 1) == (second["products"][0]["id"], int(second["products"][0]["created_at"][8:10]))


async def test_get_product_by_id_reads_numbers_outside_the_ranges_of_arguments(shop: Shop) -> None:
    """Ranges bind arguments, never stored rows: what the columns hold is read, filtered and counted."""
    product_id = await plant_product(shop, price=Decimal("-1.00"), inventory_quantity=-5)
    free_id = await plant_product(shop, price=Decimal("0.00"), inventory_quantity=1)
    product = await shop.call("product.get_product_by_id", product_id=product_id)
    assert ("-1.00", -5) == (str(product["price"]), product["inventory_quantity"])
    for filters, expected in (
        ({}, [free_id, product_id]),
        ({"min_price": 0}, [free_id]),
        ({"max_price": 0}, [free_id, product_id]),
        ({"in_stock_only": True}, [free_id]),
    ):
        page = await shop.call("product.get_products", filters=filters)
        assert sorted(expected) == sorted(entry["id"] for entry in page["products"])
    asked = {"product_id": product_id, "required_quantity": 0}
    assert await shop.call("product.has_inventory", **asked) is False
    assert await shop.call("product.reduce_inventory", product_id=product_id, quantity=1) is False
    assert await shop.call("product.update_inventory", product_id=product_id, quantity=0) is True


async def test_add_item_adds_to_any_stored_quantity(shop: Shop) -> None:
    """A line of less than nothing is read and added to like others."""
    user, product = await make_user(shop), await make_product(shop)
    planted = {"user_id": user["id"], "product_id": product["id"], "quantity": -3}
    line_id = await shop.plant("shopping_carts", **planted)
    assert -3 == (await shop.call("cart.get_cart_items", user_id=user["id"]))[0]["quantity"]
    assert {"valid": True, "issues": []} == await shop.call("cart.validate_cart_inventory", user_id=user["id"])
    line = await make_line(shop, user, product, 5)
    assert (line_id, 2) == (line["id"], line["quantity"])


async def test_get_order_by_id_reads_any_stored_amounts(shop: Shop) -> None:
    """A total that is not the sum of its items, and items of nothing, are read as they are."""
    user, product = await make_user(shop), await make_product(shop)
    order_id = await shop.plant("orders", user_id=user["id"], total_amount=Decimal("-0.01"), status="cancelled")
    planted = {"order_id": order_id, "product_id": product["id"], "quantity": 0, "price_at_time": Decimal("-9.99")}
    item_id = await shop.plant("order_items", **planted)
    order = await shop.call("order.get_order_by_id", order_id=order_id)
    assert ("-0.01", "cancelled") == (str(order["total_amount"]), order["status"])
    assert [(item_id, 0, "-9.99")] == [
        (item["id"], item["quantity"], str(item["price_at_time"])) for item in order["items"]
    ]


async def test_find_by_username_reads_empty_texts(single_shop: Shop) -> None:
    """An old row may have an empty username and email; by the empty text it is found."""
    user_id = await single_shop.plant("users", username="", email="", password_hash="")
    user = await read_user(single_shop, user_id)
    assert ("", "", "") == (user["username"], user["email"], user["password_hash"])
    assert user == await single_shop.call("user.find_by_username", username="")
    assert user == await single_shop.call("user.find_by_email", email="\u00ad")
