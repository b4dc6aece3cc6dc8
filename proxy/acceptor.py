"""Accepts connections of a listener that several workers share, so that each worker gets its part of them.

An event loop by itself accepts all that are waiting: of a client's 32 connections opened at once one worker got 25 to
32, and kept them. Here a worker takes two and gives the others a millisecond. That spreads a burst almost evenly, and
still lets a worker accept a thousand connections a second and more.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final, NoReturn

from proxy.logs import EventLog

BURST: Final = 2
PAUSE_S: Final = 0.001
EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
EXHAUSTED_PAUSE_S: Final = 1.0

log = EventLog(__name__)

ProtocolFactory = Callable[[], asyncio.Protocol]


class Acceptor:
    """Hands the connections of one listener to protocols, as long as `run` runs."""

    def __init__(
        self, listener: socket.socket, factory: ProtocolFactory, *, exhausted_pause_s: float = EXHAUSTED_PAUSE_S
    ) -> None:
        listener.settimeout(0)
        self._listener = listener
        self._factory = factory
        self._exhausted_pause_s = exhausted_pause_s

    async def run(self) -> NoReturn:
        """Accept until cancelled; then the listener is closed in this process, and its connections stay."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                began_s = loop.time()
                for _ in range(BURST):
                    await self._accept()
                if loop.time() - began_s < BURST * PAUSE_S:
                    await asyncio.sleep(PAUSE_S)
        finally:
            self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = await loop.sock_accept(self._listener)
        except OSError as error:
            if error.errno in EXHAUSTED:
                log.warning("accept_failed", reason=str(error), again_in_s=self._exhausted_pause_s)
                await asyncio.sleep(self._exhausted_pause_s)
            return
        try:
            # asyncio overlooks this option where the listener does not name its protocol.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(self._factory, connection)
        except OSError:
            # The client is gone again.
            connection.close()
