"""Sessions with a real server: how they are set up, and that one is never used out of step."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import asyncmy
import pytest
import pytest_asyncio

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Unavailable
from adapters.mysql.connection import Connection, Result, ResultSet, SessionSettings
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.errors import ConnectionLost, NotPrepared, SubqueryOfTwoRows

SETTINGS = SessionSettings(lock_wait_timeout_s=7, wait_timeout_s=33, max_execution_time_ms=4500)


@pytest_asyncio.fixture
async def connection(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[Connection]:
    """A session with settings of its own."""
    connection = await Connection.open(mysql_endpoint, SETTINGS)
    yield connection
    await connection.quit()


async def prepared_count(connection: Connection) -> int:
    """How many statements the server keeps prepared for the session."""
    ((count,),) = (
        await connection.batch(
            "SELECT COUNT(*) FROM performance_schema.prepared_statements_instances"
            " WHERE owner_thread_id = PS_CURRENT_THREAD_ID()"
        )
    )[0].rows
    return int(count)


async def test_open_sets_the_session_up(connection: Connection) -> None:
    """Time zone, charset, collation, isolation, autocommit and limits are what the statements rely on."""
    ((*found,),) = await connection.rows(
        "SELECT @@time_zone, @@character_set_client, @@character_set_results, @@collation_connection,"
        " @@transaction_isolation, @@autocommit, @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@wait_timeout,"
        " @@max_execution_time"
    )
    collation = "utf8mb4_0900_ai_ci"
    assert ["+00:00", "utf8mb4", "utf8mb4", collation, "READ-COMMITTED", 1, 7, 7, 33, 4500] == found


async def test_open_sets_a_strict_mode_that_escaping_relies_on(connection: Connection) -> None:
    """Strict, no zero dates, backslashes escape, double quotes quote strings."""
    ((mode,),) = await connection.rows("SELECT @@sql_mode")
    assert {"STRICT_TRANS_TABLES", "NO_ZERO_IN_DATE", "NO_ZERO_DATE"} <= set(mode.split(","))
    assert not {"NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"} & set(mode.split(","))


async def test_open_keeps_the_tcp_connection_alive(connection: Connection) -> None:
    """A host that is gone is noticed in ten seconds, not two hours; small packets are not held back."""
    found: socket.socket = connection._raw._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # the driver's
    assert 0 != found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert 5 == found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    assert 2 == found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    assert 3 == found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
    assert 0 != found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_open_takes_one_round_trip_for_the_session(connection: Connection) -> None:
    """The server has answered one statement of this session, the SET, before this one."""
    (found,) = await connection.batch("SHOW SESSION STATUS LIKE 'Questions'")
    assert [("Questions", "2")] == found.rows


async def test_open_over_tls_encrypts(mysql_endpoint: MySQLEndpoint) -> None:
    """With a TLS context the session is encrypted, and it closes at once when it must, the server being busy."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = await Connection.open(replace(mysql_endpoint, tls=context))
    ((_, cipher),) = await connection.rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    assert cipher.startswith("TLS_")
    with pytest.raises(DeadlineExceeded):
        async with Deadline.after(0.05).scope("test"):
            await connection.rows("SELECT SLEEP(5)")
    assert not connection.is_open


async def test_rows_prepares_a_statement_once(connection: Connection) -> None:
    """Used twice, a statement is prepared once and stays."""
    before = await prepared_count(connection)
    assert [(1, "ü")] == await connection.rows("SELECT %s, %s", (1, "ü"))
    assert [(2, "\U0001f980")] == await connection.rows("SELECT %s, %s", (2, "\U0001f980"))
    assert before + 1 == await prepared_count(connection)


async def test_rows_takes_a_doubled_percent_sign_for_one(connection: Connection) -> None:
    """With arguments and without, prepared and in a batch."""
    assert [("%",)] == await connection.rows("SELECT '%%'")
    assert [("%", 1)] == await connection.rows("SELECT '%%', %s", (1,))
    assert [ResultSet([("%",)], 1, 0)] == await connection.batch("SELECT '%%'")


@pytest.mark.parametrize(
    "value",
    ["'; DROP TABLE users; --", "back\\slash", 'double"quote', "nul\0", "line\nfeed\r\x1a", "\U0001f980 é", "%s %d"],
)
async def test_batch_escapes_what_it_is_given(connection: Connection, value: str) -> None:
    """What goes in as text comes back as the same text, in both protocols."""
    assert [(value,)] == (await connection.batch("SELECT %s", (value,)))[0].rows
    assert [(value,)] == await connection.rows("SELECT %s", (value,))


