"""Schemas of a test's own on the MySQL server of the run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
import pytest_asyncio

from adapters.flags import Flags
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.prepare import SHOP_TABLES, prepare
from tests import servers


@asynccontextmanager
async def mysql_schema(server: servers.MySQLEndpoint, *, has_tables: bool = True) -> AsyncIterator[MySQLEndpoint]:
    """A new schema, with the shop's tables and the proxy's unless they are not wanted; dropped in the end."""
    schema = f"crossfade_test_{uuid4().hex}"
    endpoint = MySQLEndpoint(server.host, server.port, server.user, server.password, schema)
    root = MySQLEndpoint(server.host, server.port, server.user, server.password, "mysql")
    await _run(root, f"CREATE DATABASE {schema} DEFAULT COLLATE utf8mb4_0900_ai_ci")
    try:
        if has_tables:
            await prepare(endpoint, shop_tables=True, first_flags=Flags())
        yield endpoint
    finally:
        await _run(root, f"DROP DATABASE {schema}")


async def _run(endpoint: MySQLEndpoint, statement: str) -> None:
    """Run a statement in a session of its own: one kept for a whole run would be dropped by the server meanwhile."""
    connection = await Connection.open(endpoint)
    await connection.batch(statement)
    await connection.quit()


@pytest.fixture(scope="module")
def mysql_endpoint(mysql_server: servers.MySQLEndpoint) -> Iterator[MySQLEndpoint]:
    """A schema with all tables, for the tests of one module."""
    runner = asyncio.Runner()
    lease = mysql_schema(mysql_server)
    yield runner.run(lease.__aenter__())
    runner.run(lease.__aexit__(None, None, None))
    runner.close()


@pytest_asyncio.fixture
async def mysql_shop(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[Connection]:
    """A session with the module's schema, the shop's tables empty."""
    connection = await Connection.open(mysql_endpoint)
    emptying = [f"DELETE FROM {table}" for table in SHOP_TABLES]
    await connection.batch(";".join(["SET foreign_key_checks = 0", *emptying, "SET foreign_key_checks = 1"]))
    yield connection
    await connection.quit()


async def insert(connection: Connection, table: str, **columns: object) -> int:
    """Insert a row beside the proxy; its id."""
    marks = ", ".join(["%s"] * len(columns))
    made = await connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", (*columns.values(),)
    )
    return made.last_id


async def insert_user(connection: Connection, name: str = "ana", /, **columns: object) -> int:
    """A user."""
    valid = {"username": name, "email": f"{name}@shop.test", "password_hash": "h"}
    return await insert(connection, "users", **{**valid, **columns})


async def insert_category(connection: Connection, name: str = "Tea", /, **columns: object) -> int:
    """A root category, unless a parent is given."""
    return await insert(connection, "categories", name=name, **columns)


async def insert_product(connection: Connection, **columns: object) -> int:
    """A product of user and category 1 unless others are given."""
    valid = {"seller_id": 1, "category_id": 1, "name": "Green tea", "price": "12.50"}
    return await insert(connection, "products", **{**valid, **columns})
