"""A relay of TCP that passes on what a client says as late as it is told to, and what the server says at once.

It puts a network of that round trip before MySQL, whatever goes over it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import cast

from proxy.environment import Address
from tests.load.late import HOST, Late


class Relay(asyncio.Protocol):
    """One end of a relayed connection; what comes in goes out at the other."""

    def __init__(self, late: Late) -> None:
        self._late = late
        self._waiting: deque[bytes] = deque()
        self.other: Relay | None = None
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass it on, in order."""
        self._waiting.append(data)
        self._late.do(self.pass_on)

    def pass_on(self) -> None:
        """Pass on the oldest piece, once there is another end."""
        if self._waiting and self.other is not None and self.other.transport is not None:
            self.other.transport.write(self._waiting.popleft())

    def connection_lost(self, exc: Exception | None) -> None:
        """See Protocol."""
        del exc
        if self.other is not None and self.other.transport is not None:
            self.other.transport.abort()


class Client(Relay):
    """The end towards the client; it opens the one towards the server, which speaks first in MySQL's protocol."""

    def __init__(self, address: tuple[str, int], late: Late, at_once: Late) -> None:
        super().__init__(late)
        self._address = address
        self._at_once = at_once
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        super().connection_made(transport)
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        server = Relay(self._at_once)
        server.other = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: server, *self._address)
        except OSError:
            if self.transport is not None:
                self.transport.abort()
            return
        self.other = server


@asynccontextmanager
async def delayed(host: str, port: int, delay_s: float) -> AsyncIterator[Address]:
    """A relay to that server, in this process; gone on leaving."""
    loop = asyncio.get_running_loop()
    with closing(Late(delay_s)) as late, closing(Late(0)) as at_once:
        async with await loop.create_server(lambda: Client((host, port), late, at_once), HOST, 0) as server:
            yield Address(*server.sockets[0].getsockname())
