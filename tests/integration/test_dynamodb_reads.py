"""The reads of DynamoDB beside those of MySQL, on a shop of awkward rows; what they cost; what they survive."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from adapters.changes import LISTING, TREE, Ref, RowKind
from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.keys import Key
from adapters.dynamodb.store import DynamoDBStore
from adapters.errors import DeadlineExceeded, Unavailable, Unreadable
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.pool import Pool
from adapters.mysql.store import MySQLStore
from adapters.operations import catalogue
from adapters.records import Category, ProductPage
from adapters.values import INT_MAX, NO_RECORD, ProductFilters
from tests.planted_shop import BUYER
from tests.requests_counted import CountingClient, LateIndexClient
from tests.servers import DynamoDBEndpoint as Server
from tests.sweeping import KEYS, SweptShop
from tests.wire_faults import Answer, Fault, WireFaults

OPERATIONS: Final = catalogue()
LIMIT_S: Final = 10.0
LITTLE_S: Final = 0.005
"""Less than it takes to load a listing of some megabytes; more each time, for a page must come at last."""
USERS: Final = (NO_RECORD, 1, 3, 4, 5, 8, 12, 13, INT_MAX)
PRODUCTS: Final = (NO_RECORD, 1, 2, 3, 7, 25, 26)
CATEGORIES: Final = (NO_RECORD, 1, 2, 4, 5, 7, 8, 9)
FILTERS: Final = (
    *(ProductFilters(category_id=each) for each in CATEGORIES),
    *(ProductFilters(seller_id=each) for each in (1, 2, 4, 99)),
    *(ProductFilters(search=each) for each in ("", "product 1", "THING", "%", "_", "\\", "nnn", "ß")),
    ProductFilters(in_stock_only=True, category_id=1, search="product"),
)
CALLS: Final[tuple[tuple[str, Mapping[str, object]], ...]] = (
    *(("user.find_by_id", {"id": each}) for each in USERS),
    *(("user.find_by_username", {"username": each}) for each in ("ana", "STRASSE", "東京", "é", "nobody", "")),
    *(("user.find_by_email", {"email": each}) for each in ("ana@shop.test", "SS@SHOP.TEST", "nobody")),
    *(("user.exists_by_username", {"username": each}) for each in ("ÁNA", "nobody")),
    *(("user.exists_by_email", {"email": each}) for each in ("ben@shop.test", "nobody")),
    ("user.find_all_super_admins", {}),
    *(("product.get_product_by_id", {"product_id": each}) for each in PRODUCTS),
    *(("product.get_product_with_details", {"product_id": each}) for each in PRODUCTS),
    *(("product.has_inventory", {"product_id": p, "required_quantity": q}) for p in PRODUCTS for q in (0, 1, 10, 11)),
    *(("product.get_products", {"filters": each, "page": 1, "limit": 1000}) for each in FILTERS),
    *(
        ("product.get_products", {"filters": ProductFilters(), "page": each, "limit": 7})
        for each in (1, 2, 4, 5, 2**40)
    ),
    *(("product.get_products_by_seller", {"seller_id": each, "page": 1, "limit": 5}) for each in USERS),
    *(("product.get_products_by_category", {"category_id": each, "page": 2, "limit": 3}) for each in CATEGORIES),
    *(("product.search_products", {"search_term": each, "page": 1, "limit": 20}) for each in ("1", "a THING", "")),
    *(("order.get_order_by_id", {"order_id": each}) for each in range(9)),
    *(("order.get_user_orders", {"user_id": each, "limit": 20, "offset": 0}) for each in USERS),
    *(("order.get_user_orders", {"user_id": BUYER, "limit": 2, "offset": each}) for each in (1, 3, 4, 2**40)),
    *(("order.get_user_order_count", {"user_id": each}) for each in USERS),
    *(
        ("order.get_orders_by_status", {"status": s, "limit": n})
        for s in ("PENDING", "cancelled", "1")
        for n in (1, 50)
    ),
    ("category.find_all", {}),
    ("category.find_root_categories", {}),
    *(("category.find_by_parent_id", {"parent_id": each}) for each in (None, *CATEGORIES)),
    *(("category.find_child_categories", {"parent_id": each}) for each in CATEGORIES),
    *(("category.find_by_id", {"id": each}) for each in CATEGORIES),
    *(("category.exists_by_id", {"id": each}) for each in CATEGORIES),
    *(("category.exists_by_name", {"name": n, "exclude_id": x}) for n in ("TEA", "GRUN", "no") for x in (None, 2, 4)),
    *(("category.validate_parent_id", {"parent_id": each}) for each in (None, *CATEGORIES)),
    *(
        ("category.would_create_cycle", {"category_id": c, "new_parent_id": p})
        for c in CATEGORIES
        for p in (None, 8, 9)
    ),
    *(("category.get_category_path", {"category_id": each}) for each in CATEGORIES),
    *(("cart.get_cart_items", {"user_id": each}) for each in USERS),
    *(("cart.get_cart_item_count", {"user_id": each}) for each in USERS),
    *(("cart.get_cart_item_by_user_and_product", {"user_id": u, "product_id": p}) for u in USERS for p in (1, 7)),
    *(("cart.validate_cart_inventory", {"user_id": each}) for each in USERS),
)
"""Every read, for records that there are, that there are not, and that there cannot be."""
COSTS: Final[Mapping[str, tuple[int, float]]] = {
    "user.find_by_id": (1, 1),
    "product.get_product_with_details": (1, 3),
    "product.get_products": (1, 27),
    "order.get_order_by_id": (3, 7),
    "order.get_user_orders": (3, 12),
    "order.get_user_order_count": (1, 1),
    "category.find_all": (1, 1),
    "cart.get_cart_items": (3, 14),
    "cart.get_cart_item_by_user_and_product": (2, 4),
}
"""What a warm call costs at most: requests one after another, and items read."""


@pytest.fixture
async def shop(swept_shop: SweptShop) -> SweptShop:
    """The planted shop in both databases."""
    assert (await swept_shop.backfill()).is_complete
    return swept_shop


@pytest.fixture
async def source(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[MySQLStore]:
    """MySQL's answers."""
    store = MySQLStore(Pool(mysql_endpoint, size=2, name="read"))
    yield store
    await store.close()


