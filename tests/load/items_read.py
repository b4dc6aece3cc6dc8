"""Ratio 15: how many items DynamoDB reads for each row that an answer shows, counted at the client.

A shop of the usual shape: categories in two levels, buyers with orders of three lines each and a cart. An answer shows
the rows that MySQL makes it of, a product's category and seller included; what is read includes the fences, which show
nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.deadline import Deadline
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.store import DynamoDBStore
from adapters.operations import catalogue
from tests.fleet.estate import Estate, estate
from tests.load.report import Bar, Ratio
from tests.load.running import run
from tests.load.setting import Setting
from tests.load.stock import told_to_both
from tests.requests_counted import LIMIT_S, CountingClient, rows_shown

AT_MOST: Final = Bar(must=2, stretch=1.2, is_least=False)
PRODUCTS: Final = 400
PLANT: Final = """
INSERT INTO users (id, username, email, password_hash, is_seller)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 20)
 SELECT i, CONCAT('user-', i), CONCAT('user-', i, '@shop.test'), REPEAT('h', 60), TRUE FROM n;
INSERT INTO categories (id, name, parent_id)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 40)
 SELECT i, CONCAT('Category ', i), IF(i <= 10, NULL, 1 + i MOD 10) FROM n;
INSERT INTO products (id, seller_id, category_id, name, description, price, inventory_quantity)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %s)
 SELECT i, 1 + i MOD 20, 1 + i MOD 40, CONCAT('Kettle ', i), 'Boils a litre in three minutes.', i, 10 FROM n;
INSERT INTO orders (id, user_id, total_amount)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 100)
 SELECT i, 1 + i MOD 2, 3 FROM n;
INSERT INTO order_items (order_id, product_id, quantity, price_at_time)
 SELECT o.id, 1 + (o.id * 7 + line.n * 131) MOD 400, 1, 1
 FROM orders o JOIN (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2) line;
INSERT INTO shopping_carts (user_id, product_id, quantity)
 SELECT 1, id, 20 FROM products WHERE id <= 5"""
CALLS: Final[Mapping[str, Mapping[str, object]]] = {
    "product.get_products": {},
    "product.search_products": {"search_term": "kettle 1"},
    "user.find_by_username": {"username": "user-1"},
    "user.find_by_id": {"id": 1},
    "product.get_product_with_details": {"product_id": 1},
    "product.get_products_by_category": {"category_id": 1},
    "order.get_user_orders": {"user_id": 1},
    "order.get_order_by_id": {"order_id": 1},
    "cart.get_cart_items": {"user_id": 1},
    "cart.validate_cart_inventory": {"user_id": 1},
    "category.find_all": {},
    "category.find_root_categories": {},
    "category.find_child_categories": {"parent_id": 1},
    "category.get_category_path": {"category_id": 11},
    "category.find_by_id": {"id": 11},
}
"""The reads that the shop makes more than once a second."""
SEARCH: Final = "product.search_products"
"""It has no bar: what it shows may be nothing at all."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call costs, and how many rows it shows for that."""

    requests: int
    items: int
    shown: int

    @property
    def ratio(self) -> float:
        """Items read for each row shown."""
        return self.items / self.shown

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.items} items for {self.shown} rows in {self.requests} requests"


def items_read(setting: Setting) -> list[Ratio]:
    """Count, and judge the dearest."""
    with estate(setting.mysql, setting.dynamodb, phase=2) as shop:
        costs = run(count_items(shop))
    dearest = max((name for name in costs if name != SEARCH), key=lambda name: costs[name].ratio)
    return [
        Ratio(
            number=15,
            name=f"items read for each row shown, at most, by {dearest}",
            value=costs[dearest].ratio,
            bar=AT_MOST,
            ours=costs[dearest].text,
            theirs="-",
            notes=tuple(f"{name}: {cost.text}" for name, cost in costs.items()),
            raw={name: cost.text for name, cost in costs.items()},
        )
    ]


async def count_items(shop: Estate) -> dict[str, Cost]:
    """What each read costs a worker that is warm."""
    await shop.rows(PLANT, (PRODUCTS,))
    await told_to_both(shop)
    operations = catalogue()
    costs = {}
    async with CountingClient(shop.client()) as client:
        store = DynamoDBStore(client, keys=Keys(load_contract()))
        await store.warm(Deadline.after(LIMIT_S))
        for name, given in CALLS.items():
            client.begin()
            await store.read(operations[name], given, Deadline.after(LIMIT_S))
            requests, items = client.actions.total(), client.items
            costs[name] = Cost(requests, items, await rows_shown(store, operations, operations[name], given))
    return costs
