"""Carts."""

import pytest

from tests.conformance.refusals import faults_of, missing, out_of_range, refusal_of
from tests.conformance.shop import Record, Shop
from tests.factories import make_line, make_product, make_products, make_user

INT_MAX = 2**31 - 1
MANY_LINES = 120


async def quantities(shop: Shop, user: Record) -> list[tuple[int, int]]:
    """Product and quantity of each line, newest first."""
    lines = await shop.call("cart.get_cart_items", user_id=user["id"])
    return [(line["product_id"], line["quantity"]) for line in lines]


async def line_of(shop: Shop, user: Record, product: Record) -> Record | None:
    """The line of a user for a product."""
    line: Record | None = await shop.call(
        "cart.get_cart_item_by_user_and_product", user_id=user["id"], product_id=product["id"]
    )
    return line


async def test_get_cart_items_returns_lines_with_live_products(shop: Shop) -> None:
    """A line holds its product as it is now."""
    user, product = await make_user(shop), await make_product(shop, name="before")
    line = await make_line(shop, user, product, 3)
    own = {"product_id": product["id"], "seller_id": product["seller_id"]}
    await shop.call("product.update_product", **own, name="after", price=99)
    await shop.call("user.update", id=product["seller_id"], email="moved@shop.test")
    details = await shop.call("product.get_product_with_details", product_id=product["id"])
    assert ("after", "moved@shop.test") == (details["name"], details["seller_email"])
    assert [{**line, "product": details}] == await shop.call("cart.get_cart_items", user_id=user["id"])


async def test_get_cart_items_orders_newest_first(shop: Shop) -> None:
    """Lines come by time and, within a second, by id; adding to a line does not move it."""
    user, products = await make_user(shop), await make_products(shop, 4)
    for product in products[:2]:
        await make_line(shop, user, product)
    await shop.next_second()
    for product in (*products[2:], products[0]):
        await make_line(shop, user, product)
    first, second, third, fourth = [product["id"] for product in products]
    assert [(fourth, 1), (third, 1), (second, 1), (first, 2)] == await quantities(shop, user)


async def test_get_cart_items_of_nobody_is_empty(shop: Shop) -> None:
    """A user without lines and a user who does not exist have an empty cart."""
    user = await make_user(shop)
    for user_id in (user["id"], user["id"] + 1):
        assert [] == await shop.call("cart.get_cart_items", user_id=user_id)
        assert 0 == await shop.call("cart.get_cart_item_count", user_id=user_id)


async def test_get_cart_item_count_counts_lines(shop: Shop) -> None:
    """Lines are counted, not pieces, and no other user's."""
    user, other, products = await make_user(shop), await make_user(shop), await make_products(shop, 3)
    for product in products:
        await make_line(shop, user, product, 5)
    await make_line(shop, other, products[0])
    assert 3 == await shop.call("cart.get_cart_item_count", user_id=user["id"])


async def test_get_cart_item_by_user_and_product_returns_the_one_line(shop: Shop) -> None:
    """The line of this user for this product, or null."""
    user, other, products = await make_user(shop), await make_user(shop), await make_products(shop, 2)
    line = await make_line(shop, user, products[0], 2)
    assert line == await line_of(shop, user, products[0])
    assert await line_of(shop, user, products[1]) is None
    assert await line_of(shop, other, products[0]) is None


async def test_validate_cart_inventory_is_valid_when_all_is_in_stock(shop: Shop) -> None:
    """An empty cart is valid, and one whose lines the stock just meets."""
    user, product = await make_user(shop), await make_product(shop, inventory_quantity=7)
    assert {"valid": True, "issues": []} == await shop.call("cart.validate_cart_inventory", user_id=user["id"])
    assert {"valid": True, "issues": []} == await shop.call("cart.validate_cart_inventory", user_id=user["id"] + 1)
    await make_line(shop, user, product, 7)
    assert {"valid": True, "issues": []} == await shop.call("cart.validate_cart_inventory", user_id=user["id"])


