"""What an answer shows: which rows, and which aggregates, a write of which may explain a difference. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from adapters.changes import (
    ADMINS,
    LISTING,
    TREE,
    Aggregate,
    Ref,
    RowKind,
    product_aggregate,
    user_aggregate,
)
from adapters.operations import Operation
from adapters.ports.store import Arguments
from adapters.records import (
    CartItem,
    CartItemDetails,
    Category,
    Order,
    OrderDetails,
    Product,
    ProductDetails,
    ProductPage,
    User,
)

COMPANIONS: Final[Mapping[str, str]] = {
    "user.exists_by_username": "user.find_by_username",
    "user.exists_by_email": "user.find_by_email",
    "cart.get_cart_item_count": "cart.get_cart_items",
    "cart.validate_cart_inventory": "cart.get_cart_items",
}
"""For reads that answer by a number or a word: the read of the same arguments that shows what they speak of."""

Row = tuple[Ref, object]


def shown_by(operation: Operation, arguments: Arguments, *answers: object) -> frozenset[Aggregate]:
    """The aggregates that the call's arguments name and that its answers show, those of what they are made of too."""
    shown = {_aggregate(ref, record) for answer in answers for ref, record in rows_in(answer)}
    return frozenset(each for each in {*_named(operation, arguments), *shown} if each is not None and each.id > 0)


def rows_in(answer: object) -> Iterator[Row]:
    """The rows that an answer shows, each with what it shows of the row; a row may come several times."""
    if isinstance(answer, list):
        yield from (row for member in answer for row in rows_in(member))
    elif type(answer) in _ROWS:
        yield from _ROWS[type(answer)](answer)


def _aggregate(ref: Ref, record: object) -> Aggregate | None:
    """The aggregate that owns a row; an order is shown as a record first, which says whose it is."""
    if ref.kind is RowKind.ORDER:
        return user_aggregate(record.user_id) if isinstance(record, Order) else None
    return ref.owner


def _named(operation: Operation, arguments: Arguments) -> Iterator[Aggregate]:
    if operation.entity == "category":
        yield TREE
    if operation.entity == "product" and "product_id" not in arguments:
        yield from (TREE, LISTING)
    if operation.name == "find_all_super_admins":
        yield ADMINS
    for name, aggregate in (("user_id", user_aggregate), ("product_id", product_aggregate)):
        if isinstance(record_id := arguments.get(name), int):
            yield aggregate(record_id)
    if operation.entity == "user" and isinstance(user_id := arguments.get("id"), int):
        yield user_aggregate(user_id)


def _details(details: ProductDetails) -> Iterator[Row]:
    product = Product(
        id=details.id,
        seller_id=details.seller_id,
        category_id=details.category_id,
        name=details.name,
        description=details.description,
        price=details.price,
        inventory_quantity=details.inventory_quantity,
        image_url=details.image_url,
        created_at=details.created_at,
        updated_at=details.updated_at,
    )
    yield from rows_in(product)
    yield Ref(RowKind.USER, details.seller_id), (details.seller_username, details.seller_email)
    yield Ref(RowKind.CATEGORY, details.category_id), details.category_name


def _line(line: CartItemDetails) -> Iterator[Row]:
    yield from rows_in(
        CartItem(line.id, line.user_id, line.product_id, line.quantity, line.created_at, line.updated_at)
    )
    yield from rows_in(line.product)


def _order(order: OrderDetails) -> Iterator[Row]:
    ref = Ref(RowKind.ORDER, order.id)
    yield ref, Order(order.id, order.user_id, order.total_amount, order.status, order.created_at, order.updated_at)
    for item in order.items:
        yield ref, (item.id, item.product_id, item.quantity, item.price_at_time)
        yield from rows_in(item.product)


def _itself(name_of: Callable[[Any], Ref]) -> Callable[[Any], Iterator[Row]]:
    return lambda record: iter([(name_of(record), record)])


_ROWS: Final[Mapping[type, Callable[[Any], Iterator[Row]]]] = {
    User: _itself(lambda user: Ref(RowKind.USER, user.id)),
    Category: _itself(lambda category: Ref(RowKind.CATEGORY, category.id)),
    Product: _itself(lambda product: Ref(RowKind.PRODUCT, product.id)),
    CartItem: _itself(lambda line: Ref(RowKind.CART, line.user_id, line.product_id)),
    ProductDetails: _details,
    ProductPage: lambda page: rows_in(page.products),
    CartItemDetails: _line,
    OrderDetails: _order,
}
"""By what an operation answers with, and what such answers are made of."""