async def test_batch_takes_every_kind_of_value(connection: Connection) -> None:
    """Numbers, exact decimals, bytes, NULL, lists and times reach the server as what they are."""
    at = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
    (found,) = await connection.batch(
        "SELECT %s, CAST(%s AS DECIMAL(10,2)), HEX(%s), %s IS NULL, 2 IN %s, %s = TIMESTAMP'2026-01-31 09:15:00'",
        (7, Decimal("99999999.99"), b"\xff\0'", None, (1, 2), at),
    )
    assert [(7, Decimal("99999999.99"), "FF0027", 1, 1, 1)] == found.rows


async def test_execute_counts_matched_rows(mysql_shop: Connection) -> None:
    """An update to the value that is there already counts its row; an insert tells its id."""
    made = await mysql_shop.execute("INSERT INTO categories (name) VALUES (%s), (%s)", ("a", "b"))
    assert 2 == made.affected
    assert [("a",)] == await mysql_shop.rows("SELECT name FROM categories WHERE id = %s", (made.last_id,))
    same = await mysql_shop.execute("UPDATE categories SET name = %s WHERE name = %s", ("a", "a"))
    assert Result(1, 0) == same


async def test_batch_gives_each_statement_its_answer(mysql_shop: Connection) -> None:
    """Rows, counts and ids come in the order of the statements, of the statements that give no rows too."""
    made, empty, read, nothing = await mysql_shop.batch(
        "INSERT INTO categories (name) VALUES (%s); SELECT 1 FROM DUAL WHERE FALSE; SELECT name FROM categories; DO 0",
        ("a",),
    )
    assert 1 == made.affected
    assert 0 < made.last_id
    assert [[], [], [("a",)], []] == [made.rows, empty.rows, read.rows, nothing.rows]


async def test_batch_stops_at_an_error_and_stays_in_step(mysql_shop: Connection) -> None:
    """An error in a later statement is raised, what follows is not run, and the next answer is the next question's."""
    with pytest.raises(NotPrepared):
        await mysql_shop.batch(
            "INSERT INTO categories (name) VALUES ('first'); SELECT 1; SELECT * FROM no_such_table;"
            "INSERT INTO categories (name) VALUES ('never')"
        )
    assert [("first",)] == await mysql_shop.rows("SELECT name FROM categories")
    assert [("next",)] == (await mysql_shop.batch("SELECT 'next'"))[0].rows
    assert mysql_shop.is_open


async def test_batch_stops_before_a_commit_behind_a_failed_check(mysql_shop: Connection) -> None:
    """A subquery of two rows keeps the COMMIT behind it from happening."""
    with pytest.raises(SubqueryOfTwoRows):
        await mysql_shop.batch(
            "BEGIN; INSERT INTO categories (name) VALUES ('a');"
            "SELECT IF(ROW_COUNT() = 2, 1, (SELECT 1 UNION SELECT 2)); COMMIT"
        )
    was_open = mysql_shop.is_in_transaction
    await mysql_shop.batch("ROLLBACK")
    assert (True, False) == (was_open, mysql_shop.is_in_transaction)
    assert [] == await mysql_shop.rows("SELECT name FROM categories")


async def test_batch_of_a_large_answer_is_whole(connection: Connection) -> None:
    """An answer of several megabytes in several sets arrives whole."""
    first, second = await connection.batch("SELECT REPEAT('é', 2000000); SELECT REPEAT('x', 5000000)")
    assert "é" * 2_000_000 == first.rows[0][0]
    assert "x" * 5_000_000 == second.rows[0][0]


@pytest.mark.parametrize("method", ["rows", "batch"])
async def test_cancelled_statement_closes_the_session(connection: Connection, method: str) -> None:
    """After a cancellation no later caller can get the earlier one's rows: there is no session any more."""
    with pytest.raises(DeadlineExceeded):
        async with Deadline.after(0.05).scope("test"):
            await getattr(connection, method)("SELECT SLEEP(%s)", (5,))
    assert not connection.is_open
    with pytest.raises(ConnectionLost):
        await connection.rows("SELECT 'mine'")


async def test_cancelled_between_answers_closes_the_session(connection: Connection) -> None:
    """The same when the first of two answers has arrived already."""
    with pytest.raises(DeadlineExceeded):
        async with Deadline.after(0.05).scope("test"):
            await connection.batch("SELECT 'first'; SELECT SLEEP(5)")
    assert not connection.is_open


