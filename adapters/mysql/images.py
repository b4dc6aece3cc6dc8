"""Reading images: the rows of any refs, each kind with its own statements, all in one round trip.

    refs -> statements (one to three a kind) -> result sets -> {ref: image}

The same code serves dual writes, the repairer, backfill and verify. Reads are plain: the version rows that the caller
holds keep the rows still. What an image takes from other aggregates (a cart line's price, the path of a product that
does not move) may be older; no answer uses it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapters.changes import (
    CartImage,
    CategoryImage,
    Image,
    OrderImage,
    ProductImage,
    Ref,
    RowKind,
    UserImage,
)
from adapters.mysql.connection import ResultSet, Row
from adapters.mysql.rows import cart_item_of, category_of, order_item_of, order_of, product_of, sql, user_of
from adapters.mysql.statements import Statement, for_created
from adapters.records import OrderItem

USERS = sql("SELECT $USER FROM users WHERE id IN %s")
CARTS = sql("""SELECT $CART_ITEM, u.email, p.price, p.name
 FROM shopping_carts k JOIN users u ON u.id = k.user_id JOIN products p ON p.id = k.product_id
 WHERE (k.user_id, k.product_id) IN %s""")
ORDERS = """SELECT o.id, o.user_id, o.total_amount, o.status, o.created_at, o.updated_at, u.email
 FROM orders o JOIN users u ON u.id = o.user_id WHERE o.id IN %s"""
ORDER_ITEMS = """SELECT id, order_id, product_id, quantity, price_at_time
 FROM order_items WHERE order_id IN %s ORDER BY id"""
PRODUCTS = sql("""SELECT $PRODUCT, COALESCE(v.n, (SELECT COUNT(*) FROM order_items i WHERE i.product_id = p.id))
 FROM products p LEFT JOIN crossfade_version v ON v.kind = 3 AND v.id = p.id WHERE p.id IN %s""")
PRODUCT_ANCESTORS = """WITH RECURSIVE up AS (
 SELECT c.id, c.name, c.parent_id FROM products p JOIN categories c ON c.id = p.category_id WHERE p.id IN %s
 UNION SELECT c.id, c.name, c.parent_id FROM categories c JOIN up ON c.id = up.parent_id) SELECT * FROM up"""
CATEGORIES = """SELECT c.id, c.name, c.parent_id, c.created_at,
 (SELECT COUNT(*) FROM categories k WHERE k.parent_id = c.id),
 (SELECT COUNT(*) FROM products p WHERE p.category_id = c.id) FROM categories c WHERE c.id IN %s"""
CATEGORY_ANCESTORS = """WITH RECURSIVE up AS (
 SELECT c.id, c.name, c.parent_id FROM categories c WHERE c.id IN %s
 UNION SELECT c.id, c.name, c.parent_id FROM categories c JOIN up ON c.id = up.parent_id) SELECT * FROM up"""

Results = Iterator[ResultSet]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How rows of one kind are read: statements that take the list of ids, and the images in their results."""

    statements: tuple[str, ...]
    images: Callable[[Results], Iterator[Image]]


def statements_for(refs: Iterable[Ref]) -> list[Statement]:
    """The statements that read these refs, kinds in their own order; hand the results to `images_in`."""
    keys = _keys_by_kind(refs)
    return [Statement(text, (tuple(keys[kind]),)) for kind in _READINGS if kind in keys for text in _of(kind)]


def statements_for_created(kind: RowKind) -> list[Statement]:
    """The statements that read the row of this kind whose id is in @created."""
    return [for_created(text) for text in _of(kind)]


def images_in(results: Results, kinds: Iterable[RowKind]) -> dict[Ref, Image]:
    """The images in the results of statements that asked for these kinds."""
    asked = set(kinds)
    found: dict[Ref, Image] = {}
    for kind, reading in _READINGS.items():
        if kind in asked:
            found.update((image.ref, image) for image in reading.images(results))
    return found


def _of(kind: RowKind) -> tuple[str, ...]:
    return _READINGS[kind].statements


def _keys_by_kind(refs: Iterable[Ref]) -> Mapping[RowKind, list[object]]:
    keys: dict[RowKind, list[object]] = defaultdict(list)
    for ref in sorted(refs):
        keys[ref.kind].append((ref.id, ref.product_id) if ref.kind is RowKind.CART else ref.id)
    return keys


def _users(results: Results) -> Iterator[Image]:
    for row in next(results).rows:
        yield UserImage(user_of(row))


def _carts(results: Results) -> Iterator[Image]:
    for row in next(results).rows:
        yield CartImage(cart_item_of(row[:6]), email=row[6], price=row[7], product_name=row[8])


def _orders(results: Results) -> Iterator[Image]:
    rows = next(results).rows
    items: dict[int, list[OrderItem]] = defaultdict(list)
    for row in next(results).rows:
        items[row[1]].append(order_item_of(row))
    for row in rows:
        yield OrderImage(order_of(row[:6]), email=row[6], items=tuple(items[row[0]]))


def _products(results: Results) -> Iterator[Image]:
    rows = next(results).rows
    names = {row[0]: row for row in next(results).rows}
    for row in rows:
        yield ProductImage(product_of(row[:10]), category_path=_path(names, row[2]), order_refs=int(row[10]))


def _categories(results: Results) -> Iterator[Image]:
    rows = next(results).rows
    names = {row[0]: row for row in next(results).rows}
    for row in rows:
        yield CategoryImage(
            category_of(row[:4]), path=_path(names, row[0]), children_count=row[4], product_count=row[5]
        )


def _path(names: Mapping[int, Row], category_id: int | None) -> tuple[str, ...]:
    """Names from the root down; a cycle in old data ends where it closes."""
    path: list[str] = []
    seen: set[int] = set()
    while category_id is not None and category_id in names and category_id not in seen:
        seen.add(category_id)
        _, name, category_id = names[category_id]
        path.append(name)
    return tuple(reversed(path))


_READINGS: Mapping[RowKind, _Reading] = {
    RowKind.USER: _Reading((USERS,), _users),
    RowKind.CART: _Reading((CARTS,), _carts),
    RowKind.ORDER: _Reading((ORDERS, ORDER_ITEMS), _orders),
    RowKind.PRODUCT: _Reading((PRODUCTS, PRODUCT_ANCESTORS), _products),
    RowKind.CATEGORY: _Reading((CATEGORIES, CATEGORY_ANCESTORS), _categories),
}
