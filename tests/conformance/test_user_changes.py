"""Users: changing and deleting them, with all that is theirs."""

from typing import NamedTuple

import pytest

from tests.conformance.refusals import faults_of, in_use, last_super_admin, refusal_of, taken
from tests.conformance.shop import Record, Shop
from tests.factories import (
    make_admin,
    make_category,
    make_item,
    make_line,
    make_order,
    make_product,
    make_products,
    make_user,
)

EVERY_ORDER = 1000


class Belongings(NamedTuple):
    """What a user's email leads to."""

    orders: list[Record]
    cart: list[Record]
    order_count: int


async def belongings(shop: Shop, user: Record) -> Belongings:
    """The orders and the cart of a user."""
    return Belongings(
        await shop.call("order.get_user_orders", user_id=user["id"], limit=EVERY_ORDER),
        await shop.call("cart.get_cart_items", user_id=user["id"]),
        await shop.call("order.get_user_order_count", user_id=user["id"]),
    )


async def test_update_sets_the_names_that_are_given(shop: Shop) -> None:
    """Names given are stored, null included, others are left, and updated_at tells."""
    changes: list[Record] = [{"first_name": "Ana", "last_name": "Núñez"}, {"last_name": None}, {"first_name": ""}]
    users = [await make_user(shop, first_name="first", last_name="last") for _ in changes]
    await shop.next_second()
    for user, names in zip(users, changes, strict=True):
        updated = await shop.call("user.update", id=user["id"], **names)
        assert {**user, **names, "updated_at": updated["updated_at"]} == updated
        assert user["updated_at"] < updated["updated_at"]
        assert updated == await shop.call("user.find_by_id", id=user["id"])


async def test_update_to_the_same_values_sets_updated_at(shop: Shop) -> None:
    """A value that was the same counts as written."""
    user = await make_user(shop, first_name="Ana")
    await shop.next_second()
    updated = await shop.call("user.update", id=user["id"], first_name="Ana", email=user["email"])
    assert {**user, "updated_at": updated["updated_at"]} == updated
    assert user["updated_at"] < updated["updated_at"]


async def test_update_without_fields_writes_nothing(shop: Shop) -> None:
    """An update that names no field returns the user untouched."""
    user = await make_user(shop)
    await shop.next_second()
    assert user == await shop.call("user.update", id=user["id"])
    assert user == await shop.call("user.find_by_id", id=user["id"])


@pytest.mark.parametrize("fields", [{}, {"first_name": "x"}, {"email": "new@shop.test"}])
async def test_update_returns_null_for_an_unknown_id(shop: Shop, fields: Record) -> None:
    """A user that does not exist cannot be changed, and is not made."""
    user = await make_user(shop)
    assert await shop.call("user.update", id=user["id"] + 1, **fields) is None
    assert await shop.call("user.exists_by_email", email="new@shop.test") is False


@pytest.mark.parametrize(
    "fields",
    [
        {"email": ""},
        {"email": "\u00ad"},
        {"email": None},
        {"email": "x" * 101},
        {"first_name": "x" * 51},
        {"username": "x"},
    ],
)
async def test_update_refuses_bad_fields(shop: Shop, fields: Record) -> None:
    """Bad values are refused as in create, and the username is no field of an update; nothing is written."""
    user = await make_user(shop)
    assert [*fields] == await faults_of(shop.call("user.update", **{"id": user["id"], "last_name": "x", **fields}))
    assert user == await shop.call("user.find_by_id", id=user["id"])


async def test_update_moves_the_email(shop: Shop) -> None:
    """The new email finds the user at once, the old one nobody."""
    user = await make_user(shop, email="old@shop.test")
    updated = await shop.call("user.update", id=user["id"], email="new@shop.test")
    assert updated == await shop.call("user.find_by_email", email="NEW@shop.test")
    assert await shop.call("user.find_by_email", email="old@shop.test") is None
    assert await shop.call("user.exists_by_email", email="old@shop.test") is False
    assert updated == await shop.call("user.find_by_username", username=user["username"])