async def ask(store: MySQLStore | DynamoDBStore, name: str, arguments: Mapping[str, object] | None = None) -> object:
    """An answer."""
    return await store.read(OPERATIONS[name], arguments or {}, Deadline.after(LIMIT_S))


async def names_of(store: DynamoDBStore) -> list[str]:
    """The names of all products that lists show."""
    page = await ask(store, "product.get_products", {"limit": 1000})
    assert isinstance(page, ProductPage)
    return [product.name for product in page.products]


async def test_every_read_answers_as_mysql_does(shop: SweptShop, source: MySQLStore) -> None:
    """On rows with NULLs, odd names, negative stock and ties; for ids and texts that name nothing."""
    assert {name for name, each in OPERATIONS.items() if not each.is_write} == {name for name, _ in CALLS}
    store = DynamoDBStore(shop.client, keys=KEYS)
    for name, arguments in CALLS:
        assert await ask(source, name, arguments) == await ask(store, name, arguments), (name, arguments)


async def test_warm_reads_cost_what_they_promise(shop: SweptShop) -> None:
    """No Scan, no Query of caches, and few items that are not answered."""
    async with CountingClient(shop.client) as client:
        store = DynamoDBStore(client, keys=KEYS)
        await store.warm(Deadline.after(LIMIT_S))
        worst: dict[str, tuple[int, int]] = {}
        for name, arguments in CALLS:
            client.begin()
            await ask(store, name, arguments)
            assert not client.actions["Scan"] + client.actions["TransactGetItems"], name
            cost = client.actions.total(), client.items
            worst[name] = max(cost, worst.get(name, cost))
    for name, cost in worst.items():
        print(f"{name:45} {cost[0]:3} requests {cost[1]:4} items")  # noqa: T201  # the figures are the point
    assert {} == {name: worst[name] for name, most in COSTS.items() if worst[name] > most}


