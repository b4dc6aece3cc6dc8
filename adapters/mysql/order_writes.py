"""The writes of orders: `MySQLOrders` is the whole OrderRepository.

A checkout goes: the user and the cart's lines; the products in them; the listing if a product sells out; then one
round trip that makes the order from the cart, takes the stock and empties the cart. In phase 1 rows are locked in that
order, from phase 2 on the version rows are.
"""

from collections.abc import Sequence
from decimal import Decimal

from adapters.changes import (
    LISTING,
    AggregateKind,
    CartImage,
    OrderImage,
    ProductImage,
    Ref,
    RowKind,
    UserImage,
    product_aggregate,
    user_aggregate,
)
from adapters.errors import Conflict, NotFound, Reason, Subject
from adapters.mysql.order import GET_ORDER_BY_ID, OrderReads
from adapters.mysql.rows import orders_of
from adapters.mysql.statements import Statement
from adapters.mysql.transaction import Created, Transaction
from adapters.records import Order, OrderDetails, OrderItem
from adapters.values import MONEY_MAX, UNSET, Unset

CREATE_ORDER = "INSERT INTO orders (user_id, total_amount, status) VALUES (%s, %s, 'pending')"
CREATE_ORDER_ITEM = "INSERT INTO order_items (order_id, product_id, quantity, price_at_time) VALUES (%s, %s, %s, %s)"
UPDATE_ORDER_STATUS = "UPDATE orders SET status = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s"
OWNER = "SELECT user_id FROM orders WHERE id = %s"
LOCK_USER = "SELECT id FROM users WHERE id = %s FOR UPDATE"
LOCK_PRODUCTS = "SELECT id FROM products WHERE id IN %s ORDER BY id FOR UPDATE"
CART = "SELECT product_id FROM shopping_carts WHERE user_id = %s ORDER BY created_at DESC, id DESC"
CART_LOCKED = CART + " FOR UPDATE"
COUNT_REFERENCE = "UPDATE crossfade_version SET n = n + 1 WHERE kind = %s AND id IN %s"
CHECKOUT_ORDER = "INSERT INTO orders (user_id, total_amount, status) VALUES (%s, %s, 'completed')"
CHECKOUT_ITEMS = """INSERT INTO order_items (order_id, product_id, quantity, price_at_time)
 SELECT @created, c.product_id, c.quantity, p.price FROM shopping_carts c JOIN products p ON p.id = c.product_id
 WHERE c.user_id = %s ORDER BY c.created_at DESC, c.id DESC"""
CHECKOUT_STOCK = """UPDATE products p JOIN shopping_carts c ON c.product_id = p.id
 SET p.inventory_quantity = p.inventory_quantity - c.quantity, p.updated_at = CURRENT_TIMESTAMP WHERE c.user_id = %s"""
CHECKOUT_CART = "DELETE FROM shopping_carts WHERE user_id = %s"

GET_CREATED_ORDER = GET_ORDER_BY_ID.replace("%s", "@created")

CART_LINES_MAX = 30
"""The largest cart whose checkout fits one transaction of the shadow: 4 + 3 actions a line, fences included."""


