"""Rows as records: lists of columns, and for each the function that takes a row of just these columns, in order.

Rows are positional. Times come naive, in UTC, for every session is; booleans come as integers, any but 0 being true.
The fragments name the tables p (products), g (its category), s (its seller), k (cart lines), o (orders), i (its items).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from string import Template

from adapters.mysql.connection import Row
from adapters.records import (
    CartItem,
    CartItemDetails,
    Category,
    Order,
    OrderDetails,
    OrderItem,
    OrderItemDetails,
    Product,
    ProductDetails,
    User,
)

_PRODUCT = (
    "p.id, p.seller_id, p.category_id, p.name, p.description, p.price, p.inventory_quantity, p.image_url, "
    "p.created_at, p.updated_at"
)
_PRODUCT_DETAILS = f"{_PRODUCT}, g.name, s.username, s.email"
_JOIN_DETAILS = "JOIN categories g ON g.id = p.category_id JOIN users s ON s.id = p.seller_id"
FRAGMENTS = {
    "USER": "id, username, email, password_hash, first_name, last_name, is_seller, super_admin, created_at, updated_at",
    "CATEGORY": "id, name, parent_id, created_at",
    "CART_ITEM": "k.id, k.user_id, k.product_id, k.quantity, k.created_at, k.updated_at",
    "PRODUCT": _PRODUCT,
    "PRODUCT_DETAILS": _PRODUCT_DETAILS,
    "JOIN_DETAILS": _JOIN_DETAILS,
    "ORDER_WITH_ITEM": "o.id, o.user_id, o.total_amount, o.status, o.created_at, o.updated_at, "
    f"i.id, i.order_id, i.product_id, i.quantity, i.price_at_time, {_PRODUCT_DETAILS}",
    "JOIN_ITEMS": f"LEFT JOIN (order_items i JOIN products p ON p.id = i.product_id {_JOIN_DETAILS})"
    " ON i.order_id = o.id",
}
"""What statements share: `$NAME` in the text given to `sql`."""

PENDING = "pending"


def sql(text: str, **fragments: str) -> str:
    """The statement with its fragments in place, further ones included. Values never come this way."""
    return Template(text).substitute(FRAGMENTS, **fragments)


def time_of(value: object) -> datetime | None:
    """A time of the driver, aware; None for NULL and for the zero dates of lax servers."""
    # What `replace` does, in an eighth of its time; there are two in each record.
    return datetime.combine(value, value.time(), UTC) if isinstance(value, datetime) else None


def user_of(row: Row) -> User:
    """USER."""
    return User(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        is_seller=bool(row[6]),
        super_admin=bool(row[7]),
        created_at=time_of(row[8]),
        updated_at=time_of(row[9]),
    )


def category_of(row: Row) -> Category:
    """CATEGORY."""
    return Category(row[0], row[1], row[2], time_of(row[3]))


def product_of(row: Row) -> Product:
    """PRODUCT."""
    return Product(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], time_of(row[8]), time_of(row[9]))


def product_details_of(row: Row) -> ProductDetails:
    """PRODUCT_DETAILS."""
    return ProductDetails(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        row[7],
        time_of(row[8]),
        time_of(row[9]),
        category_name=row[10],
        seller_username=row[11],
        seller_email=row[12],
    )


def cart_item_of(row: Row) -> CartItem:
    """CART_ITEM."""
    return CartItem(row[0], row[1], row[2], row[3], time_of(row[4]), time_of(row[5]))


def cart_item_details_of(row: Row) -> CartItemDetails:
    """CART_ITEM, PRODUCT_DETAILS."""
    return CartItemDetails(
        row[0], row[1], row[2], row[3], time_of(row[4]), time_of(row[5]), product_details_of(row[6:])
    )


def order_of(row: Row) -> Order:
    """The columns of an order; a NULL status is pending."""
    return Order(row[0], row[1], row[2], PENDING if row[3] is None else row[3], time_of(row[4]), time_of(row[5]))


def order_item_of(row: Row) -> OrderItem:
    """The columns of an order item."""
    return OrderItem(row[0], row[1], row[2], row[3], row[4])


def orders_of(rows: Iterable[Row]) -> list[OrderDetails]:
    """ORDER_WITH_ITEM, rows of one order together; an order without items is one row of NULLs in their place."""
    orders: list[OrderDetails] = []
    for row in rows:
        if not orders or orders[-1].id != row[0]:
            status = PENDING if row[3] is None else row[3]
            orders.append(OrderDetails(row[0], row[1], row[2], status, time_of(row[4]), time_of(row[5]), items=[]))
        if row[6] is not None:
            item = OrderItemDetails(row[6], row[7], row[8], row[9], row[10], product_details_of(row[11:]))
            orders[-1].items.append(item)
    return orders
