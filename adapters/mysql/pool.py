"""Sessions kept ready for the next call: last in first out, none before they are needed, at most `size` at once.

The driver's own pool is not used: it has no limit on waiting, no deadline, hands out the session that was idle longest,
and lets a server that opens a session slowly hold its lock over everybody else.

    acquire -> a free place, or a bounded queue for one -> an idle session, or a new one
"""

import asyncio
import time
from collections import deque
from types import TracebackType
from typing import NamedTuple

from adapters.deadline import Deadline
from adapters.errors import CrossfadeError, DeadlineExceeded, Unavailable
from adapters.mysql.connection import DEFAULT_SESSION, Connection, SessionSettings
from adapters.mysql.endpoint import MySQLEndpoint

PING_AFTER_S = 10.0
"""A session idle for longer, or for half of its wait_timeout, is asked for a sign of life before it is lent.

Its host may be gone without a word, and the server may be about to drop it.
"""

PING_LIMIT_S = 1.0
LIFETIME_S = 1800.0
"""A session older than this is replaced: statements that could not be prepared once, before `crossfade db prepare` say,
run unprepared in it for ever; and after a change of address the old server empties."""

WAITING_PER_PLACE = 8


class PoolStats(NamedTuple):
    """Sessions lent or being opened, idle sessions, and calls waiting for one."""

    in_use: int
    idle: int
    waiting: int


class Pool:
    """Sessions of one kind with one server, for one event loop."""

    def __init__(
        self,
        endpoint: MySQLEndpoint,
        *,
        size: int,
        name: str,
        session: SessionSettings = DEFAULT_SESSION,
        max_waiting: int | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._session = session
        self._name = name
        self._size = size
        self._max_waiting = size * WAITING_PER_PLACE if max_waiting is None else max_waiting
        self._ping_after_s = min(PING_AFTER_S, session.wait_timeout_s / 2)
        self._in_use = 0
        self._idle: list[Connection] = []
        self._lent: set[Connection] = set()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._is_closed = False
        self._drained: asyncio.Event = asyncio.Event()

    def acquire(self, deadline: Deadline) -> "Lease":
        """Borrow a session for the length of an `async with`.

        Raises Unavailable when too many wait already, the server cannot be reached or the pool is closed, and
        DeadlineExceeded. A session that broke, was cancelled in the middle of a statement or is left in an open
        transaction is closed, never lent again.
        """
        return Lease(self, deadline)

    def stats(self) -> PoolStats:
        """The state now."""
        return PoolStats(self._in_use, len(self._idle), len(self._waiters))

    async def take(self, deadline: Deadline) -> Connection:
        """Borrow a session; `acquire` without the `async with`. To be followed by `give_back`, whatever happens."""
        if self._in_use < self._size and not self._is_closed:
            self._in_use += 1
        else:
            await self._wait_for_place(deadline)
        try:
            connection = self._fresh_idle() or await self._open(deadline)
        except BaseException:
            self._free_place()
            raise
        self._lent.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Return a session that `take` gave."""
        self._lent.discard(connection)
        now_s = time.monotonic()
        is_whole = connection.is_open and not connection.is_in_transaction
        if is_whole and not self._is_closed and now_s - connection.opened_at_s < LIFETIME_S:
            connection.idle_since_s = now_s
            self._idle.append(connection)
        else:
            connection.close()
        self._free_place()

    async def close(self, *, grace_s: float = 5.0) -> None:
        """Refuse new borrowers, wait so many seconds for sessions to come back, close them all."""
        self._is_closed = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(Unavailable(f"the MySQL {self._name} pool is closed"))
        self._waiters.clear()
        if self._in_use:
            try:
                async with asyncio.timeout(grace_s):
                    await self._drained.wait()
            except TimeoutError:
                for connection in self._lent:
                    connection.close()
        while self._idle:
            await self._idle.pop().quit()

    def _fresh_idle(self) -> Connection | None:
        """The session used last, if it can be trusted without asking the server."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                if time.monotonic() - connection.idle_since_s < self._ping_after_s:
                    return connection
                self._idle.append(connection)
                return None
            connection.close()
        return None

    async def _open(self, deadline: Deadline) -> Connection:
        """An idle session that answers, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if await self._answers(connection, deadline):
                return connection
        async with deadline.scope(f"mysql.{self._name}.connect"):
            return await Connection.open(self._endpoint, self._session)

    async def _answers(self, connection: Connection, deadline: Deadline) -> bool:
        if not connection.is_open:
            connection.close()
            return False
        try:
            async with deadline.capped(PING_LIMIT_S).scope(f"mysql.{self._name}.ping"):
                await connection.ping()
        except CrossfadeError:
            connection.close()
            return False
        except BaseException:
            connection.close()
            raise
        return True

    async def _wait_for_place(self, deadline: Deadline) -> None:
        """Queue for a place; it is handed over taken."""
        if self._is_closed:
            raise Unavailable(f"the MySQL {self._name} pool is closed")
        if len(self._waiters) >= self._max_waiting:
            raise Unavailable(
                f"the MySQL {self._name} pool is exhausted: {self._size} connections in use, "
                f"{len(self._waiters)} calls waiting"
            )
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.append(waiter)
        allowed_s = deadline.remaining_s
        # The deadline ends the waiter and not, as a scope would, the task: nothing else is going on in it.
        timer = loop.call_at(deadline.at_s, self._expire, waiter, allowed_s)
        try:
            await waiter
        except BaseException:
            self._leave_queue(waiter)
            raise
        finally:
            timer.cancel()

    def _expire(self, waiter: asyncio.Future[None], allowed_s: float) -> None:
        if not waiter.done():
            waiter.set_exception(
                DeadlineExceeded(f"the deadline passed in mysql.{self._name}.acquire after {max(allowed_s, 0):.3f} s")
            )

    def _leave_queue(self, waiter: asyncio.Future[None]) -> None:
        """Forget a waiter that gave up; a place that it was given in the same moment goes to the next."""
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            self._free_place()
        elif waiter in self._waiters:
            self._waiters.remove(waiter)

    def _free_place(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._in_use -= 1
        if self._is_closed and self._in_use == 0:
            self._drained.set()


class Lease:
    """One borrowing of a session."""

    __slots__ = ("_connection", "_deadline", "_pool")

    def __init__(self, pool: Pool, deadline: Deadline) -> None:
        self._pool = pool
        self._deadline = deadline

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.take(self._deadline)
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.give_back(self._connection)
