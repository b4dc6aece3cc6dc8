"""The two databases of a test run: given by the environment, or started for the run and thrown away after it.

    CROSSFADE_TEST_MYSQL_URL          mysql://user:password@host:port
    CROSSFADE_TEST_DYNAMODB_ENDPOINT  http://host:port

Tests make schemas and table prefixes of their own. A database that cannot be had fails the tests that need it.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import pytest

from deploy.local.dynamodb import start_dynamodb
from deploy.local.mysql import start_mysql
from deploy.local.process import LOCAL, ServerError, claim, exclusive

MYSQL_URL = "CROSSFADE_TEST_MYSQL_URL"
DYNAMODB_ENDPOINT = "CROSSFADE_TEST_DYNAMODB_ENDPOINT"
MYSQL_PORT = 3306


@dataclass(frozen=True, slots=True)
class MySQLEndpoint:
    """Where a MySQL server listens, and a user of it that may create schemas."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DynamoDBEndpoint:
    """Where DynamoDB listens, and credentials that it takes."""

    url: str
    region: str = "us-east-1"
    access_key_id: str = "local"
    secret_access_key: str = field(default="local", repr=False)


def parse_mysql_url(url: str) -> MySQLEndpoint:
    """Read `mysql://user:password@host:port`; ValueError when it is something else."""
    parts = urlsplit(url)
    if parts.scheme != "mysql" or not parts.hostname or not parts.username:
        raise ValueError(f"{MYSQL_URL} must be mysql://user:password@host:port, and is {url!r}")
    return MySQLEndpoint(
        parts.hostname, parts.port or MYSQL_PORT, unquote(parts.username), unquote(parts.password or "")
    )


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder for servers of this run alone, deleted after it."""
    runs = LOCAL / "tests"
    runs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with exclusive(LOCAL / "tests.lock"):
            for left in runs.iterdir():  # Of runs that were killed; those of living runs are claimed.
                with suppress(ServerError), claim(left, "tests"):
                    rmtree(left)
            folder = Path(stack.enter_context(TemporaryDirectory(dir=runs)))
            stack.enter_context(claim(folder, "tests"))
        yield folder


@pytest.fixture(scope="session")
def mysql_server(server_folder: Path) -> Iterator[MySQLEndpoint]:
    """A MySQL server for the whole run."""
    if url := os.environ.get(MYSQL_URL):
        yield parse_mysql_url(url)
        return
    with start_mysql(server_folder / "mysql", keep=False) as server:
        yield MySQLEndpoint(server.host, server.port, server.user, server.password)


@pytest.fixture(scope="session")
def dynamodb_server(server_folder: Path) -> Iterator[DynamoDBEndpoint]:
    """A DynamoDB for the whole run."""
    if url := os.environ.get(DYNAMODB_ENDPOINT):
        yield DynamoDBEndpoint(url)
        return
    with start_dynamodb(server_folder / "dynamodb", keep=False) as server:
        yield DynamoDBEndpoint(server.endpoint)
