"""Units of work on connections of the write pool."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.changes import Aggregate
from adapters.deadline import Deadline
from adapters.errors import CrossfadeError
from adapters.flags import ControlState
from adapters.mysql.pool import Pool
from adapters.mysql.unit import MySQLUnit


class MySQLWriter:
    """See Writer."""

    def __init__(self, pool: Pool, *, instance: str) -> None:
        self._pool = pool
        self._instance = instance

    @asynccontextmanager
    async def unit(
        self,
        state: ControlState,
        *,
        deadline: Deadline,
        also_lock: frozenset[Aggregate] = frozenset(),
    ) -> AsyncIterator[MySQLUnit]:
        """See Writer. What was not committed is rolled back; a connection that cannot even do that is closed."""
        async with self._pool.acquire(deadline) as connection:
            unit = MySQLUnit(connection, state, deadline=deadline, also_lock=also_lock, instance=self._instance)
            try:
                yield unit
            finally:
                if connection.is_open and connection.is_in_transaction:
                    try:
                        await unit.rollback()
                    except CrossfadeError:
                        connection.close()
