"""The local servers: that they are real, keep or forget, die and come back, and leave nothing behind."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncmy
import bcrypt
import pytest
from aiobotocore.session import get_session
from types_aiobotocore_dynamodb import DynamoDBClient

from deploy.local.dynamodb import DynamoDBServer, start_dynamodb
from deploy.local.mysql import MySQLServer, start_mysql
from deploy.local.process import LOCAL, PortTakenError, ServerError, free_port
from deploy.local.run import check_free, complete, create_database, give_password

ROOT = LOCAL.parent
DEATH_TIMEOUT_MS = 20_000
PAUSED_TIMEOUT_S = 0.5
ORPHANS = """
import sys
from pathlib import Path
from deploy.local.dynamodb import start_dynamodb
from deploy.local.mysql import start_mysql

folder = Path(sys.argv[1])
mysql = start_mysql(folder / "mysql", keep=False)
dynamodb = start_dynamodb(folder / "dynamodb", keep=False)
print(mysql.pid, dynamodb.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder(server_folder: Path) -> Path:
    """A folder for the servers of these tests."""
    return server_folder / "deploy_local"


@pytest.fixture(scope="module")
def mysql(folder: Path) -> Iterator[MySQLServer]:
    """A MySQL server that keeps its data, for all tests that leave it running."""
    with start_mysql(folder / "mysql", keep=True) as server:
        yield server


@pytest.fixture
def dynamodb(folder: Path) -> Iterator[DynamoDBServer]:
    """A DynamoDB that keeps its data, for one test."""
    with start_dynamodb(folder / uuid4().hex, keep=True) as server:
        yield server


async def query(server: MySQLServer, *statements: str) -> tuple[tuple[object, ...], ...]:
    """Run statements on a connection of their own, in order; the rows of the last."""
    opening = asyncmy.connect(host=server.host, port=server.port, user=server.user, autocommit=True)
    async with opening as connection, connection.cursor() as cursor:
        for statement in statements:
            await cursor.execute(statement)
        return tuple(await cursor.fetchall())


@asynccontextmanager
async def client(endpoint: str) -> AsyncIterator[DynamoDBClient]:
    """Open a client of the SDK."""
    session = get_session()
    async with session.create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    ) as opened:
        yield opened


