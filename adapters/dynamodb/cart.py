"""The reads of carts from DynamoDB: the user, the lines under the email, then their products and the user again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapters.dynamodb.caches import Caches
from adapters.dynamodb.children import Settled, Whereabouts, of_user
from adapters.dynamodb.details import DetailReader
from adapters.dynamodb.items import cart_item_from, product_from
from adapters.dynamodb.reading import ItemReader
from adapters.records import CartItem, CartItemDetails, CartValidation, Product

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Cart:
    """Lines, newest first, and the products that there are: a line without one is none."""

    lines: Sequence[CartItem]
    products: Mapping[int, Product]


class CartReads:
    """The reads of CartRepository, for one call."""

    def __init__(self, items: ItemReader, caches: Caches) -> None:
        self._items = items
        self._details = DetailReader(items, caches)

    async def get_cart_items(self, *, user_id: int) -> list[CartItemDetails]:
        """See CartRepository."""

        async def read(place: Whereabouts) -> Settled[list[CartItemDetails]]:
            lines = await self._lines(place)
            found = await self._details.find((line.product_id for line in lines), beside=[place.meta])
            shown = [
                CartItemDetails(
                    line.id,
                    line.user_id,
                    line.product_id,
                    line.quantity,
                    line.created_at,
                    line.updated_at,
                    found.details[line.product_id],
                )
                for line in lines
                if line.product_id in found.details
            ]
            return shown, found.beside.get(place.meta)

        return await of_user(self._items, user_id, read) or []

    async def get_cart_item_count(self, *, user_id: int) -> int:
        """See CartRepository."""
        cart = await of_user(self._items, user_id, self._cart)
        return len(cart.lines) if cart else 0

    async def get_cart_item_by_user_and_product(self, *, user_id: int, product_id: int) -> CartItem | None:
        """See CartRepository."""

        async def read(place: Whereabouts) -> Settled[CartItem | None]:
            keys = self._items.keys
            line = keys.cart_item(email=place.email, product_id=product_id)
            product = keys.product(product_id)
            found = await self._items.many([line, product, place.meta])
            is_there = line in found and place.is_own(found[line]) and product in found
            return cart_item_from(found[line]) if is_there else None, found.get(place.meta)

        return await of_user(self._items, user_id, read)

    async def validate_cart_inventory(self, *, user_id: int) -> CartValidation:
        """See CartRepository."""
        cart = await of_user(self._items, user_id, self._cart)
        wanted = [(line.quantity, cart.products[line.product_id]) for line in cart.lines] if cart else []
        issues = [
            f"{product.name}: requested {quantity}, but only {product.inventory_quantity} available"
            for quantity, product in wanted
            if quantity > product.inventory_quantity
        ]
        return CartValidation(valid=not issues, issues=issues)

    async def _cart(self, place: Whereabouts) -> Settled[_Cart]:
        lines = await self._lines(place)
        keys = {self._items.keys.product(line.product_id): line.product_id for line in lines}
        found = await self._items.many([place.meta, *keys])
        products = {keys[key]: product_from(item) for key, item in found.items() if key in keys}
        held = [line for line in lines if line.product_id in products]
        return _Cart(held, products), found.get(place.meta)

    async def _lines(self, place: Whereabouts) -> list[CartItem]:
        found = await self._items.all_of(self._items.keys.cart(place.email))
        lines = [cart_item_from(item) for item in found if place.is_own(item)]
        return sorted(lines, key=lambda line: (line.created_at or _NEVER, line.id), reverse=True)