@pytest.mark.parametrize("spelling", ["OLD@shop.test", "ólď@shop.test", "o\u00adld@shop.test"])
async def test_update_takes_the_own_email_in_another_spelling(shop: Shop, spelling: str) -> None:
    """An own key in another spelling is no conflict; the spelling is stored and nothing is lost."""
    user = await make_user(shop, email="old@shop.test")
    product = await make_product(shop)
    await make_line(shop, user, product)
    await make_order(shop, user, product)
    before = await belongings(shop, user)
    updated = await shop.call("user.update", id=user["id"], email=spelling)
    assert spelling == updated["email"]
    assert updated == await shop.call("user.find_by_email", email="old@shop.test")
    assert before == await belongings(shop, user)


@pytest.mark.parametrize("wanted", ["ana@shop.test", "ANA@shop.test", "áñà@SHOP.TEST"])
async def test_update_refuses_a_taken_email(shop: Shop, wanted: str) -> None:
    """Another's email is refused in any spelling, and nothing of the update is written."""
    await make_user(shop, email="ana@shop.test")
    user = await make_user(shop)
    assert taken("email") == await refusal_of(shop.call("user.update", id=user["id"], email=wanted, first_name="x"))
    assert user == await shop.call("user.find_by_id", id=user["id"])


async def test_update_of_the_email_keeps_cart_and_orders(shop: Shop, order_count: int) -> None:
    """A user with many orders moves to a new email with everything, and every order is still found by its id."""
    user = await make_user(shop)
    products = await make_products(shop, 3)
    for product in products:
        await make_line(shop, user, product)
    orders = [await make_order(shop, user, *products) for _ in range(order_count)]
    before = await belongings(shop, user)
    await shop.call("user.update", id=user["id"], email="moved@shop.test")
    assert before == await belongings(shop, user)
    assert (order_count, 3) == (before.order_count, len(before.cart))
    assert [order["id"] for order in reversed(orders)] == [order["id"] for order in before.orders]
    assert before.orders[-1] == await shop.call("order.get_order_by_id", order_id=orders[0]["id"])
    assert before.orders == await shop.call("order.get_orders_by_status", status="pending", limit=EVERY_ORDER)


async def test_update_lets_two_users_swap_emails(shop: Shop) -> None:
    """Two users swap emails by way of a third, and each keeps what is his own."""
    ana, ben = await make_user(shop, email="ana@shop.test"), await make_user(shop, email="ben@shop.test")
    product = await make_product(shop)
    await make_line(shop, ana, product, 1)
    await make_line(shop, ben, product, 2)
    await make_order(shop, ana, product)
    of_ana, of_ben = await belongings(shop, ana), await belongings(shop, ben)
    for user, email in ((ana, "third@shop.test"), (ben, "ana@shop.test"), (ana, "ben@shop.test")):
        await shop.call("user.update", id=user["id"], email=email)
    assert ana["id"] == (await shop.call("user.find_by_email", email="ben@shop.test"))["id"]
    assert ben["id"] == (await shop.call("user.find_by_email", email="ana@shop.test"))["id"]
    assert await shop.call("user.exists_by_email", email="third@shop.test") is False
    assert (of_ana, of_ben) == (await belongings(shop, ana), await belongings(shop, ben))


async def test_update_frees_the_old_email(shop: Shop) -> None:
    """An email given up may be taken by another, who finds an empty cart."""
    user = await make_user(shop, email="old@shop.test")
    await make_line(shop, user, await make_product(shop))
    await shop.call("user.update", id=user["id"], email="new@shop.test")
    other = await make_user(shop, email="OLD@shop.test")
    assert other == await shop.call("user.find_by_email", email="old@shop.test")
    assert Belongings([], [], 0) == await belongings(shop, other)
    assert 1 == await shop.call("cart.get_cart_item_count", user_id=user["id"])


