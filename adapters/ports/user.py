"""The operations of `user`."""

from typing import Protocol

from adapters.ports import read, write
from adapters.records import User
from adapters.values import (
    UNSET,
    Email,
    EmailLookup,
    Id,
    PasswordHash,
    PersonName,
    Unset,
    Username,
    UsernameLookup,
)


class UserRepository(Protocol):
    """Users. Equality of usernames and emails is the collation's: `ANA@shop.test` finds `ana@shop.test`."""

    @read
    async def find_by_id(self, *, id: Id) -> User | None:  # noqa: A002  # the wire's name
        """One statement; one request."""

    @read
    async def find_by_username(self, *, username: UsernameLookup) -> User | None:
        """One statement; one request."""

    @read
    async def find_by_email(self, *, email: EmailLookup) -> User | None:
        """One statement; one request."""

    @read
    async def exists_by_username(self, *, username: UsernameLookup) -> bool:
        """One statement; one request."""

    @read
    async def exists_by_email(self, *, email: EmailLookup) -> bool:
        """One statement; one request."""

    @read
    async def find_all_super_admins(self) -> list[User]:
        """By (username, id). One statement; one Query of a small partition."""

    @write
    async def create(
        self,
        *,
        username: Username,
        email: Email,
        password_hash: PasswordHash,
        first_name: PersonName | None = "",
        last_name: PersonName | None = "",
    ) -> User:
        """Raises Conflict `unique` with the field when the username or the email is taken."""

    @write
    async def update(
        self,
        *,
        id: Id,  # noqa: A002  # the wire's name
        first_name: PersonName | Unset | None = UNSET,
        last_name: PersonName | Unset | None = UNSET,
        email: Email | Unset = UNSET,
    ) -> User | None:
        """None when there is no such user. Raises Conflict `unique`; an own email in another spelling is none.

        A new key form of the email moves the user, the cart lines and the orders, all in one step for every reader.
        """

    @write
    async def upgrade_to_seller(self, *, id: Id) -> User | None:  # noqa: A002  # the wire's name
        """None when there is no such user."""

    @write
    async def promote_to_super_admin(self, *, id: Id) -> User | None:  # noqa: A002  # the wire's name
        """None when there is no such user."""

    @write
    async def demote_from_super_admin(self, *, id: Id) -> User | None:  # noqa: A002  # the wire's name
        """None when there is no such user. Raises Conflict `last_super_admin` rather than leave none."""

    @write
    async def delete(self, *, id: Id) -> bool:  # noqa: A002  # the wire's name
        """False when there is no such user. Products, cart and orders of the user go with it.

        Raises Conflict `restrict` while an order item of anyone refers to one of the user's products, and
        `last_super_admin` for the last one.
        """
