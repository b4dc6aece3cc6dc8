"""An RPC listener over real HTTP, and behind it a dispatcher that answers as a test says: no database is asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from adapters.operations import catalogue
from adapters.records import User
from proxy.calls import Answer, CallRequest
from proxy.inflight import Inflight
from proxy.logs import AccessLog, EventLog, correlation_id
from proxy.rpc.parts import RpcParts, RpcRules
from proxy.rpc.routes import build_rpc_server
from proxy.shedding import Limiter

OPERATIONS = catalogue()
BODY_MAX_BYTES = 4096
DEFAULT_S = 5.0
TOKEN = "a token for tests"
FIND = "/rpc/user/find_by_id"
CREATE = "/rpc/category/create"
JSON = {"Content-Type": "application/json"}
TIME = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
ANA = User(
    7, "ana", "ana@shop.test", "$2b$", "Ana", None, is_seller=True, super_admin=False, created_at=TIME, updated_at=None
)

Json = Any
"""What a body says: JSON is shaped by the test that reads it."""

Answerer = Callable[[CallRequest], Awaitable[object]]


async def ana(_call: CallRequest) -> object:
    """Answer every call with one user."""
    return ANA


@dataclass
class Desk:
    """A dispatcher that notes its calls and lets the test answer them, and the recorder beside it."""

    reply: Answerer = ana
    shadow: str | None = None
    calls: list[CallRequest] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    finished: list[tuple[str, str]] = field(default_factory=list)
    shed_total: int = 0
    is_draining: bool = False

    async def call(self, request: CallRequest) -> Answer:
        """Answer as the test says."""
        self.calls.append(request)
        self.ids.append(correlation_id.get())
        return Answer(await self.reply(request), "1", "mysql", self.shadow)

    def rpc_finished(self, operation: str, code: str, duration_s: float) -> None:
        """Note it."""
        assert duration_s > 0
        self.finished.append((operation, code))

    def shed(self) -> None:
        """Count it."""
        self.shed_total += 1


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """What the body says."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Listener:
    """A listener on a port of its own, what stands behind it, and a client."""

    desk: Desk
    limiter: Limiter
    port: int
    http: aiohttp.ClientSession

    async def post(self, path: str, body: bytes = b"{}", **headers: str) -> Reply:
        """Send a call, its headers' names with underscores."""
        given = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.request("POST", path, data=body, headers=given)

    async def request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send any request."""
        async with self.http.request(
            method, path, data=data, headers=headers, skip_auto_headers=["Content-Type"]
        ) as response:
            return Reply(response.status, response.content_type, response.headers.copy(), await response.read())

    async def raw(self, *parts: bytes) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
        """Send bytes as they are, and read the head of the first answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"".join(parts))
        return await reader.readuntil(b"\r\n\r\n"), reader, writer


@asynccontextmanager
async def listening(
    desk: Desk, *, slots: int = 8, token: str | None = None, beside: Iterable[web.RouteDef] = ()
) -> AsyncIterator[Listener]:
    """Serve on a free port until the test is done."""
    limiter = Limiter("the proxy", slots=slots, queue=0, wait_s=1.0, on_shed=desk.shed)
    parts = RpcParts(
        dispatcher=desk,
        recorder=desk,
        access_log=AccessLog(EventLog("proxy.access"), sample_percent=100),
        limiter=limiter,
        rules=RpcRules(frozenset({"127.0.0.1"}), token, default_timeout_s=DEFAULT_S, body_max_bytes=BODY_MAX_BYTES),
        inflight=Inflight(),
        is_draining=lambda: desk.is_draining,
    )
    server = build_rpc_server(OPERATIONS, parts, beside=beside, access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(server)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            yield Listener(desk, limiter, port, http)
    finally:
        await runner.cleanup()


def problem(reply: Reply, status: int, code: str) -> dict[str, Json]:
    """The members of a problem, once it is one."""
    members: dict[str, Json] = reply.json
    assert (status, "application/problem+json") == (reply.status, reply.content_type)
    assert (status, code) == (members["status"], members["code"])
    assert members["correlation_id"] == reply.headers["X-Correlation-Id"]
    return members


def head(*lines: str, path: str = FIND) -> bytes:
    """The head of a call."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode("latin-1")
