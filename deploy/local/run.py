"""What `make run` does: both databases, the shop's tables, a sample shop, the proxy; ended in the opposite order.

A database whose address the caller gives (CROSSFADE_MYSQL_HOST, CROSSFADE_DYNAMODB_ENDPOINT) is used, not started.
Every other setting of the caller's environment is passed on; those not given are set for development. All of them are
left in a file, by which commands in other terminals find the same databases.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import asyncmy
import bcrypt

from deploy.local.dynamodb import start_dynamodb
from deploy.local.mysql import start_mysql
from deploy.local.process import LOCAL, ServerError, tethered

PROXY = [sys.executable, "-m", "proxy"]
LISTEN = "CROSSFADE_LISTEN"
ADMIN_LISTEN = "CROSSFADE_ADMIN_LISTEN"
MYSQL_HOST = "CROSSFADE_MYSQL_HOST"
DYNAMODB_ENDPOINT = "CROSSFADE_DYNAMODB_ENDPOINT"
DEFAULTS = {
    "CROSSFADE_ENV": "development",
    LISTEN: "127.0.0.1:8080",
    "CROSSFADE_MYSQL_PORT": "3306",
    "CROSSFADE_MYSQL_USER": "root",
    "CROSSFADE_MYSQL_PASSWORD": "",
    "CROSSFADE_MYSQL_DATABASE": "shop",
    "CROSSFADE_DYNAMODB_REGION": "us-east-1",
    "CROSSFADE_DYNAMODB_TABLE_PREFIX": "",
}
LOCAL_CREDENTIALS = {
    "CROSSFADE_DYNAMODB_ACCESS_KEY_ID": "local",
    "CROSSFADE_DYNAMODB_SECRET_ACCESS_KEY": "local",
}
CONFIG = "CROSSFADE_CONFIG"
SETTINGS_FILE = LOCAL / "run.toml"
PASSWORD_FILE = LOCAL / "run.password"
OPEN_SAMPLE = """UPDATE users SET password_hash = %s
 WHERE username = 'ana' AND password_hash LIKE '$2b$12$SampleShop%%'"""
HAS_DATABASE = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
DATABASE = "CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4"
PASSWORD_BYTES = 12
ANSWER_INTERVAL_S = 0.1

NEXT = """
Crossfade answers on {listen}. Try, in another terminal:

  curl -s http://{listen}/rpc/product/get_products -H 'Content-Type: application/json' -d '{{"limit": 3}}'
  curl -s http://{listen}/rpc/user/find_by_id -H 'Content-Type: application/json' -d '{{"id": 1}}'
  curl -s http://{listen}/rpc/cart/get_cart_items -H 'Content-Type: application/json' -d '{{"user_id": 1}}'
  curl -s http://{listen}/openapi.json
  curl -s http://{admin_listen}/readyz
  curl -s http://{admin_listen}/metrics

The flag page, for the user ana, whose password stands in {password_file}:

  http://{admin_listen}/admin/migration-control

The command line finds the same databases by a file; writes then go to both, and all rows are copied and compared:

  export CROSSFADE_CONFIG={settings_file}
  {crossfade} phase set 2 --force --reason 'to try it'
  {crossfade} backfill && {crossfade} verify

All of it under the calls of made-up shoppers, up to phase 4 and back, with a live table:

  {crossfade} demo

The proxy logs here.{databases} Ctrl-C stops everything.
"""
DATABASES = """ The databases log to
{logs}
and their data stays for the next run; `make clean` deletes it."""


class Interrupted(BaseException):
    """SIGINT or SIGTERM arrived; everything started is to be ended."""


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Leave whatever is going on, once: while ending, further signals change nothing."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def address(text: str) -> tuple[str, int]:
    """Read `host:port`; ServerError when it is something else."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ServerError(f"not an address of the form host:port: {text!r}")
    return host.strip("[]"), int(port)


def complete(given: Mapping[str, str]) -> dict[str, str]:
    """Fill the settings that are not given; the admin listener takes the port after the proxy's."""
    settings = {**DEFAULTS, **given}
    host, port = address(settings[LISTEN])
    settings.setdefault(ADMIN_LISTEN, f"{host}:{port + 1}")
    return settings


def check_free(name: str, text: str) -> None:
    """See that nobody listens on an address; ServerError names the setting that chooses another."""
    host, port = address(text)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            other = f"{host}:{port + 10}"
            hint = f"choose another, for example: {name}={other} make run"
            raise ServerError(f"cannot listen on {text} ({error.strerror}); {hint}") from error


def start_databases(settings: dict[str, str], stack: ExitStack) -> list[str]:
    """Start the databases that are not given, put their addresses into the settings, return their logs."""
    logs = []
    if MYSQL_HOST not in settings:
        print("Starting MySQL (the first time it is downloaded: 65 MB) ...", flush=True)
        mysql = stack.enter_context(start_mysql(LOCAL / "mysql", keep=True))
        settings |= {MYSQL_HOST: mysql.host, "CROSSFADE_MYSQL_PORT": str(mysql.port)}
        logs.append(str(mysql.log))
    if DYNAMODB_ENDPOINT not in settings:
        print("Starting DynamoDB Local (the first time it is downloaded: 49 MB) ...", flush=True)
        dynamodb = stack.enter_context(start_dynamodb(LOCAL / "dynamodb", keep=True))
        settings |= {DYNAMODB_ENDPOINT: dynamodb.endpoint, **LOCAL_CREDENTIALS}
        logs.append(str(dynamodb.log))
    return logs


