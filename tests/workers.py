"""Workers inside the test's own process, wired as in `serve` but without listeners, on databases of a module's own."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from adapters.deadline import Deadline
from adapters.errors import CrossfadeError
from adapters.operations import Operation
from adapters.ports.store import Arguments
from proxy.calls import CallRequest
from proxy.metrics import Values
from proxy.settings import Settings, load_settings
from proxy.sync.backfill import backfill
from proxy.sync.verify import verify
from proxy.wiring.databases import open_databases
from proxy.wiring.serve import build_metrics
from proxy.wiring.worker import Worker
from tests.conformance.drivers import answer_directly, next_second_of_this_host
from tests.conformance.proxies import ROOT, START_LIMIT_S, command_of, environment_of
from tests.conformance.shop import Json, Shop
from tests.mysql_schema import mysql_schema
from tests.servers import DynamoDBEndpoint, MySQLEndpoint

CALL_S = 10.0
DRAIN_S = 5.0
SETTLE_LIMIT_S = 20.0
SETTLE_PAUSE_S = 0.05


@dataclass(slots=True)
class WorkerShop(Shop):
    """A shop behind one worker."""

    worker: Worker

    @property
    def is_dual(self) -> bool:
        """See Shop."""
        return True

    async def send(self, operation: str, body: bytes) -> Json:
        """See Shop."""
        return await answer_directly(operation, body, self._answer)

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop; the other database does not get the row."""
        marks = ", ".join(["%s"] * len(columns))
        async with self.worker.databases.pools.writes.acquire(Deadline.after(CALL_S)) as connection:
            inserted = await connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", (*columns.values(),)
            )
        return inserted.last_id

    async def execute(self, statement: str) -> None:
        """Change rows beside the proxy."""
        async with self.worker.databases.pools.writes.acquire(Deadline.after(CALL_S)) as connection:
            await connection.execute(statement)

    async def rows(self, statement: str) -> list[tuple[Json, ...]]:
        """Read rows beside the proxy."""
        async with self.worker.databases.pools.writes.acquire(Deadline.after(CALL_S)) as connection:
            return await connection.rows(statement)

    async def next_second(self) -> None:
        """See Shop."""
        await next_second_of_this_host()

    async def copy(self) -> None:
        """Bring the other database up."""
        report = await backfill(self.worker.databases.sweep, progress=lambda _: None)
        assert report.is_complete, report.lines()

    async def settle_and_compare(self) -> None:
        """See Shop."""
        async with asyncio.timeout(SETTLE_LIMIT_S):
            while (await self.worker.databases.journal.backlog())[0]:
                await self.worker.repairer.run_once()
                await asyncio.sleep(SETTLE_PAUSE_S)
        report = await verify(self.worker.databases.sweep, progress=lambda _: None)
        assert report.is_equal, report.lines()

    async def _answer(self, operation: Operation, arguments: Arguments) -> object:
        request = CallRequest(operation, arguments, Deadline.after(CALL_S), "test")
        return (await self.worker.dispatch.call(request)).result


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[WorkerShop]:
    """A worker that knows the phase; its control poll goes on, nothing else runs by itself."""
    instance = f"test:{uuid4().hex[:8]}"
    async with open_databases(settings, instance=instance) as databases:
        worker = Worker(settings, databases, build_metrics(settings, Values()), instance=instance)
        async with asyncio.TaskGroup() as tasks:
            await worker.poll.run_once()
            polling = tasks.create_task(_poll(worker))
            try:
                yield WorkerShop(worker)
            finally:
                polling.cancel()
                await worker.comparisons.drain(Deadline.after(DRAIN_S))
                await worker.background.drain(Deadline.after(DRAIN_S))


async def _poll(worker: Worker) -> None:
    while True:
        await asyncio.sleep(0.5)
        try:
            await worker.poll.run_once()
        except CrossfadeError:
            continue  # As the loop does in `serve`.


@pytest.fixture(scope="module")
def worker_settings(mysql_server: MySQLEndpoint, dynamodb_server: DynamoDBEndpoint) -> Iterator[Settings]:
    """The settings of workers on prepared, empty databases in phase 4."""
    lease = mysql_schema(mysql_server, has_tables=False)
    with asyncio.Runner() as runner:
        environment = environment_of(4, runner.run(lease.__aenter__()), dynamodb_server)
        command = command_of("db", "prepare", "--shop-tables")
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=START_LIMIT_S)
        yield load_settings(environment)
        runner.run(lease.__aexit__(None, None, None))
