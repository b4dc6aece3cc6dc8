"""The reads of carts."""

from adapters.mysql.connection import Connection
from adapters.mysql.rows import cart_item_details_of, cart_item_of, sql
from adapters.records import CartItem, CartItemDetails, CartValidation

GET_CART_ITEMS = sql("""SELECT $CART_ITEM, $PRODUCT_DETAILS
 FROM shopping_carts k JOIN products p ON p.id = k.product_id $JOIN_DETAILS
 WHERE k.user_id = %s ORDER BY k.created_at DESC, k.id DESC""")
GET_CART_ITEM_COUNT = "SELECT COUNT(*) FROM shopping_carts WHERE user_id = %s"
GET_CART_ITEM_BY_USER_AND_PRODUCT = sql(
    "SELECT $CART_ITEM FROM shopping_carts k WHERE k.user_id = %s AND k.product_id = %s"
)
VALIDATE_CART_INVENTORY = """SELECT p.name, k.quantity, p.inventory_quantity
 FROM shopping_carts k JOIN products p ON p.id = k.product_id
 WHERE k.user_id = %s AND k.quantity > p.inventory_quantity ORDER BY k.created_at DESC, k.id DESC"""


class CartReads:
    """The reads of CartRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_cart_items(self, *, user_id: int) -> list[CartItemDetails]:
        """See CartRepository."""
        return [cart_item_details_of(row) for row in await self._connection.rows(GET_CART_ITEMS, (user_id,))]

    async def get_cart_item_count(self, *, user_id: int) -> int:
        """See CartRepository."""
        ((count,),) = await self._connection.rows(GET_CART_ITEM_COUNT, (user_id,))
        return int(count)

    async def get_cart_item_by_user_and_product(self, *, user_id: int, product_id: int) -> CartItem | None:
        """See CartRepository."""
        rows = await self._connection.rows(GET_CART_ITEM_BY_USER_AND_PRODUCT, (user_id, product_id))
        return cart_item_of(rows[0]) if rows else None

    async def validate_cart_inventory(self, *, user_id: int) -> CartValidation:
        """See CartRepository."""
        short = await self._connection.rows(VALIDATE_CART_INVENTORY, (user_id,))
        issues = [f"{name}: requested {asked}, but only {stock} available" for name, asked, stock in short]
        return CartValidation(valid=not issues, issues=issues)
