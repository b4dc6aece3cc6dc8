"""Several workers of one proxy: whichever is asked for the metrics answers for all, the dead included."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.fleet.estate import Estate
from tests.fleet.proxies import ProxyProcess, serving
from tests.fleet.waiting import until

COUNTED = {"entity": "user", "operation": "find_by_id", "code": "ok"}


async def pid_of(proxy: ProxyProcess, worker: int, *, lives: int = 1) -> int:
    """The process of a worker that was started that often."""

    async def started() -> list[int]:
        return [event["pid"] for event in proxy.events("worker_started") if event["worker"] == worker][lives - 1 :]

    return (await until(f"worker {worker}", started))[0]


async def serves(proxy: ProxyProcess, workers: int) -> None:
    """Wait until so many workers have begun to serve."""

    async def begun() -> bool:
        return len(proxy.events("serving_started")) == workers

    await until(f"{workers} workers", begun)


def state_of(pid: int) -> str:
    """What a process does, in the one letter of `ps`."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


@asynccontextmanager
async def paused(pid: int) -> AsyncIterator[None]:
    """Have a worker take no connection meanwhile."""

    async def is_stopped() -> bool:
        return state_of(pid) == "T"

    os.kill(pid, signal.SIGSTOP)
    try:
        await until("the worker to stand still", is_stopped)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def count(proxy: ProxyProcess, calls: int) -> float:
    """Make so many calls on connections of their own; how many have been made by now, as the page has it."""
    for _ in range(calls):
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"http://{proxy.rpc}/rpc/user/find_by_id", json={"id": 1}) as response,
        ):
            assert response.status == 200
    return await proxy.metric("crossfade_rpc_requests_total", **COUNTED)


async def test_every_worker_shows_what_all_have_counted(estate: Estate, tmp_path: Path) -> None:
    """Each worker's page has the calls of both; kill -9 loses none of them, and a successor counts on."""
    async with serving(estate, tmp_path / "log", CROSSFADE_WORKERS="2") as proxy:
        await serves(proxy, 2)
        first, second = await pid_of(proxy, 0), await pid_of(proxy, 1)
        async with paused(second):
            assert 3 == await count(proxy, 3)
        async with paused(first):
            assert 7 == await count(proxy, 4)
            os.kill(second, signal.SIGKILL)
        assert 7 == await count(proxy, 0)
        await serves(proxy, 3)
        async with paused(first):
            assert 9 == await count(proxy, 2)
        assert await pid_of(proxy, 1, lives=2) not in {first, second}
        assert 0 == await proxy.stop()
