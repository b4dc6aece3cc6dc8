"""Rows that an older program left: what the columns allow, whether or not an operation could have written it."""

from typing import Any

from adapters.records import CartItem, Category, Order, OrderItem, Product, User
from tests.reference.rows import Rows


def plant(rows: Rows, table: str, /, **columns: object) -> int:
    """Put a row into a table, its other columns as the schema's defaults; its id."""
    new_id = rows.new_id(table)
    row: dict[str, Any] = {"id": new_id, "created_at": rows.clock(), "updated_at": rows.clock(), **columns}
    match table:
        case "users":
            names = {"first_name": None, "last_name": None}
            flags = {flag: bool(row.get(flag, False)) for flag in ("is_seller", "super_admin")}
            rows.users[new_id] = User(**{**names, **row, **flags})
        case "categories":
            del row["updated_at"]
            rows.categories[new_id] = Category(**{"parent_id": None, **row})
        case "products":
            defaults = {"description": None, "inventory_quantity": 0, "image_url": None}
            rows.products[new_id] = Product(**{**defaults, **row})
        case "shopping_carts":
            rows.cart_items[new_id] = CartItem(**{"quantity": 1, **row})
        case "orders":
            rows.orders[new_id] = Order(**{**row, "status": row.get("status") or "pending"})
        case "order_items":
            del row["created_at"], row["updated_at"]
            rows.order_items[new_id] = OrderItem(**row)
        case _:
            raise ValueError(table)
    return new_id
