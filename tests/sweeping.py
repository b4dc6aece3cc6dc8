"""A shop in both databases, in phase 2, for tests of sweeps: rows are planted beside the proxy, items beside both."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
import pytest_asyncio

from adapters.changes import Aggregate, Image, Ref
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint, found_item
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import Item, ItemMapper
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.sweep import DynamoDBSweep
from adapters.dynamodb.tables import create_tables
from adapters.dynamodb.transact import DynamoDBShadow
from adapters.dynamodb.typed_json import Attributes
from adapters.mysql.connection import Connection
from adapters.mysql.control import MySQLControl
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.journal import MySQLJournal
from adapters.mysql.pool import Pool
from adapters.mysql.sweep import MySQLSweep
from adapters.mysql.writer import MySQLWriter
from proxy.sync.backfill import backfill
from proxy.sync.locked import SweepParts
from proxy.sync.report import BackfillReport, Progress, VerifyReport
from proxy.sync.verify import verify
from tests.planted_shop import empty_shop, plant_shop
from tests.servers import DynamoDBEndpoint as Server

CONTRACT = load_contract()
KEYS = Keys(CONTRACT)
MAPPER = ItemMapper(CONTRACT)
LIMIT_S = 10.0
BATCH = 25
SET_FLAGS = "UPDATE crossfade_control SET epoch = epoch + 1, dual_write = %s, read_from_dynamodb = %s"
FORGET = """DELETE FROM crossfade_intent; DELETE FROM crossfade_version WHERE kind IN (2, 3, 4);
UPDATE crossfade_version SET version = 0"""


@dataclass(slots=True)
class SweptShop:
    """Both databases, a session beside the proxy, and the sweeps."""

    mysql: Connection
    client: DynamoDBClient
    parts: SweepParts
    progress: list[Progress] = field(default_factory=list)

    async def empty(self) -> None:
        """Delete all rows and items, and forget what was ever written."""
        await empty_shop(self.mysql)
        await self.mysql.batch(FORGET)
        await self.delete_all()

    async def backfill(self) -> BackfillReport:
        """Run a backfill."""
        return await backfill(self.parts, progress=self.progress.append)

    async def verify(self) -> VerifyReport:
        """Run a verify."""
        return await verify(self.parts, progress=self.progress.append)

    async def set_phase(self, phase: int) -> None:
        """Move to a phase as a switch does, without asking."""
        await self.mysql.execute(SET_FLAGS, (phase in {2, 3, 4}, phase in {4, 5}))

    async def image(self, ref: Ref) -> Image:
        """A row as it is."""
        return (await self.parts.source.images([ref]))[ref]

    async def item_of(self, ref: Ref, number: int = 0) -> Item:
        """One of the items that a row needs, in the mapper's order."""
        return MAPPER.items_of(await self.image(ref))[number]

    async def get(self, key: Key) -> Attributes | None:
        """What lies under a key."""
        payload = {"TableName": self.client.table_name(key.table), "Key": KEYS.typed(key), "ConsistentRead": True}
        return found_item(await self.client.request("GetItem", payload))

    async def put(self, table: str, attributes: Attributes) -> None:
        """Put an item beside the proxy."""
        await self.client.request("PutItem", {"TableName": self.client.table_name(table), "Item": attributes})

    async def delete(self, key: Key) -> None:
        """Delete an item beside the proxy."""
        payload = {"TableName": self.client.table_name(key.table), "Key": KEYS.typed(key)}
        await self.client.request("DeleteItem", payload)

    async def delete_all(self) -> None:
        """Delete all items of all tables."""
        keys = list(await self.items())
        for start in range(0, len(keys), BATCH):
            requests: dict[str, list[object]] = {}
            for key in keys[start : start + BATCH]:
                delete = {"DeleteRequest": {"Key": KEYS.typed(key)}}
                requests.setdefault(self.client.table_name(key.table), []).append(delete)
            await self.client.request("BatchWriteItem", {"RequestItems": requests})

    async def fence(self, aggregate: Aggregate) -> Attributes | None:
        """A fence."""
        return await self.get(KEYS.fence(aggregate))

    async def items(self) -> Mapping[Key, Attributes]:
        """All items of all tables."""
        found = {}
        for table in CONTRACT.tables:
            async for page in self.client.pages("Scan", {"TableName": self.client.table_name(table)}):
                for item in page:
                    found[Key(table, *(str(item[name]["S"]) for name in KEYS.names(table)))] = item
        return found


def key_of(item: Item) -> Key:
    """Where an item lies."""
    return Key(item.table, item.partition, item.sort)


@pytest.fixture(scope="module")
def swept_tables(dynamodb_server: Server) -> Iterator[DynamoDBEndpoint]:
    """All tables, under a prefix of their own, for the tests of one module."""
    prefix = f"s{uuid4().hex[:8]}_"
    server = dynamodb_server
    endpoint = DynamoDBEndpoint(server.region, server.url, prefix, server.access_key_id, server.secret_access_key)
    with asyncio.Runner() as runner:
        runner.run(_make_tables(endpoint))
        yield endpoint
        runner.run(_delete_tables(endpoint))


async def _make_tables(endpoint: DynamoDBEndpoint) -> None:
    async with DynamoDBClient(endpoint) as client:
        await create_tables(client, CONTRACT, endpoint.table_prefix)


async def _delete_tables(endpoint: DynamoDBEndpoint) -> None:
    async with DynamoDBClient(endpoint) as client:
        for table in CONTRACT.tables:
            await client.request("DeleteTable", {"TableName": client.table_name(table)})


@pytest_asyncio.fixture
async def swept_shop(mysql_endpoint: MySQLEndpoint, swept_tables: DynamoDBEndpoint) -> AsyncIterator[SweptShop]:
    """The planted shop in phase 2, in the source alone."""
    async with open_shop(mysql_endpoint, swept_tables) as shop:
        await plant_shop(shop.mysql)
        yield shop


@asynccontextmanager
async def open_shop(mysql: MySQLEndpoint, dynamodb: DynamoDBEndpoint) -> AsyncIterator[SweptShop]:
    """The shop of these databases in phase 2, emptied."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(DynamoDBClient(dynamodb))
        session = await Connection.open(mysql)
        stack.push_async_callback(session.quit)
        shop = SweptShop(session, client, _parts(mysql, client, stack))
        await shop.empty()
        await shop.set_phase(2)
        yield shop


def _parts(endpoint: MySQLEndpoint, client: DynamoDBClient, stack: AsyncExitStack) -> SweepParts:
    reads, writes, journal = (Pool(endpoint, size=size, name=f"test-{size}") for size in (4, 8, 3))
    for pool in (reads, writes, journal):
        stack.push_async_callback(pool.close)
    return SweepParts(
        authority=MySQLWriter(writes, instance="test"),
        journal=MySQLJournal(journal, instance="test", limit_s=LIMIT_S),
        shadow=DynamoDBShadow(client, mapper=MAPPER, keys=KEYS),
        source=MySQLSweep(reads, limit_s=LIMIT_S),
        target=DynamoDBSweep(client, mapper=MAPPER, keys=KEYS),
        state=MySQLControl(journal, limit_s=LIMIT_S).read,
    )
