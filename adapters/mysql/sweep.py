"""Walking the shop's rows from end to end, for sweeps: plain reads on a pool of their own.

Users, products and categories come by id, a page at a time, up to the highest there was at the start: one that is made
later is the affair of its writer, who writes to both databases.
"""

from collections.abc import Collection, Mapping

from adapters.changes import (
    ADMINS,
    Aggregate,
    AggregateKind,
    Image,
    Ref,
    RowKind,
    user_aggregate,
)
from adapters.deadline import Deadline
from adapters.errors import Unavailable
from adapters.mysql.connection import ResultSet
from adapters.mysql.images import images_in, statements_for
from adapters.mysql.pool import Pool
from adapters.mysql.statements import Statement, joined
from adapters.mysql.transaction import COUNT_ADMINS, COUNT_ORDERS
from adapters.ports.store import Restart
from adapters.ports.sweep import Extent, IdRange

# A user is shown by three items, a line of the cart by one, an order by three; a category by two.
USERS = """SELECT u.id, 3 + (SELECT COUNT(*) FROM shopping_carts c WHERE c.user_id = u.id)
 + 3 * (SELECT COUNT(*) FROM orders o WHERE o.user_id = u.id) FROM users u
 WHERE u.id > %s AND u.id <= %s ORDER BY u.id LIMIT %s"""
PRODUCTS = "SELECT id, 1 FROM products WHERE id > %s AND id <= %s ORDER BY id LIMIT %s"
CATEGORIES = "SELECT id, 2 FROM categories WHERE id > %s AND id <= %s ORDER BY id LIMIT %s"
RANGE_OF_USERS = "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM users"
RANGE_OF_PRODUCTS = "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM products"
RANGE_OF_CATEGORIES = "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM categories"
CART_LINES = "SELECT user_id, product_id FROM shopping_carts WHERE user_id IN %s"
ORDERS = "SELECT id FROM orders WHERE user_id IN %s AND id > %s ORDER BY id LIMIT %s"

ORDERS_AT_ONCE = 5_000

_EXTENTS: Mapping[AggregateKind, str] = {
    AggregateKind.USER: USERS,
    AggregateKind.PRODUCT: PRODUCTS,
    AggregateKind.CATEGORY: CATEGORIES,
}
_RANGES: Mapping[AggregateKind, str] = {
    AggregateKind.USER: RANGE_OF_USERS,
    AggregateKind.PRODUCT: RANGE_OF_PRODUCTS,
    AggregateKind.CATEGORY: RANGE_OF_CATEGORIES,
}
_ROWS: Mapping[AggregateKind, RowKind] = {
    AggregateKind.USER: RowKind.USER,
    AggregateKind.PRODUCT: RowKind.PRODUCT,
    AggregateKind.CATEGORY: RowKind.CATEGORY,
}
"""The row of the same id as an aggregate."""


class MySQLSweep:
    """See SourceSweep. `limit_s` bounds each round trip, waiting for a session included."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s

    async def range_of(self, kind: AggregateKind) -> IdRange:
        """See SourceSweep."""
        (found,) = await self._run(Statement(_RANGES[kind]))
        return IdRange(*found.rows[0])

    async def extents(self, kind: AggregateKind, *, after_id: int, last_id: int, limit: int) -> list[Extent]:
        """See SourceSweep."""
        (found,) = await self._run(Statement(_EXTENTS[kind], (after_id, last_id, limit)))
        return [Extent(Aggregate(kind, row[0]), int(row[1])) for row in found.rows]

    async def refs_of(self, aggregates: Collection[Aggregate]) -> list[Ref]:
        """See SourceSweep."""
        refs = [Ref(_ROWS[each.kind], each.id) for each in sorted(aggregates) if each.kind in _ROWS]
        users = _users(aggregates)
        return [*refs, *(await self._children(users) if users else [])]

    async def images(self, refs: Collection[Ref]) -> dict[Ref, Image]:
        """See SourceSweep."""
        if not refs:
            return {}
        return images_in(iter(await self._run(*statements_for(refs))), {ref.kind for ref in refs})

    async def counts(self, aggregates: Collection[Aggregate]) -> dict[Aggregate, int]:
        """See SourceSweep."""
        counts: dict[Aggregate, int] = {}
        if users := _users(aggregates):
            (found,) = await self._run(Statement(COUNT_ORDERS, (users,)))
            orders = {row[0]: int(row[1]) for row in found.rows}
            counts.update({user_aggregate(user_id): orders.get(user_id, 0) for user_id in users})
        if ADMINS in aggregates:
            (found,) = await self._run(COUNT_ADMINS)
            counts[ADMINS] = int(found.rows[0][0])
        return counts

    async def _children(self, users: tuple[int, ...]) -> list[Ref]:
        (lines,) = await self._run(Statement(CART_LINES, (users,)))
        refs = [Ref(RowKind.CART, row[0], row[1]) for row in lines.rows]
        last_id = 0
        while True:
            (orders,) = await self._run(Statement(ORDERS, (users, last_id, ORDERS_AT_ONCE)))
            refs += [Ref(RowKind.ORDER, row[0]) for row in orders.rows]
            if len(orders.rows) < ORDERS_AT_ONCE:
                return refs
            last_id = orders.rows[-1][0]

    async def _run(self, *statements: Statement) -> list[ResultSet]:
        deadline = Deadline.after(self._limit_s)
        try:
            async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.sweep"):
                return await connection.batch(*joined(statements))
        except Restart as error:
            raise Unavailable("a table of MySQL is locked") from error


def _users(aggregates: Collection[Aggregate]) -> tuple[int, ...]:
    return tuple(sorted(each.id for each in aggregates if each.kind is AggregateKind.USER))
