"""The shop in MySQL as the proxy uses it: every read, on a session of the read pool."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from adapters.deadline import Deadline
from adapters.errors import Unavailable
from adapters.mysql.cart import CartReads
from adapters.mysql.category import CategoryReads
from adapters.mysql.connection import Connection
from adapters.mysql.errors import ConnectionLost
from adapters.mysql.order import OrderReads
from adapters.mysql.pool import Pool
from adapters.mysql.product import ProductReads
from adapters.mysql.user import UserReads
from adapters.operations import Operation, catalogue
from adapters.ports.store import Arguments, Restart

READERS: Mapping[str, type[Any]] = {
    "user": UserReads,
    "product": ProductReads,
    "order": OrderReads,
    "category": CategoryReads,
    "cart": CartReads,
}
"""Entity to the class that reads it."""

Read = tuple[Callable[[Connection], object], Callable[..., Awaitable[object]]]


class MySQLStore:
    """See Store."""

    def __init__(self, reads: Pool) -> None:
        self._pool = reads
        self._reads: Mapping[tuple[str, str], Read] = {
            (operation.entity, operation.name): (reader := READERS[operation.entity], getattr(reader, operation.name))
            for operation in catalogue().values()
            if not operation.is_write
        }

    async def read(self, operation: Operation, arguments: Arguments, deadline: Deadline) -> object:
        """See Reader. A read whose session breaks is asked once more, on another."""
        read = self._reads[operation.entity, operation.name]
        try:
            try:
                return await self._once(read, arguments, deadline)
            except ConnectionLost:
                return await self._once(read, arguments, deadline)
        except Restart as error:
            raise Unavailable("a table of MySQL is locked") from error

    async def ping(self, deadline: Deadline) -> None:
        """Prove that the server answers; raises Unavailable or DeadlineExceeded."""
        async with deadline.scope("mysql.ping"), self._pool.acquire(deadline) as connection:
            await connection.ping()

    async def close(self) -> None:
        """Let calls under way finish, then close all sessions."""
        await self._pool.close()

    async def _once(self, read: Read, arguments: Arguments, deadline: Deadline) -> object:
        reader, method = read
        connection = await self._pool.take(deadline)
        try:
            async with deadline.scope("mysql.query"):
                return await method(reader(connection), **arguments)
        finally:
            self._pool.give_back(connection)
