"""Accepting connections of a listener, in both kinds of event loop."""

import asyncio
import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import cast

import pytest
import uvloop

from proxy.acceptor import Acceptor
from proxy.background import Background

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


class Greeter(asyncio.Protocol):
    """Greets whoever connects, with what the test wants to know of the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write whether small answers are sent at once."""
        # Not a subclass in uvloop, and the same otherwise.
        connection = cast("asyncio.Transport", transport)
        nodelay = connection.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.write(f"nodelay={int(bool(nodelay))}".encode())
        connection.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listener on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


async def greeting(listener: socket.socket) -> bytes:
    """What a client reads."""
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def accept_some(listener: socket.socket) -> list[bytes]:
    """Serve five clients, then stop."""
    accepting = Background().spawn("accept", Acceptor(listener, Greeter).run())
    greetings = [await greeting(listener) for _ in range(5)]
    accepting.cancel()
    await asyncio.wait([accepting])
    return greetings


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_acceptor_serves_until_cancelled(
    listener: socket.socket, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Every client is served, without delays for small answers; afterwards the listener is closed."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(accept_some(listener)) == [b"nodelay=1"] * 5
    assert listener.fileno() == -1


@contextmanager
def no_file_left() -> Iterator[None]:
    """While this lasts, the process cannot open anything."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers = [os.dup(0)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[0] + 64, hard))
    with suppress(OSError):
        while True:
            fillers.append(os.dup(0))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)


async def test_acceptor_goes_on_after_files_ran_out(listener: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    """With no file descriptor left it waits and says so; the client that waits meanwhile is served later."""
    with socket.socket() as client:
        client.settimeout(5)
        accepting = Background().spawn("accept", Acceptor(listener, Greeter, exhausted_pause_s=0).run())
        with no_file_left():
            client.connect(listener.getsockname())
            for _ in range(10):
                await asyncio.sleep(0)
            assert "accept_failed" in caplog.messages
        assert await asyncio.to_thread(client.recv, 100) == b"nodelay=1"
    accepting.cancel()
    await asyncio.wait([accepting])
