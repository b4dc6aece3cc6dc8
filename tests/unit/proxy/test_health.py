"""Health and metrics over HTTP, on a real listener."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from aiohttp.test_utils import TestClient

from adapters.operations import catalogue
from proxy.health import Health, ReadinessCheck, metrics_route
from proxy.metrics import Metrics, Values

Client = TestClient[web.Request, web.Application]
StartClient = Callable[[web.Application], Awaitable[Client]]


class Needs:
    """What is needed, as a test says."""

    def __init__(self, *checks: ReadinessCheck) -> None:
        self.checks = checks

    async def check(self) -> Sequence[ReadinessCheck]:
        """As the test says."""
        return self.checks


class Stuck:
    """A check that never ends."""

    async def check(self) -> Sequence[ReadinessCheck]:
        """Wait for ever."""
        await asyncio.Event().wait()
        return []


async def serve(aiohttp_client: StartClient, health: Health) -> Client:
    """A listener with nothing but health."""
    app = web.Application()
    app.add_routes(health.routes())
    return await aiohttp_client(app)


async def test_readyz_answers_200_with_every_check(aiohttp_client: StartClient) -> None:
    """When all is there, each need is listed, the control state with its age."""
    client = await serve(aiohttp_client, Health(Needs(ReadinessCheck("first"), ReadinessCheck("control", age_s=0.25))))
    response = await client.get("/readyz")
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert await response.json() == {
        "status": "ready",
        "checks": [{"name": "first", "is_ready": True}, {"name": "control", "is_ready": True, "age_s": 0.25}],
    }


async def test_readyz_answers_503_when_one_need_is_missing(aiohttp_client: StartClient) -> None:
    """One fault makes the proxy unready, and the answer says which."""
    needs = Needs(ReadinessCheck("first"), ReadinessCheck("second", fault="connection refused"))
    client = await serve(aiohttp_client, Health(needs))
    response = await client.get("/readyz")
    assert response.status == 503
    assert await response.json() == {
        "status": "unready",
        "checks": [
            {"name": "first", "is_ready": True},
            {"name": "second", "is_ready": False, "fault": "connection refused"},
        ],
    }
    needs.checks = (ReadinessCheck("first"),)
    assert (await client.get("/readyz")).status == 200


async def test_readyz_does_not_wait_for_ever(aiohttp_client: StartClient) -> None:
    """A check that hangs is a fault."""
    client = await serve(aiohttp_client, Health(Stuck(), check_limit_s=0.01))
    response = await client.get("/readyz")
    assert response.status == 503
    assert (await response.json())["checks"][0]["fault"] == "no result within 0.01 s"


async def test_readyz_is_unready_while_draining_and_healthz_alive(aiohttp_client: StartClient) -> None:
    """A draining process wants no further calls, but must not be killed for being ill."""
    health = Health(Needs(ReadinessCheck("first")))
    client = await serve(aiohttp_client, health)
    health.begin_drain()
    assert health.is_draining
    response = await client.get("/readyz")
    assert (response.status, await response.json()) == (503, {"status": "draining", "checks": []})
    assert (await client.get("/healthz")).status == 200


async def test_healthz_asks_nobody(aiohttp_client: StartClient) -> None:
    """The process is alive whatever its databases are."""
    client = await serve(aiohttp_client, Health(Needs(ReadinessCheck("first", fault="down"))))
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (200, {"status": "alive"})


async def test_metrics_are_served_as_text_and_compressed(aiohttp_client: StartClient) -> None:
    """The page comes in Prometheus' own content type, compressed for whoever takes that."""
    metrics = Metrics(Values(), catalogue(), databases=("first",), tables=(), version="1.2.3")
    metrics.call_shed()
    app = web.Application()
    app.router.add_routes([metrics_route(metrics)])
    client = await aiohttp_client(app)
    response = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Content-Encoding"] == "gzip"
    assert "\ncrossfade_shed_calls_total 1.0\n" in await response.text()
    plain = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
