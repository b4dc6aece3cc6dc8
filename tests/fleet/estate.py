"""A schema and a table prefix of a test's own, prepared as the product's own command does, and what lies in them."""

import asyncio
import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint
from adapters.dynamodb.contract import load_contract
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.prepare import SHOP_TABLES
from adapters.ports.store import Restart
from proxy.settings import Settings, load_settings
from proxy.wiring import commands
from proxy.wiring.commands import Report
from tests import servers
from tests.fleet.waiting import until
from tests.mysql_schema import insert

ROOT: Final = Path(__file__).parents[2]
NO_OPTIONS: Final = Namespace()

Rows = list[tuple[Any, ...]]
Books = dict[str, Rows]
"""All rows of the shop, by table."""


@dataclass(frozen=True, slots=True)
class Estate:
    """Both databases of one shop."""

    mysql: MySQLEndpoint
    dynamodb: servers.DynamoDBEndpoint
    prefix: str
    given: dict[str, str]

    @property
    def dynamodb_address(self) -> tuple[str, int]:
        """Host and port of DynamoDB."""
        parts = urlsplit(self.dynamodb.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def environ(self, **given: str) -> dict[str, str]:
        """The environment of a proxy of this shop, with free ports; `given` goes above all."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CROSSFADE_")}
        own = {
            "CROSSFADE_ENV": "development",
            "CROSSFADE_LISTEN": "127.0.0.1:0",
            "CROSSFADE_ADMIN_LISTEN": "127.0.0.1:0",
            "CROSSFADE_MYSQL_HOST": self.mysql.host,
            "CROSSFADE_MYSQL_PORT": str(self.mysql.port),
            "CROSSFADE_MYSQL_USER": self.mysql.user,
            "CROSSFADE_MYSQL_PASSWORD": self.mysql.password,
            "CROSSFADE_MYSQL_DATABASE": self.mysql.database,
            "CROSSFADE_DYNAMODB_ENDPOINT": self.dynamodb.url,
            "CROSSFADE_DYNAMODB_REGION": self.dynamodb.region,
            "CROSSFADE_DYNAMODB_ACCESS_KEY_ID": self.dynamodb.access_key_id,
            "CROSSFADE_DYNAMODB_SECRET_ACCESS_KEY": self.dynamodb.secret_access_key,
            "CROSSFADE_DYNAMODB_TABLE_PREFIX": self.prefix,
            "CROSSFADE_LOG_SAMPLE_PERCENT": "0",
        }
        return {**inherited, **own, **self.given, **given}

    def settings(self, **given: str) -> Settings:
        """The settings of a proxy of this shop."""
        return load_settings(self.environ(**given))

    def client(self) -> DynamoDBClient:
        """A way to DynamoDB beside all proxies."""
        given = self.dynamodb
        keys = (given.access_key_id, given.secret_access_key)
        return DynamoDBClient(DynamoDBEndpoint(given.region, given.url, self.prefix, *keys))

    async def rows(self, sql: str, args: tuple[object, ...] = ()) -> Rows:
        """Look at MySQL beside all proxies; also the way to change something there."""
        connection = await Connection.open(self.mysql)
        try:
            (found, *_) = await connection.batch(sql, args)
            return found.rows
        finally:
            await connection.quit()

    async def books(self) -> Books:
        """All rows of the shop as they are now."""
        return {table: await self.rows(f"SELECT * FROM {table} ORDER BY id") for table in SHOP_TABLES}

    async def epoch(self) -> int:
        """The version of the control state."""
        ((epoch,),) = await self.rows("SELECT epoch FROM crossfade_control")
        return int(epoch)

    async def phases_passed(self) -> list[int]:
        """The phases that the audit tells of, in order."""
        rows = await self.rows("SELECT `after` FROM crossfade_audit WHERE kind = 'flags' ORDER BY id")
        return [_phase(orjson.loads(after)) for (after,) in rows]

    async def is_switch_waiting(self) -> bool:
        """Whether somebody waits for the control row."""
        sql = """SELECT COUNT(*) FROM performance_schema.data_locks
         WHERE object_schema = DATABASE() AND object_name = 'crossfade_control' AND lock_status = 'WAITING'"""
        return [(0,)] != await self.rows(sql)

    async def unsettled(self) -> int:
        """The intents that are not settled."""
        ((count,),) = await self.rows("SELECT COUNT(*) FROM crossfade_intent WHERE state IN ('open', 'journalled')")
        return int(count)

    async def drained(self) -> None:
        """Wait until proxies have settled all intents, without a hand."""

        async def is_settled() -> bool:
            return await self.unsettled() == 0

        await until("all intents to be settled", is_settled)

    async def owed(self) -> int:
        """The intents of writes that are committed in MySQL and not yet in DynamoDB."""
        ((count,),) = await self.rows("SELECT COUNT(*) FROM crossfade_intent WHERE state = 'journalled'")
        return int(count)

    async def caught_up(self, *, limit_s: float) -> None:
        """Wait until nothing is owed any more of what there is now; writes may go on, each with its deferred parts."""
        ((newest,),) = await self.rows("SELECT COALESCE(MAX(id), 0) FROM crossfade_intent")
        sql = "SELECT COUNT(*) FROM crossfade_intent WHERE state = 'journalled' AND id <= %s"

        async def is_paid() -> bool:
            return [(0,)] == await self.rows(sql, (newest,))

        await until("the backlog to be worked off", is_paid, limit_s=limit_s)

    async def is_all_due(self) -> bool:
        """Whether every unsettled intent may be tried now."""
        waiting = "SELECT COUNT(*) FROM crossfade_intent WHERE state IN ('open', 'journalled') AND next_try_at > NOW(3)"
        return [(0,)] == await self.rows(waiting)

    async def age_intents(self) -> None:
        """Make all intents due: a test need not wait for that."""

        async def are_aged() -> bool:
            try:
                await self.rows(
                    "UPDATE crossfade_intent SET next_try_at = NOW(3) WHERE state IN ('open', 'journalled')"
                )
            except Restart:
                return False  # In the way of a repairer, or of what a dead one left.
            return True

        await until("all intents to be made due", are_aged)

    async def repair(self) -> Report:
        """`crossfade repair`, once the intents are due."""
        await self.age_intents()
        return await commands.repair(self.settings(), NO_OPTIONS)

    async def backfill(self) -> None:
        """`crossfade backfill`, to the end."""
        report = await commands.backfill(self.settings(), NO_OPTIONS)
        assert report.is_well, "\n".join(report.lines)

    async def verify(self) -> None:
        """Demand that no intent is unsettled and that both databases are equal, as `crossfade verify` sees it."""
        assert await self.unsettled() == 0
        report = await commands.verify(self.settings(), NO_OPTIONS)
        assert report.is_well, "\n".join(report.lines)


class EstateBackstage:
    """See Backstage, for a shop served by proxies."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop: MySQL first, then as a backfill brings it over."""
        connection = await Connection.open(self._estate.mysql)
        try:
            row_id = await insert(connection, table, **columns)
        finally:
            await connection.quit()
        await commands.backfill(self._estate.settings(), NO_OPTIONS)
        return row_id

    async def settle_and_compare(self) -> None:
        """See Shop."""
        await self._estate.drained()
        await self._estate.verify()


def _phase(flags: Mapping[str, bool]) -> int:
    if not flags["dual_write"]:
        return 1
    if flags["read_from_dynamodb"]:
        return 4
    return 3 if flags["dual_read"] else 2


@contextmanager
def estate(
    mysql: servers.MySQLEndpoint, dynamodb: servers.DynamoDBEndpoint, *, phase: int = 2, **given: str
) -> Iterator[Estate]:
    """An empty shop in a phase, removed in the end. To be entered where no event loop runs."""
    name = f"crossfade_test_{uuid4().hex}"
    server = MySQLEndpoint(mysql.host, mysql.port, mysql.user, mysql.password, "mysql")
    endpoint = MySQLEndpoint(mysql.host, mysql.port, mysql.user, mysql.password, name)
    made = Estate(endpoint, dynamodb, f"{name}_", given)
    asyncio.run(_run(server, f"CREATE DATABASE {name} DEFAULT COLLATE utf8mb4_0900_ai_ci"))
    try:
        settings = made.settings(CROSSFADE_FIRST_PHASE=str(phase))
        prepared = asyncio.run(commands.db_prepare(settings, Namespace(shop_tables=True)))
        assert prepared.is_well, prepared.lines
        yield made
    finally:
        asyncio.run(_run(server, f"DROP DATABASE {name}"))
        asyncio.run(_delete_tables(made))


async def _run(server: MySQLEndpoint, statement: str) -> None:
    connection = await Connection.open(server)
    try:
        await connection.batch(statement)
    finally:
        await connection.quit()


async def _delete_tables(estate: Estate) -> None:
    async with estate.client() as client:
        for table in load_contract().tables:
            await client.request("DeleteTable", {"TableName": client.table_name(table)})
