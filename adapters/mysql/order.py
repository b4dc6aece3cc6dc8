"""The reads of orders: one statement each, a row per item. The ids wanted are found before items are joined."""

from adapters.collation import key_form
from adapters.mysql.connection import Connection
from adapters.mysql.rows import PENDING, orders_of, sql
from adapters.records import OrderDetails
from adapters.values import INT_MAX

# Looked up by the collation's equality, as MySQL does; but to MySQL itself '1' may mean an ENUM's first value.
STATUSES = {key_form(status): status for status in (PENDING, "completed", "cancelled")}

GET_ORDER_BY_ID = sql("SELECT $ORDER_WITH_ITEM FROM orders o $JOIN_ITEMS WHERE o.id = %s ORDER BY i.id")
GET_USER_ORDERS = sql("""SELECT $ORDER_WITH_ITEM FROM (
 SELECT o.* FROM orders o WHERE o.user_id = %s ORDER BY o.created_at DESC, o.id DESC LIMIT %s OFFSET %s) o
 $JOIN_ITEMS ORDER BY o.created_at DESC, o.id DESC, i.id""")
GET_USER_ORDER_COUNT = "SELECT COUNT(*) FROM orders WHERE user_id = %s"
GET_ORDERS_BY_STATUS = sql("""SELECT $ORDER_WITH_ITEM FROM (
 SELECT o.* FROM orders o WHERE o.status = %s ORDER BY o.created_at DESC, o.id DESC LIMIT %s) o
 $JOIN_ITEMS ORDER BY o.created_at DESC, o.id DESC, i.id""")
# `status = 'pending' OR status IS NULL` would sort all pending orders; each half alone walks an index to its limit.
GET_PENDING_ORDERS = sql("""SELECT $ORDER_WITH_ITEM FROM (
 SELECT o.* FROM (
 (SELECT o.* FROM orders o WHERE o.status = 'pending' ORDER BY o.created_at DESC, o.id DESC LIMIT %s) UNION ALL
 (SELECT o.* FROM orders o WHERE o.status IS NULL ORDER BY o.created_at DESC, o.id DESC LIMIT %s)) o
 ORDER BY o.created_at DESC, o.id DESC LIMIT %s) o
 $JOIN_ITEMS ORDER BY o.created_at DESC, o.id DESC, i.id""")


class OrderReads:
    """The reads of OrderRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_order_by_id(self, *, order_id: int) -> OrderDetails | None:
        """See OrderRepository."""
        orders = orders_of(await self._connection.rows(GET_ORDER_BY_ID, (order_id,)))
        return orders[0] if orders else None

    async def get_user_orders(self, *, user_id: int, limit: int = 20, offset: int = 0) -> list[OrderDetails]:
        """See OrderRepository."""
        args = (user_id, limit, min(offset, INT_MAX))
        return orders_of(await self._connection.rows(GET_USER_ORDERS, args))

    async def get_user_order_count(self, *, user_id: int) -> int:
        """See OrderRepository."""
        ((count,),) = await self._connection.rows(GET_USER_ORDER_COUNT, (user_id,))
        return int(count)

    async def get_orders_by_status(self, *, status: str, limit: int = 50) -> list[OrderDetails]:
        """See OrderRepository."""
        match STATUSES.get(key_form(status)):
            case None:
                return []
            case "pending":
                return orders_of(await self._connection.rows(GET_PENDING_ORDERS, (limit, limit, limit)))
            case found:
                return orders_of(await self._connection.rows(GET_ORDERS_BY_STATUS, (found, limit)))
