"""Holding aggregates still: the control row and their version rows shared, in lock order, on a session of its own."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import orjson

from adapters.changes import Aggregate
from adapters.deadline import Deadline
from adapters.errors import CrossfadeError, DeadlineExceeded
from adapters.mysql.connection import Connection
from adapters.mysql.pool import Pool
from adapters.mysql.statements import Statement, joined
from adapters.mysql.transaction import BEGIN, SEED
from adapters.ports.store import Restart, RestartCause

# The server ends a wait for a lock by this limit too. A writer never waits longer for a comparison than that.
CONTROL = "SELECT /*+ MAX_EXECUTION_TIME(200) */ epoch FROM crossfade_control WHERE id = 1 FOR SHARE"
SHARE = "SELECT /*+ MAX_EXECUTION_TIME(200) */ 1 FROM crossfade_version WHERE kind = %s AND id = %s FOR SHARE"
KNOWN = "SELECT kind, id FROM crossfade_version WHERE (kind, id) IN %s"
UNSETTLED = """SELECT 1 FROM crossfade_intent
 WHERE state IN ('open', 'journalled') AND JSON_OVERLAPS(aggs, CAST(%s AS JSON)) LIMIT 1"""
ROLLBACK = "ROLLBACK"


class MySQLWitness:
    """See Witness."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def hold(
        self, aggregates: Collection[Aggregate], *, epoch: int, deadline: Deadline
    ) -> AsyncIterator["MySQLStillness"]:
        """See Witness."""
        listed = sorted(set(aggregates))
        async with self._pool.acquire(deadline) as connection:
            stillness = MySQLStillness(connection, listed, deadline)
            try:
                await stillness.begin(epoch)
                yield stillness
            finally:
                await _end(connection)


class MySQLStillness:
    """See Stillness."""

    def __init__(self, connection: Connection, aggregates: Collection[Aggregate], deadline: Deadline) -> None:
        self._connection = connection
        self._aggregates = aggregates
        self._deadline = deadline

    async def begin(self, epoch: int) -> None:
        """Take the locks. Raises as `Witness.hold`."""
        keys = [(int(each.kind), each.id) for each in self._aggregates]
        async with self._deadline.scope("mysql.witness"):
            if keys:
                await self._seed(keys)
            locks = [Statement(CONTROL), *(Statement(SHARE, key) for key in keys)]
            try:
                _, control, *_ = await self._connection.batch(*joined([BEGIN, *locks]))
            except DeadlineExceeded as error:
                raise Restart(RestartCause.LOCK_CONFLICT) from error
        if not control.rows or control.rows[0][0] != epoch:
            raise Restart(RestartCause.EPOCH_MOVED)

    async def is_unsettled(self) -> bool:
        """See Stillness."""
        names = orjson.dumps([str(each) for each in self._aggregates]).decode()
        async with self._deadline.scope("mysql.witness"):
            (found,) = await self._connection.batch(UNSETTLED, (names,))
        return bool(found.rows)

    async def _seed(self, keys: list[tuple[int, int]]) -> None:
        """Make version rows that are missing: a lock on a missing row locks nothing."""
        (found,) = await self._connection.batch(KNOWN, (tuple(keys),))
        known = {(row[0], row[1]) for row in found.rows}
        missing = [Statement(SEED, key) for key in keys if key not in known]
        if missing:
            await self._connection.batch(*joined(missing))


async def _end(connection: Connection) -> None:
    """Release the locks; a session that cannot even do that is closed."""
    if connection.is_open and connection.is_in_transaction:
        try:
            await connection.batch(ROLLBACK)
        except CrossfadeError:
            connection.close()
