"""The writes of carts: `MySQLCarts` is the whole CartRepository."""

from adapters.changes import CartImage, Ref, RowKind, user_aggregate
from adapters.errors import NotFound, Subject
from adapters.mysql.cart import CartReads
from adapters.mysql.statements import Statement
from adapters.mysql.transaction import Transaction
from adapters.records import CartItem

ADD_ITEM = """INSERT INTO shopping_carts (user_id, product_id, quantity) VALUES (%s, %s, %s) AS new
 ON DUPLICATE KEY UPDATE quantity = shopping_carts.quantity + new.quantity, updated_at = CURRENT_TIMESTAMP"""
UPDATE_ITEM_QUANTITY = """UPDATE shopping_carts SET quantity = %s, updated_at = CURRENT_TIMESTAMP
 WHERE user_id = %s AND product_id = %s"""
REMOVE_ITEM = "DELETE FROM shopping_carts WHERE user_id = %s AND product_id = %s"
CLEAR_CART = "DELETE FROM shopping_carts WHERE user_id = %s"
EXIST = "SELECT EXISTS (SELECT 1 FROM users WHERE id = %s), EXISTS (SELECT 1 FROM products WHERE id = %s)"
CART_PRODUCTS = "SELECT product_id FROM shopping_carts WHERE user_id = %s"


class MySQLCarts(CartReads):
    """CartRepository. Every line belongs to the aggregate of its user."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work.connection)
        self._work = work

    async def add_item(self, *, user_id: int, product_id: int, quantity: int) -> CartItem:
        ref = Ref(RowKind.CART, user_id, product_id)
        exist = Statement(EXIST, (user_id, product_id))
        (found,) = await self._work.lock(user_aggregate(user_id), before=[ref], reading=[exist])
        for entity, record_id, is_there in zip(("user", "product"), (user_id, product_id), found.rows[0], strict=True):
            if not is_there:
                msg = f"{entity} {record_id} does not exist"
                raise NotFound(msg, subject=Subject(entity, record_id or None))
        await self._work.write(Statement(ADD_ITEM, (user_id, product_id, quantity)), after=[ref])
        (item,) = [image.item for image in self._work.change.after.values() if isinstance(image, CartImage)]
        return item

    async def update_item_quantity(self, *, user_id: int, product_id: int, quantity: int) -> bool:
        if quantity == 0:
            return await self.remove_item(user_id=user_id, product_id=product_id)
        update = Statement(UPDATE_ITEM_QUANTITY, (quantity, user_id, product_id))
        return await self._change_line(user_id, product_id, update)

    async def remove_item(self, *, user_id: int, product_id: int) -> bool:
        return await self._change_line(user_id, product_id, Statement(REMOVE_ITEM, (user_id, product_id)))

    async def clear_cart(self, *, user_id: int) -> bool:
        (lines,) = await self._work.lock(user_aggregate(user_id), reading=[Statement(CART_PRODUCTS, (user_id,))])
        if not lines.rows:
            return True
        if self._work.is_dual:
            refs = [Ref(RowKind.CART, user_id, row[0]) for row in lines.rows]
            self._work.change.before.update(await self._work.images(refs))
        await self._work.write(Statement(CLEAR_CART, (user_id,)))
        return True

    async def _change_line(self, user_id: int, product_id: int, statement: Statement) -> bool:
        ref = Ref(RowKind.CART, user_id, product_id)
        await self._work.lock(user_aggregate(user_id), before=[ref])
        if ref not in self._work.change.before:
            return False
        changed, *_ = await self._work.write(statement, after=[ref])
        return changed.affected == 1
