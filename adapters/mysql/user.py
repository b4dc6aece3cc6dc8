"""The reads of users. Where `users.super_admin` is missing they read it as false; see `crossfade db prepare`."""

from collections.abc import Sequence

from adapters.mysql.connection import Connection
from adapters.mysql.errors import NotPrepared
from adapters.mysql.rows import sql, user_of
from adapters.records import User

FIND_BY_ID = sql("SELECT $USER FROM users WHERE id = %s")
FIND_BY_USERNAME = sql("SELECT $USER FROM users WHERE username = %s")
FIND_BY_EMAIL = sql("SELECT $USER FROM users WHERE email = %s")
EXISTS_BY_USERNAME = "SELECT 1 FROM users WHERE username = %s"
EXISTS_BY_EMAIL = "SELECT 1 FROM users WHERE email = %s"
FIND_ALL_SUPER_ADMINS = sql("SELECT $USER FROM users WHERE super_admin <> 0 ORDER BY username, id")


class UserReads:
    """The reads of UserRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_by_id(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        """See UserRepository."""
        return await self._one(FIND_BY_ID, id)

    async def find_by_username(self, *, username: str) -> User | None:
        """See UserRepository."""
        return await self._one(FIND_BY_USERNAME, username)

    async def find_by_email(self, *, email: str) -> User | None:
        """See UserRepository."""
        return await self._one(FIND_BY_EMAIL, email)

    async def exists_by_username(self, *, username: str) -> bool:
        """See UserRepository."""
        return bool(await self._connection.rows(EXISTS_BY_USERNAME, (username,)))

    async def exists_by_email(self, *, email: str) -> bool:
        """See UserRepository."""
        return bool(await self._connection.rows(EXISTS_BY_EMAIL, (email,)))

    async def find_all_super_admins(self) -> list[User]:
        """See UserRepository."""
        return await self._users(FIND_ALL_SUPER_ADMINS, ())

    async def _one(self, statement: str, key: object) -> User | None:
        users = await self._users(statement, (key,))
        return users[0] if users else None

    async def _users(self, statement: str, args: Sequence[object]) -> list[User]:
        try:
            rows = await self._connection.rows(statement, args)
        except NotPrepared:
            rows = await self._connection.rows(statement.replace("super_admin", "FALSE"), args)
        return [user_of(row) for row in rows]
