"""Calls at the same time, over real databases: whatever happens first, the shop is as if the calls had come in a row.

A call that gave way to others (`unavailable`, not applied) is made again, as any caller would.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

import pytest

from tests.conformance.refusals import EMPTY_CART, INSUFFICIENT_INVENTORY, last_super_admin, taken
from tests.conformance.shop import CallFailed, Json, Record, Refusal, Shop
from tests.factories import make_admin, make_category, make_line, make_order, make_product, make_products, make_user

ROUNDS = 5
CALLERS = 20
TRIES_MAX = 20

Call = Callable[[], Awaitable[Json]]


def call(shop: Shop, name: str, /, **arguments: object) -> Call:
    """A call to be made with others; its answer is its result or its refusal."""

    async def make() -> Json:
        for _ in range(TRIES_MAX):
            try:
                return await shop.call(name, **arguments)
            except CallFailed as failure:
                if failure.code != "unavailable":
                    return failure.refusal
        raise AssertionError(f"{name} gave way {TRIES_MAX} times")

    return make


async def together(calls: Sequence[Call]) -> list[Json]:
    """The answers of calls made at the same time, in their order."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_of(make)) for make in calls]
    return [task.result() for task in tasks]


async def _of(make: Call) -> Json:
    return await make()


def is_refused(answer: Json) -> bool:
    """Whether a call was answered by an error."""
    return isinstance(answer, Refusal)


async def test_add_item_sums_up_whoever_comes_first(database_shop: Shop) -> None:
    """Twenty callers who add to one line, the first of whom makes it, add up to twenty."""
    user, product = await make_user(database_shop), await make_product(database_shop)
    asked = {"user_id": user["id"], "product_id": product["id"], "quantity": 1}
    answers = await together([call(database_shop, "cart.add_item", **asked)] * CALLERS)
    assert [*range(1, CALLERS + 1)] == sorted(line["quantity"] for line in answers)
    assert 1 == len({line["id"] for line in answers})
    (line,) = await database_shop.call("cart.get_cart_items", user_id=user["id"])
    assert CALLERS == line["quantity"]


async def test_reduce_inventory_sells_each_piece_once(database_shop: Shop) -> None:
    """Twenty callers who want one of seven pieces get seven."""
    product = await make_product(database_shop, inventory_quantity=7)
    reduce = call(database_shop, "product.reduce_inventory", product_id=product["id"], quantity=1)
    answers = await together([reduce] * CALLERS)
    assert (7, CALLERS - 7) == (answers.count(True), answers.count(False))
    assert 0 == (await database_shop.call("product.get_product_by_id", product_id=product["id"]))["inventory_quantity"]


async def test_checkout_sells_each_piece_once(database_shop: Shop) -> None:
    """Of ten carts with two of the same products each, in either order, the stock serves three."""
    first, second = await make_products(database_shop, 2, inventory_quantity=7)
    users = [await make_user(database_shop) for _ in range(10)]
    for number, user in enumerate(users):
        for product in (first, second) if number % 2 else (second, first):
            await make_line(database_shop, user, product, 2)
    answers = await together([call(database_shop, "order.checkout", user_id=user["id"]) for user in users])
    assert [INSUFFICIENT_INVENTORY] * 7 == [answer for answer in answers if is_refused(answer)]
    completed = await database_shop.call("order.get_orders_by_status", status="completed")
    assert 3 == len(completed)
    for product in (first, second):
        left = await database_shop.call("product.get_product_by_id", product_id=product["id"])
        assert 1 == left["inventory_quantity"]


async def test_checkout_buys_a_cart_once(database_shop: Shop) -> None:
    """Of five checkouts of one cart one buys, and the others find it empty."""
    user, product = await make_user(database_shop), await make_product(database_shop, inventory_quantity=10)
    await make_line(database_shop, user, product, 2)
    answers = await together([call(database_shop, "order.checkout", user_id=user["id"])] * 5)
    assert [EMPTY_CART] * 4 == [answer for answer in answers if is_refused(answer)]
    assert 1 == await database_shop.call("order.get_user_order_count", user_id=user["id"])
    assert 8 == (await database_shop.call("product.get_product_by_id", product_id=product["id"]))["inventory_quantity"]