async def test_listing_is_measured_as_large_as_it_is_kept(shop: SweptShop) -> None:
    """Before any worker keeps it, with no more read than needed to tell that it is too large."""
    store, deadline = DynamoDBStore(shop.client, keys=KEYS), Deadline.after(LIMIT_S)
    assert 0 == store.kept_bytes
    await store.warm(deadline)
    assert store.kept_bytes > 25 * len("product")
    assert store.kept_bytes == await store.needed_bytes(deadline, enough_bytes=2**20)


async def test_late_indexes_change_no_answer(shop: SweptShop, source: MySQLStore) -> None:
    """What an index shows may be old; no answer is taken from one."""
    async with LateIndexClient(shop.client) as client:
        store = DynamoDBStore(client, keys=KEYS)
        for name, arguments in CALLS:
            assert await ask(source, name, arguments) == await ask(store, name, arguments), (name, arguments)


async def test_transaction_conflicts_change_no_answer(
    shop: SweptShop, source: MySQLStore, dynamodb_server: Server
) -> None:
    """A write under way holds up a read of its items as of one moment; it is asked again."""
    conflict = Answer(400, "TransactionCanceledException", {"CancellationReasons": [{"Code": "TransactionConflict"}]})
    async with (
        WireFaults(dynamodb_server.url) as wire,
        DynamoDBClient(replace(shop.client.endpoint, endpoint_url=wire.url)) as client,
    ):
        store = DynamoDBStore(client, keys=KEYS)
        for name in ("category.find_all", "product.get_products"):
            wire.script += [Fault.NONE, conflict, conflict, Fault.NONE, conflict]
            assert await ask(source, name) == await ask(store, name)
            assert not wire.script


async def test_listing_is_loaded_anew_where_its_log_has_a_gap(shop: SweptShop) -> None:
    """A version whose entry has expired may have changed anything."""
    store = DynamoDBStore(shop.client, keys=KEYS)
    await names_of(store)
    await shop.mysql.execute("UPDATE products SET name = 'New name' WHERE id = 5")
    assert (await shop.backfill()).is_complete
    version = int(str((await shop.fence(LISTING) or {})["v"]["N"]))
    await shop.delete(KEYS.log_entry(version))
    assert "New name" in await names_of(store)


async def test_caches_notice_that_history_began_anew(shop: SweptShop) -> None:
    """Tables emptied, or restored from a backup, have lower versions; and equal ones of other operations."""
    store = DynamoDBStore(shop.client, keys=KEYS)
    assert 25 == len(await names_of(store))
    items = await shop.items()
    await shop.delete_all()
    assert [] == await names_of(store)
    assert [] == await ask(store, "category.find_all")
    for key, item in items.items():
        await shop.put(key.table, item)
    assert 25 == len(await names_of(store))
    for aggregate, gone in ((LISTING, KEYS.product(7)), (TREE, Key("Support", "TREE", f"{8:010d}"))):
        await shop.delete(gone)
        fence = dict(await shop.fence(aggregate) or {})
        await shop.put("Fence", {**fence, "op": {"S": "another"}})
    assert 24 == len(await names_of(store))
    categories = await ask(store, "category.find_all")
    assert isinstance(categories, list)
    assert 8 not in [category.id for category in categories if isinstance(category, Category)]


async def test_load_goes_on_after_a_deadline_cut_it(shop: SweptShop) -> None:
    """A call with little time loses nothing of the Scan, and the next one needs not begin anew."""
    heavy = await shop.item_of(Ref(RowKind.PRODUCT, 1))
    for number in range(100, 160):
        key = {**KEYS.typed(KEYS.product(number)), "description": {"S": "x" * 60_000}}
        await shop.put("Products", {**heavy.attributes, **key})
    async with CountingClient(shop.client) as client:
        store = DynamoDBStore(client, keys=KEYS)
        cut = 0
        while True:
            try:
                deadline = Deadline.after(LITTLE_S * 1.2**cut)
                found = await store.read(OPERATIONS["product.get_products"], {"limit": 1000}, deadline)
            except (DeadlineExceeded, Unavailable):
                cut += 1
                assert cut < 50
            else:
                break
        assert isinstance(found, ProductPage)
        assert 85 == found.total
        assert cut
        assert 4 == client.actions["Scan"]


