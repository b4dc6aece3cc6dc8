"""What machines ask of the process: does it live, can it serve, what has it counted.

Health stands on both listeners, outside of tokens and host checks: a probe knows the address of a container, not its
name, and learns nothing here but the names of databases.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson
from aiohttp import web

from proxy.metrics import CONTENT_TYPE, Metrics

CHECK_LIMIT_S: Final = 2.0
READY_STATUS: Final = 200
UNREADY_STATUS: Final = 503


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """Something that the present phase needs: a database, or the control state with the age of its copy in seconds.

    `fault` says what is wrong with it, None that it is there.
    """

    name: str
    fault: str | None = None
    age_s: float | None = None


class Readiness(Protocol):
    """Who knows what the present phase needs."""

    async def check(self) -> Sequence[ReadinessCheck]:
        """Everything that is needed now, reachable or not. May be asked several times a second."""


class Health:
    """The answers of `/healthz` and `/readyz`."""

    def __init__(self, readiness: Readiness, *, check_limit_s: float = CHECK_LIMIT_S) -> None:
        self._readiness = readiness
        self._check_limit_s = check_limit_s
        self._is_draining = False

    @property
    def is_draining(self) -> bool:
        """Whether no further call is wanted."""
        return self._is_draining

    def begin_drain(self) -> None:
        """Be unready from now on, so that no further call is sent here."""
        self._is_draining = True

    def routes(self) -> list[web.RouteDef]:
        """The two paths, for either listener."""
        return [web.get("/healthz", self.live), web.get("/readyz", self.ready)]

    async def live(self, _request: web.BaseRequest) -> web.Response:
        """200 while the event loop runs."""
        return _answer(READY_STATUS, {"status": "alive"})

    async def ready(self, _request: web.BaseRequest) -> web.Response:
        """200 when all that the present phase needs is there, else 503; either way with each check."""
        if self._is_draining:
            return _answer(UNREADY_STATUS, {"status": "draining", "checks": []})
        checks = await self._checked()
        is_ready = all(check.fault is None for check in checks)
        return _answer(
            READY_STATUS if is_ready else UNREADY_STATUS,
            {"status": "ready" if is_ready else "unready", "checks": [_described(check) for check in checks]},
        )

    async def _checked(self) -> Sequence[ReadinessCheck]:
        try:
            async with asyncio.timeout(self._check_limit_s):
                return await self._readiness.check()
        except TimeoutError:
            return [ReadinessCheck("readiness", f"no result within {self._check_limit_s:g} s")]


def metrics_route(metrics: Metrics) -> web.RouteDef:
    """`GET /metrics`, for the admin listener."""

    async def page(_request: web.BaseRequest) -> web.Response:
        response = web.Response(body=await metrics.render(), headers={"Content-Type": CONTENT_TYPE})
        # Some 400 KB of text that repeats itself; compressed in a thread, to a twentieth.
        response.enable_compression()
        return response

    return web.get("/metrics", page)


def _described(check: ReadinessCheck) -> dict[str, object]:
    described: dict[str, object] = {"name": check.name, "is_ready": check.fault is None}
    if check.fault is not None:
        described["fault"] = check.fault
    if check.age_s is not None:
        described["age_s"] = round(check.age_s, 3)
    return described


def _answer(status: int, content: dict[str, object]) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json", headers=headers)
