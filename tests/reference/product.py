"""Products of the reference shop."""

# ruff: noqa: D102  # What an operation promises is written on its port.

from collections.abc import Callable
from dataclasses import asdict, replace
from decimal import Decimal

from adapters.collation import contains, search_form
from adapters.errors import Conflict, Forbidden, Reason, Subject
from adapters.records import Product, ProductDetails, ProductPage
from adapters.values import UNSET, ProductFilters, Unset
from tests.reference.rows import Rows, given, missing, newest_first

EVERYTHING = ProductFilters()


class ReferenceProducts:
    """The operations of `product`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get_product_by_id(self, *, product_id: int) -> Product | None:
        return self._rows.products.get(product_id)

    async def get_product_with_details(self, *, product_id: int) -> ProductDetails | None:
        return self.details(product_id) if product_id in self._rows.products else None

    async def get_products(
        self, *, filters: ProductFilters = EVERYTHING, page: int = 1, limit: int = 20
    ) -> ProductPage:
        return self._page(lambda product: self._passes(product, filters), page, limit)

    async def get_products_by_seller(self, *, seller_id: int, page: int = 1, limit: int = 20) -> ProductPage:
        return self._page(lambda product: product.seller_id == seller_id, page, limit)

    async def get_products_by_category(self, *, category_id: int, page: int = 1, limit: int = 20) -> ProductPage:
        return self._page(lambda product: self._is_below(product, category_id), page, limit)

    async def search_products(self, *, search_term: str, page: int = 1, limit: int = 20) -> ProductPage:
        return self._page(lambda product: _mentions(product, search_term), page, limit)

    async def has_inventory(self, *, product_id: int, required_quantity: int) -> bool:
        product = self._rows.products.get(product_id)
        return product is not None and product.inventory_quantity >= required_quantity

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
        """The category is looked for first."""
        self._demand_category(category_id)
        if seller_id not in self._rows.users:
            raise missing("user", seller_id)
        now = self._rows.clock()
        product = Product(
            id=self._rows.new_id("products"),
            seller_id=seller_id,
            category_id=category_id,
            name=name,
            description=description,
            price=price,
            inventory_quantity=inventory_quantity,
            image_url=image_url,
            created_at=now,
            updated_at=now,
        )
        return self._store(product)

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
        product = self._own_product(product_id, seller_id)
        changes = given(
            name=name,
            description=description,
            category_id=category_id,
            price=price,
            inventory_quantity=inventory_quantity,
            image_url=image_url,
        )
        if isinstance(category_id, int):
            self._demand_category(category_id)
        return self.change(product, **changes) if changes else product

    async def delete_product(self, *, product_id: int, seller_id: int) -> bool:
        self._own_product(product_id, seller_id)
        if self._rows.is_ordered(product_id):
            raise Conflict("ordered", reason=Reason.RESTRICT, subject=Subject("product", id=product_id))
        self._rows.remove_product(product_id)
        return True

    async def update_inventory(self, *, product_id: int, quantity: int) -> bool:
        product = self._rows.products.get(product_id)
        if product is None:
            return False
        self.change(product, inventory_quantity=quantity)
        return True

    async def reduce_inventory(self, *, product_id: int, quantity: int) -> bool:
        product = self._rows.products.get(product_id)
        if product is None or product.inventory_quantity < quantity:
            return False
        self.change(product, inventory_quantity=product.inventory_quantity - quantity)
        return True

    def details(self, product_id: int) -> ProductDetails:
        """A product that exists, with the live names around it."""
        product = self._rows.products[product_id]
        seller = self._rows.users[product.seller_id]
        return ProductDetails(
            **asdict(product),
            category_name=self._rows.categories[product.category_id].name,
            seller_username=seller.username,
            seller_email=seller.email,
        )

    def change(self, product: Product, **changes: object) -> Product:
        """Store the product with some fields changed."""
        changed: Product = replace(product, **given(**changes, updated_at=self._rows.clock()))
        return self._store(changed)

    def _store(self, product: Product) -> Product:
        self._rows.products[product.id] = product
        return product

    def _own_product(self, product_id: int, seller_id: int) -> Product:
        product = self._rows.products.get(product_id)
        if product is None:
            raise missing("product", product_id)
        if product.seller_id != seller_id:
            raise Forbidden("the product is another seller's")
        return product

    def _demand_category(self, category_id: int) -> None:
        if category_id not in self._rows.categories:
            raise missing("category", category_id)

    def _is_below(self, product: Product, category_id: int) -> bool:
        return category_id in {product.category_id, self._rows.categories[product.category_id].parent_id}

    def _passes(self, product: Product, filters: ProductFilters) -> bool:
        return (
            (filters.category_id is None or self._is_below(product, filters.category_id))
            and filters.seller_id in {None, product.seller_id}
            and (filters.search is None or _mentions(product, filters.search))
            and (filters.min_price is None or product.price >= filters.min_price)
            and (filters.max_price is None or product.price <= filters.max_price)
            and (not filters.in_stock_only or product.inventory_quantity > 0)
        )

    def _page(self, is_wanted: Callable[[Product], bool], page: int, limit: int) -> ProductPage:
        found = newest_first(filter(is_wanted, self._rows.products.values()))
        start = (page - 1) * limit
        return ProductPage(
            products=[self.details(product.id) for product in found[start : start + limit]],
            total=len(found),
            page=page,
            limit=limit,
            total_pages=-(-len(found) // limit),
        )


def _mentions(product: Product, term: str) -> bool:
    form = search_form(term)
    return any(contains(search_form(text), form) for text in (product.name, product.description or ""))
