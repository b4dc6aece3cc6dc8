"""A canned responder in DynamoDB's place: it gives DynamoDB's own recorded answers, as late as it is told to.

A benchmark of the proxy's own cost goes through it, because DynamoDB Local costs ten times as much as the proxy and has
no network before it. No test does. The first request of a kind goes on to the real DynamoDB, which judges it and whose
answer is recorded; the same bytes again get the same answer. Whatever may write goes on every time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Final, cast
from urllib.parse import urlsplit

from proxy.environment import Address
from tests.fleet.wires import HEAD_END, Http
from tests.load.late import HOST, Late

READS: Final = (b"GetItem", b"BatchGetItem", b"Query", b"TransactGetItems")
SIGNED: Final = (b"authorization", b"x-amz-date")
TARGET: Final = b"x-amz-target"
LENGTH: Final = b"content-length"
OK_LINE: Final = b"HTTP/1.1 200 "


class Recorder:
    """The answers of the real DynamoDB."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._answers: dict[tuple[bytes, bytes], bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold a task to its end; the loop alone would let go of it."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def known(self, action: bytes, body: bytes) -> bytes | None:
        """The recorded answer to a request."""
        return self._answers.get((action, body))

    async def ask(self, action: bytes, head: bytes, body: bytes) -> bytes:
        """DynamoDB's answer to a request; that of a successful read is recorded."""
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            writer.write(head + HEAD_END + body)
            answer = await Http().message(reader)
        finally:
            writer.close()
        if action in READS and answer.startswith(OK_LINE):
            self._answers[action, body] = answer
        return answer


class Connection(asyncio.Protocol):
    """One connection of the proxy's, which sends its next request once the last is answered."""

    def __init__(self, recorder: Recorder, late: Late) -> None:
        self._recorder = recorder
        self._late = late
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        # The loop's own transports are of no class of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; answer once it is whole."""
        self._received += data
        head, end, body = self._received.partition(HEAD_END)
        if not end:
            return
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) < int(headers[LENGTH]):
            return
        self._received = b""
        if not all(name in headers for name in SIGNED):
            self._transport.abort()  # No proxy sends this.
            return
        action = head[head.lower().index(TARGET) :].split(b"\r", 1)[0].rpartition(b".")[2]
        answer = self._recorder.known(action, body)
        if answer is None:
            self._recorder.keep(asyncio.get_running_loop().create_task(self._ask(action, head, body)))
        else:
            self._late.do(self._say, answer)

    async def _ask(self, action: bytes, head: bytes, body: bytes) -> None:
        try:
            self._say(await self._recorder.ask(action, head, body))
        except (OSError, asyncio.IncompleteReadError):
            self._transport.abort()

    def _say(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


@asynccontextmanager
async def canned(url: str, delay_s: float) -> AsyncIterator[Address]:
    """A responder for the DynamoDB at that URL, in this process; gone on leaving."""
    loop, recorder = asyncio.get_running_loop(), Recorder(url)
    with closing(Late(delay_s)) as late:
        async with await loop.create_server(lambda: Connection(recorder, late), HOST, 0) as server:
            yield Address(*server.sockets[0].getsockname())
