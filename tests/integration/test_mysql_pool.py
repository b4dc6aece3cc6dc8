"""The pool against a real server: who gets which session, who waits, and what becomes of dead ones."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Unavailable
from adapters.mysql import pool as pool_module
from adapters.mysql.connection import Connection, SessionSettings
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.pool import Pool, PoolStats

SHORT = 0.05


@pytest_asyncio.fixture
async def pool(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[Pool]:
    """A pool of two with room for two to wait."""
    pool = Pool(mysql_endpoint, size=2, name="test", max_waiting=2)
    yield pool
    await pool.close()


def soon() -> Deadline:
    """A deadline no test should meet."""
    return Deadline.after(5)


async def session_of(pool: Pool) -> int:
    """Borrow and return a session: the server's number for it."""
    async with pool.acquire(soon()) as connection:
        ((number,),) = await connection.rows("SELECT CONNECTION_ID()")
        return int(number)


async def gone(watcher: Connection, thread_id: int) -> None:
    """Wait until the server has no such session."""
    is_there = True
    while is_there:
        (found,) = await watcher.batch(
            "SELECT 1 FROM performance_schema.threads WHERE processlist_id = %s", (thread_id,)
        )
        is_there = bool(found.rows)


async def test_acquire_opens_nothing_before_it_is_needed(pool: Pool) -> None:
    """A new pool holds no session, and one borrower makes one."""
    assert PoolStats(0, 0, 0) == pool.stats()
    async with pool.acquire(soon()):
        assert PoolStats(1, 0, 0) == pool.stats()
    assert PoolStats(0, 1, 0) == pool.stats()


async def test_acquire_gives_the_session_used_last(pool: Pool) -> None:
    """Last in, first out: what is not needed grows old and can be dropped by the server."""
    async with pool.acquire(soon()) as first, pool.acquire(soon()) as second:
        first_id, second_id = first.thread_id, second.thread_id
    # The inner block ended first, so `first` came back last.
    assert [first_id, first_id] == [await session_of(pool), await session_of(pool)]
    assert first_id != second_id


async def test_acquire_waits_for_a_place(pool: Pool) -> None:
    """At most `size` sessions are lent; those who wait are served in order of arrival."""
    served: list[int] = []

    async def borrow(number: int) -> None:
        async with pool.acquire(soon()):
            served.append(number)

    async with asyncio.TaskGroup() as group, pool.acquire(soon()), pool.acquire(soon()):
        for number in (1, 2):
            group.create_task(borrow(number))
            await asyncio.sleep(0)
        assert PoolStats(2, 0, 2) == pool.stats()
        assert [] == served
    assert [1, 2] == served
    assert PoolStats(0, 2, 0) == pool.stats()


async def test_acquire_refuses_to_wait_in_a_full_queue(pool: Pool) -> None:
    """Beyond the queue callers are turned away at once, and told why."""
    async with asyncio.TaskGroup() as group, pool.acquire(soon()), pool.acquire(soon()):
        for _ in range(2):
            group.create_task(session_of(pool))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="test pool is exhausted: 2 connections in use, 2 calls waiting"):
            await session_of(pool)


async def test_acquire_waits_no_longer_than_the_deadline(pool: Pool) -> None:
    """A wait ends at the deadline with the step's name, and leaves no trace in the queue."""
    async with pool.acquire(soon()), pool.acquire(soon()):
        with pytest.raises(DeadlineExceeded, match=r"mysql\.test\.acquire"):
            async with pool.acquire(Deadline.after(SHORT)):
                pass
        assert PoolStats(2, 0, 0) == pool.stats()
    assert PoolStats(0, 2, 0) == pool.stats()


async def test_acquire_passes_a_place_on_from_a_waiter_that_is_cancelled_as_it_gets_it(pool: Pool) -> None:
    """A place handed to a task that is cancelled in the same moment is not lost."""
    connections = [await pool.take(soon()), await pool.take(soon())]
    async with asyncio.TaskGroup() as group:
        doomed = group.create_task(session_of(pool))
        heir = group.create_task(session_of(pool))
        await asyncio.sleep(0)
        pool.give_back(connections[0])
        doomed.cancel()
        await heir
    pool.give_back(connections[1])
    assert PoolStats(0, 2, 0) == pool.stats()


async def test_cancelled_query_costs_its_session_and_no_one_else(pool: Pool) -> None:
    """The next borrower gets a fresh session in step, and never the rows of the cancelled query."""
    connection = await pool.take(soon())
    cancelled_id = connection.thread_id
    with pytest.raises(DeadlineExceeded):
        async with Deadline.after(SHORT).scope("test"):
            await connection.rows("SELECT 'stale' FROM (SELECT SLEEP(1)) AS slow")
    pool.give_back(connection)
    assert PoolStats(0, 0, 0) == pool.stats()
    async with pool.acquire(soon()) as connection:
        assert cancelled_id != connection.thread_id
        assert [("mine",)] == await connection.rows("SELECT 'mine'")
        assert [("mine, too",)] == await connection.rows("SELECT 'mine, too'")


async def test_give_back_closes_a_session_left_in_a_transaction(pool: Pool) -> None:
    """What a borrower left open is rolled back by the server, not inherited by the next."""
    async with pool.acquire(soon()) as connection:
        await connection.batch("BEGIN; INSERT INTO categories (name) VALUES ('half done')")
    assert PoolStats(0, 0, 0) == pool.stats()
    async with pool.acquire(soon()) as connection:
        assert [] == await connection.rows("SELECT name FROM categories WHERE name = 'half done'")


