"""Products: lists, searches and their pages."""

from decimal import Decimal

import pytest

from tests.conformance.refusals import faults_of
from tests.conformance.shop import Record, Shop
from tests.factories import make_category, make_order, make_product, make_products, make_user


def ids(page: Record) -> list[int]:
    """The ids of a page, in order."""
    return [product["id"] for product in page["products"]]


async def found(shop: Shop, term: str) -> list[str]:
    """The names that a search finds, by both of its operations, oldest first."""
    page = await shop.call("product.search_products", search_term=term, limit=1000)
    assert page == await shop.call("product.get_products", filters={"search": term}, limit=1000)
    return [product["name"] for product in reversed(page["products"])]


async def test_get_products_returns_all_newest_first(shop: Shop) -> None:
    """Without arguments the first 20 come, ties of one second broken by id, each with its details."""
    products = await make_products(shop, 21)
    page = await shop.call("product.get_products")
    newest = [product["id"] for product in reversed(products)]
    assert newest[:20] == ids(page)
    assert (21, 1, 20, 2) == (page["total"], page["page"], page["limit"], page["total_pages"])
    details = await shop.call("product.get_product_with_details", product_id=newest[0])
    assert details == page["products"][0]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("get_products", {}), ("get_products_by_seller", {"seller_id": 1}), ("search_products", {"search_term": "x"})],
)
async def test_get_products_of_an_empty_shop_is_an_empty_page(shop: Shop, operation: str, arguments: Record) -> None:
    """Nothing is no error, and has no pages."""
    expected = {"products": [], "total": 0, "page": 1, "limit": 20, "total_pages": 0}
    assert expected == await shop.call(f"product.{operation}", **arguments)


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("get_products", None),
        ("get_products_by_seller", "seller_id"),
        ("get_products_by_category", "category_id"),
        ("search_products", "search_term"),
    ],
)
async def test_get_products_and_its_like_page_through_everything(shop: Shop, operation: str, key: str | None) -> None:
    """Every page has its share, the last one the rest, and beyond the end the total is still true."""
    products = await make_products(shop, 5, description="common")
    await make_product(shop)
    values = {**products[0], "search_term": "common"}
    wanted = {key: values[key]} if key else {"filters": {"seller_id": products[0]["seller_id"]}}
    newest = [product["id"] for product in reversed(products)]
    shares = {1: newest[:2], 2: newest[2:4], 3: newest[4:], 4: [], 2**40: [], 2**62: []}
    for number, share in shares.items():
        page = await shop.call(f"product.{operation}", **wanted, page=number, limit=2)
        assert share == ids(page)
        assert (5, number, 2, 3) == (page["total"], page["page"], page["limit"], page["total_pages"])
    everything = await shop.call(f"product.{operation}", **wanted, limit=1000)
    assert (newest, 1) == (ids(everything), everything["total_pages"])
    exact = await shop.call(f"product.{operation}", **wanted, limit=5)
    assert (newest, 1) == (ids(exact), exact["total_pages"])
    far = await shop.call(f"product.{operation}", **wanted, page=10**30)
    assert ([], 5) == (far["products"], far["total"])


@pytest.mark.parametrize("bad", [{"page": 0}, {"page": -1}, {"limit": 0}, {"limit": 1001}, {"page": 0, "limit": 0}])
async def test_get_products_refuses_bad_pages(shop: Shop, bad: Record) -> None:
    """Pages count from 1, and hold 1 to 1000."""
    assert sorted(bad) == await faults_of(shop.call("product.get_products", **bad))


async def test_get_products_by_seller_returns_only_the_sellers(shop: Shop) -> None:
    """A seller's products come, and an unknown seller has none."""
    product, other = await make_product(shop), await make_product(shop)
    assert [product["id"]] == ids(await shop.call("product.get_products_by_seller", seller_id=product["seller_id"]))
    nobody = await shop.call("product.get_products_by_seller", seller_id=other["seller_id"] + 1)
    assert ([], 0) == (nobody["products"], nobody["total"])


