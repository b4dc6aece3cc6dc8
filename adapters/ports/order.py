"""The operations of `order`."""

from typing import Protocol

from adapters.ports import read, write
from adapters.records import Order, OrderDetails, OrderItem
from adapters.values import UNSET, Id, Limit, Money, Offset, OrderStatus, Quantity, StatusLookup, Unset


class OrderRepository(Protocol):
    """Orders. Lists are newest first, (created_at DESC, id DESC); items of an order by id."""

    @read
    async def get_order_by_id(self, *, order_id: Id) -> OrderDetails | None:
        """Two statements; three requests."""

    @read
    async def get_user_orders(self, *, user_id: Id, limit: Limit = 20, offset: Offset = 0) -> list[OrderDetails]:
        """[] for an unknown user and past the end. Two statements; three requests."""

    @read
    async def get_user_order_count(self, *, user_id: Id) -> int:
        """0 for an unknown user. One statement; one request."""

    @read
    async def get_orders_by_status(self, *, status: StatusLookup, limit: Limit = 50) -> list[OrderDetails]:
        """Of all users; a NULL status counts as pending. Two statements; three requests."""

    @write
    async def create_order(self, *, user_id: Id, total_amount: Money) -> Order:
        """Pending, without items. Raises NotFound when there is no such user."""

    @write
    async def create_order_item(
        self, *, order_id: Id, product_id: Id, quantity: Quantity, price_at_time: Money
    ) -> OrderItem:
        """In any status, without a look at the stock; a product may come twice.

        Raises NotFound when the order or the product does not exist.
        """

    @write
    async def update_order_status(self, *, order_id: Id, status: OrderStatus) -> bool:
        """Any transition. False when there is no such order."""

    @write
    async def checkout(self, *, user_id: Id, expected_total: Money | Unset = UNSET) -> OrderDetails:
        """Turn the cart into a completed order at live prices, all of it or nothing.

        Makes the order with its items, reduces the inventories, empties the cart. Raises NotFound without such a
        user, Conflict `empty_cart`, `insufficient_inventory` (member `issues`), `cart_changed` (member `total`) when
        the live total is another than the expected one, `out_of_range` when the total passes its column, and, where
        both databases are written, `cart_too_large` above 30 lines.
        """
