"""Differences of every kind, made in DynamoDB beside the proxy, and all reads that may show one.

items of a shop ──▶ one missing, one for each attribute changed, stale copies under old keys ──▶ Planted
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.contract import Contract
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.typed_json import Attributes
from tests.conformance.scene import make_scene
from tests.conformance.shop import Record, Shop
from tests.factories import make_category, make_line, make_order, make_product
from tests.workers import WorkerShop

OTHER_TIME: Final = "2020-01-31T09:15:00Z"
OLD: Final = "old-"
COUNTS: Final = frozenset({"orders", "n"})
"""What fences count; all else in them is the protocol's."""
NOT_COMPARED: Final = {"CART": {"price", "product_name"}}
"""A line's copies of its product are as of its own last write."""
PROXY_OWN: Final = ("LOG", "CONTROL", "NEXTID")

Read = tuple[str, Record]


@dataclass(frozen=True, slots=True)
class Planted:
    """An item as it was and as it is made to be, None where there is none."""

    name: str
    key: Key
    before: Attributes | None
    after: Attributes | None


async def make_usual_shop(shop: Shop) -> None:
    """Users with carts and orders of several products in a small tree, and a second super admin."""
    scene = await make_scene(shop)
    root = await make_category(shop)
    products = [
        await make_product(shop, seller_id=scene.seller["id"], category_id=root["id"], description="Tea, green")
        for _ in range(3)
    ]
    for product in products:
        await make_line(shop, scene.buyer, product, quantity=2)
    await make_line(shop, scene.seller, scene.product)
    await shop.call("order.checkout", user_id=scene.seller["id"])
    await make_order(shop, scene.buyer, *products)
    await shop.call("user.promote_to_super_admin", id=scene.seller["id"])


async def items_of(client: DynamoDBClient, contract: Contract, keys: Keys) -> Mapping[Key, Attributes]:
    """All items that stand for rows, and the fences' counts."""
    found = {}
    for table in contract.tables:
        async for page in client.pages("Scan", {"TableName": client.table_name(table), "ConsistentRead": True}):
            for item in page:
                found[Key(table, *(str(item[name]["S"]) for name in keys.names(table)))] = item
    return {key: item for key, item in sorted(found.items(), key=str) if not key.partition.startswith(PROXY_OWN)}


def differences_in(items: Mapping[Key, Attributes], keys: Keys) -> Iterator[Planted]:
    """Every item missing, every attribute of every item changed, every marker and pointer stale."""
    for key, item in items.items():
        is_fence = key.table == "Fence"
        if not is_fence:
            yield Planted(f"{_kind(key)} missing", key, item, None)
            yield from _stale(key, item)
        compared = COUNTS if is_fence else item.keys() - {*keys.names(key.table)} - NOT_COMPARED.get(_kind(key), set())
        for name in sorted(compared & item.keys()):
            for path, value in _changed(name, item[name]):
                yield Planted(f"{_kind(key)} {path}", key, item, {**item, name: value})


def _kind(key: Key) -> str:
    """The kind of an item, as its key tells it: CART, uid, Products."""
    by_partition = key.partition.partition("#")[0] if key.table == "Support" else key.table
    return key.sort.partition("#")[0] or by_partition if key.table == "Users" else by_partition


def _stale(key: Key, item: Attributes) -> Iterator[Planted]:
    """Copies as an earlier name, email or status would have left them."""
    moved: dict[str, Any] = {}
    if key.partition.startswith("uname#"):
        moved = {"username": f"{OLD}{item['username']['S']}"}
        place = Key(key.table, f"uname#{moved['username']}", key.sort)
    elif key.table == "Users" and key.sort == "#META":
        moved = {"email": f"{OLD}{item['email']['S']}"}
        place = Key(key.table, moved["email"], key.sort)
    elif key.partition.startswith("status#pending"):
        place = Key(key.table, key.partition.replace("pending", "cancelled"), key.sort)
    else:
        return
    yield Planted(f"{_kind(key)} stale", place, None, {**item, **{name: {"S": text} for name, text in moved.items()}})


def _changed(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # an attribute
    ((kind, content),) = value.items()
    match kind:
        case "S":
            yield name, {"S": OTHER_TIME if name.endswith("_at") else f"{content}1"}
        case "N":
            yield name, {"N": str(Decimal(content) + 1)}
        case "BOOL":
            yield name, {"BOOL": not content}
        case "L":
            yield name, {"L": content[1:]}
        case "M":
            for member, inner in content.items():
                for path, new in _changed(member, inner):
                    yield f"{name}.{path}", {"M": {**content, member: new}}
        case _:
            raise AssertionError(value)


async def reads_of(shop: WorkerShop) -> Sequence[Read]:
    """Every read of every record, and of the names that stale copies have."""
    users = await shop.rows("SELECT id, username, email FROM users")
    products = [row[0] for row in await shop.rows("SELECT id FROM products")]
    orders = [row[0] for row in await shop.rows("SELECT id FROM orders")]
    categories = await shop.rows("SELECT id, name, parent_id FROM categories")
    names = [(f"{start}{name}", f"{start}{email}") for _, name, email in users for start in ("", OLD)]
    found: list[Read] = [("user.find_all_super_admins", {}), ("category.find_all", {})]
    found += [("category.find_root_categories", {}), ("product.get_products", {"limit": 100})]
    found += [("product.search_products", {"search_term": "green"})]
    found += [(f"user.{by}", {"username": name}) for name, _ in names for by in ("find_by_username",)]
    found += [("user.find_by_email", {"email": email}) for _, email in names]
    for user_id, *_ in users:
        found += [("user.find_by_id", {"id": user_id})]
        found += [
            (name, {"user_id": user_id})
            for name in ("cart.get_cart_items", "order.get_user_orders", "order.get_user_order_count")
        ]
        found += [("product.get_products_by_seller", {"seller_id": user_id})]
    for product_id in products:
        found += [(f"product.{name}", {"product_id": product_id}) for name in PRODUCT_READS]
    found += [("order.get_order_by_id", {"order_id": order_id}) for order_id in orders]
    found += [("order.get_orders_by_status", {"status": each}) for each in ("pending", "completed", "cancelled")]
    for category_id, name, parent_id in categories:
        found += [("category.find_by_id", {"id": category_id}), ("category.exists_by_name", {"name": name})]
        found += [("category.get_category_path", {"category_id": category_id})]
        found += [("category.find_by_parent_id", {"parent_id": parent_id})]
    return found


PRODUCT_READS: Final = ("get_product_by_id", "get_product_with_details")
