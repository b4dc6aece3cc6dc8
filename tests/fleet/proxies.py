"""Proxy processes: `python -m proxy serve` and the other commands, as an operator runs them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from deploy.local.process import tethered
from tests.fleet.estate import ROOT, Estate
from tests.fleet.waiting import until

COMMAND_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 30.0
PROGRAM: Final = (sys.executable, "-m", "proxy")
SERVE: Final = (*PROGRAM, "serve")

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    said: str
    complained: str

    @property
    def data(self) -> Any:  # noqa: ANN401  # JSON
        """What it said with --json."""
        return json.loads(self.said)


class ProxyProcess:
    """One running `crossfade serve`, with its log in a file."""

    def __init__(self, estate: Estate, log: Path, *, program: Sequence[str] = SERVE, **given: str) -> None:
        self._log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                tethered([*program]), cwd=ROOT, env=estate.environ(**given), stdout=output, stderr=output
            )
        self.rpc = ""
        self.admin = ""

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def events(self, name: str) -> list[Event]:
        """The events of that name so far."""
        lines = [line for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def tail(self) -> str:
        """The end of the log."""
        return "\n".join(self._log.read_text().splitlines()[-30:])

    async def ready(self) -> None:
        """Wait until it can serve the present phase; its addresses are known from then on."""
        (event,) = await until(f"the listeners; the log ends:\n{self.tail()}", self._listening)
        self.rpc, self.admin = event["rpc"], event["admin"]
        await until(f"{self.rpc} to be ready", self.is_ready)

    async def _listening(self) -> list[Event]:
        assert self._child.poll() is None, f"the proxy ended with {self._child.returncode}:\n{self.tail()}"
        return self.events("listening_started")

    async def is_ready(self) -> bool:
        """Whether it says so."""
        async with aiohttp.ClientSession() as client:
            try:
                async with client.get(f"http://{self.admin}/readyz") as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels; 0 when there is none."""
        async with aiohttp.ClientSession() as client, client.get(f"http://{self.admin}/metrics") as response:
            text = await response.text()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        samples = [line for line in text.splitlines() if line.partition(" ")[0].partition("{")[0] == name]
        return sum(float(line.rpartition(" ")[2]) for line in samples if all(label in line for label in wanted))

    async def stop(self) -> int:
        """SIGTERM; the exit code once it has drained."""
        self._child.terminate()
        return await asyncio.to_thread(self._child.wait, STOP_LIMIT_S)

    async def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()
        await asyncio.to_thread(self._child.wait, STOP_LIMIT_S)

    def pause(self) -> None:
        """SIGSTOP; it is stopped on return."""
        stop(self.pid)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    async def close(self) -> None:
        """Leave no process behind, whatever the test did."""
        if self._child.poll() is None:
            await self.kill()


@asynccontextmanager
async def serving(
    estate: Estate, log: Path, *, program: Sequence[str] = SERVE, **given: str
) -> AsyncIterator[ProxyProcess]:
    """A proxy that is ready; gone on leaving. `program` may be another one that serves."""
    proxy = ProxyProcess(estate, log, program=program, **given)
    try:
        await proxy.ready()
        yield proxy
    finally:
        await proxy.close()


def stop(pid: int) -> None:
    """Have a child stand still; it does on return."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


class Command:
    """A command under way."""

    def __init__(self, estate: Estate, *words: str, **given: str) -> None:
        self._child = subprocess.Popen(
            tethered([*PROGRAM, *words]),
            cwd=ROOT,
            env=estate.environ(**given),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = self.complained = ""

    async def end(self, *, limit_s: float = COMMAND_LIMIT_S) -> int:
        """Wait for its end: the exit code, negative for a signal."""
        self.said, self.complained = await asyncio.to_thread(self._child.communicate, timeout=limit_s)
        return self._child.returncode

    def interrupt(self) -> None:
        """SIGINT, as Ctrl-C sends it."""
        self._child.send_signal(signal.SIGINT)

    async def kill(self) -> None:
        """SIGKILL; it is gone on return."""
        self._child.kill()
        await asyncio.to_thread(self._child.wait, STOP_LIMIT_S)

    def pause(self) -> None:
        """SIGSTOP; it is stopped on return."""
        stop(self._child.pid)

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.kill()
        await self.end()


@asynccontextmanager
async def started(estate: Estate, *words: str, **given: str) -> AsyncIterator[Command]:
    """A command under way; gone on leaving."""
    running = Command(estate, *words, **given)
    try:
        yield running
    finally:
        await running.close()


async def command(estate: Estate, *words: str, **given: str) -> Done:
    """Run a command to its end."""
    async with started(estate, *words, **given) as running:
        return Done(await running.end(), running.said, running.complained)


async def must(estate: Estate, *words: str, **given: str) -> Done:
    """Run a command that has to succeed."""
    done = await command(estate, *words, **given)
    assert done.code == 0, f"crossfade {' '.join(words)}: {done.said}{done.complained}"
    return done


def phase_words(phase: int | str, reason: str) -> tuple[str, ...]:
    """The words of a move to a phase past its gate: these shops are too young to have evidence for it."""
    return "phase", "set", str(phase), "--force", "--reason", reason


async def must_move(estate: Estate, phase: int | str, reason: str) -> Done:
    """Move to a phase, which has to succeed."""
    return await must(estate, *phase_words(phase, reason))
