"""A proxy process that dies at a step of its own write: a worker wired as in `serve`, with a fatal step.

Victims are forked from a server that has imported the product once, so that each is there in a moment.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import uvloop

from proxy.dual_write import Step
from proxy.logs import setup_logging
from proxy.metrics import Values
from proxy.settings import Settings, load_settings
from proxy.supervisor import Listeners, open_listeners
from proxy.wiring.databases import instance_name, open_databases
from proxy.wiring.serve import build_metrics
from proxy.wiring.worker import Worker, running

END_LIMIT_S: Final = 20.0


class Victim:
    """One victim, seen from the test. `fatal` is the step at which it kills itself, None where the test does."""

    def __init__(self, environ: Mapping[str, str], log: Path, *, fatal: Step | None = None) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self._reports, reports = context.Pipe(duplex=False)
        self._process = context.Process(target=live, args=(dict(environ), fatal, log, reports), daemon=True)
        self._process.start()
        reports.close()
        # Two threads that wait for one process can take its exit code from each other, and one then makes it 255.
        self._ending = asyncio.Lock()

    async def address(self) -> str:
        """Where it serves, once it does."""
        return str(await asyncio.to_thread(self._reports.recv))

    async def end(self) -> int | None:
        """Wait for its end; the exit code, negative for a signal."""
        async with self._ending:
            await asyncio.to_thread(self._process.join, END_LIMIT_S)
            return self._process.exitcode

    async def kill(self) -> None:
        """SIGKILL; it is gone on return."""
        self._process.kill()
        await self.end()

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.kill()
        self._reports.close()
        self._process.close()


def live(environ: Mapping[str, str], fatal: Step | None, log: Path, reports: Connection) -> None:
    """The whole life of a victim."""
    with log.open("a", encoding="utf-8") as lines:
        setup_logging("info", lines)
        settings = load_settings(environ)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, fatal, open_listeners(settings.server), reports))


async def _serve(settings: Settings, fatal: Step | None, listeners: Listeners, reports: Connection) -> None:
    async def on_step(step: Step) -> None:
        if step is fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    instance = instance_name()
    metrics = build_metrics(settings, Values())
    async with open_databases(settings, instance=instance) as databases:
        worker = Worker(settings, databases, metrics, instance=instance, on_step=on_step)
        async with running(worker, rpc=listeners.rpc, admin=listeners.admin):
            await worker.poll.run_once()
            host, port = listeners.rpc.getsockname()
            reports.send(f"{host}:{port}")
            await asyncio.Event().wait()
