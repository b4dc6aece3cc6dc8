"""The HTTP listeners of a worker: how they take connections, what becomes of broken requests, and how they close.

What goes wrong before there is a request is a client that speaks something else: it gets its 400, and the log one line
without a stack, which would hold the client's bytes.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web, web_response
from aiohttp.http_exceptions import HttpProcessingError

from adapters.deadline import Deadline
from proxy.acceptor import Acceptor
from proxy.background import Background
from proxy.inflight import Inflight
from proxy.logs import EventLog

SERVER_NAME: Final = "crossfade"

log = EventLog(__name__)


class Listeners:
    """The open listeners of a worker, each with its server. `on_broken` is told of each request that is none."""

    def __init__(self, inflight: Inflight, *, idle_s: float, on_broken: Callable[[], None]) -> None:
        self._inflight = inflight
        self._idle_s = idle_s
        self._on_broken = on_broken
        self._background = Background()
        self._until_drain: list[asyncio.Task[object]] = []
        self._until_ended: list[asyncio.Task[object]] = []
        self._runners: list[web.BaseRunner] = []

    async def open(
        self, name: str, serve: Callable[..., web.BaseRunner], listener: socket.socket, *, outlives_calls: bool = False
    ) -> None:
        """Serve on a socket that listens already; `serve` takes the options of `web.Server`.

        A listener that `outlives_calls` goes on taking connections in a drain until the calls have ended.
        """
        # With the name of every answer aiohttp would tell its own version, and Python's.
        web_response.SERVER_SOFTWARE = SERVER_NAME  # type: ignore[attr-defined]  # its own constant is nowhere else
        runner = serve(
            access_log=None, keepalive_timeout=self._idle_s, handler_cancellation=True, logger=self._logger(name)
        )
        await runner.setup()
        self._runners.append(runner)
        assert runner.server is not None  # noqa: S101  # It is there once the runner is set up.
        accepting = self._background.spawn(f"accept.{name}", Acceptor(listener, runner.server).run())
        (self._until_ended if outlives_calls else self._until_drain).append(accepting)

    async def close(self, deadline: Deadline) -> int:
        """Take no further connection, let the calls end, close what is left; how many calls the deadline has cut.

        In this order nobody is cut off: see Inflight.
        """
        await _end(self._until_drain)
        left = await self._inflight.ended(deadline)
        await _end(self._until_ended)
        for runner in self._runners:
            await runner.cleanup()
        return left

    def _logger(self, name: str) -> logging.Logger:
        logger = logging.getLogger(f"{__name__}.{name}")
        logger.setLevel(logging.DEBUG)  # As some broken requests come.
        logger.addFilter(_BrokenRequests(name, self._on_broken))
        return logger


async def _end(tasks: list[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


class _BrokenRequests(logging.Filter):
    """Of what aiohttp says: errors as they are, requests that are none as one line each, nothing else."""

    def __init__(self, listener: str, on_broken: Callable[[], None]) -> None:
        super().__init__()
        self._listener = listener
        self._on_broken = on_broken

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written as it is."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return record.levelno >= logging.WARNING
        log.warning("request_broken", listener=self._listener, kind=type(error).__name__)
        self._on_broken()
        return False
