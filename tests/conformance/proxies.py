"""Proxies as programs of their own, one for each phase, with databases of their own, for a whole run."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from uuid import uuid4

import pytest
import pytest_asyncio

from adapters.mysql.endpoint import MySQLEndpoint
from proxy.settings import Settings, load_settings
from proxy.wiring.databases import Databases, open_databases
from tests.mysql_schema import mysql_schema
from tests.servers import DynamoDBEndpoint

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 30.0
STOP_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """A proxy that serves, and the settings that it and its tools go by."""

    base_url: str
    settings: Settings


@contextlib.contextmanager
def run_proxy(phase: int, mysql: MySQLEndpoint, dynamodb: DynamoDBEndpoint) -> Iterator[RunningProxy]:
    """Prepare the databases, serve in a phase, and stop as an operator does, which must end well."""
    environment = environment_of(phase, mysql, dynamodb)
    subprocess.run(
        command_of("db", "prepare", "--shop-tables"), cwd=ROOT, env=environment, check=True, timeout=START_LIMIT_S
    )
    process = subprocess.Popen(command_of("serve"), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    addresses: SimpleQueue[str] = SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, addresses))
    reader.start()
    try:
        yield RunningProxy(f"http://{addresses.get(timeout=START_LIMIT_S)}", load_settings(environment))
        process.terminate()
        assert 0 == process.wait(STOP_LIMIT_S)
    finally:
        process.kill()
        process.wait()
        reader.join()


def environment_of(phase: int, mysql: MySQLEndpoint, dynamodb: DynamoDBEndpoint) -> Mapping[str, str]:
    """The environment of a proxy on these servers, under a table prefix of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CROSSFADE_")}
    return {
        **inherited,
        "CROSSFADE_ENV": "development",
        "CROSSFADE_LISTEN": "127.0.0.1:0",
        "CROSSFADE_ADMIN_LISTEN": "127.0.0.1:0",
        "CROSSFADE_FIRST_PHASE": str(phase),
        "CROSSFADE_MYSQL_HOST": mysql.host,
        "CROSSFADE_MYSQL_PORT": str(mysql.port),
        "CROSSFADE_MYSQL_USER": mysql.user,
        "CROSSFADE_MYSQL_PASSWORD": mysql.password,
        "CROSSFADE_MYSQL_DATABASE": mysql.database,
        "CROSSFADE_DYNAMODB_ENDPOINT": dynamodb.url,
        "CROSSFADE_DYNAMODB_REGION": dynamodb.region,
        "CROSSFADE_DYNAMODB_ACCESS_KEY_ID": dynamodb.access_key_id,
        "CROSSFADE_DYNAMODB_SECRET_ACCESS_KEY": dynamodb.secret_access_key,
        "CROSSFADE_DYNAMODB_TABLE_PREFIX": f"c{uuid4().hex[:8]}_",
    }


def command_of(*arguments: str) -> list[str]:
    """How the proxy's command line is called."""
    return [sys.executable, "-m", "proxy", *arguments]


def _read(process: subprocess.Popen[str], addresses: SimpleQueue[str]) -> None:
    """Pass the listener's address on, and read on to the end, so that the proxy never waits for its log's reader."""
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            event = json.loads(line)
            if event["event"] == "listening_started":
                addresses.put(event["rpc"])


@contextlib.contextmanager
def _proxy_of_a_run(phase: int, request: pytest.FixtureRequest) -> Iterator[RunningProxy]:
    lease = mysql_schema(request.getfixturevalue("mysql_server"), has_tables=False)
    with asyncio.Runner() as runner:
        schema = runner.run(lease.__aenter__())
        with run_proxy(phase, schema, request.getfixturevalue("dynamodb_server")) as proxy:
            yield proxy
        runner.run(_drop_tables(proxy.settings))
        runner.run(lease.__aexit__(None, None, None))


async def _drop_tables(settings: Settings) -> None:
    async with open_databases(settings, instance="conformance") as databases:
        for table in databases.contract.tables:
            await databases.client.request("DeleteTable", {"TableName": databases.client.table_name(table)})


@pytest.fixture(scope="session")
def proxy_in_phase_1(request: pytest.FixtureRequest) -> Iterator[RunningProxy]:
    """A proxy whose shop is in one database."""
    with _proxy_of_a_run(1, request) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def proxy_in_phase_2(request: pytest.FixtureRequest) -> Iterator[RunningProxy]:
    """A proxy that writes to both databases."""
    with _proxy_of_a_run(2, request) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def proxy_in_phase_3(request: pytest.FixtureRequest) -> Iterator[RunningProxy]:
    """A proxy that reads both databases, and answers what MySQL says."""
    with _proxy_of_a_run(3, request) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def proxy_in_phase_4(request: pytest.FixtureRequest) -> Iterator[RunningProxy]:
    """A proxy that reads both databases, and answers what DynamoDB says."""
    with _proxy_of_a_run(4, request) as proxy:
        yield proxy


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases_in_phase_2(proxy_in_phase_2: RunningProxy) -> AsyncIterator[Databases]:
    """The databases of that proxy, for its tools."""
    async with open_databases(proxy_in_phase_2.settings, instance="conformance") as databases:
        yield databases


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases_in_phase_3(proxy_in_phase_3: RunningProxy) -> AsyncIterator[Databases]:
    """The databases of that proxy, for its tools."""
    async with open_databases(proxy_in_phase_3.settings, instance="conformance") as databases:
        yield databases


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases_in_phase_4(proxy_in_phase_4: RunningProxy) -> AsyncIterator[Databases]:
    """The databases of that proxy, for its tools."""
    async with open_databases(proxy_in_phase_4.settings, instance="conformance") as databases:
        yield databases
