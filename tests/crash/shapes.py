"""One call of every write, each of which changes rows, and what must be there before it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tests.conformance.shop import Record, Shop
from tests.conformance.shops import is_full_proof
from tests.factories import (
    STOCK,
    make_admin,
    make_category,
    make_line,
    make_order,
    make_product,
    make_products,
    make_user,
)

ORDERS: Final = 150 if is_full_proof() else 30
"""Orders of a user whose email moves: more than one transaction takes, in the short form too."""

Preparation = Callable[[Shop], Awaitable[Record]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of write: the operation, and what makes the rows that it needs and gives its arguments."""

    operation: str
    prepare: Preparation
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.operation


async def create_user(shop: Shop) -> Record:
    """A user with a name that nobody has."""
    namesake = await make_user(shop)
    name = f"{namesake['username']}-again"
    return {"username": name, "email": f"{name}@shop.test", "password_hash": "hash", "last_name": "Núñez"}


async def update_user(shop: Shop) -> Record:
    """Another first name."""
    return {"id": (await make_user(shop))["id"], "first_name": "Ana"}


async def move_user(shop: Shop) -> Record:
    """Another email, of a user with a cart and many orders."""
    user, product = await make_user(shop), await make_product(shop)
    await make_line(shop, user, product)
    for _ in range(ORDERS):
        await make_order(shop, user)
    return {"id": user["id"], "email": f"moved-{user['email']}"}


async def upgrade(shop: Shop) -> Record:
    """A user who does not sell yet."""
    return {"id": (await make_user(shop))["id"]}


async def promote(shop: Shop) -> Record:
    """A user beside an admin."""
    return {"id": (await make_user(shop))["id"]}


async def demote(shop: Shop) -> Record:
    """One admin of two."""
    await make_admin(shop)
    return {"id": (await make_admin(shop))["id"]}


async def delete_user(shop: Shop) -> Record:
    """A seller with products in a cart of somebody else, a cart and orders of their own."""
    seller, buyer = await make_user(shop), await make_user(shop)
    own = await make_products(shop, 3, seller_id=seller["id"])
    other = await make_product(shop)
    for product in own:
        await make_line(shop, buyer, product)
    await make_line(shop, buyer, other)
    await make_line(shop, seller, other)
    await make_order(shop, seller, other)
    return {"id": seller["id"]}


async def create_product(shop: Shop) -> Record:
    """A product of a seller with another one."""
    product = await make_product(shop)
    return {
        **{name: product[name] for name in ("seller_id", "category_id")},
        "name": "Kettle",
        "price": Decimal("0.01"),
        "inventory_quantity": 1,
    }


async def update_product(shop: Shop) -> Record:
    """A product that gets another price and moves to another category."""
    product, category = await make_product(shop), await make_category(shop)
    given = {"price": Decimal("99999999.99"), "category_id": category["id"]}
    return {"product_id": product["id"], "seller_id": product["seller_id"], **given}


async def delete_product(shop: Shop) -> Record:
    """A product in somebody's cart."""
    product = await make_product(shop)
    await make_line(shop, await make_user(shop), product)
    return {"product_id": product["id"], "seller_id": product["seller_id"]}


async def stock(shop: Shop) -> Record:
    """A product that sells out, for both operations that say how many."""
    return {"product_id": (await make_product(shop))["id"], "quantity": STOCK}


async def set_stock(shop: Shop) -> Record:
    """A product that comes to have none."""
    return {"product_id": (await make_product(shop))["id"], "quantity": 0}


async def create_order(shop: Shop) -> Record:
    """A user with another order."""
    user = await make_user(shop)
    await make_order(shop, user)
    return {"user_id": user["id"], "total_amount": Decimal("7.25")}


async def create_order_item(shop: Shop) -> Record:
    """An order with another item."""
    product = await make_product(shop)
    order = await make_order(shop, await make_user(shop), product)
    return {"order_id": order["id"], "product_id": product["id"], "quantity": 2, "price_at_time": Decimal("1.00")}


async def update_order_status(shop: Shop) -> Record:
    """A pending order, with an item."""
    order = await make_order(shop, await make_user(shop), await make_product(shop))
    return {"order_id": order["id"], "status": "completed"}


async def checkout(shop: Shop) -> Record:
    """A cart of three products, one of which sells out."""
    user, products = await make_user(shop), await make_products(shop, 3)
    for product, quantity in zip(products, (1, 2, STOCK), strict=True):
        await make_line(shop, user, product, quantity=quantity)
    return {"user_id": user["id"]}


async def create_category(shop: Shop) -> Record:
    """A child."""
    parent = await make_category(shop)
    return {"name": f"{parent['name']} child", "parent_id": parent["id"]}


async def rename_category(shop: Shop) -> Record:
    """A category with a child and products below: paths and base items follow."""
    category = await make_category(shop)
    child = await make_category(shop, parent_id=category["id"])
    await make_products(shop, 2, category_id=child["id"])
    return {"id": category["id"], "name": f"{category['name']} renamed"}


async def delete_category(shop: Shop) -> Record:
    """An empty category below another one."""
    parent = await make_category(shop)
    return {"id": (await make_category(shop, parent_id=parent["id"]))["id"]}


async def line(shop: Shop) -> Record:
    """A line of a cart with two, by its user and product."""
    user, products = await make_user(shop), await make_products(shop, 2)
    for product in products:
        await make_line(shop, user, product)
    return {"user_id": user["id"], "product_id": products[0]["id"]}


async def longer_line(shop: Shop) -> Record:
    """Three more of what is in the cart."""
    return {**await line(shop), "quantity": 3}


async def cart(shop: Shop) -> Record:
    """A cart of two lines, by its user."""
    return {"user_id": (await line(shop))["user_id"]}


SHORT: Final = (
    Shape("user.create", create_user, "create"),
    Shape("product.update_product", update_product, "update"),
    Shape("user.update", move_user, "key change in chunks"),
    Shape("user.delete", delete_user, "cascading delete"),
    Shape("order.checkout", checkout, "checkout"),
    Shape("cart.add_item", longer_line, "cart write"),
)
OTHERS: Final = (
    Shape("user.update", update_user),
    Shape("user.upgrade_to_seller", upgrade),
    Shape("user.promote_to_super_admin", promote),
    Shape("user.demote_from_super_admin", demote),
    Shape("product.create_product", create_product),
    Shape("product.delete_product", delete_product),
    Shape("product.update_inventory", set_stock),
    Shape("product.reduce_inventory", stock),
    Shape("order.create_order", create_order),
    Shape("order.create_order_item", create_order_item),
    Shape("order.update_order_status", update_order_status),
    Shape("category.create", create_category),
    Shape("category.update", rename_category),
    Shape("category.delete", delete_category),
    Shape("cart.update_item_quantity", longer_line),
    Shape("cart.remove_item", line),
    Shape("cart.clear_cart", cart),
)
SHAPES: Final = SHORT + OTHERS if is_full_proof() else SHORT
EVERY: Final = SHORT + OTHERS