async def test_get_products_by_category_takes_in_direct_subcategories(shop: Shop) -> None:
    """A category lists its own products and its children's, not its grandchildren's."""
    top = await make_category(shop)
    middle = await make_category(shop, parent_id=top["id"])
    bottom = await make_category(shop, parent_id=middle["id"])
    in_top, in_middle, in_bottom = [
        (await make_product(shop, category_id=category["id"]))["id"] for category in (top, middle, bottom)
    ]
    expected = {top["id"]: [in_middle, in_top], middle["id"]: [in_bottom, in_middle], bottom["id"]: [in_bottom]}
    for category_id, listed in {**expected, bottom["id"] + 1: []}.items():
        page = await shop.call("product.get_products_by_category", category_id=category_id)
        assert (listed, len(listed)) == (ids(page), page["total"])
        assert page == await shop.call("product.get_products", filters={"category_id": category_id})


async def test_get_products_by_category_follows_a_moved_category(shop: Shop) -> None:
    """When a category moves, its products are listed below its new parent at once."""
    old, new = await make_category(shop), await make_category(shop)
    child = await make_category(shop, parent_id=old["id"])
    product = await make_product(shop, category_id=child["id"])
    await shop.call("category.update", id=child["id"], parent_id=new["id"])
    assert [] == ids(await shop.call("product.get_products_by_category", category_id=old["id"]))
    assert [product["id"]] == ids(await shop.call("product.get_products_by_category", category_id=new["id"]))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcd"),
        ({"search": ""}, "abcd"),
        ({"search": None, "min_price": None, "max_price": None, "category_id": None, "seller_id": None}, "abcd"),
        ({"min_price": Decimal("10.00")}, "bcd"),
        ({"min_price": 10}, "bcd"),
        ({"min_price": Decimal("10.001")}, "cd"),
        ({"min_price": Decimal("9.9999999")}, "bcd"),
        ({"max_price": Decimal("10.00")}, "ab"),
        ({"max_price": Decimal("9.999")}, "a"),
        ({"min_price": 0, "max_price": 0}, ""),
        ({"min_price": 20, "max_price": 10}, ""),
        ({"min_price": Decimal("0.01"), "max_price": Decimal("99999999.99")}, "abcd"),
        ({"max_price": Decimal("99999999.98")}, "abc"),
        ({"min_price": 10**30}, ""),
        ({"max_price": 10**30}, "abcd"),
        ({"in_stock_only": True}, "ac"),
        ({"in_stock_only": False}, "abcd"),
        ({"in_stock_only": True, "min_price": 1, "search": "c"}, "c"),
    ],
)
async def test_get_products_applies_every_filter(shop: Shop, filters: Record, expected: str) -> None:
    """Filters combine; bounds are included, and any number; null and an empty search are no filters."""
    shared = {"seller_id": (await make_user(shop))["id"], "category_id": (await make_category(shop))["id"]}
    for name, price, stock in (("a", "0.01", 1), ("b", "10.00", 0), ("c", "20.00", 5), ("d", "99999999.99", 0)):
        await make_product(shop, **shared, name=name, price=Decimal(price), inventory_quantity=stock)
    page = await shop.call("product.get_products", filters=filters)
    assert expected == "".join(product["name"] for product in reversed(page["products"]))
    assert len(expected) == page["total"]


async def test_get_products_filters_by_seller_and_category_together(shop: Shop) -> None:
    """A product must pass both."""
    product, other = await make_product(shop), await make_product(shop)
    both = {"seller_id": product["seller_id"], "category_id": product["category_id"]}
    assert [product["id"]] == ids(await shop.call("product.get_products", filters=both))
    assert [] == ids(await shop.call("product.get_products", filters={**both, "category_id": other["category_id"]}))
    assert [] == ids(await shop.call("product.get_products", filters={**both, "seller_id": other["seller_id"]}))


@pytest.mark.parametrize(
    "bad", [{"min_price": -1}, {"max_price": "1"}, {"in_stock_only": None}, {"search": 5}, {"name": "x"}]
)
async def test_get_products_refuses_bad_filters(shop: Shop, bad: Record) -> None:
    """A wrong filter is named by its path."""
    assert [f"filters.{name}" for name in bad] == await faults_of(shop.call("product.get_products", filters=bad))


@pytest.mark.parametrize("outside", [0, -1, 2**31, 2**40, 10**30])
async def test_get_products_finds_nothing_by_impossible_ids(shop: Shop, outside: int) -> None:
    """A filter by an id that no record can have passes nothing."""
    await make_product(shop)
    for name in ("category_id", "seller_id"):
        assert 0 == (await shop.call("product.get_products", filters={name: outside}))["total"]


