"""The reads of products. Every page is one statement: the total and the page come from one snapshot."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from adapters.collation import like_pattern
from adapters.mysql.connection import Connection
from adapters.mysql.rows import product_details_of, product_of, sql
from adapters.records import Product, ProductDetails, ProductPage
from adapters.values import INT_MAX, MONEY_MAX, ProductFilters

CENT = Decimal("0.01")
ABOVE_ALL_PRICES = MONEY_MAX + CENT

GET_PRODUCT_BY_ID = sql("SELECT $PRODUCT FROM products p WHERE p.id = %s")
GET_PRODUCT_WITH_DETAILS = sql("SELECT $PRODUCT_DETAILS FROM products p $JOIN_DETAILS WHERE p.id = %s")
HAS_INVENTORY = "SELECT 1 FROM products WHERE id = %s AND inventory_quantity >= %s"

# Matching products are found once (unhinted, MySQL would search twice), sorted by id alone, and only those of the page
# are read in full. The total comes last in each row, and alone, beside NULLs, where the page is empty.
GET_PRODUCTS = """WITH matching AS (SELECT p.id, p.created_at FROM products p $WHERE)
 SELECT $PRODUCT_DETAILS, counted.total
 FROM (SELECT /*+ NO_MERGE(matching) */ COUNT(*) AS total FROM matching) counted
 LEFT JOIN ((SELECT /*+ NO_MERGE(p) */ p.id FROM matching p ORDER BY p.created_at DESC, p.id DESC LIMIT %s OFFSET %s)
 page JOIN products p ON p.id = page.id $JOIN_DETAILS) ON TRUE
 ORDER BY p.created_at DESC, p.id DESC"""
IN_CATEGORY = "p.category_id IN (SELECT id FROM categories WHERE id = %s OR parent_id = %s)"
OF_SELLER = "p.seller_id = %s"
MATCHING = "(p.name LIKE %s OR p.description LIKE %s)"
PRICE_FROM = "p.price >= %s"
PRICE_TO = "p.price <= %s"
IN_STOCK = "p.inventory_quantity > 0"

Condition = tuple[str, tuple[object, ...]]


class ProductReads:
    """The reads of ProductRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_product_by_id(self, *, product_id: int) -> Product | None:
        """See ProductRepository."""
        rows = await self._connection.rows(GET_PRODUCT_BY_ID, (product_id,))
        return product_of(rows[0]) if rows else None

    async def get_product_with_details(self, *, product_id: int) -> ProductDetails | None:
        """See ProductRepository."""
        rows = await self._connection.rows(GET_PRODUCT_WITH_DETAILS, (product_id,))
        return product_details_of(rows[0]) if rows else None

    async def get_products(
        self,
        *,
        filters: ProductFilters = ProductFilters(),  # noqa: B008  # immutable
        page: int = 1,
        limit: int = 20,
    ) -> ProductPage:
        """See ProductRepository."""
        conditions = list(_conditions(filters))
        args = [arg for _, given in conditions for arg in given]
        statement = _get_products(tuple(text for text, _ in conditions))
        rows = await self._connection.rows(statement, (*args, limit, min((page - 1) * limit, INT_MAX)))
        total = int(rows[0][-1])
        products = [product_details_of(row) for row in rows if row[0] is not None]
        return ProductPage(products, total, page, limit, total_pages=-(-total // limit))

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
        return bool(await self._connection.rows(HAS_INVENTORY, (product_id, required_quantity)))


@lru_cache(maxsize=64)
def _get_products(conditions: tuple[str, ...]) -> str:
    """GET_PRODUCTS for one choice of filters."""
    return sql(GET_PRODUCTS, WHERE=f"WHERE {' AND '.join(conditions)}" if conditions else "")


def _conditions(filters: ProductFilters) -> Iterator[Condition]:
    """The filters given, as fragments with their parameters."""
    if filters.category_id is not None:
        yield IN_CATEGORY, (filters.category_id, filters.category_id)
    if filters.seller_id is not None:
        yield OF_SELLER, (filters.seller_id,)
    if filters.search:
        pattern = f"%{like_pattern(filters.search)}%"
        yield MATCHING, (pattern, pattern)
    # Prices have two places: a bound between two of them is moved to the next, so that the server compares exactly.
    if filters.min_price is not None:
        bound = min(filters.min_price, ABOVE_ALL_PRICES)
        yield PRICE_FROM, (bound.quantize(CENT, rounding=ROUND_CEILING),)
    if filters.max_price is not None:
        bound = min(filters.max_price, ABOVE_ALL_PRICES)
        yield PRICE_TO, (bound.quantize(CENT, rounding=ROUND_FLOOR),)
    if filters.in_stock_only:
        yield IN_STOCK, ()
