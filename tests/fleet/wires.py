"""A wire between a proxy and a database, whose every message a test may hold, lose, or have answered into the void.

    proxy ── message ── rule ──▶ database        requests of HTTP, or packets of MySQL's protocol
      ▲                              │
      └────── answers as they come ──┘

It knows just enough of the two protocols to tell where a client's message ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Final, Protocol, Self

LIMIT_S: Final = 30.0
"""How long a message or an answer that must come is waited for."""
PIECE_BYTES: Final = 65_536
HEAD_END: Final = b"\r\n\r\n"


class Fate(Enum):
    """What becomes of a message."""

    PASS = "passed on"
    LOSE = "kept from the database; the connection is cut"
    CUT = "passed on; once the database has done it, the connection is cut instead of the answer"
    STRAY = "the connection is cut at once; the message arrives when strays are let go"


Rule = Callable[[bytes], Awaitable[Fate]]
"""Decides about a message. While it waits, the message is on its way, whatever becomes of its sender."""


async def pass_all(_: bytes) -> Fate:
    """No fault."""
    return Fate.PASS


async def lose_all(_: bytes) -> Fate:
    """Every connection breaks at its next message."""
    return Fate.LOSE


@dataclass(frozen=True, slots=True)
class Meeting:
    """A rule for the messages with a marker; all others pass."""

    marker: bytes
    fate: Fate

    async def __call__(self, message: bytes) -> Fate:
        """See Rule."""
        return self.fate if self.marker in message else Fate.PASS


@dataclass(slots=True)
class Hold:
    """A rule that holds back the first message with a marker until it is released, and lets all others pass."""

    marker: bytes
    held: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrival(self) -> None:
        """Wait for the message."""
        async with asyncio.timeout(LIMIT_S):
            await self.held.wait()

    async def __call__(self, message: bytes) -> Fate:
        """See Rule."""
        if self.marker in message and not self.held.is_set():
            self.held.set()
            await self.released.wait()
        return Fate.PASS


class Dialect(Protocol):
    """What a wire knows of a protocol."""

    async def message(self, reader: asyncio.StreamReader) -> bytes:
        """The next message of a client."""

    @property
    def farewell(self) -> bytes:
        """A message that makes the database end the connection once it has done all before; empty: there is none."""

    def is_answered(self, received: bytes, /) -> bool:
        """Whether a whole answer has come; never, where only the end of the connection tells."""


class Http:
    """HTTP with bodies of stated length, one request at a time."""

    farewell = b""

    async def message(self, reader: asyncio.StreamReader) -> bytes:
        """See Dialect."""
        head = await reader.readuntil(HEAD_END)
        return head + await reader.readexactly(_length_of_body(head))

    def is_answered(self, received: bytes, /) -> bool:
        """See Dialect."""
        head, end, body = received.partition(HEAD_END)
        return bool(end) and len(body) >= _length_of_body(head)


class MySQL:
    """MySQL's packets, not encrypted: three bytes of length, one of sequence, a command and its text."""

    farewell = b"\x01\x00\x00\x00\x01"

    async def message(self, reader: asyncio.StreamReader) -> bytes:
        """See Dialect."""
        head = await reader.readexactly(4)
        return head + await reader.readexactly(int.from_bytes(head[:3], "little"))

    def is_answered(self, _received: bytes, /) -> bool:
        """See Dialect."""
        return False


def _length_of_body(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


@dataclass(slots=True, eq=False)
class Link:
    """One connection through a wire. Once it is cut, what the database says is kept in `lost`."""

    from_client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    from_server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    is_cut: bool = False
    is_over: bool = False
    lost: bytes = b""

    def close(self) -> None:
        """Close both ends; what was written still goes out."""
        self.to_client.close()
        self.to_server.close()

    def abort(self) -> None:
        """Cut both ends at once."""
        self.to_client.transport.abort()
        self.to_server.transport.abort()


class Wire:
    """Listens on a port of its own while entered. `rule` may be changed at any time."""

    def __init__(self, host: str, port: int, dialect: Dialect) -> None:
        self._address = (host, port)
        self._dialect = dialect
        self._tasks: set[asyncio.Task[object]] = set()
        self._links: set[Link] = set()
        self._moved = asyncio.Condition()
        self.port = 0
        self.rule: Rule = pass_all
        self.strays_may_arrive = asyncio.Event()
        self._lost: asyncio.Queue[bytes] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    @property
    def url(self) -> str:
        """Where it listens, for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def refuse(self) -> None:
        """Cut all connections and refuse further ones, as where nobody listens."""
        self._server.close()
        self.cut_all()

    async def restore(self) -> None:
        """Listen, from the second time on at the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut_all(self) -> None:
        """Cut all connections."""
        for link in self._links:
            link.abort()

    async def lost_answer(self) -> bytes:
        """The next answer that was kept from its client; waits for it."""
        async with asyncio.timeout(LIMIT_S):
            return await self._lost.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            from_server, to_server = await asyncio.open_connection(*self._address)
            await self._relay(Link(reader, writer, from_server, to_server))
        except (OSError, asyncio.CancelledError):
            pass  # The database is away, or the test is over: both end this connection alone.
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _relay(self, link: Link) -> None:
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._relay_answers(link))
                await self._relay_messages(link)
        finally:
            self._links.discard(link)
            link.abort()

    async def _relay_answers(self, link: Link) -> None:
        """Pass on what the database says until it ends the connection."""
        try:
            while piece := await link.from_server.read(PIECE_BYTES):
                if link.is_cut:
                    link.lost += piece
                    await self._tell()
                else:
                    link.to_client.write(piece)
        except ConnectionError:
            pass  # Another end of the connection.
        link.is_over = True
        link.close()
        await self._tell()

    async def _relay_messages(self, link: Link) -> None:
        """Do with each message of the client as the rule says, until the client ends the connection."""
        try:
            while True:
                message = await self._dialect.message(link.from_client)
                match await self.rule(message):
                    case Fate.PASS:
                        link.to_server.write(message)
                    case Fate.LOSE:
                        link.abort()
                        return
                    case Fate.STRAY:
                        self.strays_may_arrive.clear()
                        link.to_client.transport.abort()
                        await self.strays_may_arrive.wait()
                        await self._answer_into_the_void(link, message)
                        return
                    case Fate.CUT:
                        await self._answer_into_the_void(link, message)
                        return
        except (asyncio.IncompleteReadError, ConnectionError):
            link.close()

    async def _answer_into_the_void(self, link: Link, message: bytes) -> None:
        link.is_cut = True
        link.to_server.write(message + self._dialect.farewell)
        async with self._moved:
            await self._moved.wait_for(lambda: link.is_over or self._dialect.is_answered(link.lost))
        self._lost.put_nowait(link.lost)
        link.abort()

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()
