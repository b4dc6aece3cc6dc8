"""The shop behind a running proxy, and what a test may do beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from adapters.mysql.connection import Connection
from proxy.sync.backfill import backfill
from proxy.sync.report import Progress
from proxy.sync.verify import verify
from proxy.wiring.databases import Databases, mysql_endpoint
from tests.conformance.drivers import HttpShop
from tests.conformance.mysql_shop import MySQLBackstage
from tests.conformance.proxies import RunningProxy
from tests.conformance.shop import Shop

BATCH_MAX = 25
CONTROL = "CONTROL"
FORGET = """DELETE FROM crossfade_intent; DELETE FROM crossfade_version WHERE kind IN (2, 3, 4);
UPDATE crossfade_version SET version = 0"""
SETTLE_LIMIT_S = 20.0
SETTLE_PAUSE_S = 0.02


class DualBackstage(MySQLBackstage):
    """See Backstage, for a shop of two databases: what is done in one is copied to the other."""

    def __init__(self, connection: Connection, databases: Databases) -> None:
        super().__init__(connection)
        self._databases = databases

    async def empty(self) -> None:
        """Remove all rows of the shop, all items but the control state, and what is known of their versions."""
        await super().empty()
        await self._connection.batch(FORGET)
        for table in self._databases.contract.tables:
            await self._empty_table(self._databases.client.table_name(table))

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop."""
        new_id = await super().plant(table, **columns)
        await self._copy()
        return new_id

    async def settle_and_compare(self) -> None:
        """See Shop."""
        async with asyncio.timeout(SETTLE_LIMIT_S):
            await self._settle()
        report = await verify(self._databases.sweep, progress=_unseen)
        assert report.is_equal, report.lines()

    async def _settle(self) -> None:
        unsettled, _age_s = await self._databases.journal.backlog()
        while unsettled:
            await asyncio.sleep(SETTLE_PAUSE_S)
            unsettled, _age_s = await self._databases.journal.backlog()

    async def _empty_table(self, name: str) -> None:
        client = self._databases.client
        attributes = (await client.request("DescribeTable", {"TableName": name}))["Table"]["KeySchema"]
        names = [attribute["AttributeName"] for attribute in attributes]
        keys = [
            {key: item[key] for key in names}
            async for page in client.pages("Scan", {"TableName": name, "ConsistentRead": True})
            for item in page
            if item[names[0]] != {"S": CONTROL}
        ]
        for start in range(0, len(keys), BATCH_MAX):
            deletions = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + BATCH_MAX]]
            answer = await client.request("BatchWriteItem", {"RequestItems": {name: deletions}})
            assert not answer.get("UnprocessedItems")

    async def _copy(self) -> None:
        report = await backfill(self._databases.sweep, progress=_unseen)
        assert report.is_complete, report.lines()


@asynccontextmanager
async def open_single_shop(proxy: RunningProxy) -> AsyncIterator[Shop]:
    """An empty shop behind a proxy, in one database."""
    async with _connected(proxy) as (client, connection):
        backstage = MySQLBackstage(connection)
        await backstage.empty()
        yield HttpShop(client, proxy.base_url, is_dual=False, backstage=backstage)


@asynccontextmanager
async def open_dual_shop(proxy: RunningProxy, databases: Databases) -> AsyncIterator[Shop]:
    """An empty shop behind a proxy, in both databases."""
    async with _connected(proxy) as (client, connection):
        backstage = DualBackstage(connection, databases)
        await backstage.empty()
        shop = HttpShop(client, proxy.base_url, is_dual=True, backstage=backstage)
        # Versions began anew: a proxy that did not see it might take the new ones for those that it knows.
        await shop.call("category.find_all")
        await shop.call("product.get_products")
        yield shop


@asynccontextmanager
async def _connected(proxy: RunningProxy) -> AsyncIterator[tuple[aiohttp.ClientSession, Connection]]:
    connection = await Connection.open(mysql_endpoint(proxy.settings))
    try:
        async with aiohttp.ClientSession() as client:
            yield client, connection
    finally:
        await connection.quit()


def _unseen(_progress: Progress) -> None:
    """A test shows no progress."""
