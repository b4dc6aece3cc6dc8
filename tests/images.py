"""Images of rows, made without a database. A test names only what matters to it."""

from datetime import UTC, datetime
from decimal import Decimal

from adapters.changes import CartImage, CategoryImage, OrderImage, ProductImage, UserImage
from adapters.records import CartItem, Category, Order, OrderItem, Product, User

CREATED = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
UPDATED = datetime(2026, 2, 1, 10, 20, 30, tzinfo=UTC)


def user_image(
    *,
    user_id: int = 42,
    username: str = "Ana",
    email: str = "Ana@Shop.test",
    first_name: str | None = "Ana",
    is_admin: bool = False,
    created_at: datetime | None = CREATED,
) -> UserImage:
    """A seller without last name."""
    return UserImage(User(user_id, username, email, "$2b$12$x", first_name, None, True, is_admin, created_at, UPDATED))  # noqa: FBT003  # fields of a row, in its order


def cart_image(*, product_id: int = 7, quantity: int = 2, price: str = "12.50", product_name: str = "Tea") -> CartImage:
    """A line of user 42's cart."""
    item = CartItem(3, 42, product_id, quantity, CREATED, UPDATED)
    return CartImage(item, "Ana@Shop.test", Decimal(price), product_name)


def order_image(
    *,
    order_id: int = 5,
    total_amount: str = "25.00",
    status: str = "pending",
    created_at: datetime | None = CREATED,
    lines: int = 2,
) -> OrderImage:
    """An order of user 42 with lines that differ in their ids alone."""
    order = Order(order_id, 42, Decimal(total_amount), status, created_at, UPDATED)
    items = tuple(OrderItem(number, order_id, 7, 1, Decimal("12.50")) for number in range(1, lines + 1))
    return OrderImage(order, "Ana@Shop.test", items)


def product_image(
    *,
    name: str = "Tea",
    description: str | None = "Green",
    price: str = "12.50",
    image_url: str | None = None,
    path: tuple[str, ...] = ("Drinks", "Tea"),
) -> ProductImage:
    """Product 7 of seller 42 in category 9, referred to by three order items."""
    product = Product(7, 42, 9, name, description, Decimal(price), 100, image_url, CREATED, UPDATED)
    return ProductImage(product, path, 3)


def category_image(*, path: tuple[str, ...] = ("Drinks", "Tea")) -> CategoryImage:
    """Category 9, below category 8 where its path has more than its own name; it has one child and four products."""
    category = Category(9, path[-1], 8 if len(path) > 1 else None, CREATED)
    return CategoryImage(category, path, 1, 4)
