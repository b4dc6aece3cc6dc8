"""A small server under the supervisor, the program of its tests: `python -m tests.integration.supervised BEHAVIOUR`.

serve   answers, and drains on SIGTERM      refuse  exits at once, for good
stuck   answers, and ignores SIGTERM        die     exits at once, by a fault
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import uvloop
from aiohttp import web
from prometheus_client import Counter

from adapters.deadline import Deadline
from proxy.acceptor import Acceptor
from proxy.background import Background
from proxy.inflight import Inflight
from proxy.logs import EventLog, setup_logging
from proxy.metrics import Values, open_values
from proxy.metrics.values import Sights
from proxy.settings import load_settings
from proxy.supervisor import (
    EXIT_OK,
    EXIT_REFUSED,
    Listeners,
    RunWorker,
    serve,
    settle_memory,
)

log = EventLog("proxy.supervised")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def answer_pid(_request: web.Request) -> web.Response:
    """Who answers."""
    return web.Response(text=str(os.getpid()))


async def answer_slowly(request: web.Request) -> web.Response:
    """A call that lasts as long as its caller takes to send the body."""
    log.info("slow_call_begun", pid=os.getpid())
    return web.Response(text=f"{len(await request.read())} bytes")


class Metrics:
    """What the workers count together."""

    def __init__(self, values: Values) -> None:
        self.values = values
        with values.declaring() as registry:
            self.calls = Counter("calls_total", "Calls.", registry=registry)
            self.alive = Sights(registry, "workers", "Workers.", merge="livesum").of()

    async def answer_count(self, _request: web.Request) -> web.Response:
        """Count, and show the page."""
        self.calls.inc()
        return web.Response(body=await asyncio.to_thread(self.values.render))


def build_app(metrics: Metrics, inflight: Inflight, stopped: asyncio.Event) -> web.Application:
    """The handlers of one worker."""

    @web.middleware
    async def count_calls(request: web.Request, handler: Handler) -> web.StreamResponse:
        with inflight:
            response = await handler(request)
            if stopped.is_set():
                response.force_close()
            return response

    app = web.Application(middlewares=[count_calls])
    app.add_routes(
        [web.get("/pid", answer_pid), web.post("/slow", answer_slowly), web.get("/count", metrics.answer_count)]
    )
    return app


async def serve_until_stopped(listeners: Listeners, number: int, metrics: Metrics, *, is_stuck: bool) -> int:
    """Serve, and drain on SIGTERM or SIGINT unless stuck."""
    metrics.values.attach(number)
    metrics.alive.set(1)
    inflight, stopped = Inflight(), asyncio.Event()
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop_signal, stopped.set)
    runner = web.AppRunner(build_app(metrics, inflight, stopped), access_log=None)
    await runner.setup()
    assert runner.server is not None
    background = Background()
    accepting = [
        background.spawn("accept", Acceptor(listener, runner.server).run())
        for listener in (listeners.rpc, listeners.admin)
    ]
    settle_memory()
    log.info("worker_ready", worker=number, pid=os.getpid())
    await stopped.wait()
    log.info("worker_draining", worker=number, pid=os.getpid())
    if is_stuck:
        await asyncio.Event().wait()
    for task in accepting:
        task.cancel()
    await asyncio.wait(accepting)
    await inflight.ended(Deadline.after(60))
    await runner.cleanup()
    return EXIT_OK


def worker(metrics: Metrics, behaviour: str) -> RunWorker:
    """The worker of a behaviour."""

    def run_worker(listeners: Listeners, number: int) -> int:
        if behaviour == "refuse":
            return EXIT_REFUSED
        if behaviour == "die":
            raise RuntimeError("cannot start")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(serve_until_stopped(listeners, number, metrics, is_stuck=behaviour == "stuck"))

    return run_worker


def main() -> int:
    """Serve as the command line says; settings come from the environment."""
    setup_logging("info", sys.stdout)
    settings = load_settings(os.environ)
    with open_values(workers=settings.server.workers) as values:
        return serve(settings.server, worker(Metrics(values), sys.argv[1]), on_worker_gone=values.retire)


if __name__ == "__main__":
    sys.exit(main())
