"""The load: as many calls as the subject takes, over kept connections, each sending its next call once it is answered.

A client of bytes on the bare transport: it costs a few microseconds a call, so that the subject is what is measured.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final, cast

from proxy.environment import Address

HEAD_END: Final = b"\r\n\r\n"
OK_LINE: Final = b"HTTP/1.1 200 "
LENGTH: Final = b"\r\nContent-Length: "
EXCERPT_BYTES: Final = 400


class BadAnswerError(Exception):
    """A subject refused a call, broke off or spoke strangely: what was measured is worth nothing."""


@dataclass(frozen=True, slots=True)
class Volley:
    """What one period of load saw."""

    duration_s: float
    latencies_s: list[float]

    @property
    def calls(self) -> int:
        """Calls answered."""
        return len(self.latencies_s)

    def quantile_s(self, share: float) -> float:
        """The latency that this share of the calls did not exceed."""
        ordered = sorted(self.latencies_s)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def post(path: str, body: bytes, *, host: str = "127.0.0.1") -> bytes:
    """A call as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Polling(Enum):
    """How a load keeps awake: `BUSY` where calls follow each other at once, `IDLE` where it mostly waits for delays."""

    BUSY = auto()
    IDLE = auto()


async def _poll(polling: Polling) -> None:
    """Keep the loop from ever sleeping.

    To wake a sleeping reader is the work of who sends to it, in a virtual machine 10 to 50 us of it, which sending over
    a network would not take. A fast subject keeps its clients awake; a slower one would be charged for being slow once
    more. Not where anything but a database that answers at once shares the core with the load: it would starve. An idle
    load lets that one through with each turn.
    """
    while True:  # There is no event to wait for, the turns are the point.
        if polling is Polling.IDLE:
            os.sched_yield()
        await asyncio.sleep(0)


async def fire(
    address: Address, calls: Sequence[bytes], *, connections: int, duration_s: float, polling: Polling | None = None
) -> Volley:
    """Keep so many connections busy for so long; each goes through the calls from a place of its own.

    Raises BadAnswerError for any answer but 200 and for a connection that ends.
    """
    loop = asyncio.get_running_loop()
    clients = []
    for number in range(connections):
        client_of = partial(_Client, calls, number * len(calls) // connections)
        _, client = await loop.create_connection(client_of, address.host, address.port)
        clients.append(client)
    began_s = time.perf_counter()
    for client in clients:
        client.start(until_s=began_s + duration_s)
    poller = None if polling is None else loop.create_task(_poll(polling))
    try:
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.finished())
    except ExceptionGroup as errors:  # `except*` would raise a group again before Python 3.11.4.
        raise errors.exceptions[0] from None
    finally:
        if poller is not None:
            poller.cancel()
        for client in clients:
            client.close()
    lasted_s = time.perf_counter() - began_s
    return Volley(lasted_s, [latency_s for client in clients for latency_s in client.latencies_s])


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, calls: Sequence[bytes], first: int) -> None:
        self._calls = calls
        self._next = first
        self._received = b""
        self._sent_s = 0.0
        self._until_s = 0.0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies_s: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        # The loop's own transports are of no class of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def start(self, *, until_s: float) -> None:
        """Begin to send; no call begins after `until_s` of the performance counter."""
        self._until_s = until_s
        self._send()

    async def finished(self) -> None:
        """Wait for the last answer."""
        await self._done

    def close(self) -> None:
        """End the connection."""
        self._done.cancel()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer; once it is whole, note it and send the next call."""
        received = self._received + data if self._received else data
        head_end = received.find(HEAD_END)
        if head_end < 0:
            self._received = received
            return
        if not received.startswith(OK_LINE):
            self._fail(f"not a 200: {received[:EXCERPT_BYTES]!r}")
            return
        at = received.find(LENGTH, 0, head_end + len(HEAD_END)) + len(LENGTH)
        length = int(received[at : received.find(b"\r", at)]) if at >= len(LENGTH) else -1
        if length < 0:
            self._fail(f"an answer without a length: {received[:EXCERPT_BYTES]!r}")
        elif len(received) - head_end - len(HEAD_END) < length:
            self._received = received
        else:
            self._received = b""
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        """See Protocol."""
        self._fail(f"the connection ended: {exc}")

    def _answered(self) -> None:
        now_s = time.perf_counter()
        self.latencies_s.append(now_s - self._sent_s)
        if now_s < self._until_s:
            self._send()
        elif not self._done.done():
            self._done.set_result(None)

    def _send(self) -> None:
        call = self._calls[self._next]
        self._next = (self._next + 1) % len(self._calls)
        self._sent_s = time.perf_counter()
        self._transport.write(call)

    def _fail(self, why: str) -> None:
        if not self._done.done():
            self._done.set_exception(BadAnswerError(why))
