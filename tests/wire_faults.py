"""A small proxy in front of DynamoDB that loses requests and answers, or gives answers of its own, by a script.

It knows just enough HTTP to count requests: a head and a body of stated length.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


class Fault(Enum):
    """What happens to a request."""

    NONE = "none"
    LOSE_REQUEST = "the connection is cut, nothing is passed on"
    LOSE_ANSWER = "the request is passed on and the connection cut before the answer"
    SWALLOW_REQUEST = "nothing is passed on or answered"
    SWALLOW_ANSWER = "the request is passed on and never answered"


@dataclass(frozen=True, slots=True)
class Answer:
    """An error of the service, given in its place."""

    status: int
    code: str
    members: Mapping[str, object] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        """The answer as bytes."""
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{self.code}", **self.members}).encode()
        head = f"HTTP/1.1 {self.status} Injected\r\nContent-Length: {len(body)}\r\nx-amzn-RequestId: INJECTED\r\n\r\n"
        return head.encode() + body


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came by."""

    action: str
    body: Any


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer in DynamoDB's place that may be anything: its first line, headers with it, and its body."""

    head: str
    body: bytes

    @property
    def raw(self) -> bytes:
        """The answer as bytes."""
        return f"{self.head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body


Interlude = Callable[[], Awaitable[object]]
"""Done before a request is passed on."""
Rule = Callable[[Request], "Fault | Answer"]
"""What becomes of a request that no script is there for."""


def pass_on(_: Request) -> Fault:
    """No fault."""
    return Fault.NONE


class WireFaults:
    """Serves on a port of its own while entered. `script` is used up from the left; without one the rule decides."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._host, self._port = parts.hostname, parts.port
        self._connections: dict[asyncio.Task[object], asyncio.StreamWriter] = {}
        self.script: deque[Fault | Answer | Raw | Interlude] = deque()
        self.rule: Rule = pass_on
        self.requests: list[Request] = []
        self.arrived = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        while self._connections:
            await asyncio.wait(list(self._connections))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def wait_for(self, count: int) -> None:
        """Wait until that many requests have come by."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            await self._relay(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            pass  # Either side has gone, or the test is over; both end this task alone.
        finally:
            writer.transport.abort()
            del self._connections[task]

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(self._host, self._port)
        try:
            while True:
                raw = await _message(reader)
                planned = self.script.popleft() if self.script else None
                request = await self._remember(raw)
                fault = planned or self.rule(request)
                if isinstance(fault, Answer | Raw):
                    writer.write(fault.raw)
                elif fault is Fault.LOSE_REQUEST:
                    return
                elif fault is Fault.SWALLOW_REQUEST:
                    await reader.read()
                    return
                else:
                    if not isinstance(fault, Fault):
                        await fault()
                    upstream_writer.write(raw)
                    answer = await _message(upstream_reader)
                    if fault is Fault.LOSE_ANSWER:
                        return
                    if fault is Fault.SWALLOW_ANSWER:
                        await reader.read()
                        return
                    writer.write(answer)
        finally:
            upstream_writer.transport.abort()

    async def _remember(self, raw: bytes) -> Request:
        head, _, body = raw.partition(b"\r\n\r\n")
        target = _header(head, b"x-amz-target").decode()
        async with self.arrived:
            request = Request(target.rpartition(".")[2], json.loads(body))
            self.requests.append(request)
            self.arrived.notify_all()
        return request


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(int(_header(head, b"content-length")))


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    raise ValueError(f"no header {name!r}")
