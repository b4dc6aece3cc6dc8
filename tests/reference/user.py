"""Users of the reference shop."""

# ruff: noqa: D102  # What an operation promises is written on its port.

from dataclasses import replace

from adapters.collation import key_form, sort_form
from adapters.errors import Conflict, Reason, Subject
from adapters.records import User
from adapters.values import UNSET, Unset
from tests.reference.rows import Rows, given, names

USERNAME_MAX = 50
EMAIL_MAX = 100


class ReferenceUsers:
    """The operations of `user`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def find_by_id(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        return self._rows.users.get(id)

    async def find_by_username(self, *, username: str) -> User | None:
        users = self._rows.users.values()
        return next((user for user in users if names(user.username, username, maximum=USERNAME_MAX)), None)

    async def find_by_email(self, *, email: str) -> User | None:
        users = self._rows.users.values()
        return next((user for user in users if names(user.email, email, maximum=EMAIL_MAX)), None)

    async def exists_by_username(self, *, username: str) -> bool:
        return await self.find_by_username(username=username) is not None

    async def exists_by_email(self, *, email: str) -> bool:
        return await self.find_by_email(email=email) is not None

    async def find_all_super_admins(self) -> list[User]:
        admins = [user for user in self._rows.users.values() if user.super_admin]
        return sorted(admins, key=lambda user: (sort_form(user.username), user.id))

    async def create(
        self,
        *,
        username: str,
        email: str,
        password_hash: str,
        first_name: str | None = "",
        last_name: str | None = "",
    ) -> User:
        """Where both are taken, the username is named."""
        self._demand_free("username", username)
        self._demand_free("email", email)
        now = self._rows.clock()
        user = User(
            id=self._rows.new_id("users"),
            username=username,
            email=email,
            password_hash=password_hash,
            first_name=first_name,
            last_name=last_name,
            is_seller=False,
            super_admin=False,
            created_at=now,
            updated_at=now,
        )
        return self._store(user)

    async def update(
        self,
        *,
        id: int,  # noqa: A002  # the wire's name
        first_name: str | Unset | None = UNSET,
        last_name: str | Unset | None = UNSET,
        email: str | Unset = UNSET,
    ) -> User | None:
        user = self._rows.users.get(id)
        changes = given(first_name=first_name, last_name=last_name, email=email)
        if user is None or not changes:
            return user
        if isinstance(email, str):
            self._demand_free("email", email, apart_from=id)
        return self._change(user, **changes)

    async def upgrade_to_seller(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        user = self._rows.users.get(id)
        return None if user is None else self._change(user, is_seller=True)

    async def promote_to_super_admin(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        user = self._rows.users.get(id)
        return None if user is None else self._change(user, super_admin=True)

    async def demote_from_super_admin(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        user = self._rows.users.get(id)
        if user is None:
            return None
        self._demand_another_admin(user)
        return self._change(user, super_admin=False)

    async def delete(self, *, id: int) -> bool:  # noqa: A002  # the wire's name
        """The last super admin is found before an order item is."""
        user = self._rows.users.get(id)
        if user is None:
            return False
        own_products = [product.id for product in self._rows.products.values() if product.seller_id == id]
        self._demand_another_admin(user)
        for product_id in filter(self._rows.is_ordered, sorted(own_products)):
            raise Conflict("ordered", reason=Reason.RESTRICT, subject=Subject("product", id=product_id))
        self._remove(id, own_products)
        return True

    def _store(self, user: User) -> User:
        self._rows.users[user.id] = user
        return user

    def _change(self, user: User, **changes: object) -> User:
        changed: User = replace(user, **given(**changes, updated_at=self._rows.clock()))
        return self._store(changed)

    def _demand_free(self, column: str, text: str, *, apart_from: int | None = None) -> None:
        taken = {key_form(getattr(user, column)) for user in self._rows.users.values() if user.id != apart_from}
        if key_form(text) in taken:
            raise Conflict(f"{column} is taken", reason=Reason.UNIQUE, subject=Subject("user", fields=(column,)))

    def _demand_another_admin(self, user: User) -> None:
        if user.super_admin and sum(other.super_admin for other in self._rows.users.values()) == 1:
            raise Conflict("the last one", reason=Reason.LAST_SUPER_ADMIN, subject=Subject("user", id=user.id))

    def _remove(self, user_id: int, own_products: list[int]) -> None:
        for product_id in own_products:
            self._rows.remove_product(product_id)
        for line in self._rows.cart_of(user_id):
            del self._rows.cart_items[line.id]
        for order in [order for order in self._rows.orders.values() if order.user_id == user_id]:
            for item in [item for item in self._rows.order_items.values() if item.order_id == order.id]:
                del self._rows.order_items[item.id]
            del self._rows.orders[order.id]
        del self._rows.users[user_id]