async def test_an_item_that_lacks_an_attribute_is_no_answer(shop: SweptShop) -> None:
    """It is a fault of the database, for which the wire has a code; lists pass it over."""
    store = DynamoDBStore(shop.client, keys=KEYS)
    product = await shop.item_of(Ref(RowKind.PRODUCT, 7))
    lacking = {name: value for name, value in product.attributes.items() if name != "price"}
    await shop.put("Products", lacking)
    with pytest.raises(Unreadable, match=r"product\.get_product_by_id met an item"):
        await ask(store, "product.get_product_by_id", {"product_id": 7})
    assert 24 == len(await names_of(store))


async def test_children_of_another_owner_are_no_ones(shop: SweptShop) -> None:
    """What a dead call left under a user's email is not the user's."""
    store = DynamoDBStore(shop.client, keys=KEYS)
    left: Mapping[str, dict[str, str]] = {"owner": {"S": "user#77"}}
    line = await shop.item_of(Ref(RowKind.CART, BUYER, 1))
    order = await shop.item_of(Ref(RowKind.ORDER, 1))
    await shop.put("Users", {**line.attributes, **left})
    await shop.put("Users", {**order.attributes, **left})
    assert 4 == await ask(store, "cart.get_cart_item_count", {"user_id": BUYER})
    assert await ask(store, "cart.get_cart_item_by_user_and_product", {"user_id": BUYER, "product_id": 1}) is None
    orders = await ask(store, "order.get_user_orders", {"user_id": BUYER})
    assert isinstance(orders, list)
    assert [4, 3, 2] == [each.id for each in orders]
    assert await ask(store, "order.get_order_by_id", {"order_id": 1}) is None


async def test_a_user_who_moved_is_looked_for_again(shop: SweptShop) -> None:
    """An email that is no longer the user's shows neither an empty cart nor another's; nowhere is no answer."""
    store = DynamoDBStore(shop.client, keys=KEYS)
    await shop.delete(KEYS.user("ben@shop.test"))
    for name in ("cart.get_cart_items", "order.get_user_orders"):
        with pytest.raises(Unavailable, match="user 3"):
            await ask(store, name, {"user_id": BUYER})
    await shop.delete(KEYS.user_by_id(BUYER))
    assert [] == await ask(store, "cart.get_cart_items", {"user_id": BUYER})
    assert await ask(store, "order.get_order_by_id", {"order_id": 1}) is None
    pending = await ask(store, "order.get_orders_by_status", {"status": "pending"})
    assert isinstance(pending, list)
    assert {5, 6, 7} == {order.id for order in pending}


async def test_orders_by_status_read_on_where_pointers_lead_nowhere(shop: SweptShop, source: MySQLStore) -> None:
    """Newest first over all parts, to the limit, past pointers to orders of another status."""
    created = datetime(2026, 3, 1, tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%S")
    rows = ", ".join(f"({BUYER}, 1.00, 'completed', '{created}')" for _ in range(60))
    await shop.mysql.execute(f"INSERT INTO orders (user_id, total_amount, status, created_at) VALUES {rows}")
    assert (await shop.backfill()).is_complete
    store = DynamoDBStore(shop.client, keys=KEYS)
    for limit in (1, 16, 50, 61, 100):
        arguments = {"status": "completed", "limit": limit}
        assert await ask(source, "order.get_orders_by_status", arguments) == await ask(
            store, "order.get_orders_by_status", arguments
        )
    newest = await ask(source, "order.get_orders_by_status", {"status": "completed", "limit": 1})
    assert isinstance(newest, list)
    order = await shop.item_of(Ref(RowKind.ORDER, newest[0].id))
    await shop.put("Users", {**order.attributes, "order_status": {"S": "pending"}})
    found = await ask(store, "order.get_orders_by_status", {"status": "completed", "limit": 5})
    assert isinstance(found, list)
    assert [newest[0].id - each for each in range(1, 6)] == [each.id for each in found]
