"""Filtering, searching, ordering, counting and paging in memory."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest

from adapters.collation import search_form
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.listing import (
    ANSWERS_MAX,
    Listed,
    Listing,
    Query,
    Seller,
    listed_from,
    listed_of,
    query_of,
    seller_from,
)
from adapters.records import Product
from adapters.values import ProductFilters
from tests.images import product_image, user_image

NOON: Final = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MAPPER: Final = ItemMapper(load_contract())
ANA: Final = Seller("ana", "ana@shop.test")


def product(number: int, **given: object) -> Product:
    """A product of seller 1 in category 1."""
    columns: dict[str, object] = {
        "id": number,
        "seller_id": 1,
        "category_id": 1,
        "name": f"Product {number}",
        "description": None,
        "price": Decimal("12.50"),
        "inventory_quantity": 5,
        "image_url": None,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Product(**{**columns, **given})  # type: ignore[arg-type]  # columns by name


def listing_of(*products: Product) -> Listing:
    """A listing of these products."""
    return Listing(map(listed_of, products), {1: ANA})


def ids(
    listing: Listing, filters: ProductFilters | None = None, category_ids: frozenset[int] | None = None
) -> list[int]:
    """All that pass the filters, newest first."""
    query = query_of(filters or ProductFilters(), category_ids, page=1, limit=1000)
    selection = listing.select(query)
    assert len(selection.ids) == selection.total
    return list(selection.ids)


def test_select_is_newest_first() -> None:
    """By time, then by id; a missing time is last, and comes before 1970 too."""
    listing = listing_of(
        product(1),
        product(2, created_at=None),
        product(3, created_at=NOON - timedelta(seconds=1)),
        product(4),
        product(5, created_at=datetime(1970, 1, 1, tzinfo=UTC)),
        product(6, created_at=None),
    )
    assert [4, 1, 3, 5, 6, 2] == ids(listing)


@pytest.mark.parametrize(("page", "expected"), [(1, (7, 6, 5)), (2, (4, 3, 2)), (3, (1,)), (4, ()), (2**40, ())])
def test_select_cuts_pages(page: int, expected: tuple[int, ...]) -> None:
    """With the whole total on each, also beyond the end."""
    selection = listing_of(*map(product, range(1, 8))).select(Query(page, 3))
    assert (expected, 7) == (selection.ids, selection.total)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (ProductFilters(), [4, 3, 2, 1]),
        (ProductFilters(seller_id=2), [2]),
        (ProductFilters(seller_id=0), []),
        (ProductFilters(min_price=Decimal("1.005")), [4, 3, 2]),
        (ProductFilters(min_price=Decimal("1.00")), [4, 3, 2, 1]),
        (ProductFilters(min_price=Decimal("1E+400")), []),
        (ProductFilters(max_price=Decimal("1.005")), [1]),
        (ProductFilters(max_price=Decimal("0.999999")), []),
        (ProductFilters(max_price=Decimal("1E+400")), [4, 3, 2, 1]),
        (ProductFilters(min_price=Decimal(2), max_price=Decimal(3)), [3, 2]),
        (ProductFilters(in_stock_only=True), [3, 1]),
        (ProductFilters(search="TEA"), [2, 1]),
        (ProductFilters(search=""), [4, 3, 2, 1]),
        (ProductFilters(search="tea", in_stock_only=True, max_price=Decimal(1)), [1]),
        (ProductFilters(search="%"), [4]),
    ],
)
def test_select_applies_filters_as_sql_does(filters: ProductFilters, expected: list[int]) -> None:
    """Each alone and several at once; bounds need not be cents."""
    listing = listing_of(
        product(1, name="Green téa", price=Decimal("1.00")),
        product(2, seller_id=2, description="for tea", price=Decimal("2.00"), inventory_quantity=0),
        product(3, price=Decimal("3.00")),
        product(4, name="100%", price=Decimal("4.00"), inventory_quantity=-1),
    )
    assert expected == ids(listing, filters)


def test_select_finds_no_match_across_name_and_description() -> None:
    """They are two columns, whatever a term is made of."""
    listing = listing_of(product(1, name="ab", description="cd"))
    for term in ("bc", "b\x01c", "b\x00c", "b\x00", "\x00"):
        assert [] == ids(listing, ProductFilters(search=term)), term
    assert [1] == ids(listing_of(product(1, name="b\x02c")), ProductFilters(search="b\x01c"))


def test_select_takes_in_several_categories() -> None:
    """In one order, with the other filters."""
    listing = listing_of(
        product(1),
        product(2, category_id=2),
        product(3, category_id=3),
        product(4),
        product(5, category_id=2, seller_id=9),
    )
    assert [5, 4, 2, 1] == ids(listing, category_ids=frozenset({1, 2, 77}))
    assert [4, 2, 1] == ids(listing, ProductFilters(seller_id=1), frozenset({1, 2}))
    assert [] == ids(listing, category_ids=frozenset())


def test_select_passes_over_products_without_counting_them() -> None:
    """Those that were not there when they were asked for; the answer is not kept."""
    listing = listing_of(*map(product, range(1, 5)))
    without = listing.select(Query(1, 2), without=frozenset({4, 2}))
    assert ((3, 1), 2) == (without.ids, without.total)
    assert ((4, 3), 4) == (listing.select(Query(1, 2)).ids, listing.select(Query(1, 2)).total)


def test_take_changes_every_kept_answer() -> None:
    """What was answered before a change is not answered after it."""
    listing = listing_of(product(1), product(2))
    assert [2, 1] == ids(listing)
    listing.take({3: listed_of(product(3))}, {})
    assert [3, 2, 1] == ids(listing)
    listing.take({2: listed_of(product(2, category_id=4, seller_id=8))}, {})
    assert [3, 1] == ids(listing, category_ids=frozenset({1}))
    assert [2] == ids(listing, category_ids=frozenset({4}))
    assert [2] == ids(listing, ProductFilters(seller_id=8))
    listing.take({3: None}, {})
    listing.take({99: None}, {})
    assert [2, 1] == ids(listing)


def test_take_forgets_a_seller_without_products() -> None:
    """Nobody would tell of a change of one that sells nothing."""
    listing = listing_of(product(1), product(2))
    listing.take({}, {2: Seller("ben", "ben@shop.test")})
    assert listing.seller(2) is None
    listing.take({1: None}, {})
    assert ANA == listing.seller(1)
    listing.take({2: None}, {})
    assert listing.seller(1) is None
    assert not listing.is_selling(1)
    listing.take({3: listed_of(product(3))}, {})
    assert listing.seller(1) is None
    listing.take({}, {1: ANA})
    assert ANA == listing.seller(1)
    listing.take({}, {1: None})
    assert listing.seller(1) is None


def test_take_keeps_a_seller_whose_only_product_makes_way_for_another() -> None:
    """Whichever of the two comes first."""
    for products in ([(1, None), (2, listed_of(product(2)))], [(2, listed_of(product(2))), (1, None)]):
        listing = listing_of(product(1))
        listing.take(dict(products), {})
        assert ANA == listing.seller(1)
        assert listing.is_sold_by(2, 1)
        assert not listing.is_sold_by(1, 1)
        assert not listing.is_sold_by(2, 7)


def test_take_keeps_the_same_order_as_a_listing_made_at_once() -> None:
    """Whatever comes, goes and moves, in whatever order."""
    draw = random.Random(7)
    listing, now = Listing(), dict[int, Listed]()
    for _ in range(600):
        number = draw.randint(1, 60)
        entry = None
        if draw.random() < 0.7:
            created_at = draw.choice([None, NOON, NOON + timedelta(seconds=draw.randint(0, 3))])
            entry = listed_of(
                product(number, created_at=created_at, category_id=draw.randint(1, 4), seller_id=draw.randint(1, 3))
            )
        listing.take({number: entry}, {})
        now = {**now, number: entry} if entry else {key: value for key, value in now.items() if key != number}
    fresh = Listing(now.values())
    for category_ids in (None, *(frozenset({each}) for each in range(1, 5)), frozenset({1, 3})):
        for seller_id in (None, 1, 2, 3):
            filters = ProductFilters(seller_id=seller_id)
            assert ids(fresh, filters, category_ids) == ids(listing, filters, category_ids)
    assert (len(fresh), fresh.size_bytes) == (len(listing), listing.size_bytes)


def test_size_grows_with_the_texts() -> None:
    """An estimate, a little above what the texts take."""
    small, large = listing_of(product(1)), listing_of(product(1, description="x" * 5000))
    assert 5000 <= large.size_bytes - small.size_bytes <= 5100


def test_answers_kept_are_few() -> None:
    """However many queries come."""
    listing = listing_of(product(1))
    for page in range(1, 3 * ANSWERS_MAX):
        listing.select(Query(page, 1))
    assert ANSWERS_MAX == len(listing._answers)
    assert Query(3 * ANSWERS_MAX - 1, 1) in listing._answers


def test_listed_from_reads_an_item() -> None:
    """As from the record itself; a foreign item is no product."""
    image = product_image(description=None)
    (item,) = MAPPER.items_of(image)
    assert listed_of(image.product) == listed_from(item.attributes)
    broken = {name: value for name, value in item.attributes.items() if name != "price"}
    assert listed_from(broken) is None


def test_seller_from_reads_every_copy_of_a_user() -> None:
    """A foreign item is no seller."""
    for item in MAPPER.items_of(user_image()):
        assert Seller("Ana", "Ana@Shop.test") == seller_from(item.attributes)
    assert seller_from({"id": {"S": "1"}}) is None


def test_listed_of_keeps_exact_prices() -> None:
    """In cents, up to the largest."""
    assert 9_999_999_999 == listed_of(product(1, price=Decimal("99999999.99"))).price_cents
    assert -5 == listed_of(product(1, price=Decimal("-0.05"))).price_cents
    assert search_form("Product 1") == listed_of(product(1)).text
    assert listed_of(product(1)) != replace(listed_of(product(1)), is_in_stock=False)