class MySQLOrders(OrderReads):
    """OrderRepository. Orders belong to the aggregate of their user."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work.connection)
        self._work = work

    async def create_order(self, *, user_id: int, total_amount: Decimal) -> Order:
        await self._lock_user(user_id)
        await self._work.write(Statement(CREATE_ORDER, (user_id, total_amount)), created=Created(RowKind.ORDER))
        return self._after().order

    async def create_order_item(
        self, *, order_id: int, product_id: int, quantity: int, price_at_time: Decimal
    ) -> OrderItem:
        order, product = Ref(RowKind.ORDER, order_id), Ref(RowKind.PRODUCT, product_id)
        owner_id = await self._owner(order_id)
        if owner_id is not None:
            await self._work.lock(user_aggregate(owner_id), product_aggregate(product_id), before=[order, product])
        self._demand("order", order_id, is_there=order in self._work.change.before)
        self._demand("product", product_id, is_there=product in self._work.change.before)
        row = (order_id, product_id, quantity, price_at_time)
        # The product's row is locked before the insert shares it for its foreign key: else two inserts deadlock.
        _, inserted, *_ = await self._work.write(
            Statement(LOCK_PRODUCTS, ((product_id,),)),
            Statement(CREATE_ORDER_ITEM, row),
            *self._count_references([product_id]),
            after=[order, product],
        )
        (item,) = [item for item in self._after().items if item.id == inserted.last_id]
        return item

    async def update_order_status(self, *, order_id: int, status: str) -> bool:
        order = Ref(RowKind.ORDER, order_id)
        owner_id = await self._owner(order_id)
        if owner_id is None:
            return False
        await self._work.lock(user_aggregate(owner_id), before=[order])
        if order not in self._work.change.before:
            return False
        updated, *_ = await self._work.write(Statement(UPDATE_ORDER_STATUS, (status, order_id)), after=[order])
        return updated.affected == 1

    async def checkout(self, *, user_id: int, expected_total: Decimal | Unset = UNSET) -> OrderDetails:
        lines = await self._lock_cart(user_id)
        total = _total(lines)
        _refuse_short_stock(lines)
        if expected_total is not UNSET and expected_total != total:
            msg = f"the cart's total is {total} by now"
            raise Conflict(msg, reason=Reason.CART_CHANGED, subject=Subject("cart"), members={"total": total})
        if total > MONEY_MAX:
            msg = f"the cart's total passes {MONEY_MAX}"
            raise Conflict(msg, reason=Reason.OUT_OF_RANGE, subject=Subject("order", None, ("total_amount",)))
        await self._lock_listing_if_sold_out(lines)
        product_ids = sorted(product.product.id for _, product in lines)
        *_, made = await self._work.write(
            Statement(LOCK_PRODUCTS, (tuple(product_ids),)),
            Statement(CHECKOUT_ORDER, (user_id, total)),
            Statement(CHECKOUT_ITEMS, (user_id,)),
            Statement(CHECKOUT_STOCK, (user_id,)),
            Statement(CHECKOUT_CART, (user_id,)),
            *self._count_references(product_ids),
            created=Created(RowKind.ORDER, inserted_by=1),
            after=[Ref(RowKind.PRODUCT, product_id) for product_id in product_ids],
            reading=[Statement(GET_CREATED_ORDER)],
        )
        (order,) = orders_of(made.rows)
        return order

    async def _lock_user(self, user_id: int, *reading: Statement) -> list[int]:
        """Lock the user, who must exist; the ids that the last of `reading` gives."""
        user = Ref(RowKind.USER, user_id)
        results = await self._work.lock(user_aggregate(user_id), before=[user], reading=reading)
        self._demand("user", user_id, is_there=isinstance(self._work.change.before.pop(user, None), UserImage))
        return [row[0] for row in results[-1].rows] if results else []

    async def _lock_cart(self, user_id: int) -> list[tuple[CartImage, ProductImage]]:
        """The lines of the cart with their products, in cart order, all locked."""
        is_dual = self._work.is_dual
        reading = [CART] if is_dual else [LOCK_USER, CART_LOCKED]
        product_ids = await self._lock_user(user_id, *[Statement(text, (user_id,)) for text in reading])
        if not product_ids:
            msg = f"the cart of user {user_id} is empty"
            raise Conflict(msg, reason=Reason.EMPTY_CART, subject=Subject("cart"))
        if is_dual and len(product_ids) > CART_LINES_MAX:
            msg = f"a cart of more than {CART_LINES_MAX} products cannot be checked out"
            raise Conflict(msg, reason=Reason.CART_TOO_LARGE, subject=Subject("cart"))
        if not is_dual:
            await self._work.read(Statement(LOCK_PRODUCTS, (tuple(product_ids),)))
        carts = [Ref(RowKind.CART, user_id, product_id) for product_id in product_ids]
        products = [Ref(RowKind.PRODUCT, product_id) for product_id in product_ids]
        await self._work.lock(*[product_aggregate(p) for p in product_ids], before=[*carts, *products])
        images = [self._work.change.before.get(ref) for ref in [*carts, *products]]
        pairs = zip(images[: len(carts)], images[len(carts) :], strict=True)
        return [(c, p) for c, p in pairs if isinstance(c, CartImage) and isinstance(p, ProductImage)]

    async def _lock_listing_if_sold_out(self, lines: Sequence[tuple[CartImage, ProductImage]]) -> None:
        sold_out = {p.product.id for c, p in lines if p.product.inventory_quantity == c.item.quantity}
        if sold_out:
            await self._work.lock(LISTING)
            self._work.change.listed_products.update(sold_out)

    async def _owner(self, order_id: int) -> int | None:
        """The user of an order, who never changes; read before the lock that needs it."""
        (found,) = await self._work.read(Statement(OWNER, (order_id,)))
        return found.rows[0][0] if found.rows else None

    def _count_references(self, product_ids: Sequence[int]) -> list[Statement]:
        if not self._work.is_dual:
            return []
        return [Statement(COUNT_REFERENCE, (int(AggregateKind.PRODUCT), tuple(product_ids)))]

    def _after(self) -> OrderImage:
        (order,) = [image for image in self._work.change.after.values() if isinstance(image, OrderImage)]
        return order

    def _demand(self, entity: str, record_id: int, *, is_there: bool) -> None:
        if not is_there:
            msg = f"{entity} {record_id} does not exist"
            raise NotFound(msg, subject=Subject(entity, record_id or None))


def _total(lines: Sequence[tuple[CartImage, ProductImage]]) -> Decimal:
    return sum((p.product.price * c.item.quantity for c, p in lines), Decimal("0.00"))


def _refuse_short_stock(lines: Sequence[tuple[CartImage, ProductImage]]) -> None:
    issues = [
        f"{p.product.name}: requested {c.item.quantity}, but only {p.product.inventory_quantity} available"
        for c, p in lines
        if p.product.inventory_quantity < c.item.quantity
    ]
    if issues:
        msg = "there is too little inventory for the cart"
        raise Conflict(msg, reason=Reason.INSUFFICIENT_INVENTORY, subject=Subject("cart"), members={"issues": issues})