async def test_give_back_keeps_a_session_whose_statement_was_refused(pool: Pool) -> None:
    """An error that the server answered with is no reason to log in again."""
    number = await session_of(pool)
    with pytest.raises(Unavailable):
        async with pool.acquire(soon()) as connection:
            await connection.rows("SELECT * FROM no_such_table")
    assert number == await session_of(pool)


async def test_acquire_replaces_sessions_that_the_server_killed(pool: Pool, mysql_shop: Connection) -> None:
    """A session that ended while idle is not lent once word of its end has come."""
    async with pool.acquire(soon()) as first, pool.acquire(soon()) as second:
        killed = [first, second]
    for connection in killed:
        await mysql_shop.batch("KILL %s", (connection.thread_id,))
        while connection.is_open:
            await mysql_shop.ping()
    assert await session_of(pool) not in [connection.thread_id for connection in killed]


async def test_acquire_replaces_a_session_that_the_server_timed_out(
    mysql_endpoint: MySQLEndpoint, mysql_shop: Connection
) -> None:
    """As wait_timeout comes near a session is asked first; the server's parting words are not taken for an answer."""
    pool = Pool(mysql_endpoint, size=1, name="test", session=SessionSettings(wait_timeout_s=1))
    number = await session_of(pool)
    await gone(mysql_shop, number)
    assert number != await session_of(pool)
    await pool.close()


async def test_acquire_asks_an_old_session_for_a_sign_of_life(
    mysql_endpoint: MySQLEndpoint, mysql_shop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session idle for long is asked before it is lent: it is kept when it answers, replaced when not."""
    monkeypatch.setattr(pool_module, "PING_AFTER_S", -1.0)
    pool = Pool(mysql_endpoint, size=1, name="test")
    number = await session_of(pool)
    assert number == await session_of(pool)
    monkeypatch.setattr(Connection, "is_open", True)  # As if no word of its end had come: its host is gone.
    await mysql_shop.batch("KILL %s", (number,))
    await gone(mysql_shop, number)
    assert number != await session_of(pool)
    monkeypatch.undo()
    await pool.close()


async def test_give_back_ends_a_session_that_has_served_its_time(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session lasts for ever."""
    number = await session_of(pool)
    monkeypatch.setattr(pool_module, "LIFETIME_S", 0.0)
    assert number == await session_of(pool)
    assert PoolStats(0, 0, 0) == pool.stats()


async def test_acquire_fails_without_a_server_and_frees_its_place(mysql_endpoint: MySQLEndpoint) -> None:
    """A login that is refused is told with what to do, and costs no place in the pool."""
    stranger = MySQLEndpoint(mysql_endpoint.host, mysql_endpoint.port, "stranger", "secret", mysql_endpoint.database)
    pool = Pool(stranger, size=1, name="test")
    for _ in range(3):
        with pytest.raises(Unavailable, match="check its user, password") as refused:
            await session_of(pool)
        assert "secret" not in str(refused.value)
    assert PoolStats(0, 0, 0) == pool.stats()
    await pool.close()


async def test_close_turns_waiters_away_and_waits_for_borrowers(mysql_endpoint: MySQLEndpoint) -> None:
    """Who waits is told at once, who works may finish, and who comes later is refused."""
    pool = Pool(mysql_endpoint, size=1, name="test")
    finished: list[str] = []
    is_lent = asyncio.Event()
    may_end = asyncio.Event()

    async def work() -> None:
        async with pool.acquire(soon()) as connection:
            is_lent.set()
            await may_end.wait()
            await connection.rows("SELECT 1")
            finished.append("worker")

    async def wait() -> None:
        with pytest.raises(Unavailable, match="closed"):
            await session_of(pool)
        finished.append("waiter")
        may_end.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        await is_lent.wait()
        group.create_task(wait())
        await asyncio.sleep(0)
        group.create_task(pool.close())
    assert ["waiter", "worker"] == finished
    assert PoolStats(0, 0, 0) == pool.stats()
    with pytest.raises(Unavailable, match="closed"):
        await session_of(pool)


async def test_close_cuts_borrowers_off_after_its_grace(mysql_endpoint: MySQLEndpoint) -> None:
    """A shutdown does not wait for ever."""
    pool = Pool(mysql_endpoint, size=1, name="test")
    async with pool.acquire(soon()) as connection:
        await pool.close(grace_s=SHORT)
        assert not connection.is_open


async def test_many_borrowers_never_share_a_session(pool: Pool) -> None:
    """Under cancellations at odd moments, every answer is the answer to its own question."""
    crowd = Pool(pool._endpoint, size=4, name="crowd", max_waiting=100)

    async def ask(number: int) -> None:
        limit = Deadline.after(0.002 if number % 3 == 0 else 5)
        try:
            async with limit.scope("test"), crowd.acquire(limit) as connection:
                assert [(number,)] == await connection.rows("SELECT %s FROM (SELECT SLEEP(0.001)) AS slow", (number,))
        except DeadlineExceeded:
            assert number % 3 == 0

    for start in range(0, 300, 60):
        async with asyncio.TaskGroup() as group:
            for number in range(start, start + 60):
                group.create_task(ask(number))
    assert 0 == crowd.stats().in_use
    assert 4 >= crowd.stats().idle
    await crowd.close()
