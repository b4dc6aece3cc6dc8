"""The writes of users: `MySQLUsers` is the whole UserRepository."""

from collections.abc import Iterable
from decimal import Decimal

from adapters.changes import (
    ADMINS,
    LISTING,
    TREE,
    CartImage,
    Ref,
    RowKind,
    UserImage,
    category_aggregate,
    product_aggregate,
    user_aggregate,
)
from adapters.changes import AggregateKind as Kind
from adapters.collation import key_form
from adapters.errors import Conflict, Reason, Subject
from adapters.mysql.rows import cart_item_of
from adapters.mysql.statements import Statement
from adapters.mysql.transaction import Created, Transaction
from adapters.mysql.user import UserReads
from adapters.records import User
from adapters.values import UNSET, Unset

CREATE = """INSERT INTO users (username, email, password_hash, first_name, last_name)
 VALUES (%s, %s, %s, %s, %s)"""
UPDATE_FIRST_NAME = "UPDATE users SET first_name = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s"
UPDATE_LAST_NAME = "UPDATE users SET last_name = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s"
UPDATE_EMAIL = "UPDATE users SET email = %s, updated_at = CURRENT_TIMESTAMP WHERE id = %s"
UPGRADE_TO_SELLER = "UPDATE users SET is_seller = TRUE, updated_at = CURRENT_TIMESTAMP WHERE id = %s"
PROMOTE_TO_SUPER_ADMIN = "UPDATE users SET super_admin = TRUE, updated_at = CURRENT_TIMESTAMP WHERE id = %s"
DEMOTE_FROM_SUPER_ADMIN = "UPDATE users SET super_admin = FALSE, updated_at = CURRENT_TIMESTAMP WHERE id = %s"
DELETE = "DELETE FROM users WHERE id = %s"
LOCK_USER = "SELECT id FROM users WHERE id = %s FOR UPDATE"
OTHER_ADMINS = "SELECT COUNT(*) FROM users WHERE super_admin AND id <> %s"
CART_PRODUCTS = "SELECT product_id FROM shopping_carts WHERE user_id = %s"
ORDER_IDS = "SELECT id FROM orders WHERE user_id = %s"
PRODUCT_IDS = "SELECT id FROM products WHERE seller_id = %s"
IS_SELLING = "SELECT EXISTS (SELECT 1 FROM products WHERE seller_id = %s)"
PRODUCT_CATEGORIES = "SELECT DISTINCT category_id FROM products WHERE seller_id = %s"
ORDERED_PRODUCT = """SELECT p.id FROM products p JOIN order_items i ON i.product_id = p.id
 WHERE p.seller_id = %s ORDER BY p.id LIMIT 1"""
REFERENCED_PRODUCTS = """SELECT DISTINCT i.product_id FROM orders o JOIN order_items i ON i.order_id = o.id
 WHERE o.user_id = %s"""
CARTS_WITH_PRODUCTS = """SELECT c.id, c.user_id, c.product_id, c.quantity, c.created_at, c.updated_at, u.email
 FROM shopping_carts c JOIN users u ON u.id = c.user_id WHERE c.product_id IN %s"""


