"""The emergency brake: an admin logs in and rolls back while the very database that answers does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from proxy.wiring import commands
from tests.control.listeners import PASSWORD, plant_user
from tests.crash.death import on_wires, wired
from tests.crash.moments import Place
from tests.fleet.estate import NO_OPTIONS, Estate
from tests.fleet.proxies import ProxyProcess, serving
from tests.fleet.waiting import until
from tests.fleet.wires import Fate, Wire, pass_all


@asynccontextmanager
async def refusing(wire: Wire) -> AsyncIterator[None]:
    """Nobody listens."""
    wire.refuse()
    yield
    await wire.restore()


@asynccontextmanager
async def silent(wire: Wire) -> AsyncIterator[None]:
    """Every message is on its way until the end, and nothing is answered."""
    healed = asyncio.Event()

    async def rule(_: bytes) -> Fate:
        await healed.wait()
        return Fate.LOSE

    wire.rule = rule
    yield
    wire.rule = pass_all
    healed.set()


@asynccontextmanager
async def session(proxy: ProxyProcess) -> AsyncIterator[aiohttp.ClientSession]:
    """An admin's browser, or what a script makes of one."""
    async with aiohttp.ClientSession(f"http://{proxy.admin}", cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        body = {"username": "root", "password": PASSWORD}
        async with http.post("/admin/login", json=body) as answer:
            assert answer.status == 200, await answer.text()
            http.headers["X-CSRF-Token"] = (await answer.json())["data"]["csrf_token"]
        yield http


async def change(http: aiohttp.ClientSession, act: str, **body: object) -> object:
    """The phase after a change."""
    async with http.post(f"/admin/migration/{act}", json={"reason": "a drill", **body}) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json())["data"]["new_phase"]


async def is_seen(proxy: ProxyProcess, phase: int) -> bool:
    """Whether the worker goes by a phase."""
    return await proxy.metric("crossfade_phase") == phase


@pytest.fixture(name="copied")
async def fixture_copied(estate: Estate) -> Estate:
    """Phase 2, with every row in both databases."""
    await plant_user(estate, "root", is_admin=True)
    assert (await commands.backfill(estate.settings(), NO_OPTIONS)).is_well
    return estate


async def test_an_admin_rolls_back_while_the_target_is_away(copied: Estate, tmp_path: Path) -> None:
    """In phase 4, in which it answers: login, status and rollback go by the source, whether it refuses or is silent."""
    async with wired(copied) as wires, serving(copied, tmp_path / "log", **on_wires(wires)) as proxy:
        for outage in (refusing, silent):
            async with session(proxy) as http:
                for phase in (3, 4):
                    assert phase == await change(http, "phase", phase=phase, force=True)
            await until("phase 4", partial(is_seen, proxy, 4))
            async with outage(wires[Place.DYNAMODB]), session(proxy) as http:
                async with http.get("/admin/migration/status") as answer:
                    status = (await answer.json())["data"]
                reachable = {each["name"]: each["is_reachable"] for each in status["database_status"]}
                assert (4, {"mysql": True, "dynamodb": False}) == (status["current_phase"], reachable)
                assert 3 == await change(http, "rollback")
                assert 2 == await change(http, "rollback", to=2, force=True)


async def test_an_admin_rolls_back_in_a_storm_of_mismatches(copied: Estate, tmp_path: Path) -> None:
    """Who is an admin is read without comparing: that every dual read fails does not stand in the way."""
    async with serving(copied, tmp_path / "log", CROSSFADE_READ_REPAIR="false") as proxy, session(proxy) as http:
        assert 3 == await change(http, "phase", phase=3, force=True)
        await copied.rows("UPDATE users SET first_name = 'changed beside the proxy'")
        await until("phase 3", partial(is_seen, proxy, 3))
        async with http.post(f"http://{proxy.rpc}/rpc/user/find_by_username", json={"username": "root"}) as answer:
            assert (500, "data_mismatch") == (answer.status, (await answer.json())["code"])
        async with session(proxy) as later:
            assert 2 == await change(later, "rollback")
