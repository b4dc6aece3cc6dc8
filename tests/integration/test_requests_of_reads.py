"""What each read asks of DynamoDB once a worker is warm, on a shop of the usual shape: requests, and items read."""

from collections.abc import Mapping
from typing import Final

import pytest

from adapters.deadline import Deadline
from adapters.dynamodb.store import DynamoDBStore
from adapters.operations import catalogue
from adapters.ports.store import Arguments
from adapters.values import ProductFilters
from tests.fleet.fixtures import Figures, figures
from tests.requests_counted import LIMIT_S, CountingClient, rows_shown
from tests.sweeping import KEYS, SweptShop

__all__ = ["figures"]

OPERATIONS: Final = catalogue()
BUYER: Final = 3
PAGE: Final = {"page": 1, "limit": 20}
PLANT: Final = """
INSERT INTO users (id, username, email, password_hash, super_admin) WITH RECURSIVE n AS
 (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 10)
 SELECT i, CONCAT('user-', i), CONCAT('user-', i, '@shop.test'), 'h', i < 3 FROM n;
INSERT INTO categories (id, name, parent_id) WITH RECURSIVE n AS
 (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 30)
 SELECT i, CONCAT('category-', i), IF(i > 10, i - 10, NULL) FROM n;
INSERT INTO products (id, seller_id, category_id, name, description, price, inventory_quantity) WITH RECURSIVE n AS
 (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 200)
 SELECT i, 1 + i % 2, 1 + i % 30, CONCAT('product ', i), REPEAT('d', 900), 9.99, 100 FROM n;
INSERT INTO shopping_carts (user_id, product_id, quantity) VALUES (3, 5, 1), (3, 6, 1), (3, 7, 1);
INSERT INTO orders (id, user_id, total_amount, status, created_at) WITH RECURSIVE n AS
 (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 50)
 SELECT i, 3, 29.97, IF(i % 5, 'completed', 'pending'), '2026-01-31 09:15:00' + INTERVAL i MINUTE FROM n;
INSERT INTO order_items (order_id, product_id, quantity, price_at_time) WITH RECURSIVE n AS
 (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 149)
 SELECT 1 + i DIV 3, 1 + i, 1, 9.99 FROM n
"""
"""Two sellers of 200 products in 30 categories; a user with a cart of three lines and 50 orders of three."""

COSTS: Final[Mapping[str, tuple[Arguments, int, int]]] = {
    "user.find_by_id": ({"id": BUYER}, 1, 1),
    "user.find_by_username": ({"username": "user-3"}, 1, 1),
    "user.find_by_email": ({"email": "user-3@shop.test"}, 1, 1),
    "user.exists_by_username": ({"username": "user-3"}, 1, 1),
    "user.exists_by_email": ({"email": "user-3@shop.test"}, 1, 1),
    "user.find_all_super_admins": ({}, 1, 2),
    "product.get_product_by_id": ({"product_id": 5}, 1, 1),
    "product.get_product_with_details": ({"product_id": 5}, 1, 3),
    "product.get_products": ({"filters": ProductFilters(in_stock_only=True), **PAGE}, 1, 22),
    "product.get_products_by_seller": ({"seller_id": 1, **PAGE}, 1, 22),
    "product.get_products_by_category": ({"category_id": 5, **PAGE}, 1, 16),
    "product.search_products": ({"search_term": "product", **PAGE}, 1, 22),
    "product.has_inventory": ({"product_id": 5, "required_quantity": 1}, 1, 1),
    "order.get_order_by_id": ({"order_id": 7}, 3, 8),
    "order.get_user_orders": ({"user_id": BUYER, "limit": 20, "offset": 0}, 3, 84),
    "order.get_user_order_count": ({"user_id": BUYER}, 1, 1),
    "order.get_orders_by_status": ({"status": "pending", "limit": 10}, 18, 53),
    "category.find_all": ({}, 1, 1),
    "category.find_by_parent_id": ({"parent_id": 5}, 1, 1),
    "category.find_root_categories": ({}, 1, 1),
    "category.find_child_categories": ({"parent_id": 5}, 1, 1),
    "category.find_by_id": ({"id": 5}, 1, 1),
    "category.exists_by_name": ({"name": "category-5"}, 1, 1),
    "category.exists_by_id": ({"id": 5}, 1, 1),
    "category.validate_parent_id": ({"parent_id": 5}, 1, 1),
    "category.would_create_cycle": ({"category_id": 5, "new_parent_id": 25}, 1, 1),
    "category.get_category_path": ({"category_id": 25}, 1, 1),
    "cart.get_cart_items": ({"user_id": BUYER}, 3, 10),
    "cart.get_cart_item_count": ({"user_id": BUYER}, 3, 8),
    "cart.get_cart_item_by_user_and_product": ({"user_id": BUYER, "product_id": 5}, 2, 4),
    "cart.validate_cart_inventory": ({"user_id": BUYER}, 3, 8),
}
"""Every read with its arguments, the requests that it takes and the items that they read."""

BUSY: Final = (
    "product.get_products",
    "product.search_products",
    "product.get_products_by_category",
    "product.get_product_with_details",
    "user.find_by_username",
    "user.find_by_id",
    "order.get_user_orders",
    "order.get_order_by_id",
    "cart.get_cart_items",
    "cart.validate_cart_inventory",
    "category.find_all",
    "category.find_root_categories",
    "category.find_child_categories",
    "category.get_category_path",
    "category.find_by_id",
)
"""The reads that a shop makes more than once a second."""
READ_PER_ROW_MAX: Final = 2.0


@pytest.fixture
async def usual_shop(swept_shop: SweptShop) -> SweptShop:
    """In both databases."""
    await swept_shop.empty()
    await swept_shop.mysql.batch(PLANT.strip().replace("%", "%%"))
    assert (await swept_shop.backfill()).is_complete
    return swept_shop


async def test_warm_reads_ask_for_what_they_show(usual_shop: SweptShop, figures: Figures) -> None:
    """No read asks for more than it always did, none scans, and busy ones read at most two items for each shown."""
    assert {name for name, operation in OPERATIONS.items() if not operation.is_write} == COSTS.keys()
    found, shown = {}, {}
    async with CountingClient(usual_shop.client) as client:
        store = DynamoDBStore(client, keys=KEYS)
        await store.warm(Deadline.after(LIMIT_S))
        for name, (arguments, *_) in COSTS.items():
            client.begin()
            await store.read(OPERATIONS[name], arguments, Deadline.after(LIMIT_S))
            assert not client.actions["Scan"] + client.actions["TransactGetItems"], name
            found[name] = (arguments, client.actions.total(), client.items)
            shown[name] = await rows_shown(store, OPERATIONS, OPERATIONS[name], arguments)
    for name, (_, requests, items) in found.items():
        ratio = f"for {shown[name]:3} rows shown, {items / shown[name]:.2f} each" if shown[name] else ""
        figures(f"{name:45} {requests:3} requests {items:4} items {ratio}")
    assert COSTS == found
    assert [] == [name for name in BUSY if found[name][2] > READ_PER_ROW_MAX * shown[name]]
