"""The reads of products: pages, filters, search, and rows such as old shops have."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio

from adapters.mysql.connection import Connection
from adapters.mysql.product import ProductReads
from adapters.records import Product, ProductDetails, ProductPage
from adapters.values import INT_MAX, NO_RECORD, ProductFilters
from tests.mysql_schema import insert_category, insert_product, insert_user

AT = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


@pytest_asyncio.fixture
async def shop(mysql_shop: Connection) -> AsyncIterator[Connection]:
    """Users 1 and 2; categories Tea (1), Green (2) below it, Japan (3) below that, and Cups (4)."""
    for number, name in ((1, "ana"), (2, "ben")):
        await insert_user(mysql_shop, name, id=number)
    for number, name, parent_id in ((1, "Tea", None), (2, "Green", 1), (3, "Japan", 2), (4, "Cups", None)):
        await insert_category(mysql_shop, name, id=number, parent_id=parent_id)
    yield mysql_shop


async def found_by(shop: Connection, **filters: object) -> list[int]:
    """The ids of the products that pass the filters, checked against the total."""
    page = await ProductReads(shop).get_products(filters=ProductFilters(**filters))  # type: ignore[arg-type]  # by name
    assert page.total == len(page.products)
    return [product.id for product in page.products]


async def test_get_product_returns_every_field(shop: Connection) -> None:
    """Alone and with the names of category and seller; the category's own name, not its path."""
    number = await insert_product(
        shop,
        seller_id=2,
        category_id=3,
        name="Sencha \U0001f375",
        description="fine",
        price="99999999.99",
        inventory_quantity=INT_MAX,
        image_url="/a.png",
        created_at=AT,
        updated_at=AT,
    )
    fields = (number, 2, 3, "Sencha \U0001f375", "fine", Decimal("99999999.99"), INT_MAX, "/a.png", AT, AT)
    assert Product(*fields) == await ProductReads(shop).get_product_by_id(product_id=number)
    details = await ProductReads(shop).get_product_with_details(product_id=number)
    assert ProductDetails(*fields, "Japan", "ben", "ben@shop.test") == details


async def test_get_product_reads_nulls_and_exact_money(shop: Connection) -> None:
    """NULL in every column that may be; money has two places whatever it is."""
    nulls = dict.fromkeys(("description", "image_url", "created_at", "updated_at"))
    number = await insert_product(shop, price="0.01", **nulls)
    product = await ProductReads(shop).get_product_by_id(product_id=number)
    assert Product(number, 1, 1, "Green tea", None, Decimal("0.01"), 0, None, None, None) == product
    round_one = await insert_product(shop, price="5")
    found = await ProductReads(shop).get_product_by_id(product_id=round_one)
    assert found is not None
    assert "5.00" == str(found.price)


@pytest.mark.parametrize("product_id", [NO_RECORD, INT_MAX])
async def test_get_product_of_no_product_is_none(shop: Connection, product_id: int) -> None:
    """Ids that no product has."""
    await insert_product(shop)
    assert await ProductReads(shop).get_product_by_id(product_id=product_id) is None
    assert await ProductReads(shop).get_product_with_details(product_id=product_id) is None
    assert not await ProductReads(shop).has_inventory(product_id=product_id, required_quantity=0)


async def test_has_inventory_compares_with_the_stock(shop: Connection) -> None:
    """As much as there is will do."""
    number = await insert_product(shop, inventory_quantity=3)
    answers = [await ProductReads(shop).has_inventory(product_id=number, required_quantity=q) for q in (0, 3, 4)]
    assert [True, True, False] == answers


async def test_get_products_is_newest_first_then_by_id(shop: Connection) -> None:
    """Products of one second stand by descending id, those without a time last."""
    tie = [await insert_product(shop, created_at=AT) for _ in range(3)]
    timeless = await insert_product(shop, created_at=None)
    old = await insert_product(shop, created_at="2025-01-01 00:00:00")
    new = await insert_product(shop, created_at="2026-12-31 23:59:59")
    assert [new, *reversed(tie), old, timeless] == await found_by(shop)


