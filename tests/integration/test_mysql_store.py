"""The store: every read through the pool, and what becomes of a call when its session does not hold."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Unavailable
from adapters.mysql.connection import Connection, SessionSettings
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.pool import Pool, PoolStats
from adapters.mysql.store import READERS, MySQLStore
from adapters.operations import catalogue
from tests.mysql_schema import insert_user

OPERATIONS = catalogue()
FIND = OPERATIONS["user.find_by_id"]


@pytest_asyncio.fixture
async def pool(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[Pool]:
    """A pool of two."""
    pool = Pool(mysql_endpoint, size=2, name="read", session=SessionSettings(lock_wait_timeout_s=1))
    yield pool
    await pool.close()


def soon() -> Deadline:
    """A deadline no test should meet."""
    return Deadline.after(5)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS.values() if not o.is_write], ids=lambda o: o.full_name)
async def test_read_answers_every_read_of_the_catalogue(pool: Pool, mysql_shop: Connection, operation: object) -> None:
    """In an empty shop each read gives the answer for a record that does not exist, and the session comes back."""
    assert mysql_shop.is_open
    operation = OPERATIONS[operation.full_name]  # type: ignore[attr-defined]  # what the parameter is
    samples: dict[type, object] = {int: 1, str: "x"}
    arguments = {a.name: samples[a.base] for a in operation.arguments if a.is_required}
    answer = await MySQLStore(pool).read(operation, arguments, soon())
    if operation.entity == "product" and operation.absent() is None:
        assert answer is None or (0, []) == (answer.total, answer.products)  # type: ignore[attr-defined]  # a page
    elif operation.name == "validate_cart_inventory":
        assert answer.valid  # type: ignore[attr-defined]  # as every empty cart is
    else:
        assert operation.absent() == answer
    assert PoolStats(0, 1, 0) == pool.stats()


def test_readers_have_no_method_that_the_ports_lack() -> None:
    """Every public method of a reader is a read of the catalogue, and the other way round."""
    own = {f"{entity}.{name}" for entity, reader in READERS.items() for name in vars(reader) if name[0] != "_"}
    assert {name for name, operation in OPERATIONS.items() if not operation.is_write} == own


async def test_read_is_asked_again_when_its_session_breaks(
    pool: Pool, mysql_endpoint: MySQLEndpoint, mysql_shop: Connection
) -> None:
    """A session killed in the middle of a read costs nobody an error."""
    watcher = await Connection.open(mysql_endpoint)
    user_id = await insert_user(mysql_shop)
    store = MySQLStore(pool)
    await mysql_shop.batch("LOCK TABLES users WRITE")
    async with pool.acquire(soon()) as connection:
        doomed_id = connection.thread_id
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(store.read(FIND, {"id": user_id}, soon()))
        await _until_waiting(watcher, doomed_id)
        await mysql_shop.batch("KILL %s; UNLOCK TABLES", (doomed_id,))
    await watcher.quit()
    found = reading.result()
    assert user_id == found.id  # type: ignore[attr-defined]  # a user
    async with pool.acquire(soon()) as connection:
        assert doomed_id != connection.thread_id


async def test_read_of_a_locked_table_is_unavailable(pool: Pool, mysql_shop: Connection) -> None:
    """A table that DDL holds is waited for no longer than the session may, and the answer is one of the wire's."""
    await mysql_shop.batch("LOCK TABLES users WRITE")
    try:
        with pytest.raises(Unavailable, match="locked"):
            await MySQLStore(pool).read(FIND, {"id": 1}, soon())
    finally:
        await mysql_shop.batch("UNLOCK TABLES")
    assert PoolStats(0, 1, 0) == pool.stats()


async def test_read_ends_at_the_deadline_and_names_its_step(pool: Pool, mysql_shop: Connection) -> None:
    """And its session, out of step now, is not used again."""
    await mysql_shop.batch("LOCK TABLES users WRITE")
    try:
        with pytest.raises(DeadlineExceeded, match=r"mysql\.query after 0\.0\d"):
            await MySQLStore(pool).read(FIND, {"id": 1}, Deadline.after(0.05))
    finally:
        await mysql_shop.batch("UNLOCK TABLES")
    assert PoolStats(0, 0, 0) == pool.stats()


async def test_ping_proves_that_the_server_answers(pool: Pool) -> None:
    """With a session that works, not only a port that is open."""
    store = MySQLStore(pool)
    await store.ping(soon())
    assert PoolStats(0, 1, 0) == pool.stats()
    await store.close()
    with pytest.raises(Unavailable):
        await store.ping(soon())


async def _until_waiting(watcher: Connection, thread_id: int) -> None:
    """Wait until the session waits for a table."""
    is_waiting = False
    while not is_waiting:
        (found,) = await watcher.batch(
            "SELECT 1 FROM performance_schema.threads"
            " WHERE processlist_id = %s AND processlist_state = 'Waiting for table metadata lock'",
            (thread_id,),
        )
        is_waiting = bool(found.rows)