class MySQLUsers(UserReads):
    """UserRepository. The users' rows, and what moves or goes with them."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work.connection)
        self._work = work

    async def create(
        self,
        *,
        username: str,
        email: str,
        password_hash: str,
        first_name: str | None = "",
        last_name: str | None = "",
    ) -> User:
        insert = Statement(CREATE, (username, email, password_hash, first_name, last_name))
        await self._work.write(insert, created=Created(RowKind.USER, Kind.USER))
        return _only_user(self._work)

    async def update(
        self,
        *,
        id: int,  # noqa: A002  # the wire's name
        first_name: str | Unset | None = UNSET,
        last_name: str | Unset | None = UNSET,
        email: str | Unset = UNSET,
    ) -> User | None:
        given = ((UPDATE_FIRST_NAME, first_name), (UPDATE_LAST_NAME, last_name), (UPDATE_EMAIL, email))
        statements = [Statement(text, (value, id)) for text, value in given if value is not UNSET]
        user = await self._lock(id)
        if user is None or not statements:
            return user
        moving: list[Ref] = []
        if email is not UNSET and email != user.email:
            await self._lock_listing_of_seller(id)
            moving = await self._children(id) if key_form(email) != key_form(user.email) else []
        await self._work.write(*statements, after=[_ref(id), *moving])
        return _only_user(self._work)

    async def upgrade_to_seller(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        return await self._update_one(UPGRADE_TO_SELLER, id)

    async def promote_to_super_admin(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        await self._lock(id, has_admins=True)
        return await self._update_one(PROMOTE_TO_SUPER_ADMIN, id)

    async def demote_from_super_admin(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        user = await self._lock(id, has_admins=True)
        if user is not None and user.super_admin:
            await self._refuse_last_admin(id)
        return await self._update_one(DEMOTE_FROM_SUPER_ADMIN, id)

    async def delete(self, *, id: int) -> bool:  # noqa: A002  # the wire's name
        await self._work.lock(user_aggregate(id), shared=[TREE], before=[_ref(id)])
        user = self._before(id)
        if user is None:
            return False
        products, categories = await self._lock_products_of(id, is_admin=user.super_admin)
        if user.super_admin:
            await self._refuse_last_admin(id)
        await self._refuse_ordered(id)
        await self._defer_children(id, products)
        await self._work.write(Statement(DELETE, (id,)), after=[_category_ref(c) for c in categories])
        self._work.change.counts[user_aggregate(id)] = 0
        return True

    async def _lock(self, user_id: int, *, has_admins: bool = False) -> User | None:
        admins = [ADMINS] if has_admins else []
        await self._work.lock(user_aggregate(user_id), *admins, before=[_ref(user_id)])
        return self._before(user_id)

    def _before(self, user_id: int) -> User | None:
        image = self._work.change.before.get(_ref(user_id))
        return image.user if isinstance(image, UserImage) else None

    async def _update_one(self, statement: str, user_id: int) -> User | None:
        user = self._before(user_id) or await self._lock(user_id)
        if user is None:
            return None
        await self._work.write(Statement(statement, (user_id,)), after=[_ref(user_id)])
        return _only_user(self._work)

    async def _refuse_last_admin(self, user_id: int) -> None:
        (others,) = await self._work.read(Statement(OTHER_ADMINS, (user_id,)))
        if others.rows[0][0] == 0:
            msg = f"user {user_id} is the last super admin"
            raise Conflict(msg, reason=Reason.LAST_SUPER_ADMIN, subject=Subject("user", user_id))

    async def _lock_listing_of_seller(self, user_id: int) -> None:
        """Lists show a seller's email; no product can come or go while the user is locked."""
        if not self._work.is_dual:
            return
        (selling,) = await self._work.read(Statement(IS_SELLING, (user_id,)))
        if selling.rows[0][0]:
            await self._work.lock(LISTING)
            self._work.change.listed_sellers.add(user_id)

    async def _children(self, user_id: int) -> list[Ref]:
        """The rows whose keys hold the user's email, read as they are before the move."""
        if not self._work.is_dual:
            return []
        carts, orders = await self._work.read(Statement(CART_PRODUCTS, (user_id,)), Statement(ORDER_IDS, (user_id,)))
        refs = [Ref(RowKind.CART, user_id, row[0]) for row in carts.rows]
        refs += [Ref(RowKind.ORDER, row[0]) for row in orders.rows]
        self._work.change.before.update(await self._work.images(refs))
        return refs

    async def _refuse_ordered(self, user_id: int) -> None:
        """The user's row is locked first: child inserts then wait at their foreign key, else they are orphaned."""
        _, ordered = await self._work.read(Statement(LOCK_USER, (user_id,)), Statement(ORDERED_PRODUCT, (user_id,)))
        if ordered.rows:
            msg = f"product {ordered.rows[0][0]} of user {user_id} is in an order"
            raise Conflict(msg, reason=Reason.RESTRICT, subject=Subject("product", ordered.rows[0][0]))

    async def _lock_products_of(self, user_id: int, *, is_admin: bool) -> tuple[list[int], list[int]]:
        """The user's products and their categories, locked; the products cannot grow under the user's lock."""
        if not self._work.is_dual:
            await self._work.lock(*([ADMINS] if is_admin else []))
            return [], []
        (found,) = await self._work.read(Statement(PRODUCT_IDS, (user_id,)))
        products = [row[0] for row in found.rows]
        (categories_found,) = await self._work.lock(
            *[product_aggregate(p) for p in products],
            before=[_product_ref(p) for p in products],
            reading=[Statement(PRODUCT_CATEGORIES, (user_id,))],
        )
        categories = [row[0] for row in categories_found.rows]
        listing = [LISTING] if products else []
        await self._work.lock(
            *[category_aggregate(c) for c in categories],
            *listing,
            *([ADMINS] if is_admin else []),
            before=[_category_ref(c) for c in categories],
        )
        self._work.change.listed_products.update(products)
        return products, categories

    async def _defer_children(self, user_id: int, products: list[int]) -> None:
        """What nobody can see once the user is gone: cart lines and orders, lines of others, references counted."""
        if not self._work.is_dual:
            return
        await self._defer_own_children(user_id)
        (referenced,) = await self._work.read(Statement(REFERENCED_PRODUCTS, (user_id,)))
        self._work.change.deferred += [_product_ref(row[0]) for row in referenced.rows if row[0] not in products]
        self._work.change.deferred += await carts_with_products(self._work, products, without_user=user_id)

    async def _defer_own_children(self, user_id: int) -> None:
        carts, orders = await self._work.read(Statement(CART_PRODUCTS, (user_id,)), Statement(ORDER_IDS, (user_id,)))
        refs = [Ref(RowKind.CART, user_id, row[0]) for row in carts.rows]
        refs += [Ref(RowKind.ORDER, row[0]) for row in orders.rows]
        self._work.change.deferred += (await self._work.images(refs)).values()


async def carts_with_products(
    work: Transaction, product_ids: Iterable[int], *, without_user: int = 0
) -> list[CartImage]:
    """The cart lines that hold these products, as far as their keys need; price and name are left out."""
    ids = tuple(product_ids)
    if not ids:
        return []
    (found,) = await work.read(Statement(CARTS_WITH_PRODUCTS, (ids,)))
    return [
        CartImage(cart_item_of(row[:6]), email=row[6], price=Decimal(0), product_name="")
        for row in found.rows
        if row[1] != without_user
    ]


def _ref(user_id: int) -> Ref:
    return Ref(RowKind.USER, user_id)


def _product_ref(product_id: int) -> Ref:
    return Ref(RowKind.PRODUCT, product_id)


def _category_ref(category_id: int) -> Ref:
    return Ref(RowKind.CATEGORY, category_id)


def _only_user(work: Transaction) -> User:
    (user,) = [image.user for image in work.change.after.values() if isinstance(image, UserImage)]
    return user