async def test_checkout_loses_no_line_that_is_added_meanwhile(database_shop: Shop) -> None:
    """What is put into a cart while it is checked out is in the order or still in the cart."""
    user, products = await make_user(database_shop), await make_products(database_shop, ROUNDS + 1)
    await make_line(database_shop, user, products[0])
    for product in products[1:]:
        added = {"user_id": user["id"], "product_id": product["id"], "quantity": 1}
        await together(
            [call(database_shop, "order.checkout", user_id=user["id"]), call(database_shop, "cart.add_item", **added)]
        )
    orders = await database_shop.call("order.get_user_orders", user_id=user["id"])
    in_orders = [item["product_id"] for order in orders for item in order["items"]]
    in_cart = [line["product_id"] for line in await database_shop.call("cart.get_cart_items", user_id=user["id"])]
    assert sorted(product["id"] for product in products) == sorted(in_orders + in_cart)
    for product in products:
        left = await database_shop.call("product.get_product_by_id", product_id=product["id"])
        assert product["inventory_quantity"] - in_orders.count(product["id"]) == left["inventory_quantity"]


async def test_demote_from_super_admin_leaves_one(database_shop: Shop) -> None:
    """Two super admins who are demoted at the same time are one super admin in the end."""
    await make_admin(database_shop)
    for _ in range(ROUNDS):
        await make_admin(database_shop)
        admins = await database_shop.call("user.find_all_super_admins")
        assert 2 == len(admins)
        answers = await together(
            [call(database_shop, "user.demote_from_super_admin", id=admin["id"]) for admin in admins]
        )
        (left,) = await database_shop.call("user.find_all_super_admins")
        assert [last_super_admin(left["id"])] == [answer for answer in answers if is_refused(answer)]


async def test_delete_of_super_admins_leaves_one(database_shop: Shop) -> None:
    """Of three super admins deleted and demoted at the same time one is left."""
    admins = [await make_admin(database_shop) for _ in range(3)]
    answers = await together(
        [
            call(database_shop, "user.delete", id=admins[0]["id"]),
            call(database_shop, "user.demote_from_super_admin", id=admins[1]["id"]),
            call(database_shop, "user.delete", id=admins[2]["id"]),
        ]
    )
    (left,) = await database_shop.call("user.find_all_super_admins")
    assert [last_super_admin(left["id"])] == [answer for answer in answers if is_refused(answer)]


async def test_create_gives_a_username_once(database_shop: Shop) -> None:
    """Of five who want one username in different spellings one gets it."""
    spellings = ("ana", "ANA", "Ána", "añà", "a\u00adna")
    answers = await together(
        [
            call(database_shop, "user.create", username=name, email=f"{number}@shop.test", password_hash="hash")
            for number, name in enumerate(spellings)
        ]
    )
    assert [taken("username")] * 4 == [answer for answer in answers if is_refused(answer)]
    (user,) = [answer for answer in answers if not is_refused(answer)]
    assert user == await database_shop.call("user.find_by_username", username="ana")
    emails = [
        await database_shop.call("user.exists_by_email", email=f"{number}@shop.test")
        for number in range(len(spellings))
    ]
    assert 1 == emails.count(True)


async def test_update_gives_an_email_once(database_shop: Shop) -> None:
    """Of five users with carts and orders who move to one email one gets there, and all keep what is theirs."""
    product = await make_product(database_shop)
    users = [await make_user(database_shop) for _ in range(5)]
    for user in users:
        await make_line(database_shop, user, product)
        await make_order(database_shop, user, product)
    answers = await together(
        [call(database_shop, "user.update", id=user["id"], email="wanted@shop.test") for user in users]
    )
    assert [taken("email")] * 4 == [answer for answer in answers if is_refused(answer)]
    (winner,) = [answer for answer in answers if not is_refused(answer)]
    assert winner == await database_shop.call("user.find_by_email", email="wanted@shop.test")
    for user in users:
        assert 1 == await database_shop.call("cart.get_cart_item_count", user_id=user["id"])
        assert 1 == len(await database_shop.call("order.get_user_orders", user_id=user["id"]))


