"""The reads of products from DynamoDB: single ones by key, pages from the listing that a worker keeps."""

from dataclasses import dataclass
from typing import Final

from adapters.dynamodb.caches import Caches, Stamps
from adapters.dynamodb.details import DetailReader, Found
from adapters.dynamodb.items import product_from
from adapters.dynamodb.listing import Selection, query_of
from adapters.dynamodb.reading import ItemReader
from adapters.records import Product, ProductDetails, ProductPage
from adapters.values import ProductFilters

TRIES: Final = 3
"""How often a page is made anew because a product of it vanished; then products that are not there are left out."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a list is to hold; products of `without` are passed over."""

    filters: ProductFilters
    page: int
    limit: int
    without: frozenset[int]


class ProductReads:
    """The reads of ProductRepository, for one call."""

    def __init__(self, items: ItemReader, caches: Caches) -> None:
        self._items = items
        self._caches = caches
        self._details = DetailReader(items, caches)

    async def get_product_by_id(self, *, product_id: int) -> Product | None:
        """See ProductRepository."""
        item = await self._items.one(self._items.keys.product(product_id))
        return None if item is None else product_from(item)

    async def get_product_with_details(self, *, product_id: int) -> ProductDetails | None:
        """See ProductRepository."""
        return (await self._details.find([product_id])).details.get(product_id)

    async def get_products(
        self,
        *,
        filters: ProductFilters = ProductFilters(),  # noqa: B008  # immutable
        page: int = 1,
        limit: int = 20,
    ) -> ProductPage:
        """See ProductRepository."""
        gone: frozenset[int] = frozenset()
        for turn in range(TRIES):
            asked = _Asked(filters, page, limit, gone)
            selection, found = await (self._read(asked) if turn else self._read_as_kept(asked))
            missing = frozenset(selection.ids) - found.products.keys()
            if not missing:
                break
            # The first time the listing has changed; later a write that lists do not show yet may be under way.
            gone = gone | missing if turn else gone
        return _page(selection, found, page=page, limit=limit)

    async def get_products_by_seller(self, *, seller_id: int, page: int = 1, limit: int = 20) -> ProductPage:
        """See ProductRepository."""
        return await self.get_products(filters=ProductFilters(seller_id=seller_id), page=page, limit=limit)

    async def get_products_by_category(self, *, category_id: int, page: int = 1, limit: int = 20) -> ProductPage:
        """See ProductRepository."""
        return await self.get_products(filters=ProductFilters(category_id=category_id), page=page, limit=limit)

    async def search_products(self, *, search_term: str, page: int = 1, limit: int = 20) -> ProductPage:
        """See ProductRepository."""
        return await self.get_products(filters=ProductFilters(search=search_term), page=page, limit=limit)

    async def has_inventory(self, *, product_id: int, required_quantity: int) -> bool:
        """See ProductRepository."""
        product = await self.get_product_by_id(product_id=product_id)
        return product is not None and product.inventory_quantity >= required_quantity

    async def _read_as_kept(self, asked: _Asked) -> tuple[Selection, Found]:
        """Select by what is kept, in the hope that the fences, read beside the products, will bear it out."""
        kept = self._caches.kept
        if kept is None:
            return await self._read(asked)
        selection = await self._select(asked, kept)
        found = await self._details.find(selection.ids, beside=self._caches.fences)
        seen = self._caches.stamps_in(found.beside)
        return (selection, found) if seen == kept else await self._read(asked, seen)

    async def _read(self, asked: _Asked, seen: Stamps | None = None) -> tuple[Selection, Found]:
        """Select by the fences, which are read first unless this call has seen them."""
        stamps = seen or self._caches.stamps_in(await self._items.many(self._caches.fences))
        selection = await self._select(asked, stamps)
        return selection, await self._details.find(selection.ids)

    async def _select(self, asked: _Asked, stamps: Stamps) -> Selection:
        category_ids = None
        if asked.filters.category_id is not None:
            tree = await self._caches.tree.at(stamps.tree, self._items)
            category_ids = tree.with_children(asked.filters.category_id)
        listing = await self._caches.listing.at(stamps.listing, self._items)
        query = query_of(asked.filters, category_ids, page=asked.page, limit=asked.limit)
        return listing.select(query, without=asked.without)


def _page(selection: Selection, found: Found, *, page: int, limit: int) -> ProductPage:
    products = [found.details[each] for each in selection.ids if each in found.details]
    return ProductPage(products, selection.total, page, limit, total_pages=-(-selection.total // limit))
