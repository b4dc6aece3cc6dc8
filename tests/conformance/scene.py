"""A small shop with one of everything, a valid call of each operation in it, and a picture of all it holds."""

from dataclasses import dataclass
from decimal import Decimal

from tests.conformance.shop import Json, Record, Shop
from tests.factories import make_admin, make_category, make_item, make_line, make_order, make_product, make_user

Calls = dict[str, Record]


@dataclass(frozen=True, slots=True)
class Scene:
    """The records that calls refer to."""

    buyer: Record
    seller: Record
    category: Record
    product: Record
    order: Record


async def make_scene(shop: Shop) -> Scene:
    """A buyer, who is the super admin, with a cart line and an order of a product in a child category."""
    buyer, seller = await make_admin(shop), await make_user(shop)
    category = await make_category(shop, parent_id=(await make_category(shop))["id"])
    product = await make_product(shop, seller_id=seller["id"], category_id=category["id"])
    await make_line(shop, buyer, product)
    order = await make_order(shop, buyer)
    await make_item(shop, order, product)
    return Scene(buyer, seller, category, product, order)


def calls_in(scene: Scene) -> Calls:
    """Every operation with every argument that it takes, all of them valid."""
    parts = (_user_calls, _product_calls, _order_calls, _category_calls, _cart_calls)
    return {name: arguments for part in parts for name, arguments in part(scene).items()}


async def picture_of(shop: Shop, scene: Scene) -> Json:
    """All that the shop holds, as far as the scene reaches."""
    statuses = ("pending", "completed", "cancelled")
    return [
        await shop.call("user.find_by_id", id=scene.buyer["id"]),
        await shop.call("user.find_by_id", id=scene.seller["id"]),
        await shop.call("user.find_all_super_admins"),
        await shop.call("user.find_by_username", username="new"),
        await shop.call("user.find_by_email", email="new@shop.test"),
        await shop.call("category.find_all"),
        await shop.call("product.get_products"),
        await shop.call("cart.get_cart_items", user_id=scene.buyer["id"]),
        [await shop.call("order.get_orders_by_status", status=status) for status in statuses],
    ]


def _user_calls(scene: Scene) -> Calls:
    buyer = {"id": scene.buyer["id"]}
    names = {"first_name": "Ana", "last_name": "Núñez"}
    return {
        "user.find_by_id": buyer,
        "user.find_by_username": {"username": scene.buyer["username"]},
        "user.find_by_email": {"email": scene.buyer["email"]},
        "user.exists_by_username": {"username": scene.buyer["username"]},
        "user.exists_by_email": {"email": scene.buyer["email"]},
        "user.find_all_super_admins": {},
        "user.create": {"username": "new", "email": "new@shop.test", "password_hash": "hash", **names},
        "user.update": {**buyer, **names, "email": "new@shop.test"},
        "user.upgrade_to_seller": buyer,
        "user.promote_to_super_admin": {"id": scene.seller["id"]},
        "user.demote_from_super_admin": {"id": scene.seller["id"]},
        "user.delete": buyer,
    }


def _product_calls(scene: Scene) -> Calls:
    page = {"page": 1, "limit": 20}
    product, seller = {"product_id": scene.product["id"]}, {"seller_id": scene.seller["id"]}
    category = {"category_id": scene.category["id"]}
    prices = {"min_price": Decimal("0.5"), "max_price": Decimal("99.5")}
    filters = {**category, **seller, **prices, "search": "p", "in_stock_only": True}
    texts = {"name": "new", "description": "new", "image_url": "new"}
    fields = {**texts, **category, "price": Decimal("9.99"), "inventory_quantity": 5}
    return {
        "product.get_product_by_id": product,
        "product.get_product_with_details": product,
        "product.get_products": {"filters": filters, **page},
        "product.get_products_by_seller": {**seller, **page},
        "product.get_products_by_category": {**category, **page},
        "product.search_products": {"search_term": "p", **page},
        "product.has_inventory": {**product, "required_quantity": 1},
        "product.create_product": {**seller, **fields},
        "product.update_product": {**product, **seller, **fields},
        "product.delete_product": {**product, **seller},
        "product.update_inventory": {**product, "quantity": 7},
        "product.reduce_inventory": {**product, "quantity": 7},
    }


def _order_calls(scene: Scene) -> Calls:
    order, user = {"order_id": scene.order["id"]}, {"user_id": scene.buyer["id"]}
    item = {"product_id": scene.product["id"], "quantity": 2, "price_at_time": Decimal("9.99")}
    return {
        "order.get_order_by_id": order,
        "order.get_user_orders": {**user, "limit": 20, "offset": 0},
        "order.get_user_order_count": user,
        "order.get_orders_by_status": {"status": "pending", "limit": 50},
        "order.create_order": {**user, "total_amount": Decimal("9.99")},
        "order.create_order_item": {**order, **item},
        "order.update_order_status": {**order, "status": "cancelled"},
        "order.checkout": {**user, "expected_total": scene.product["price"]},
    }


def _category_calls(scene: Scene) -> Calls:
    own_id, parent_id = scene.category["id"], scene.category["parent_id"]
    return {
        "category.find_all": {},
        "category.find_by_parent_id": {"parent_id": parent_id},
        "category.find_root_categories": {},
        "category.find_child_categories": {"parent_id": parent_id},
        "category.find_by_id": {"id": own_id},
        "category.exists_by_name": {"name": scene.category["name"], "exclude_id": parent_id},
        "category.exists_by_id": {"id": own_id},
        "category.validate_parent_id": {"parent_id": parent_id},
        "category.would_create_cycle": {"category_id": parent_id, "new_parent_id": own_id},
        "category.get_category_path": {"category_id": own_id},
        "category.create": {"name": "new", "parent_id": own_id},
        "category.update": {"id": own_id, "name": "new", "parent_id": parent_id},
        "category.delete": {"id": own_id},
    }


def _cart_calls(scene: Scene) -> Calls:
    user = {"user_id": scene.buyer["id"]}
    line = {**user, "product_id": scene.product["id"]}
    return {
        "cart.get_cart_items": user,
        "cart.get_cart_item_count": user,
        "cart.get_cart_item_by_user_and_product": line,
        "cart.validate_cart_inventory": user,
        "cart.add_item": {**line, "quantity": 2},
        "cart.update_item_quantity": {**line, "quantity": 2},
        "cart.remove_item": line,
        "cart.clear_cart": user,
    }
