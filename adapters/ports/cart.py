"""The operations of `cart`."""

from typing import Protocol

from adapters.ports import read, write
from adapters.records import CartItem, CartItemDetails, CartValidation
from adapters.values import Id, Quantity, QuantityOrZero


class CartRepository(Protocol):
    """Carts: at most one line per user and product. Lists are newest first, (created_at DESC, id DESC)."""

    @read
    async def get_cart_items(self, *, user_id: Id) -> list[CartItemDetails]:
        """With live products. One statement; three requests."""

    @read
    async def get_cart_item_count(self, *, user_id: Id) -> int:
        """The number of lines. One statement; three requests."""

    @read
    async def get_cart_item_by_user_and_product(self, *, user_id: Id, product_id: Id) -> CartItem | None:
        """One statement; two requests."""

    @read
    async def validate_cart_inventory(self, *, user_id: Id) -> CartValidation:
        """Issues read `<name>: requested N, but only M available`. One statement; three requests."""

    @write
    async def add_item(self, *, user_id: Id, product_id: Id, quantity: Quantity) -> CartItem:
        """Adds to an existing quantity, without a look at the stock.

        Raises NotFound when the user or the product does not exist, Conflict `out_of_range` when the sum passes INT.
        """

    @write
    async def update_item_quantity(self, *, user_id: Id, product_id: Id, quantity: QuantityOrZero) -> bool:
        """Set a line's quantity, 0 removes the line. False when there is no such line."""

    @write
    async def remove_item(self, *, user_id: Id, product_id: Id) -> bool:
        """False when there is no such line."""

    @write
    async def clear_cart(self, *, user_id: Id) -> bool:
        """True, also for an empty cart and an unknown user."""