async def put_thing(endpoint: str) -> None:
    """Make a table with one item."""
    async with client(endpoint) as opened:
        await opened.create_table(
            TableName="Things",
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        await opened.put_item(TableName="Things", Item={"PK": {"S": "a"}})


def gone(pid: int) -> bool:
    """Wait until a process ends, 20 s at most, without polling; whether it did."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(DEATH_TIMEOUT_MS))
    finally:
        os.close(descriptor)


async def test_start_mysql_gives_a_real_mysql(mysql: MySQLServer) -> None:
    """The server is MySQL 8.0.22 or newer with the collation the shop relies on, for its root from this machine."""
    rows = await query(mysql, "SELECT VERSION(), CURRENT_USER(), 'a' = 'Á' COLLATE utf8mb4_0900_ai_ci")
    version, user, is_equal = rows[0]
    assert (8, 0, 22) <= tuple(int(part) for part in str(version).partition("-")[0].split("."))
    assert ("root@localhost", 1) == (user, is_equal)


async def test_start_mysql_keeps_data_through_a_kill(mysql: MySQLServer) -> None:
    """What was committed is there after SIGKILL and a restart on the same port."""
    await query(mysql, "CREATE DATABASE kept", "CREATE TABLE kept.t (n INT)", "INSERT INTO kept.t VALUES (7)")
    port, pid = mysql.port, mysql.pid
    mysql.kill()
    assert not mysql.is_running
    mysql.restart()
    assert port == mysql.port
    assert pid != mysql.pid
    assert ((7,),) == await query(mysql, "SELECT n FROM kept.t")


async def test_start_mysql_finds_its_data_again(folder: Path) -> None:
    """With keep, the next start in the folder goes on with the data; without, it starts empty."""
    folder /= "again"
    with start_mysql(folder, keep=True) as server:
        await query(server, "CREATE DATABASE kept")
    with start_mysql(folder, keep=True) as server:
        assert (("kept",),) == await query(server, "SHOW DATABASES LIKE 'kept'")
    with start_mysql(folder, keep=False) as server:
        assert () == await query(server, "SHOW DATABASES LIKE 'kept'")


async def test_start_dynamodb_keeps_data_through_a_kill(dynamodb: DynamoDBServer) -> None:
    """Tables and items are there after SIGKILL and a restart on the same port."""
    await put_thing(dynamodb.endpoint)
    dynamodb.kill()
    dynamodb.restart()
    async with client(dynamodb.endpoint) as opened:
        assert ["Things"] == (await opened.list_tables())["TableNames"]
        answer = await opened.get_item(TableName="Things", Key={"PK": {"S": "a"}})
    assert {"PK": {"S": "a"}} == answer["Item"]


async def test_start_dynamodb_without_keep_forgets(folder: Path) -> None:
    """Without keep, tables live as long as the process."""
    with start_dynamodb(folder / "forgetful", keep=False) as server:
        await put_thing(server.endpoint)
        server.restart()
        async with client(server.endpoint) as opened:
            assert [] == (await opened.list_tables())["TableNames"]


def test_start_mysql_refuses_a_folder_in_use(mysql: MySQLServer, folder: Path) -> None:
    """Two servers never share data: the second start says which process has the folder, and hurts nobody."""
    with pytest.raises(ServerError, match=f"MySQL: .* is in use by process {os.getpid()}"):
        start_mysql(folder / "mysql", keep=True)
    assert mysql.is_running


def test_a_port_in_use_is_named(folder: Path, mysql: MySQLServer) -> None:
    """A given port that is taken is an error that shows the end of the server's log, for both servers."""
    with pytest.raises(PortTakenError, match=f"(?s)MySQL ended .* on port {mysql.port}; the end of .*already in use"):
        start_mysql(folder / "other", port=mysql.port, keep=False)
    with pytest.raises(PortTakenError, match=f"(?s)DynamoDB Local ended .* on port {mysql.port}; the end of .*in use"):
        start_dynamodb(folder / "another", port=mysql.port, keep=False)


def test_pause_silences_and_resume_goes_on(mysql: MySQLServer) -> None:
    """A paused server takes connections and says nothing; resumed, it greets those it took."""
    mysql.pause()
    with socket.create_connection((mysql.host, mysql.port), timeout=PAUSED_TIMEOUT_S) as connection:
        with pytest.raises(TimeoutError):
            connection.recv(1)
        mysql.resume()
        connection.settimeout(DEATH_TIMEOUT_MS / 1000)
        assert 1 == len(connection.recv(1))


def test_stop_ends_a_paused_server(dynamodb: DynamoDBServer) -> None:
    """A frozen server does not hold up the end of a test; stopping twice is harmless."""
    pid = dynamodb.pid
    dynamodb.pause()
    dynamodb.stop()
    dynamodb.stop()
    assert gone(pid)
    with pytest.raises(ServerError, match="DynamoDB Local is not running"):
        dynamodb.pause()


def test_a_server_outlives_the_thread_that_restarted_it(dynamodb: DynamoDBServer) -> None:
    """Only the death of the process takes a server along, not that of the thread that happened to start it."""
    thread = threading.Thread(target=dynamodb.restart)
    thread.start()
    thread.join()
    with socket.create_connection(("127.0.0.1", dynamodb.port)) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 400")


def test_servers_die_with_the_process_that_started_them(folder: Path) -> None:
    """After kill -9 of the starter, which can clean up nothing, neither server is left."""
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANS, str(folder / "orphans")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        assert [True, True] == [Path(f"/proc/{pid}").exists() for pid in pids]
        starter.send_signal(signal.SIGKILL)
        assert [True, True] == [gone(pid) for pid in pids]


async def test_create_database_makes_it_once(mysql: MySQLServer) -> None:
    """A missing database is made, an existing one is left alone, and a name of any characters is that name."""
    settings = complete(
        {
            "CROSSFADE_MYSQL_HOST": mysql.host,
            "CROSSFADE_MYSQL_PORT": str(mysql.port),
            "CROSSFADE_MYSQL_DATABASE": "my`shop",
        }
    )
    await create_database(settings)
    await query(mysql, "CREATE TABLE `my``shop`.t (n INT)")
    await create_database(settings)
    assert (("t",),) == await query(mysql, "SHOW TABLES FROM `my``shop`")


async def test_give_password_opens_the_sample_once(mysql: MySQLServer, tmp_path: Path) -> None:
    """The sample's admin can log in with what the file says; a password that was set is nobody's to change."""
    settings = complete({"CROSSFADE_MYSQL_HOST": mysql.host, "CROSSFADE_MYSQL_PORT": str(mysql.port)})
    await create_database(settings)
    await query(mysql, "CREATE TABLE shop.users (username VARCHAR(50), password_hash VARCHAR(255))")
    await query(mysql, "INSERT INTO shop.users VALUES ('ana', '$2b$12$SampleShopSample'), ('ben', 'his')")
    file = tmp_path / "password"
    await give_password(settings, file)
    ((given,), (other,)) = await query(mysql, "SELECT password_hash FROM shop.users ORDER BY username")
    assert bcrypt.checkpw(file.read_text().strip().encode(), str(given).encode())
    assert "his" == other
    file.unlink()
    await give_password(settings, file)
    assert not file.exists()


async def test_create_database_names_an_absent_server() -> None:
    """A server that does not answer is named, with the database that was wanted."""
    port = free_port()
    settings = complete({"CROSSFADE_MYSQL_HOST": "127.0.0.1", "CROSSFADE_MYSQL_PORT": str(port)})
    with pytest.raises(ServerError, match=f"cannot create the database shop on MySQL at 127.0.0.1:{port}"):
        await create_database(settings)


def test_check_free_names_the_setting() -> None:
    """A taken port is an error that shows how to choose another; a free one is none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ServerError, match=rf"cannot listen on {taken} \(.*CROSSFADE_LISTEN=127.0.0.1:\d+ make run"):
            check_free("CROSSFADE_LISTEN", taken)
    check_free("CROSSFADE_LISTEN", taken)
