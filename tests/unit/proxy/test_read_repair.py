"""Which rows a mismatch is about, and the intents for their items."""

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Final

from adapters.changes import LISTING, TREE, Aggregate, ItemKey, Ref, RowKind, product_aggregate, user_aggregate
from adapters.records import Category, Order, ProductDetails, ProductPage
from proxy.read_repair import KEYS_MAX, above, differing, parts_of
from tests.images import product_image, user_image

PRODUCT: Final = product_image().product
DETAILS: Final = ProductDetails(**asdict(PRODUCT), category_name="Tea", seller_username="ana", seller_email="a@x")
USER: Final = user_image().user


def page(*products: ProductDetails, total: int = 1) -> ProductPage:
    """A page of a list."""
    return ProductPage(list(products), total, 1, 20, 1)


def test_differing_names_the_rows_that_are_shown_differently() -> None:
    """The product's own, the seller's or the category's, or those that one side lacks."""
    cheap, other = replace(DETAILS, price=Decimal(1)), replace(DETAILS, id=8)
    assert {Ref(RowKind.PRODUCT, 7)} == differing(page(DETAILS), page(cheap))
    assert {Ref(RowKind.USER, 42)} == differing(page(DETAILS), page(replace(DETAILS, seller_email="b@x")))
    assert {Ref(RowKind.CATEGORY, 9)} == differing(page(DETAILS), page(replace(DETAILS, category_name="x")))
    assert {Ref(RowKind.PRODUCT, 8)} == differing(page(DETAILS, other), page(DETAILS))
    assert {Ref(RowKind.USER, 42)} == differing(None, USER)
    assert set() == differing(page(DETAILS), page(DETAILS, total=2))
    assert set() == differing(3, 4)


def test_above_names_whose_names_are_in_the_keys() -> None:
    """Users of lines and of orders shown, parents of categories shown; nothing is above a root, or a product."""
    line, user, category = Ref(RowKind.CART, 42, 7), Ref(RowKind.USER, 42), Ref(RowKind.CATEGORY, 9)
    order = Order(5, 42, Decimal(1), "pending", None, None)
    assert [user] == list(above([line, Ref(RowKind.PRODUCT, 7)], []))
    assert [user] == list(above([Ref(RowKind.ORDER, 5)], [order]))
    assert [category] == list(above([], [Category(10, "Green", 9, None), Category(11, "Root", None, None)]))
    assert [] == list(above([user], [USER, PRODUCT]))


def test_parts_of_fit_a_transaction_and_tell_the_listing() -> None:
    """Items of a row stay together as far as may be; every owner is among the locks."""
    products = {ItemKey("Products", str(i), "#META", Ref(RowKind.PRODUCT, i)): product_aggregate(i) for i in range(100)}
    parts = parts_of(products)
    assert [KEYS_MAX, 100 - KEYS_MAX] == [len(part.keys) for part in parts]
    assert all(LISTING in part.aggregates for part in parts)
    assert set(products.values()) | {LISTING} == {each for part in parts for each in part.aggregates}
    lines: dict[ItemKey, Aggregate] = {
        ItemKey("Users", "a@x", "CART#7", Ref(RowKind.CART, 42, 7)): user_aggregate(42),
        ItemKey("Support", "TREE", "1", Ref(RowKind.CATEGORY, 1)): TREE,
    }
    assert [(TREE, user_aggregate(42))] == [part.aggregates for part in parts_of(lines)]
    assert [] == parts_of({})