def keep_settings(settings: Mapping[str, str], file: Path) -> None:
    """Write the proxy's settings into a file for CROSSFADE_CONFIG, which only its owner may read."""
    kept = {name: text for name, text in settings.items() if name.startswith("CROSSFADE_") and name != CONFIG}
    # A string of JSON is one of TOML too.
    write_private(file, "".join(f"{name} = {json.dumps(text, ensure_ascii=False)}\n" for name, text in kept.items()))


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
        output.write(text)


async def give_password(settings: Mapping[str, str], file: Path) -> None:
    """Give the sample shop's admin a password, once, and leave it in a file; nobody knows the sample's own."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    async with await connect(settings, database=settings["CROSSFADE_MYSQL_DATABASE"]) as connection:
        async with connection.cursor() as cursor:
            password_hash = bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()
            if await cursor.execute(OPEN_SAMPLE, (password_hash,)):
                write_private(file, f"{password}\n")
        await connection.commit()


async def create_database(settings: Mapping[str, str]) -> None:
    """Create the shop's database where it is missing; ServerError when the server refuses."""
    host, port = settings[MYSQL_HOST], int(settings["CROSSFADE_MYSQL_PORT"])
    name = settings["CROSSFADE_MYSQL_DATABASE"]
    try:
        async with await connect(settings) as connection, connection.cursor() as cursor:
            # IF NOT EXISTS alone would do, but the driver prints the server's remark that it exists.
            if not await cursor.execute(HAS_DATABASE, (name,)):
                await cursor.execute(DATABASE.format(name=name.replace("`", "``")))
    except (OSError, asyncmy.errors.MySQLError) as error:
        raise ServerError(f"cannot create the database {name} on MySQL at {host}:{port}: {error}") from error


async def connect(settings: Mapping[str, str], database: str | None = None) -> asyncmy.Connection:
    """Open a session on MySQL. Raises OSError or MySQLError."""
    return await asyncmy.connect(
        host=settings[MYSQL_HOST],
        port=int(settings["CROSSFADE_MYSQL_PORT"]),
        user=settings["CROSSFADE_MYSQL_USER"],
        password=settings["CROSSFADE_MYSQL_PASSWORD"],
        database=database,
    )


class Proxy:
    """Commands of the proxy, each in a session of its own, so that Ctrl-C reaches this process alone."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def run(self, *arguments: str) -> None:
        """Run a command to its end; SystemExit with its code when it fails."""
        with self.start(*arguments) as child:
            try:
                code = child.wait()
            except Interrupted:
                child.terminate()
                raise
        if code != 0:
            sys.exit(exit_code(code))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(tethered([*PROXY, *arguments]), env=self._settings, start_new_session=True)


def exit_code(returned: int) -> int:
    """The exit code for a child's, in the shell's manner when a signal ended it."""
    return returned if returned >= 0 else 128 - returned


def serve(proxy: Proxy, settings: Mapping[str, str], logs: list[str]) -> int:
    """Run the proxy until it ends, or drain it when this process is asked to end; return its exit code."""
    with proxy.start("serve") as child:
        try:
            while child.poll() is None and not answers(settings[LISTEN]):
                time.sleep(ANSWER_INTERVAL_S)
            if child.returncode is None:
                print(next_steps(settings, logs), flush=True)
            return exit_code(child.wait())
        except Interrupted:
            child.terminate()
            return exit_code(child.wait())


def next_steps(settings: Mapping[str, str], logs: list[str]) -> str:
    """What to try next, for the terminal."""
    databases = DATABASES.format(logs="\n".join(f"  {log}" for log in logs)) if logs else ""
    return NEXT.format(
        listen=settings[LISTEN],
        admin_listen=settings[ADMIN_LISTEN],
        settings_file=SETTINGS_FILE,
        password_file=PASSWORD_FILE,
        crossfade=Path(sys.executable).with_name("crossfade"),
        databases=databases,
    )


def answers(listen: str) -> bool:
    """Whether somebody accepts connections on an address."""
    try:
        socket.create_connection(address(listen), timeout=1.0).close()
    except OSError:
        return False
    return True


def main() -> int:
    """Run everything; the exit code is the proxy's, or 130 when the interrupt came before it served."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        with ExitStack() as stack:
            settings = complete(os.environ)
            check_free(LISTEN, settings[LISTEN])
            check_free(ADMIN_LISTEN, settings[ADMIN_LISTEN])
            logs = start_databases(settings, stack)
            asyncio.run(create_database(settings))
            keep_settings(settings, SETTINGS_FILE)
            proxy = Proxy(settings)
            proxy.run("db", "prepare", "--shop-tables")
            proxy.run("db", "sample")
            asyncio.run(give_password(settings, PASSWORD_FILE))
            return serve(proxy, settings, logs)
    except ServerError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    except Interrupted:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