async def test_update_of_the_email_shows_in_the_products(shop: Shop) -> None:
    """Products show their seller's email as it is now, in lists too."""
    seller = await make_user(shop)
    product = await make_product(shop, seller_id=seller["id"])
    await shop.call("user.update", id=seller["id"], email="moved@shop.test")
    details = await shop.call("product.get_product_with_details", product_id=product["id"])
    listed = await shop.call("product.get_products_by_seller", seller_id=seller["id"])
    assert ("moved@shop.test", [details]) == (details["seller_email"], listed["products"])


async def test_upgrade_to_seller_and_promote_set_their_flag_alone(shop: Shop) -> None:
    """The flag is set, also a second time, updated_at tells, and nothing else changes."""
    flags = {"upgrade_to_seller": "is_seller", "promote_to_super_admin": "super_admin"}
    cases = []
    for operation in flags:
        cases.append((operation, await make_user(shop)))
        cases.append((operation, await shop.call(f"user.{operation}", id=(await make_user(shop))["id"])))
    await shop.next_second()
    for operation, user in cases:
        updated = await shop.call(f"user.{operation}", id=user["id"])
        assert {**user, flags[operation]: True, "updated_at": updated["updated_at"]} == updated
        assert user["updated_at"] < updated["updated_at"]
        assert updated == await shop.call("user.find_by_id", id=user["id"])


@pytest.mark.parametrize("operation", ["upgrade_to_seller", "promote_to_super_admin", "demote_from_super_admin"])
async def test_upgrade_to_seller_promote_and_demote_return_null_for_an_unknown_id(shop: Shop, operation: str) -> None:
    """Nobody is changed, and nobody is made."""
    user = await make_user(shop)
    assert await shop.call(f"user.{operation}", id=user["id"] + 1) is None
    assert user == await shop.call("user.find_by_id", id=user["id"])


async def test_promote_to_super_admin_adds_to_the_super_admins(shop: Shop) -> None:
    """A user promoted is among the super admins, one demoted is not."""
    first, second = await make_admin(shop, username="a"), await make_admin(shop, username="b")
    assert [first, second] == await shop.call("user.find_all_super_admins")
    demoted = await shop.call("user.demote_from_super_admin", id=first["id"])
    assert demoted["super_admin"] is False
    assert demoted == await shop.call("user.find_by_id", id=first["id"])
    assert [second] == await shop.call("user.find_all_super_admins")


async def test_demote_from_super_admin_refuses_the_last_one(shop: Shop) -> None:
    """A shop that has super admins keeps one."""
    admin = await make_admin(shop)
    assert last_super_admin(admin["id"]) == await refusal_of(shop.call("user.demote_from_super_admin", id=admin["id"]))
    assert [admin] == await shop.call("user.find_all_super_admins")


async def test_demote_from_super_admin_takes_a_user_who_is_none(shop: Shop) -> None:
    """Who is no super admin may be demoted, with one super admin or with none."""
    user = await make_user(shop)
    assert (await shop.call("user.demote_from_super_admin", id=user["id"]))["super_admin"] is False
    admin = await make_admin(shop)
    assert (await shop.call("user.demote_from_super_admin", id=user["id"]))["super_admin"] is False
    assert [admin] == await shop.call("user.find_all_super_admins")


async def test_delete_removes_the_user(shop: Shop) -> None:
    """A deleted user is found by nothing, and cannot be deleted again."""
    user = await make_user(shop)
    other = await make_user(shop)
    assert await shop.call("user.delete", id=user["id"]) is True
    assert await shop.call("user.find_by_id", id=user["id"]) is None
    assert await shop.call("user.find_by_username", username=user["username"]) is None
    assert await shop.call("user.exists_by_email", email=user["email"]) is False
    assert await shop.call("user.delete", id=user["id"]) is False
    assert other == await shop.call("user.find_by_id", id=other["id"])


