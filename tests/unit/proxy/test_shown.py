"""Which rows an answer shows, and which aggregates."""

from dataclasses import asdict
from decimal import Decimal
from typing import Final

import pytest

from adapters.changes import ADMINS, LISTING, TREE, Aggregate, Ref, RowKind, product_aggregate, user_aggregate
from adapters.operations import catalogue
from adapters.ports.store import Arguments
from adapters.records import (
    CartItemDetails,
    Category,
    OrderDetails,
    OrderItemDetails,
    ProductDetails,
    ProductPage,
)
from adapters.values import ProductFilters
from proxy.shown import COMPANIONS, rows_in, shown_by
from tests.images import cart_image, order_image, product_image, user_image

OPERATIONS: Final = catalogue()
USER: Final = user_image().user
PRODUCT: Final = product_image().product
DETAILS: Final = ProductDetails(**asdict(PRODUCT), category_name="Tea", seller_username="ana", seller_email="a@x")
LINE: Final = CartItemDetails(**asdict(cart_image().item), product=DETAILS)
ORDER: Final = OrderDetails(
    **asdict(order_image().order), items=[OrderItemDetails(1, 5, 7, 1, Decimal("12.50"), DETAILS)]
)
CATEGORY: Final = Category(9, "Tea", None, None)
PAGE: Final = ProductPage([DETAILS], 1, 1, 20, 1)
ANA: Final = user_aggregate(42)
TEA: Final = product_aggregate(7)


@pytest.mark.parametrize(
    ("name", "arguments", "answer", "expected"),
    [
        ("user.find_by_id", {"id": 42}, None, {ANA}),
        ("user.find_by_id", {"id": 0}, None, set()),
        ("user.find_by_email", {"email": "x"}, USER, {ANA}),
        ("user.find_all_super_admins", {}, [USER], {ADMINS, ANA}),
        ("product.get_product_by_id", {"product_id": 7}, None, {TEA}),
        ("product.get_product_by_id", {"product_id": 7}, PRODUCT, {TEA}),
        ("product.get_product_with_details", {"product_id": 7}, DETAILS, {TEA, ANA, TREE}),
        ("product.has_inventory", {"product_id": 7, "required_quantity": 1}, True, {TEA}),
        ("product.get_products", {"filters": ProductFilters()}, PAGE, {TEA, ANA, TREE, LISTING}),
        ("product.search_products", {"search_term": "x"}, None, {TREE, LISTING}),
        ("category.exists_by_name", {"name": "x"}, False, {TREE}),
        ("category.find_all", {}, [CATEGORY], {TREE}),
        ("order.get_order_by_id", {"order_id": 5}, ORDER, {ANA, TEA, TREE}),
        ("order.get_user_order_count", {"user_id": 42}, 3, {ANA}),
        ("order.get_orders_by_status", {"status": "pending"}, [ORDER], {ANA, TEA, TREE}),
        ("cart.get_cart_items", {"user_id": 3}, [LINE], {user_aggregate(3), ANA, TEA, TREE}),
        (
            "cart.get_cart_item_by_user_and_product",
            {"user_id": 3, "product_id": 8},
            None,
            {user_aggregate(3), product_aggregate(8)},
        ),
    ],
)
def test_shown_by_names_all_that_may_explain_a_difference(
    name: str, arguments: Arguments, answer: object, expected: set[Aggregate]
) -> None:
    """By the arguments, and by what is shown, sellers and categories included."""
    assert expected == shown_by(OPERATIONS[name], arguments, answer)
    assert expected == shown_by(OPERATIONS[name], arguments, answer, None)


def test_every_read_shows_what_it_speaks_of() -> None:
    """By its answer, its arguments, or a companion that takes the same arguments."""
    told_by_arguments = {"product.has_inventory", "order.get_user_order_count"}
    for name, operation in OPERATIONS.items():
        if operation.is_write or operation.entity == "category" or operation.result not in (bool, int):
            continue
        companion = COMPANIONS.get(name)
        assert (companion is None) == (name in told_by_arguments), name
        if companion is not None:
            assert operation.entity == OPERATIONS[companion].entity
            assert [a.name for a in operation.arguments] == [a.name for a in OPERATIONS[companion].arguments]


def test_rows_in_takes_answers_apart() -> None:
    """Down to sellers and categories; numbers and words show no row."""
    refs = [ref for ref, _ in rows_in([ORDER, LINE])]
    below = [Ref(RowKind.PRODUCT, 7), Ref(RowKind.USER, 42), Ref(RowKind.CATEGORY, 9)]
    order = Ref(RowKind.ORDER, 5)
    assert [order, order, *below, Ref(RowKind.CART, 42, 7), *below] == refs
    assert [] == [*rows_in(None), *rows_in(3), *rows_in([])]