async def test_update_lets_users_swap_emails_while_others_read_them(database_shop: Shop) -> None:
    """Users who chase each other's emails never lose a user: each email is one user's, each user has one."""
    users = [await make_user(database_shop, email=f"{name}@shop.test") for name in "abc"]
    emails = [f"{name}@shop.test" for name in "abcd"]
    for turn in range(ROUNDS):
        moves = [
            call(database_shop, "user.update", id=user["id"], email=emails[(number + turn) % 4])
            for number, user in enumerate(users)
        ]
        for answer in await together(moves):
            assert answer == taken("email") or not is_refused(answer)
        holders = [await database_shop.call("user.find_by_email", email=email) for email in emails]
        held = {holder["id"]: holder["email"] for holder in holders if holder}
        assert {user["id"] for user in users} == held.keys()
        for user in users:
            assert held[user["id"]] == (await database_shop.call("user.find_by_id", id=user["id"]))["email"]


@pytest.mark.parametrize("operation", ["product.create_product", "cart.add_item", "order.create_order"])
async def test_delete_of_a_user_leaves_nothing_of_his(database_shop: Shop, operation: str) -> None:
    """A user deleted while something is made for him leaves no orphan: it is refused, or it goes with him."""
    product = await make_product(database_shop)
    for _ in range(ROUNDS):
        user = await make_user(database_shop)
        made = {
            "product.create_product": {
                "seller_id": user["id"],
                "category_id": product["category_id"],
                "name": "late",
                "price": Decimal(1),
                "inventory_quantity": 1,
            },
            "cart.add_item": {"user_id": user["id"], "product_id": product["id"], "quantity": 1},
            "order.create_order": {"user_id": user["id"], "total_amount": Decimal(1)},
        }
        deleted, late = await together(
            [call(database_shop, "user.delete", id=user["id"]), call(database_shop, operation, **made[operation])]
        )
        assert deleted is True
        assert not is_refused(late) or ("not_found", "user") == (late.code, late.subject["entity"])
        assert [0, 0, 0, None] == await everything_of(database_shop, user)


async def everything_of(shop: Shop, user: Record) -> list[Json]:
    """What there is of a user's."""
    return [
        (await shop.call("product.get_products_by_seller", seller_id=user["id"]))["total"],
        await shop.call("cart.get_cart_item_count", user_id=user["id"]),
        await shop.call("order.get_user_order_count", user_id=user["id"]),
        await shop.call("user.find_by_id", id=user["id"]),
    ]


async def test_delete_product_and_create_order_item_exclude_each_other(database_shop: Shop) -> None:
    """A product is deleted or ordered, never both."""
    user = await make_user(database_shop)
    for _ in range(ROUNDS):
        product, order = await make_product(database_shop), await make_order(database_shop, user)
        item = {"product_id": product["id"], "quantity": 1, "price_at_time": product["price"]}
        deleted, ordered = await together(
            [
                call(
                    database_shop,
                    "product.delete_product",
                    product_id=product["id"],
                    seller_id=product["seller_id"],
                ),
                call(database_shop, "order.create_order_item", order_id=order["id"], **item),
            ]
        )
        assert is_refused(deleted) != is_refused(ordered)
        items = (await database_shop.call("order.get_order_by_id", order_id=order["id"]))["items"]
        assert ([] if is_refused(ordered) else [product["id"]]) == [line["product_id"] for line in items]


async def test_delete_of_a_category_and_create_product_exclude_each_other(database_shop: Shop) -> None:
    """A category is deleted or gets a product, never both."""
    seller = await make_user(database_shop)
    for _ in range(ROUNDS):
        category = await make_category(database_shop)
        fields = {"seller_id": seller["id"], "category_id": category["id"], "name": "late", "price": Decimal(1)}
        deleted, created = await together(
            [
                call(database_shop, "category.delete", id=category["id"]),
                call(database_shop, "product.create_product", **fields, inventory_quantity=1),
            ]
        )
        assert is_refused(deleted) != is_refused(created)
        assert is_refused(deleted) is await database_shop.call("category.exists_by_id", id=category["id"])


async def test_update_of_categories_never_closes_a_circle(database_shop: Shop) -> None:
    """Two categories moved below each other at the same time: one goes, the other is refused."""
    for _ in range(ROUNDS):
        first, second = await make_category(database_shop), await make_category(database_shop)
        answers = await together(
            [
                call(database_shop, "category.update", id=first["id"], parent_id=second["id"]),
                call(database_shop, "category.update", id=second["id"], parent_id=first["id"]),
            ]
        )
        assert ["cycle"] == [answer.reason for answer in answers if is_refused(answer)]
        paths = [
            await database_shop.call("category.get_category_path", category_id=category["id"])
            for category in (first, second)
        ]
        assert [1, 2] == sorted(len(path) for path in paths)
