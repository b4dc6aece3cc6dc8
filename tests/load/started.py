"""Programs of the benchmarks that listen on a port of their own and say which."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from deploy.local.process import tethered
from proxy.environment import Address
from tests.fleet.estate import ROOT

START_LIMIT_S: Final = 30.0
LISTENING: Final = "listening"


@dataclass(frozen=True, slots=True)
class Started:
    """A program that listens."""

    pid: int
    address: Address


def announce(port: int) -> None:
    """Say on which port this program listens; its starter waits for it."""
    print(LISTENING, port, flush=True)  # noqa: T201  # It is how the starter learns the port.


@asynccontextmanager
async def started(module: str, *words: str) -> AsyncIterator[Started]:
    """A program of this folder, listening; gone on leaving."""
    program = tethered([sys.executable, "-m", f"tests.load.{module}", *words])
    child = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        async with asyncio.timeout(START_LIMIT_S):
            first = (await child.stdout.readline()).decode().split()
        assert LISTENING == first[0], f"{module} said {first}"
        yield Started(child.pid, Address("127.0.0.1", int(first[1])))
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
