"""The shop in a real MySQL, called without a proxy, and what a test may do in its tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from adapters.flags import ControlState, Flags
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.pool import Pool
from adapters.mysql.prepare import SHOP_TABLES
from adapters.mysql.store import MySQLStore
from adapters.mysql.writer import MySQLWriter
from tests.conformance.drivers import StoreShop
from tests.conformance.shop import Shop

FIRST_STATE = ControlState(Flags(), epoch=1, changed_by="", changed_at=None, reason="")
POOL_SIZE = 32


class MySQLBackstage:
    """See Backstage, for a shop of one database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def empty(self) -> None:
        """Remove all rows of the shop; ids go on."""
        emptying = [f"DELETE FROM {table}" for table in SHOP_TABLES]
        await self._connection.batch("; ".join(["SET foreign_key_checks = 0", *emptying, "SET foreign_key_checks = 1"]))

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop."""
        values = [v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in columns.values()]
        places = ", ".join(["%s"] * len(columns))
        inserted = await self._connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", values
        )
        return inserted.last_id

    async def settle_and_compare(self) -> None:
        """See Shop; there is nothing to settle, and nothing to compare with."""


@asynccontextmanager
async def open_mysql_shop(endpoint: MySQLEndpoint) -> AsyncIterator[Shop]:
    """An empty shop in a prepared schema, without a proxy."""
    connection = await Connection.open(endpoint)
    backstage = MySQLBackstage(connection)
    await backstage.empty()
    reads = Pool(endpoint, size=POOL_SIZE, name="read")
    writes = Pool(endpoint, size=POOL_SIZE, name="write")
    try:
        yield StoreShop(MySQLStore(reads), MySQLWriter(writes, instance="test"), FIRST_STATE, backstage)
    finally:
        await reads.close()
        await writes.close()
        await connection.quit()
