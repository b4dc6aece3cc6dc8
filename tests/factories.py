"""Valid records, made through the shop itself. A test names only what matters to it; all else is unlike all others."""

from decimal import Decimal
from itertools import count

from tests.conformance.shop import Record, Shop

PRICE = Decimal("12.50")
STOCK = 100

_numbers = count(1)


async def make_user(shop: Shop, **given: object) -> Record:
    """A user."""
    number = next(_numbers)
    valid = {"username": f"user-{number}", "email": f"user-{number}@shop.test", "password_hash": f"$2b$12${number}"}
    user: Record = await shop.call("user.create", **{**valid, **given})
    return user


async def make_admin(shop: Shop, **given: object) -> Record:
    """A super admin."""
    user = await make_user(shop, **given)
    admin: Record = await shop.call("user.promote_to_super_admin", id=user["id"])
    return admin


async def make_category(shop: Shop, **given: object) -> Record:
    """A root category, unless a parent is given."""
    category: Record = await shop.call("category.create", **{"name": f"Category {next(_numbers)}", **given})
    return category


async def make_product(shop: Shop, **given: object) -> Record:
    """A product with a stock of 100 at 12.50, of a new seller in a new category unless they are given."""
    valid: Record = {"name": f"Product {next(_numbers)}", "price": PRICE, "inventory_quantity": STOCK}
    if "seller_id" not in given:
        valid["seller_id"] = (await make_user(shop))["id"]
    if "category_id" not in given:
        valid["category_id"] = (await make_category(shop))["id"]
    product: Record = await shop.call("product.create_product", **{**valid, **given})
    return product


async def make_products(shop: Shop, number: int, **given: object) -> list[Record]:
    """Several products of one new seller in one new category, unless they are given; oldest first."""
    shared: Record = {"seller_id": (await make_user(shop))["id"]} if "seller_id" not in given else {}
    if "category_id" not in given:
        shared["category_id"] = (await make_category(shop))["id"]
    return [await make_product(shop, **{**shared, **given}) for _ in range(number)]


async def make_line(shop: Shop, user: Record, product: Record, quantity: int = 1) -> Record:
    """A line in a user's cart."""
    line: Record = await shop.call("cart.add_item", user_id=user["id"], product_id=product["id"], quantity=quantity)
    return line


async def make_order(shop: Shop, user: Record, *products: Record) -> Record:
    """A pending order of one piece of each product, made step by step; the products' stock stays."""
    total = sum((product["price"] for product in products), Decimal("0.00"))
    order: Record = await shop.call("order.create_order", user_id=user["id"], total_amount=total)
    for product in products:
        await make_item(shop, order, product)
    return order


async def make_item(shop: Shop, order: Record, product: Record, **given: object) -> Record:
    """An item of an order: one piece at the product's price."""
    valid = {"quantity": 1, "price_at_time": product["price"]}
    item: Record = await shop.call(
        "order.create_order_item", order_id=order["id"], product_id=product["id"], **{**valid, **given}
    )
    return item
