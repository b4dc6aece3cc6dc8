"""A session with MySQL: UTC, strict, READ COMMITTED, autocommit. The driver is known here and in `errors` alone.

    rows, execute   one statement, prepared once per session, binary protocol
    batch           several statements in one round trip, text protocol

Placeholders are `%s`, a literal per cent sign is `%%`, whether or not there are arguments. Errors are those of
`errors`; after anything but a plain refusal by the server the session is closed, for its stream may be out of step.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, cast

import asyncmy
from asyncmy.constants import CLIENT
from asyncmy.cursors import Cursor

from adapters.errors import Unavailable
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.errors import translated
from adapters.mysql.version import version_fault

Row = tuple[Any, ...]
"""A row as the driver gives it: positional, times naive, booleans as integers."""

SQL_MODE = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""Strict, and without NO_BACKSLASH_ESCAPES and ANSI_QUOTES, on which the text of statements relies."""

KEEPALIVE_IDLE_S = 5
KEEPALIVE_INTERVAL_S = 2
KEEPALIVE_PROBES = 3

SET_SESSION = (
    "SET SESSION time_zone = '+00:00', SESSION collation_connection = 'utf8mb4_0900_ai_ci', SESSION sql_mode = %s, "
    "SESSION lc_messages = 'en_US', "
    "SESSION autocommit = 1, SESSION transaction_isolation = 'READ-COMMITTED', "
    "SESSION innodb_lock_wait_timeout = %s, SESSION lock_wait_timeout = %s, SESSION wait_timeout = %s, "
    "SESSION max_execution_time = %s, SESSION cte_max_recursion_depth = 1000000"
)
"""Messages are English, for `errors` reads them; the statements that recurse over categories end by themselves."""


class Result(NamedTuple):
    """What a write did: rows matched (not only changed), and the first id it made, 0 when none."""

    affected: int
    last_id: int


class ResultSet(NamedTuple):
    """The answer to one statement of a batch."""

    rows: list[Row]
    affected: int
    last_id: int


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What may differ between sessions.

    `lock_wait_timeout_s` binds row locks and metadata locks; the server drops a session idle for `wait_timeout_s`;
    `max_execution_time_ms` binds each SELECT, 0 is no bound; `statement_cache` prepared statements are kept.
    """

    lock_wait_timeout_s: int = 2
    wait_timeout_s: int = 600
    max_execution_time_ms: int = 0
    statement_cache: int = 64


DEFAULT_SESSION = SessionSettings()


class Connection:
    """One session, for one task at a time. Make it with `open`."""

    __slots__ = ("_cursor", "_raw", "_translated", "_transport", "idle_since_s", "opened_at_s")

    def __init__(self, raw: asyncmy.Connection, server: str) -> None:
        # After each statement with warnings the driver would ask for them, a round trip, and log them, with values.
        raw.show_warnings = _no_warnings  # type: ignore[method-assign]
        self._raw = raw
        self._transport = raw._transport  # type: ignore[attr-defined]  # noqa: SLF001  # not in the driver's stubs
        self._cursor = raw.cursor()
        self._translated = translated(server, on_broken=self.close)
        self.opened_at_s = self.idle_since_s = time.monotonic()

    @classmethod
    async def open(cls, endpoint: MySQLEndpoint, session: SessionSettings = DEFAULT_SESSION) -> Self:
        """Connect, log in and set up the session: one round trip beyond the driver's own.

        Raises Unavailable, saying what to do, when the server cannot be reached, refuses the login, or will not do.
        """
        with translated(str(endpoint), on_broken=_nothing):
            raw = await asyncmy.connect(
                host=endpoint.host,
                port=endpoint.port,
                unix_socket=endpoint.unix_socket,
                user=endpoint.user,
                password=endpoint.password.encode(),  # The driver would take a str for Latin-1.
                database=endpoint.database,
                charset="utf8mb4",
                client_flag=CLIENT.FOUND_ROWS | CLIENT.MULTI_STATEMENTS,
                ssl=endpoint.tls,
                autocommit=None,  # Set below, with the rest; the driver's default, off, costs a transaction a read.
                stmt_cache_size=session.statement_cache,
            )
        connection = cls(raw, str(endpoint))
        try:
            await connection._set_up(session, is_tcp=endpoint.unix_socket is None)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _set_up(self, session: SessionSettings, *, is_tcp: bool) -> None:
        if fault := version_fault(self._raw.get_server_info()):
            raise Unavailable(fault)
        if is_tcp:
            _keep_alive(self._transport.get_extra_info("socket"))
        lock_wait_s = session.lock_wait_timeout_s
        limits = (lock_wait_s, lock_wait_s, session.wait_timeout_s, session.max_execution_time_ms)
        await self.batch(SET_SESSION, (SQL_MODE, *limits))

    async def rows(self, sql: str, args: Sequence[object] = ()) -> list[Row]:
        """The rows that a query gives."""
        cursor = self._cursor
        with self._translated:
            await cursor.execute(sql, args)
            return list(await cursor.fetchall())

    async def execute(self, sql: str, args: Sequence[object] = ()) -> Result:
        """Run one statement that gives no rows."""
        cursor = self._cursor
        with self._translated:
            await cursor.execute(sql, args)
            return Result(cast("int", cursor.rowcount), cursor.lastrowid)

    async def batch(self, sql: str, args: Sequence[object] = ()) -> list[ResultSet]:
        """Run statements joined by `;` in one round trip: the answer to each, in order.

        At the first error the server stops: what came before is done, and the error is raised once all answers are
        read, so that the session stays in step.
        """
        cursor = self._cursor
        with self._translated:
            await cursor.execute(cursor.mogrify(sql, tuple(args)))
            found = [await _answer(cursor)]
            while await cursor.nextset():
                found.append(await _answer(cursor))
        return found

    async def ping(self) -> None:
        """Ask the server for a sign of life."""
        with self._translated:
            await self._raw.ping(reconnect=False)

    @property
    def thread_id(self) -> int:
        """The server's number for this session, as KILL takes it."""
        return self._raw.thread_id()

    @property
    def is_open(self) -> bool:
        """Whether the session may be used: as far as is known here, the server has not closed it either."""
        return not self._raw._stream_broken  # type: ignore[attr-defined]  # noqa: SLF001  # as the driver's own pool asks

    @property
    def is_in_transaction(self) -> bool:
        """Whether the last answer left a transaction open."""
        return self._raw.get_transaction_status()

    def close(self) -> None:
        """Drop the session at once; the server rolls back what is open."""
        self._transport.abort()  # To close TLS in good order would wait for a server that is busy or gone.
        self._raw.close()

    async def quit(self) -> None:
        """Take leave of the server and close."""
        await self._raw.ensure_closed()


async def _answer(cursor: Cursor) -> ResultSet:
    return ResultSet(list(await cursor.fetchall()), cast("int", cursor.rowcount), cursor.lastrowid)


async def _no_warnings() -> None:
    pass


def _nothing() -> None:
    """The driver closes what it could not connect."""


def _keep_alive(of_session: socket.socket) -> None:
    """Notice within about ten seconds that the server's host is gone: the system's default is two hours."""
    of_session.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    of_session.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
    of_session.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
