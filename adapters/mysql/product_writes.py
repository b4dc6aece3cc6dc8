"""The writes of products: `MySQLProducts` is the whole ProductRepository."""

from decimal import Decimal

from adapters.changes import (
    LISTING,
    TREE,
    Aggregate,
    ProductImage,
    Ref,
    RowKind,
    category_aggregate,
    product_aggregate,
    user_aggregate,
)
from adapters.changes import AggregateKind as Kind
from adapters.errors import Conflict, Forbidden, NotFound, Reason, Subject
from adapters.mysql.product import ProductReads
from adapters.mysql.statements import Statement
from adapters.mysql.transaction import Created, Transaction
from adapters.mysql.user_writes import carts_with_products
from adapters.records import Product
from adapters.values import UNSET, Unset

CREATE_PRODUCT = """INSERT INTO products
 (seller_id, category_id, name, description, price, inventory_quantity, image_url)
 VALUES (%s, %s, %s, %s, %s, %s, %s)"""
UPDATE_PRODUCT = {
    "name": "UPDATE products SET name = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s",
    "description": "UPDATE products SET description = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s",
    "category_id": "UPDATE products SET category_id = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s",
    "price": "UPDATE products SET price = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s",
    "inventory_quantity": "UPDATE products SET inventory_quantity = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s",
    "image_url": "UPDATE products SET image_url = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s",
}
DELETE_PRODUCT = "DELETE FROM products WHERE id = %s"
REDUCE_INVENTORY = """UPDATE products SET inventory_quantity = inventory_quantity - %s, updated_at = CURRENT_TIMESTAMP
 WHERE id = %s AND inventory_quantity >= %s"""
LOCK_PRODUCT = "SELECT id FROM products WHERE id = %s FOR UPDATE"
IS_ORDERED = "SELECT EXISTS (SELECT 1 FROM order_items WHERE product_id = %s)"
EXIST = "SELECT EXISTS (SELECT 1 FROM categories WHERE id = %s), EXISTS (SELECT 1 FROM users WHERE id = %s)"
SHOWN = ("name", "description", "price", "category_id")
"""What lists show of a product, besides whether it is in stock."""