async def test_get_products_pages_without_gap_or_overlap(shop: Connection) -> None:
    """Each page carries the exact total; the last may be short, and those beyond are empty."""
    reads = ProductReads(shop)
    numbers = [await insert_product(shop, created_at=AT) for _ in range(7)]
    pages = [await reads.get_products(page=page, limit=3) for page in (1, 2, 3, 4)]
    assert numbers[::-1] == [product.id for page in pages for product in page.products]
    assert [(7, 3)] * 4 == [(page.total, page.total_pages) for page in pages]
    assert [3, 3, 1, 0] == [len(page.products) for page in pages]
    assert ProductPage([], 7, 4, 3, 3) == pages[3]
    assert 1 == (await reads.get_products(limit=7)).total_pages
    assert 1 == (await reads.get_products(limit=1000)).total_pages


@pytest.mark.parametrize("page", [2, 2**31, 2**53, 2**63, 10**30])
async def test_get_products_far_beyond_the_end_is_empty(shop: Connection, page: int) -> None:
    """No page number is too large to ask for, and the total stays true."""
    await insert_product(shop)
    assert ProductPage([], 1, page, 1000, 1) == await ProductReads(shop).get_products(page=page, limit=1000)


async def test_get_products_of_an_empty_shop(shop: Connection) -> None:
    """No products, no pages."""
    assert ProductPage([], 0, 1, 20, 0) == await ProductReads(shop).get_products()


async def test_get_products_of_a_category_takes_in_its_children_only(shop: Connection) -> None:
    """Direct subcategories, not theirs; each product once."""
    numbers = {category: await insert_product(shop, category_id=category) for category in (1, 2, 3, 4)}
    assert [numbers[2], numbers[1]] == await found_by(shop, category_id=1)
    assert [numbers[3], numbers[2]] == await found_by(shop, category_id=2)
    assert [numbers[3]] == await found_by(shop, category_id=3)
    assert [] == await found_by(shop, category_id=NO_RECORD)
    await shop.execute("UPDATE categories SET parent_id = 1 WHERE id = 1")
    assert [numbers[2], numbers[1]] == await found_by(shop, category_id=1)


async def test_get_products_of_a_seller(shop: Connection) -> None:
    """The seller's own, none for one who sells nothing."""
    own = await insert_product(shop, seller_id=2)
    await insert_product(shop, seller_id=1)
    assert [own] == await found_by(shop, seller_id=2)
    assert [] == await found_by(shop, seller_id=NO_RECORD)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("strasse", []),
        ("STRAẞE", ["Straße"]),
        ("e\u0301", []),
        ("E", ["Straße", "Café", "e_1", "Green tea"]),
        ("100%", ["100% cotton"]),
        ("0%", ["100% cotton"]),
        ("%", ["100% cotton"]),
        ("_", ["e_1"]),
        ("\\", ["back\\slash"]),
        ("\\s", ["back\\slash"]),
        ("' OR 1=1 -- ", []),
        ("\U0001f375", ["\U0001f375"]),
        ("\U0001f980", []),
        ("of the house", ["Green tea"]),
        ("ab", []),
        (" ", ["100% cotton", "Green tea"]),
        ("x" * 65_535, []),
    ],
)
async def test_search_is_a_literal_substring_of_name_or_description(
    shop: Connection, term: str, expected: list[str]
) -> None:
    """As LIKE compares, character by character; what LIKE takes for signs stands for itself."""
    for name in ("Straße", "Café", "100% cotton", "e_1", "back\\slash", "\U0001f375", "a-b"):
        await insert_product(shop, name=name, description=None)
    await insert_product(shop, name="Green tea", description="Tea of the house")
    found = await ProductReads(shop).search_products(search_term=term, limit=1000)
    assert sorted(expected) == sorted(product.name for product in found.products)
    assert found == await ProductReads(shop).get_products(filters=ProductFilters(search=term), limit=1000)


