"""Products with what answers show of their categories and sellers: one request, and the caches.

BatchGet of products, both fences and what else the call needs ──▶ caches as new as the fences ──▶ details
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.dynamodb.caches import Caches
from adapters.dynamodb.items import product_from
from adapters.dynamodb.keys import Key
from adapters.dynamodb.listing import Listing
from adapters.dynamodb.reading import ItemReader
from adapters.dynamodb.tree import Tree
from adapters.dynamodb.typed_json import Attributes
from adapters.records import Product, ProductDetails

TRIES: Final = 3
"""A product newer than the fences, which one request does not read at one moment, may be of a seller unknown yet."""


@dataclass(frozen=True, slots=True)
class Found:
    """Products by id, with details where category and seller are there, and what was read beside them."""

    products: Mapping[int, Product]
    details: Mapping[int, ProductDetails]
    beside: Mapping[Key, Attributes]


class DetailReader:
    """Reads products for one call."""

    def __init__(self, items: ItemReader, caches: Caches) -> None:
        self._items = items
        self._caches = caches

    async def find(self, product_ids: Iterable[int], *, beside: Collection[Key] = ()) -> Found:
        """The products that there are; a request for each hundred keys. Like MySQL's join, details lack orphans."""
        keys = {self._items.keys.product(each): each for each in product_ids}
        fences = self._caches.fences if keys else ()
        for _ in range(TRIES):
            found = await self._items.many([*fences, *beside, *keys])
            read = ((keys.get(key), item) for key, item in found.items())
            products = {each: product_from(item) for each, item in read if each is not None}
            details = await self._detailed(products, found)
            if len(details) == len(products):
                break
        return Found(products, details, found)

    async def _detailed(
        self, products: Mapping[int, Product], found: Mapping[Key, Attributes]
    ) -> Mapping[int, ProductDetails]:
        if not products:
            return {}
        stamps = self._caches.stamps_in(found)
        tree = await self._caches.tree.at(stamps.tree, self._items)
        listing = await self._caches.listing.at(stamps.listing, self._items)
        made = ((each, details_of(product, tree, listing)) for each, product in products.items())
        return {product_id: details for product_id, details in made if details is not None}


def details_of(product: Product, tree: Tree, listing: Listing) -> ProductDetails | None:
    """A product with its category's name and its seller's; None where one of them is not there."""
    category, seller = tree.get(product.category_id), listing.seller(product.seller_id)
    if category is None or seller is None:
        return None
    return ProductDetails(
        id=product.id,
        seller_id=product.seller_id,
        category_id=product.category_id,
        name=product.name,
        description=product.description,
        price=product.price,
        inventory_quantity=product.inventory_quantity,
        image_url=product.image_url,
        created_at=product.created_at,
        updated_at=product.updated_at,
        category_name=category.name,
        seller_username=seller.username,
        seller_email=seller.email,
    )