async def test_validate_cart_inventory_tells_what_is_short(shop: Shop) -> None:
    """Each line with too little in stock is told, in cart order, by the product's name as it is."""
    user, products = await make_user(shop), []
    for name, stock in (("Ça va? 100%", 7), ("plenty", 100), ("Hat {name}", 0)):
        products.append(await make_product(shop, name=name, inventory_quantity=stock))
        await make_line(shop, user, products[-1], 8)
    issues = [
        "Hat {name}: requested 8, but only 0 available",
        "Ça va? 100%: requested 8, but only 7 available",
    ]
    assert {"valid": False, "issues": issues} == await shop.call("cart.validate_cart_inventory", user_id=user["id"])
    await shop.call("product.update_inventory", product_id=products[2]["id"], quantity=8)
    answer = await shop.call("cart.validate_cart_inventory", user_id=user["id"])
    assert {"valid": False, "issues": issues[1:]} == answer


async def test_add_item_returns_the_line_as_stored(shop: Shop) -> None:
    """The answer is what a read gives, with every field of the record."""
    user, product = await make_user(shop), await make_product(shop)
    line = await make_line(shop, user, product, 3)
    expected = {
        "id": line["id"],
        "user_id": user["id"],
        "product_id": product["id"],
        "quantity": 3,
        "created_at": line["created_at"],
        "updated_at": line["created_at"],
    }
    assert expected == line
    assert line == await line_of(shop, user, product)


async def test_add_item_adds_to_an_existing_line(shop: Shop) -> None:
    """A product already in the cart gets no second line, and updated_at tells."""
    user, product = await make_user(shop), await make_product(shop)
    line = await make_line(shop, user, product, 3)
    await shop.next_second()
    again = await make_line(shop, user, product, 4)
    assert {**line, "quantity": 7, "updated_at": again["updated_at"]} == again
    assert line["updated_at"] < again["updated_at"]
    assert [(product["id"], 7)] == await quantities(shop, user)


async def test_add_item_does_not_look_at_the_stock(shop: Shop) -> None:
    """More than there is may lie in a cart."""
    user, product = await make_user(shop), await make_product(shop, inventory_quantity=0)
    assert INT_MAX == (await make_line(shop, user, product, INT_MAX))["quantity"]


@pytest.mark.parametrize(("first", "second"), [(INT_MAX, 1), (1, INT_MAX), (INT_MAX, INT_MAX)])
async def test_add_item_refuses_a_sum_beyond_the_column(shop: Shop, first: int, second: int) -> None:
    """Two quantities that fit may have a sum that does not: nothing is added."""
    user, product = await make_user(shop), await make_product(shop)
    line = await make_line(shop, user, product, first)
    assert out_of_range("cart", "quantity") == await refusal_of(make_line(shop, user, product, second))
    assert line == await line_of(shop, user, product)


async def test_add_item_misses_an_unknown_user_or_product(shop: Shop) -> None:
    """Both must exist, the user is missed first, and nothing is written."""
    user, product = await make_user(shop), await make_product(shop)
    no_user, no_product = {"id": product["seller_id"] + 1}, {"id": product["id"] + 1}
    assert missing("user", no_user["id"]) == await refusal_of(make_line(shop, no_user, product))
    assert missing("product", no_product["id"]) == await refusal_of(make_line(shop, user, no_product))
    assert missing("user", no_user["id"]) == await refusal_of(make_line(shop, no_user, no_product))
    assert [] == await quantities(shop, user)


@pytest.mark.parametrize("quantity", [0, -1, INT_MAX + 1])
async def test_add_item_refuses_bad_quantities(shop: Shop, quantity: int) -> None:
    """At least one piece is added, and no more than a line holds."""
    user, product = await make_user(shop), await make_product(shop)
    assert ["quantity"] == await faults_of(make_line(shop, user, product, quantity))
    assert [] == await quantities(shop, user)


async def change_quantity(shop: Shop, user: Record, product: Record, quantity: int) -> bool:
    """Set the quantity of a line."""
    return bool(
        await shop.call("cart.update_item_quantity", user_id=user["id"], product_id=product["id"], quantity=quantity)
    )