async def test_delete_takes_products_cart_and_orders_along(shop: Shop) -> None:
    """A user's products, cart and orders go too, and the products leave the carts of others."""
    category = await make_category(shop)
    user, other = await make_user(shop), await make_user(shop)
    own = await make_products(shop, 2, seller_id=user["id"], category_id=category["id"])
    kept = await make_product(shop, category_id=category["id"])
    for owner, product in ((user, own[0]), (user, kept), (other, own[0]), (other, own[1]), (other, kept)):
        await make_line(shop, owner, product)
    order = await make_order(shop, user, kept)
    assert await shop.call("user.delete", id=user["id"]) is True
    assert Belongings([], [], 0) == await belongings(shop, user)
    assert await shop.call("order.get_order_by_id", order_id=order["id"]) is None
    assert [] == await shop.call("order.get_orders_by_status", status="pending")
    listed = await shop.call("product.get_products_by_category", category_id=category["id"])
    assert [kept["id"]] == [product["id"] for product in listed["products"]]
    assert await shop.call("product.get_product_by_id", product_id=own[0]["id"]) is None
    assert [kept["id"]] == [line["product_id"] for line in (await belongings(shop, other)).cart]


async def test_delete_of_a_buyer_frees_the_products(shop: Shop) -> None:
    """Once the orders that refer to a product are gone with their buyer, the product can be deleted, and its seller."""
    seller, buyer = await make_user(shop), await make_user(shop)
    first, second = await make_products(shop, 2, seller_id=seller["id"])
    await make_order(shop, buyer, first, second, second)
    await shop.call("user.delete", id=buyer["id"])
    assert await shop.call("product.delete_product", product_id=first["id"], seller_id=seller["id"]) is True
    assert await shop.call("user.delete", id=seller["id"]) is True


async def test_delete_is_refused_while_an_order_refers_to_a_product(shop: Shop) -> None:
    """A seller whose product was ordered, by anyone, stays with everything."""
    seller, buyer = await make_user(shop), await make_user(shop)
    unsold, sold = await make_products(shop, 2, seller_id=seller["id"])
    await make_line(shop, seller, unsold)
    await make_order(shop, buyer, sold)
    assert in_use("product", sold["id"]) == await refusal_of(shop.call("user.delete", id=seller["id"]))
    assert seller == await shop.call("user.find_by_id", id=seller["id"])
    assert unsold == await shop.call("product.get_product_by_id", product_id=unsold["id"])
    assert 1 == await shop.call("cart.get_cart_item_count", user_id=seller["id"])


async def test_delete_is_refused_while_an_own_order_refers_to_an_own_product(shop: Shop) -> None:
    """The user's own order counts like anyone's, and the lowest product is named."""
    user = await make_user(shop)
    first, second = await make_products(shop, 2, seller_id=user["id"])
    order = await make_order(shop, user, second)
    await make_item(shop, order, first)
    assert in_use("product", first["id"]) == await refusal_of(shop.call("user.delete", id=user["id"]))
    assert 1 == await shop.call("order.get_user_order_count", user_id=user["id"])


async def test_delete_refuses_the_last_super_admin(shop: Shop) -> None:
    """A shop that has super admins keeps one; of two, one may go."""
    first, second = await make_admin(shop), await make_admin(shop)
    assert await shop.call("user.delete", id=first["id"]) is True
    assert last_super_admin(second["id"]) == await refusal_of(shop.call("user.delete", id=second["id"]))
    assert [second] == await shop.call("user.find_all_super_admins")


async def test_delete_tells_of_the_last_super_admin_before_an_order(shop: Shop) -> None:
    """Of two reasons against it the one that no deletion of orders removes is told."""
    admin = await make_admin(shop)
    product = await make_product(shop, seller_id=admin["id"])
    await make_order(shop, await make_user(shop), product)
    assert last_super_admin(admin["id"]) == await refusal_of(shop.call("user.delete", id=admin["id"]))


async def test_delete_frees_username_and_email_but_not_the_id(shop: Shop) -> None:
    """A username and an email may be taken again; an id never is."""
    user = await make_user(shop)
    await make_line(shop, user, await make_product(shop))
    await shop.call("user.delete", id=user["id"])
    again = await make_user(shop, username=user["username"], email=user["email"])
    assert user["id"] < again["id"]
    assert again == await shop.call("user.find_by_email", email=user["email"])
    assert Belongings([], [], 0) == await belongings(shop, again)