async def test_empty_search_is_no_filter(shop: Connection) -> None:
    """All products, those without a description too."""
    numbers = [await insert_product(shop, description=None), await insert_product(shop, description="")]
    assert numbers[::-1] == await found_by(shop, search="")
    found = await ProductReads(shop).search_products(search_term="")
    assert numbers[::-1] == [product.id for product in found.products]


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        ("0", "99999999.99", ["0.01", "10.00", "99999999.99"]),
        ("0.01", "0.01", ["0.01"]),
        ("0.0100000000000000000000001", None, ["10.00", "99999999.99"]),
        (None, "9.9999999999999999999999999999999999", ["0.01"]),
        ("10", "10.004", ["10.00"]),
        ("99999999.991", None, []),
        ("1e400", None, []),
        (None, "1e400", ["0.01", "10.00", "99999999.99"]),
        (None, "1e-400", []),
        ("1e-400", None, ["0.01", "10.00", "99999999.99"]),
        ("20", "10", []),
        ("0", "0", []),
    ],
)
async def test_price_bounds_are_exact_and_included(
    shop: Connection, lowest: str | None, highest: str | None, expected: list[str]
) -> None:
    """Whatever number the bound is, prices are compared with it as decimals."""
    for price in ("0.01", "10.00", "99999999.99"):
        await insert_product(shop, price=price)
    bounds = {"min_price": lowest and Decimal(lowest), "max_price": highest and Decimal(highest)}
    page = await ProductReads(shop).get_products(filters=ProductFilters(**bounds))  # type: ignore[arg-type]  # by name
    assert expected == sorted((str(product.price) for product in page.products), key=Decimal)
    assert len(expected) == page.total


async def test_in_stock_only_leaves_out_what_is_gone(shop: Connection) -> None:
    """One is stock, none is not."""
    numbers = [await insert_product(shop, inventory_quantity=quantity) for quantity in (0, 1, 2)]
    assert numbers[:0:-1] == await found_by(shop, in_stock_only=True)
    assert numbers[::-1] == await found_by(shop, in_stock_only=False)


async def test_filters_hold_together(shop: Connection) -> None:
    """A product must pass all of them; each alone makes the difference."""
    fitting = {
        "seller_id": 2,
        "category_id": 2,
        "name": "Sencha",
        "price": "5.00",
        "inventory_quantity": 1,
    }
    wanted = await insert_product(shop, **fitting)
    misfits = ({"seller_id": 1}, {"category_id": 4}, {"name": "Cup"}, {"price": "6"}, {"inventory_quantity": 0})
    for misfit in (*misfits, {"price": "4"}):
        await insert_product(shop, **{**fitting, **misfit})
    bounds = {"min_price": Decimal("4.50"), "max_price": Decimal("5.50")}
    everything = {"seller_id": 2, "category_id": 1, "search": "ENCH", "in_stock_only": True, **bounds}
    assert [wanted] == await found_by(shop, **everything)
    counts = [len(await found_by(shop, **{k: v for k, v in everything.items() if k != left})) for left in everything]
    assert [2] * 6 == counts


async def test_lists_of_one_kind_are_the_list_with_one_filter(shop: Connection) -> None:
    """By seller, by category: the same pages."""
    for number in range(5):
        await insert_product(shop, seller_id=1 + number % 2, category_id=1 + number % 4)
    reads = ProductReads(shop)
    by_seller = await reads.get_products_by_seller(seller_id=1, page=2, limit=2)
    assert await reads.get_products(filters=ProductFilters(seller_id=1), page=2, limit=2) == by_seller
    by_category = await reads.get_products_by_category(category_id=1, page=2, limit=2)
    assert await reads.get_products(filters=ProductFilters(category_id=1), page=2, limit=2) == by_category
    assert (3, 1) == (by_seller.total, len(by_seller.products))
    assert (3, 1) == (by_category.total, len(by_category.products))


async def test_get_products_searches_once(shop: Connection) -> None:
    """The products that match are found in one pass for total and page: a search through text is the dear part."""
    for _ in range(10):
        await insert_product(shop)
    await shop.batch("FLUSH STATUS")
    page = await ProductReads(shop).search_products(search_term="tea", limit=1)
    ((_, scans),) = await shop.rows("SHOW SESSION STATUS LIKE 'Handler_read_first'")
    assert (10, "1") == (page.total, scans)
