"""One request on its way, and the moment it leaves.

The HTTP library hides whether a failed request was sent, and so whether it may have been applied. Here a request counts
as sent from the moment it is given a connection, and is not sent once its time is up, however long signing, waiting for
a free connection or a stopped process took.
"""

import socket
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Protocol

from aiobotocore.httpsession import AIOHTTPSession

from adapters.deadline import Deadline

LARGE_BODY_BYTES: Final = 2**20
KEEPALIVE_IDLE_S: Final = 15
KEEPALIVE_INTERVAL_S: Final = 5
KEEPALIVE_PROBES: Final = 3


class Lent(Protocol):
    """A connection out of a pool."""

    def release(self) -> None:
        """Give it back, to be used again."""


@dataclass(slots=True)
class Flight:
    """An attempt at a request. It ends at `until`, `allowed_s` after its start and not after its call's `deadline`."""

    action: str
    payload: Mapping[str, object]
    address: str
    deadline: Deadline
    until: Deadline
    allowed_s: float
    is_sent: bool = False

    def depart(self, connection: Lent) -> None:
        """Count as sent from now on: the first byte follows, with no await before it.

        Raises TooLate, and gives the connection back for others to use.
        """
        if self.until.remaining_s <= 0:
            connection.release()
            raise TooLate
        self.is_sent = True


current_flight: ContextVar[Flight] = ContextVar("current_flight")
"""The flight of a request that goes the SDK's way, which has no place to pass it on."""


class TooLate(Exception):
    """The request's time was up before it was sent."""


class TrackedSession(AIOHTTPSession):
    """The SDK's own HTTP session, with a connector that marks the current flight as sent."""

    async def send(self, request: Any) -> Any:  # noqa: ANN401  # the SDK's method has no types
        """Send a request; the HTTP library wants a large body as a stream, and warns of one in bytes."""
        if len(request.body) > LARGE_BODY_BYTES:
            request.body = BytesIO(request.body)
        return await super().send(request)

    async def _create_connector(self, proxy_url: str | None) -> Any:  # noqa: ANN401  # the SDK's method has no types
        connector = await super()._create_connector(proxy_url)  # type: ignore[misc]  # unknown to the SDK's stubs
        connector.connect = _marking(connector.connect)
        return connector


def _marking(connect: Callable[..., Any]) -> Callable[..., Any]:
    """A connector's `connect` with which the current flight departs. Raises TooLate."""

    async def connect_and_mark(*args: object, **kwargs: object) -> object:
        connection = await connect(*args, **kwargs)
        current_flight.get().depart(connection)
        return connection

    return connect_and_mark


def keepalive_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket that notices a vanished peer, for the connector; `address` is as `getaddrinfo` gives it."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    return made
