"""The reads of users. Where `users.super_admin` is missing they read it as false; see `crossfade db prepare`."""

from collections.abc import Sequence

from adapters.mysql.connection import Connection, Row
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
        return _one(await self._rows(FIND_BY_ID, (id,)))

    async def find_by_username(self, *, username: str) -> User | None:
        """See UserRepository."""
        return _one(await self._rows(FIND_BY_USERNAME, (username,)))

    async def find_by_email(self, *, email: str) -> User | None:
        """See UserRepository."""
        return _one(await self._rows(FIND_BY_EMAIL, (email,)))

    async def exists_by_username(self, *, username: str) -> bool:
        """See UserRepository."""
        return bool(await self._connection.rows(EXISTS_BY_USERNAME, (username,)))

    async def exists_by_email(self, *, email: str) -> bool:
        """See UserRepository."""
        return bool(await self._connection.rows(EXISTS_BY_EMAIL, (email,)))

    async def find_all_super_admins(self) -> list[User]:
        """See UserRepository."""
        return [user_of(row) for row in await self._rows(FIND_ALL_SUPER_ADMINS, ())]

    async def _rows(self, statement: str, args: Sequence[object]) -> list[Row]:
        try:
            return await self._connection.rows(statement, args)
        except NotPrepared:
            return await self._connection.rows(statement.replace("super_admin", "FALSE"), args)


def _one(rows: list[Row]) -> User | None:
    return user_of(rows[0]) if rows else None
