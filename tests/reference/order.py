"""Orders of the reference shop."""

# ruff: noqa: D102  # What an operation promises is written on its port.

from dataclasses import asdict, replace
from decimal import Decimal

from adapters.errors import Conflict, Reason, Subject
from adapters.records import CartItem, Order, OrderDetails, OrderItem, OrderItemDetails
from adapters.values import MONEY_MAX, UNSET, Unset
from tests.reference.cart import inventory_issues
from tests.reference.product import ReferenceProducts
from tests.reference.rows import Rows, missing, names, newest_first

STATUS_MAX = 9
CHECKOUT_LINES_MAX = 30


class ReferenceOrders:
    """The operations of `order`."""

    def __init__(self, rows: Rows, products: ReferenceProducts) -> None:
        self._rows = rows
        self._products = products

    async def get_order_by_id(self, *, order_id: int) -> OrderDetails | None:
        order = self._rows.orders.get(order_id)
        return None if order is None else self._details(order)

    async def get_user_orders(self, *, user_id: int, limit: int = 20, offset: int = 0) -> list[OrderDetails]:
        orders = newest_first(order for order in self._rows.orders.values() if order.user_id == user_id)
        return [self._details(order) for order in orders[offset : offset + limit]]

    async def get_user_order_count(self, *, user_id: int) -> int:
        return sum(order.user_id == user_id for order in self._rows.orders.values())

    async def get_orders_by_status(self, *, status: str, limit: int = 50) -> list[OrderDetails]:
        orders = self._rows.orders.values()
        found = newest_first(order for order in orders if names(order.status, status, maximum=STATUS_MAX))
        return [self._details(order) for order in found[:limit]]

    async def create_order(self, *, user_id: int, total_amount: Decimal) -> Order:
        self._demand_user(user_id)
        return self._new_order(user_id, total_amount, status="pending")

    async def create_order_item(
        self, *, order_id: int, product_id: int, quantity: int, price_at_time: Decimal
    ) -> OrderItem:
        """The order is looked for first."""
        if order_id not in self._rows.orders:
            raise missing("order", order_id)
        if product_id not in self._rows.products:
            raise missing("product", product_id)
        return self._new_item(order_id, product_id, quantity, price_at_time)

    async def update_order_status(self, *, order_id: int, status: str) -> bool:
        order = self._rows.orders.get(order_id)
        if order is None:
            return False
        self._rows.orders[order_id] = replace(order, status=status, updated_at=self._rows.clock())
        return True

    async def checkout(self, *, user_id: int, expected_total: Decimal | Unset = UNSET) -> OrderDetails:
        """The items are made in cart order."""
        self._demand_user(user_id)
        lines = self._rows.cart_of(user_id)
        self._demand_acceptable(user_id, lines)
        total = sum((self._price(line) * line.quantity for line in lines), Decimal("0.00"))
        _demand_total(total, expected_total)
        order = self._new_order(user_id, total, status="completed")
        for line in lines:
            self._sell(order, line)
        return self._details(order)

    def _demand_user(self, user_id: int) -> None:
        if user_id not in self._rows.users:
            raise missing("user", user_id)

    def _demand_acceptable(self, user_id: int, lines: list[CartItem]) -> None:
        cart = Subject("cart")
        if not lines:
            raise Conflict("an empty cart", reason=Reason.EMPTY_CART, subject=cart)
        if self._rows.is_dual and len(lines) > CHECKOUT_LINES_MAX:
            raise Conflict("too many lines", reason=Reason.CART_TOO_LARGE, subject=cart)
        if issues := inventory_issues(self._rows, user_id):
            reason = Reason.INSUFFICIENT_INVENTORY
            raise Conflict("too little in stock", reason=reason, subject=cart, members={"issues": issues})

    def _price(self, line: CartItem) -> Decimal:
        return self._rows.products[line.product_id].price

    def _sell(self, order: Order, line: CartItem) -> None:
        product = self._rows.products[line.product_id]
        self._new_item(order.id, product.id, line.quantity, product.price)
        self._products.change(product, inventory_quantity=product.inventory_quantity - line.quantity)
        del self._rows.cart_items[line.id]

    def _new_order(self, user_id: int, total_amount: Decimal, *, status: str) -> Order:
        now = self._rows.clock()
        new_id = self._rows.new_id("orders")
        order = Order(
            id=new_id, user_id=user_id, total_amount=total_amount, status=status, created_at=now, updated_at=now
        )
        self._rows.orders[new_id] = order
        return order

    def _new_item(self, order_id: int, product_id: int, quantity: int, price_at_time: Decimal) -> OrderItem:
        new_id = self._rows.new_id("order_items")
        item = OrderItem(
            id=new_id, order_id=order_id, product_id=product_id, quantity=quantity, price_at_time=price_at_time
        )
        self._rows.order_items[new_id] = item
        return item

    def _details(self, order: Order) -> OrderDetails:
        items = sorted(
            (item for item in self._rows.order_items.values() if item.order_id == order.id),
            key=lambda item: item.id,
        )
        return OrderDetails(
            **asdict(order),
            items=[OrderItemDetails(**asdict(item), product=self._products.details(item.product_id)) for item in items],
        )


def _demand_total(total: Decimal, expected_total: Decimal | Unset) -> None:
    if expected_total is not UNSET and expected_total != total:
        members = {"total": total}
        raise Conflict("another total", reason=Reason.CART_CHANGED, subject=Subject("cart"), members=members)
    if total > MONEY_MAX:
        subject = Subject("order", fields=("total_amount",))
        raise Conflict("more than the column holds", reason=Reason.OUT_OF_RANGE, subject=subject)
