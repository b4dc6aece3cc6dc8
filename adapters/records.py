"""The records of the wire: what operations return, whichever database answered.

Times are aware, in UTC, to the second, and None where an old row holds NULL; money is an exact decimal of two places.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from adapters.values import OrderStatus


@dataclass(frozen=True, slots=True)
class User:
    """A row of users; NULL booleans read as false."""

    id: int
    username: str
    email: str
    password_hash: str
    first_name: str | None
    last_name: str | None
    is_seller: bool
    super_admin: bool
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Product:
    """A row of products."""

    id: int
    seller_id: int
    category_id: int
    name: str
    description: str | None
    price: Decimal
    inventory_quantity: int
    image_url: str | None
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProductDetails:
    """A product with its category's own name and its seller's username and email, all live."""

    id: int
    seller_id: int
    category_id: int
    name: str
    description: str | None
    price: Decimal
    inventory_quantity: int
    image_url: str | None
    created_at: datetime | None
    updated_at: datetime | None
    category_name: str
    seller_username: str
    seller_email: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One page of products; beyond the end `products` is empty and `total` still true."""

    products: list[ProductDetails]
    total: int
    page: int
    limit: int
    total_pages: int


@dataclass(frozen=True, slots=True)
class Category:
    """A row of categories; `parent_id` None is a root."""

    id: int
    name: str
    parent_id: int | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class CartItem:
    """A line of a cart."""

    id: int
    user_id: int
    product_id: int
    quantity: int
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class CartItemDetails:
    """A line of a cart with its product as it is now."""

    id: int
    user_id: int
    product_id: int
    quantity: int
    created_at: datetime | None
    updated_at: datetime | None
    product: ProductDetails


@dataclass(frozen=True, slots=True)
class CartValidation:
    """Whether a cart can be checked out; `issues` in cart order, true and empty for an empty cart."""

    valid: bool
    issues: list[str]


@dataclass(frozen=True, slots=True)
class Order:
    """A row of orders; a NULL status reads `pending`."""

    id: int
    user_id: int
    total_amount: Decimal
    status: OrderStatus
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderItem:
    """A row of order_items."""

    id: int
    order_id: int
    product_id: int
    quantity: int
    price_at_time: Decimal


@dataclass(frozen=True, slots=True)
class OrderItemDetails:
    """An order item with its product as it is now."""

    id: int
    order_id: int
    product_id: int
    quantity: int
    price_at_time: Decimal
    product: ProductDetails


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """An order with its items by id."""

    id: int
    user_id: int
    total_amount: Decimal
    status: OrderStatus
    created_at: datetime | None
    updated_at: datetime | None
    items: list[OrderItemDetails]