async def test_get_products_follows_the_stock(shop: Shop) -> None:
    """A product that sells out leaves the list of those in stock, and comes back with its stock."""
    product = await make_product(shop, inventory_quantity=1)
    expected = [1, 0, 1]
    totals = []
    for quantity in (1, 0, 1):
        await shop.call("product.update_inventory", product_id=product["id"], quantity=quantity)
        totals.append((await shop.call("product.get_products", filters={"in_stock_only": True}))["total"])
    assert expected == totals
    await shop.call("product.reduce_inventory", product_id=product["id"], quantity=1)
    assert 0 == (await shop.call("product.get_products", filters={"in_stock_only": True}))["total"]


async def test_get_products_follows_changes_of_what_it_shows(shop: Shop) -> None:
    """New names, prices and deletions show at once."""
    product = await make_product(shop, name="before", price=Decimal(1))
    own = {"product_id": product["id"], "seller_id": product["seller_id"]}
    await shop.call("product.update_product", **own, name="after", price=Decimal(2))
    assert ([], ["after"]) == (await found(shop, "before"), await found(shop, "after"))
    assert [] == ids(await shop.call("product.get_products", filters={"max_price": 1}))
    await shop.call("product.delete_product", **own)
    assert [] == await found(shop, "after")


async def test_search_products_finds_substrings_of_name_and_description(shop: Shop) -> None:
    """A product is found by its name or by its description, once."""
    texts = [("felt hat", None), ("cap", "like a HAT"), ("hat", "a hat"), ("scarf", "ha t"), ("glove", "")]
    for name, description in texts:
        await make_product(shop, name=name, description=description)
    assert ["felt hat", "cap", "hat"] == await found(shop, "hat")
    assert ["felt hat"] == await found(shop, "lt h")
    assert [name for name, _ in texts] == await found(shop, "")
    assert [] == await found(shop, "hat cap")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Café", "CAFE"),
        ("Cafe\u0301", "café"),
        ("Straße", "STRAßE"),
        ("ẞ", "ß"),
        ("100% wool", "0% w"),
        ("a_b", "A_B"),
        ("a\\b", "a\\b"),
        ("end\\", "\\"),
        ("50%", "%"),
        ("\U0001f980 soup", "\U0001f980"),
        ("it's", "t's"),
        ("two  blanks", "o  b"),
        ("line\nbreak", "e\nb"),
        ("x" * 200, "x" * 200),
    ],
)
async def test_search_products_finds_as_like_does(shop: Shop, text: str, term: str) -> None:
    """Case and accents do not matter; %, _ and backslash stand for themselves."""
    await make_product(shop, name=text)
    await make_product(shop, name="other", description=text)
    assert [text, "other"] == await found(shop, term)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Straße", "ss"),
        ("Strasse", "ß"),
        ("ﬁsh", "fish"),
        ("æon", "ae"),
        ("Café", "cafe\u0301"),
        ("so\u00adft", "soft"),
        ("100 wool", "0% w"),
        ("axb", "a_b"),
        ("ab", "a\\b"),
        ("abc", "%"),
        ("abc", "_"),
        ("abc", "\\"),
        ("abc", "c "),
        ("\U0001f980", "\U0001f99e"),
        ("x" * 199, "x" * 200),
        ("short", "x" * 65_535),
    ],
)
async def test_search_products_tells_apart_as_like_does(shop: Shop, text: str, term: str) -> None:
    """Characters are compared one by one, so what is equal as a whole may still hold no part of the other."""
    await make_product(shop, name=text, description=text)
    assert [] == await found(shop, term)


async def test_search_products_refuses_a_term_that_is_too_long(shop: Shop) -> None:
    """A term is no longer than a description."""
    assert ["search_term"] == await faults_of(shop.call("product.search_products", search_term="x" * 65_536))


async def test_get_products_counts_a_product_once_however_often_it_is_ordered(shop: Shop) -> None:
    """Orders and carts do not multiply a product in a list."""
    product, user = await make_product(shop), await make_user(shop)
    await make_order(shop, user, product, product)
    page = await shop.call("product.get_products")
    assert ([product["id"]], 1) == (ids(page), page["total"])
