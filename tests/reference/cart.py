"""Carts of the reference shop."""

# ruff: noqa: D102  # What an operation promises is written on its port.

from dataclasses import asdict, replace

from adapters.errors import Conflict, Reason, Subject
from adapters.records import CartItem, CartItemDetails, CartValidation
from adapters.values import INT_MAX
from tests.reference.product import ReferenceProducts
from tests.reference.rows import Rows, missing


class ReferenceCarts:
    """The operations of `cart`."""

    def __init__(self, rows: Rows, products: ReferenceProducts) -> None:
        self._rows = rows
        self._products = products

    async def get_cart_items(self, *, user_id: int) -> list[CartItemDetails]:
        return [
            CartItemDetails(**asdict(line), product=self._products.details(line.product_id))
            for line in self._rows.cart_of(user_id)
        ]

    async def get_cart_item_count(self, *, user_id: int) -> int:
        return len(self._rows.cart_of(user_id))

    async def get_cart_item_by_user_and_product(self, *, user_id: int, product_id: int) -> CartItem | None:
        return self._rows.cart_line(user_id, product_id)

    async def validate_cart_inventory(self, *, user_id: int) -> CartValidation:
        issues = inventory_issues(self._rows, user_id)
        return CartValidation(valid=not issues, issues=issues)

    async def add_item(self, *, user_id: int, product_id: int, quantity: int) -> CartItem:
        """The user is looked for first."""
        if user_id not in self._rows.users:
            raise missing("user", user_id)
        if product_id not in self._rows.products:
            raise missing("product", product_id)
        line = self._rows.cart_line(user_id, product_id) or self._new_line(user_id, product_id)
        if line.quantity + quantity > INT_MAX:
            subject = Subject("cart", fields=("quantity",))
            raise Conflict("more than the column holds", reason=Reason.OUT_OF_RANGE, subject=subject)
        return self._store(line, line.quantity + quantity)

    async def update_item_quantity(self, *, user_id: int, product_id: int, quantity: int) -> bool:
        line = self._rows.cart_line(user_id, product_id)
        if line is None:
            return False
        if quantity == 0:
            del self._rows.cart_items[line.id]
        else:
            self._store(line, quantity)
        return True

    async def remove_item(self, *, user_id: int, product_id: int) -> bool:
        return await self.update_item_quantity(user_id=user_id, product_id=product_id, quantity=0)

    async def clear_cart(self, *, user_id: int) -> bool:
        for line in self._rows.cart_of(user_id):
            del self._rows.cart_items[line.id]
        return True

    def _new_line(self, user_id: int, product_id: int) -> CartItem:
        now = self._rows.clock()
        new_id = self._rows.new_id("shopping_carts")
        return CartItem(id=new_id, user_id=user_id, product_id=product_id, quantity=0, created_at=now, updated_at=now)

    def _store(self, line: CartItem, quantity: int) -> CartItem:
        changed = replace(line, quantity=quantity, updated_at=self._rows.clock())
        self._rows.cart_items[line.id] = changed
        return changed


def inventory_issues(rows: Rows, user_id: int) -> list[str]:
    """What stands against a checkout, in cart order."""
    lines = [(line, rows.products[line.product_id]) for line in rows.cart_of(user_id)]
    return [
        f"{product.name}: requested {line.quantity}, but only {product.inventory_quantity} available"
        for line, product in lines
        if product.inventory_quantity < line.quantity
    ]
