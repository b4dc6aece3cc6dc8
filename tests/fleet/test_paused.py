"""A proxy that stands still in the middle of a write, past its repair by another, and then goes on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from adapters.flags import WriteFailurePolicy
from tests.conformance.shop import Record, Shop
from tests.conformance.shops import is_full_proof
from tests.crash.death import Wires, on_wires, wired
from tests.crash.moments import COMMITTING, REQUEST, Place
from tests.crash.shapes import SHAPES, SHORT, Shape
from tests.fleet.clients import call
from tests.fleet.estate import Estate
from tests.fleet.proxies import ProxyProcess, serving
from tests.fleet.wires import Fate, Hold, Meeting, lose_all, pass_all

WRITING: Final = """SELECT p.id FROM information_schema.innodb_trx t
 JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.db = %s"""


@dataclass(frozen=True, slots=True)
class Standstill:
    """A proxy on wires, to be stopped."""

    estate: Estate
    proxy: ProxyProcess
    wires: Wires

    async def call(self, operation: str, arguments: Record) -> tuple[int, Record]:
        """Status and answer of a call of the proxy."""
        async with aiohttp.ClientSession() as http:
            return await call(http, self.proxy, operation, arguments)

    async def kill_its_session(self) -> None:
        """Have MySQL end the session whose transaction is open."""
        ((session,),) = await self.estate.rows(WRITING, (self.estate.mysql.database,))
        await self.estate.rows("KILL %s", (session,))


@pytest.fixture
async def standstill(estate: Estate, tmp_path: Path) -> AsyncIterator[Standstill]:
    """A proxy on wires, beside the module's own."""
    async with wired(estate) as wires, serving(estate, tmp_path / "log", **on_wires(wires)) as proxy:
        yield Standstill(estate, proxy, wires)


@pytest.mark.parametrize("is_resumed_first", [True, False], ids=["process first", "request first"])
@pytest.mark.parametrize("shape", SHAPES if is_full_proof() else SHORT[2:3], ids=str)
async def test_request_late_past_repair_is_refused_by_the_fence(
    estate: Estate, shop: Shop, standstill: Standstill, shape: Shape, *, is_resumed_first: bool
) -> None:
    """SIGSTOP with the request on its way, its MySQL session killed, repaired by another, SIGCONT: not applied."""
    arguments = await shape.prepare(shop)
    before = await estate.books()
    hold = standstill.wires[Place.DYNAMODB].rule = Hold(REQUEST)
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(standstill.call(shape.operation, arguments))
        await hold.arrival()
        standstill.proxy.pause()
        await standstill.kill_its_session()
        await estate.drained()
        steps = [standstill.proxy.resume, hold.released.set]
        for step in steps if is_resumed_first else reversed(steps):
            step()
    status, answer = call.result()
    assert status in {503, 504}
    assert "not_applied" == answer["outcome"]
    assert before == await estate.books()
    await estate.drained()
    await estate.verify()


async def test_commit_late_past_repair_finds_no_session(estate: Estate, shop: Shop, standstill: Standstill) -> None:
    """SIGSTOP with the COMMIT on its way, the session killed, repaired by another, SIGCONT: not applied."""
    shape = SHORT[1]
    arguments = await shape.prepare(shop)
    before = await estate.books()
    hold = standstill.wires[Place.MYSQL].rule = Hold(COMMITTING)
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(standstill.call(shape.operation, arguments))
        await hold.arrival()
        standstill.proxy.pause()
        await standstill.kill_its_session()
        await estate.drained()
        standstill.proxy.resume()
        hold.released.set()
    assert (503, "not_applied") == (call.result()[0], call.result()[1]["outcome"])
    assert before == await estate.books()
    await estate.verify()


@pytest.mark.parametrize("policy", WriteFailurePolicy, indirect=True)
async def test_commit_without_answer_is_told_truly(
    estate: Estate, shop: Shop, policy: WriteFailurePolicy, standstill: Standstill
) -> None:
    """When COMMIT, or its answer, is lost or late, the journal tells what became of it; nothing changes that later."""
    wire = standstill.wires[Place.MYSQL]
    for fate in (Fate.LOSE, Fate.CUT, Fate.STRAY):
        shape = SHORT[1]
        arguments = await shape.prepare(shop)
        before = await estate.books()
        away = lose_all if policy is WriteFailurePolicy.JOURNAL else pass_all
        standstill.wires[Place.DYNAMODB].rule, wire.rule = away, Meeting(COMMITTING, fate)
        status, answer = await standstill.call(shape.operation, arguments)
        standstill.wires[Place.DYNAMODB].rule = pass_all
        wire.strays_may_arrive.set()
        if fate is not Fate.LOSE:
            await wire.lost_answer()
        await estate.drained()
        assert (status, answer.get("outcome")) in {(200, None), (503, "not_applied")}
        assert (status == 200) == (before != await estate.books())
    await estate.verify()