async def test_cancelled_open_leaves_nothing_open(mysql_endpoint: MySQLEndpoint) -> None:
    """A server that accepts and says nothing costs the deadline and no socket."""
    server = await asyncio.start_server(lambda _reader, writer: silent.append(writer), "127.0.0.1", 0)
    silent: list[asyncio.StreamWriter] = []
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(DeadlineExceeded):
        async with Deadline.after(0.05).scope("test"):
            await Connection.open(MySQLEndpoint("127.0.0.1", port, "root", "", mysql_endpoint.database))
    server.close()
    for writer in silent:
        writer.close()
        await writer.wait_closed()
    await server.wait_closed()


async def test_killed_session_is_lost(connection: Connection, mysql_shop: Connection) -> None:
    """A session that the server ended is known to be unusable, and says so to whoever uses it."""
    await mysql_shop.batch("KILL %s", (connection.thread_id,))
    with pytest.raises(ConnectionLost) as lost:
        await connection.rows("SELECT 1")
    assert isinstance(lost.value.__cause__, asyncmy.errors.MySQLError)
    assert not connection.is_open


async def test_refusal_keeps_the_session(connection: Connection) -> None:
    """An error that the server answered with leaves the session as it was."""
    for _ in range(3):
        with pytest.raises(NotPrepared):
            await connection.rows("SELECT * FROM no_such_table WHERE id = %s", (1,))
    assert [(1,)] == await connection.rows("SELECT %s", (1,))


async def test_statement_survives_a_change_of_its_table(mysql_shop: Connection) -> None:
    """A statement prepared before a column was added, moved or dropped answers as the table is now."""
    await mysql_shop.batch("DROP TABLE IF EXISTS changing; CREATE TABLE changing (a INT, b INT)")
    await mysql_shop.execute("INSERT INTO changing VALUES (%s, %s)", (1, 2))
    assert [(1, 2)] == await mysql_shop.rows("SELECT * FROM changing WHERE a = %s", (1,))
    await mysql_shop.batch("ALTER TABLE changing ADD COLUMN c VARCHAR(9) DEFAULT 'new' FIRST")
    assert [("new", 1, 2)] == await mysql_shop.rows("SELECT * FROM changing WHERE a = %s", (1,))
    await mysql_shop.batch("ALTER TABLE changing DROP COLUMN b, MODIFY COLUMN a VARCHAR(9)")
    assert [("new", "1")] == await mysql_shop.rows("SELECT * FROM changing WHERE a = %s", (1,))
    await mysql_shop.batch("DROP TABLE changing")


async def test_warnings_cost_no_round_trip_and_are_not_logged(
    mysql_shop: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """The driver would ask for each warning and log it, secrets included."""
    (before,) = await mysql_shop.batch("SHOW SESSION STATUS LIKE 'Questions'")
    await mysql_shop.rows("SELECT CAST('secret' AS SIGNED)")
    await mysql_shop.batch("SELECT CAST('secret' AS SIGNED)")
    (after,) = await mysql_shop.batch("SHOW SESSION STATUS LIKE 'Questions'")
    assert int(before.rows[0][1]) + 3 == int(after.rows[0][1])
    assert "" == caplog.text


async def test_slow_query_is_stopped_by_the_server(mysql_endpoint: MySQLEndpoint) -> None:
    """max_execution_time ends a query whose caller may be gone, and the session goes on."""
    connection = await Connection.open(mysql_endpoint, SessionSettings(max_execution_time_ms=50))
    with pytest.raises(DeadlineExceeded):
        await connection.rows(
            "SELECT COUNT(*) FROM information_schema.collations a, information_schema.collations b,"
            " information_schema.collations c, information_schema.collations d"
        )
    assert [(1,)] == await connection.rows("SELECT 1")
    await connection.quit()


async def test_no_server_is_unavailable() -> None:
    """Nobody listening on the port is told apart from a session that broke."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(Unavailable, match="cannot be reached") as refused:
            await Connection.open(MySQLEndpoint("127.0.0.1", port, "root", "", "shop"))
    assert not isinstance(refused.value, ConnectionLost)


def test_endpoint_reads_an_address() -> None:
    """Reserved characters come percent-encoded; the port may be left out."""
    expected = MySQLEndpoint("db.shop.test", 3306, "sh@p", "p/w", "shop")
    assert expected == MySQLEndpoint.parse("mysql://sh%40p:p%2Fw@db.shop.test/shop")
    assert "sh@p@db.shop.test:3306/shop" == str(expected)
    assert "p/w" not in repr(expected)


@pytest.mark.parametrize("url", ["mysql://u:secret@/shop", "http://u:secret@h/shop", "mysql://u:secret@h", "secret"])
def test_endpoint_refuses_another_address(url: str) -> None:
    """The error does not repeat the password."""
    with pytest.raises(ValueError, match="form") as refused:
        MySQLEndpoint.parse(url)
    assert "secret" not in str(refused.value)