async def test_update_item_quantity_sets_the_quantity_alone(shop: Shop) -> None:
    """The quantity is set, also to the same number, updated_at tells, and nothing else changes."""
    quantities_set = [1, 3, 101, INT_MAX]
    user, products = await make_user(shop), await make_products(shop, len(quantities_set))
    lines = [await make_line(shop, user, product, 3) for product in products]
    await shop.next_second()
    for product, line, quantity in zip(products, lines, quantities_set, strict=True):
        assert await change_quantity(shop, user, product, quantity) is True
        updated = await line_of(shop, user, product)
        assert updated is not None
        assert {**line, "quantity": quantity, "updated_at": updated["updated_at"]} == updated
        assert line["updated_at"] < updated["updated_at"]


async def test_update_item_quantity_of_zero_removes_the_line(shop: Shop) -> None:
    """A line of nothing is no line."""
    user, products = await make_user(shop), await make_products(shop, 2)
    for product in products:
        await make_line(shop, user, product)
    assert await change_quantity(shop, user, products[0], 0) is True
    assert [(products[1]["id"], 1)] == await quantities(shop, user)
    assert await change_quantity(shop, user, products[0], 0) is False


@pytest.mark.parametrize("quantity", [0, 1])
async def test_update_item_quantity_is_false_without_such_a_line(shop: Shop, quantity: int) -> None:
    """No line is made, for whatever does not exist."""
    user, other, product = await make_user(shop), await make_user(shop), await make_product(shop)
    await make_line(shop, other, product)
    nobody, nothing = {"id": product["seller_id"] + 1}, {"id": product["id"] + 1}
    for owner, thing in ((user, product), (other, nothing), (nobody, product)):
        assert await change_quantity(shop, owner, thing, quantity) is False
    assert [] == await quantities(shop, user)


@pytest.mark.parametrize("quantity", [-1, INT_MAX + 1])
async def test_update_item_quantity_refuses_bad_quantities(shop: Shop, quantity: int) -> None:
    """Zero removes, less makes no sense."""
    user, product = await make_user(shop), await make_product(shop)
    await make_line(shop, user, product)
    assert ["quantity"] == await faults_of(change_quantity(shop, user, product, quantity))
    assert [(product["id"], 1)] == await quantities(shop, user)


async def test_remove_item_removes_the_line(shop: Shop) -> None:
    """The line goes, others stay, and a line that is not there is false."""
    user, other, products = await make_user(shop), await make_user(shop), await make_products(shop, 2)
    for owner in (user, other):
        for product in products:
            await make_line(shop, owner, product)
    asked = {"user_id": user["id"], "product_id": products[0]["id"]}
    assert await shop.call("cart.remove_item", **asked) is True
    assert [(products[1]["id"], 1)] == await quantities(shop, user)
    assert [(products[1]["id"], 1), (products[0]["id"], 1)] == await quantities(shop, other)
    assert await shop.call("cart.remove_item", **asked) is False
    assert await shop.call("cart.remove_item", **{**asked, "user_id": products[0]["seller_id"] + 1}) is False


async def test_remove_item_frees_the_place_for_a_new_line(shop: Shop) -> None:
    """A product put back starts anew, with a new id."""
    user, product = await make_user(shop), await make_product(shop)
    line = await make_line(shop, user, product, 5)
    await shop.call("cart.remove_item", user_id=user["id"], product_id=product["id"])
    again = await make_line(shop, user, product, 2)
    assert (2, True) == (again["quantity"], line["id"] < again["id"])


async def test_clear_cart_empties_a_cart_of_many_lines(shop: Shop) -> None:
    """A cart of more lines than one transaction holds is emptied as a whole, and no other cart is."""
    user, other, products = await make_user(shop), await make_user(shop), await make_products(shop, MANY_LINES)
    for product in products:
        await make_line(shop, user, product)
    await make_line(shop, other, products[0])
    assert [(product["id"], 1) for product in reversed(products)] == await quantities(shop, user)
    assert MANY_LINES == await shop.call("cart.get_cart_item_count", user_id=user["id"])
    assert await shop.call("cart.clear_cart", user_id=user["id"]) is True
    assert [] == await quantities(shop, user)
    assert [(products[0]["id"], 1)] == await quantities(shop, other)


async def test_clear_cart_is_true_for_an_empty_cart_and_for_nobody(shop: Shop) -> None:
    """What is empty already is as it should be."""
    user = await make_user(shop)
    assert await shop.call("cart.clear_cart", user_id=user["id"]) is True
    assert await shop.call("cart.clear_cart", user_id=user["id"] + 1) is True