class MySQLProducts(ProductReads):
    """ProductRepository. What lists show is versioned by LISTING, a category's count by the category."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work.connection)
        self._work = work

    async def create_product(
        self,
        *,
        seller_id: int,
        name: str,
        category_id: int,
        price: Decimal,
        inventory_quantity: int,
        description: str | None = None,
        image_url: str | None = None,
    ) -> Product:
        category = _category_ref(category_id)
        (exist,) = await self._work.lock(
            category_aggregate(category_id),
            LISTING,
            shared=[TREE, user_aggregate(seller_id)],
            before=[category] if self._work.is_dual else [],
            reading=[Statement(EXIST, (category_id, seller_id))],
        )
        self._demand("category", category_id, is_there=bool(exist.rows[0][0]))
        self._demand("user", seller_id, is_there=bool(exist.rows[0][1]))
        row = (seller_id, category_id, name, description, price, inventory_quantity, image_url)
        await self._work.write(
            Statement(CREATE_PRODUCT, row),
            created=Created(RowKind.PRODUCT, Kind.PRODUCT),
            after=[category] if self._work.is_dual else [],
        )
        product = self._after()
        self._work.change.listed_products.add(product.id)
        return product

    async def update_product(
        self,
        *,
        product_id: int,
        seller_id: int,
        name: str | Unset = UNSET,
        description: str | Unset | None = UNSET,
        category_id: int | Unset = UNSET,
        price: Decimal | Unset = UNSET,
        inventory_quantity: int | Unset = UNSET,
        image_url: str | Unset | None = UNSET,
    ) -> Product:
        fields: dict[str, object] = {
            "name": name,
            "description": description,
            "category_id": category_id,
            "price": price,
            "inventory_quantity": inventory_quantity,
            "image_url": image_url,
        }
        given = {field: value for field, value in fields.items() if value is not UNSET}
        product = await self._lock_own(product_id, seller_id, shared=[] if category_id is UNSET else [TREE])
        if category_id is not UNSET:
            (exist,) = await self._work.read(Statement(EXIST, (category_id, seller_id)))
            self._demand("category", category_id, is_there=bool(exist.rows[0][0]))
        if not given:
            return product
        moved = await self._lock_shown(product, given)
        updates = [Statement(UPDATE_PRODUCT[field], (value, product_id)) for field, value in given.items()]
        await self._work.write(*updates, after=[_ref(product_id), *moved])
        self._demand("product", product_id, is_there=_ref(product_id) in self._work.change.after)
        return self._after()

    async def delete_product(self, *, product_id: int, seller_id: int) -> bool:
        product = await self._lock_own(product_id, seller_id, shared=[TREE])
        category = _category_ref(product.category_id)
        await self._lock_listed(product_id, category_aggregate(product.category_id), before=[category])
        # The row is locked first: child inserts then wait at their foreign key, else they are orphaned.
        _, ordered = await self._work.read(Statement(LOCK_PRODUCT, (product_id,)), Statement(IS_ORDERED, (product_id,)))
        if ordered.rows[0][0]:
            msg = f"product {product_id} is in an order"
            raise Conflict(msg, reason=Reason.RESTRICT, subject=Subject("product", product_id))
        if self._work.is_dual:
            self._work.change.deferred += await carts_with_products(self._work, [product_id])
        await self._work.write(Statement(DELETE_PRODUCT, (product_id,)), after=[category] if self._work.is_dual else [])
        return True

    async def update_inventory(self, *, product_id: int, quantity: int) -> bool:
        product = await self._lock(product_id)
        if product is None:
            return False
        if (product.inventory_quantity > 0) != (quantity > 0):
            await self._lock_listed(product_id)
        update = Statement(UPDATE_PRODUCT["inventory_quantity"], (quantity, product_id))
        await self._work.write(update, after=[_ref(product_id)])
        return True

    async def reduce_inventory(self, *, product_id: int, quantity: int) -> bool:
        product = await self._lock(product_id)
        if product is None or product.inventory_quantity < quantity:
            return False
        if product.inventory_quantity == quantity:
            await self._lock_listed(product_id)
        reduce = Statement(REDUCE_INVENTORY, (quantity, product_id, quantity))
        reduced, *_ = await self._work.write(reduce, after=[_ref(product_id)])
        return reduced.affected == 1

    async def _lock(self, product_id: int, *, shared: list[Aggregate] | None = None) -> Product | None:
        await self._work.lock(product_aggregate(product_id), shared=shared or [], before=[_ref(product_id)])
        image = self._work.change.before.get(_ref(product_id))
        return image.product if isinstance(image, ProductImage) else None

    async def _lock_own(self, product_id: int, seller_id: int, *, shared: list[Aggregate]) -> Product:
        product = await self._lock(product_id, shared=shared)
        if product is None:
            msg = f"product {product_id} does not exist"
            raise NotFound(msg, subject=Subject("product", product_id or None))
        if product.seller_id != seller_id:
            msg = f"product {product_id} belongs to another seller"
            raise Forbidden(msg)
        return product

    async def _lock_listed(self, product_id: int, *aggregates: Aggregate, before: list[Ref] | None = None) -> None:
        """Lock the listing, and aggregates before it, for a change of what lists show of a product."""
        await self._work.lock(*aggregates, LISTING, before=(before or []) if self._work.is_dual else [])
        self._work.change.listed_products.add(product_id)

    async def _lock_shown(self, product: Product, given: dict[str, object]) -> list[Ref]:
        """Lock what an update of these fields touches besides the product; the categories whose counts change."""
        moved: list[int] = []
        if given.get("category_id", product.category_id) != product.category_id:
            moved = [product.category_id, int(str(given["category_id"]))]
        refs = [_category_ref(c) for c in moved] if self._work.is_dual else []
        is_shown = any(given.get(field, getattr(product, field)) != getattr(product, field) for field in SHOWN)
        stock = int(str(given.get("inventory_quantity", product.inventory_quantity)))
        if is_shown or (stock > 0) != (product.inventory_quantity > 0):
            await self._lock_listed(product.id, *[category_aggregate(c) for c in moved], before=refs)
        return refs

    def _after(self) -> Product:
        (product,) = [i.product for i in self._work.change.after.values() if isinstance(i, ProductImage)]
        return product

    def _demand(self, entity: str, record_id: int, *, is_there: bool) -> None:
        if not is_there:
            msg = f"{entity} {record_id} does not exist"
            raise NotFound(msg, subject=Subject(entity, record_id or None))


def _ref(product_id: int) -> Ref:
    return Ref(RowKind.PRODUCT, product_id)


def _category_ref(category_id: int) -> Ref:
    return Ref(RowKind.CATEGORY, category_id)
