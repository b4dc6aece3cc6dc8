"""The operations of `product`."""

from typing import Protocol

from adapters.ports import read, write
from adapters.records import Product, ProductDetails, ProductPage
from adapters.values import (
    UNSET,
    Description,
    Id,
    ImageUrl,
    Limit,
    Page,
    Price,
    ProductFilters,
    ProductName,
    Quantity,
    QuantityOrZero,
    SearchTerm,
    Unset,
)


class ProductRepository(Protocol):
    """Products. Every page is newest first, (created_at DESC, id DESC), with the exact total of all pages."""

    @read
    async def get_product_by_id(self, *, product_id: Id) -> Product | None:
        """One statement; one request."""

    @read
    async def get_product_with_details(self, *, product_id: Id) -> ProductDetails | None:
        """One statement; one request."""

    @read
    async def get_products(
        self,
        *,
        filters: ProductFilters = ProductFilters(),  # noqa: B008  # immutable
        page: Page = 1,
        limit: Limit = 20,
    ) -> ProductPage:
        """The products that pass all filters. Two statements; one request, no Scan; two when lists have changed."""

    @read
    async def get_products_by_seller(self, *, seller_id: Id, page: Page = 1, limit: Limit = 20) -> ProductPage:
        """Empty for an unknown seller. As `get_products`."""

    @read
    async def get_products_by_category(self, *, category_id: Id, page: Page = 1, limit: Limit = 20) -> ProductPage:
        """With those of the direct subcategories. As `get_products`."""

    @read
    async def search_products(self, *, search_term: SearchTerm, page: Page = 1, limit: Limit = 20) -> ProductPage:
        """Substring of name or description as LIKE sees it; all products for "". As `get_products`."""

    @read
    async def has_inventory(self, *, product_id: Id, required_quantity: QuantityOrZero) -> bool:
        """False for an unknown product. One statement; one request."""

    @write
    async def create_product(
        self,
        *,
        seller_id: Id,
        name: ProductName,
        category_id: Id,
        price: Price,
        inventory_quantity: QuantityOrZero,
        description: Description | None = None,
        image_url: ImageUrl | None = None,
    ) -> Product:
        """Raises NotFound when the category or the seller does not exist; is_seller is not checked."""

    @write
    async def update_product(
        self,
        *,
        product_id: Id,
        seller_id: Id,
        name: ProductName | Unset = UNSET,
        description: Description | Unset | None = UNSET,
        category_id: Id | Unset = UNSET,
        price: Price | Unset = UNSET,
        inventory_quantity: QuantityOrZero | Unset = UNSET,
        image_url: ImageUrl | Unset | None = UNSET,
    ) -> Product:
        """Raises NotFound when the product (or the new category) does not exist, Forbidden when another seller's."""

    @write
    async def delete_product(self, *, product_id: Id, seller_id: Id) -> bool:
        """True. The product leaves every cart.

        Raises NotFound when missing, Forbidden when another seller's, Conflict `restrict` while an order item
        refers to it.
        """

    @write
    async def update_inventory(self, *, product_id: Id, quantity: QuantityOrZero) -> bool:
        """Set the stock. False when there is no such product."""

    @write
    async def reduce_inventory(self, *, product_id: Id, quantity: Quantity) -> bool:
        """Take from the stock, never below zero. False when there is too little or no such product."""
