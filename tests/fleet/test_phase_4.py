"""Phase 4 without MySQL, without a known phase, and left while a worker hears of nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from proxy.flags.model import PHASES
from proxy.flags.snapshot import LEASE_S
from proxy.flags.switch import Switched
from tests.conformance.shop import Record, Shop
from tests.conformance.shops import is_full_proof
from tests.crash.death import Wires, on_wires, wired
from tests.crash.moments import Place
from tests.factories import make_category, make_product, make_user
from tests.fleet.clients import answers_of, call, more_answers, more_failures
from tests.fleet.estate import Estate
from tests.fleet.fixtures import Figures, shop_of
from tests.fleet.pair import Pair, move
from tests.fleet.proxies import ProxyProcess, command, must, phase_words, serving
from tests.fleet.shoppers import Shopper, hold_to_account, ledgers_of, shopping, surprises_of
from tests.fleet.test_outages import OUTAGES
from tests.fleet.waiting import lapse, until
from tests.fleet.wires import Fate, Meeting, pass_all

CLIENTS: Final = 16 if is_full_proof() else 2
ANSWERS: Final = 500 if is_full_proof() else 40
OUTAGE_S: Final = 20.0 if is_full_proof() else 1.0
SLOWNESS_S: Final = 1.0
"""What a busy machine may add to the lease."""
NOBODY: Final = "http://127.0.0.1:9"
"""Where nobody listens."""
LARGE_PRODUCTS: Final = 17
LONG_TEXT: Final = "x" * 65_000
"""So many of them are above 1 MiB."""
CALLS: Final = 30
"""Reads after a move."""
WITHOUT_MIRROR: Final = Meeting(b"CONTROL", Fate.LOSE)
"""Of DynamoDB the control state alone is out of reach."""
LEFT_FOR: Final = [(2, True), (1, True), (2, False), (1, False)] if is_full_proof() else [(1, False)]


@dataclass(frozen=True, slots=True)
class Alone:
    """The only proxy of a shop, on wires."""

    proxy: ProxyProcess
    shop: Shop
    wires: Wires


@pytest.fixture
async def alone(estate: Estate, tmp_path: Path) -> AsyncIterator[Alone]:
    """It serves phase 4."""
    async with (
        wired(estate) as wires,
        serving(estate, tmp_path / "log", **on_wires(wires)) as proxy,
        aiohttp.ClientSession() as http,
    ):
        await into_phase_4(estate, [proxy])
        yield Alone(proxy, shop_of(estate, proxy, http), wires)
        assert 0 == await proxy.stop()


async def is_phase(estate: Estate, phase: int) -> bool:
    """Whether the control row says so."""
    columns = "dual_write, dual_read, read_from_dynamodb, validation"
    return [PHASES[phase]] == await estate.rows(f"SELECT {columns} FROM crossfade_control")


async def into_phase_4(estate: Estate, proxies: list[ProxyProcess]) -> None:
    """From any phase to 4, and wait until these proxies are there."""
    if not await is_phase(estate, 4):
        if await is_phase(estate, 1):
            await move(estate, 2)
            await estate.backfill()
        for phase in (3, 4):
            await move(estate, phase)

    async def are_there() -> bool:
        return {4} == {await proxy.metric("crossfade_phase") for proxy in proxies}

    await until("phase 4", are_there)


@pytest.mark.parametrize("kind", ["refused", "silent"] if is_full_proof() else ["refused"])
async def test_reads_go_on_without_mysql_and_writes_after_it(
    estate: Estate, alone: Alone, figures: Figures, kind: str
) -> None:
    """While MySQL is away no read fails, writes are told not to be applied; afterwards all heals without a hand."""
    proxies, shop = [alone.proxy], alone.shop
    async with (
        shopping(shop, proxies, clients=CLIENTS, acts=Shopper.looking_on) as readers,
        shopping(shop, proxies, clients=CLIENTS) as writers,
    ):
        await more_answers(ledgers_of(writers), ANSWERS)
        async with OUTAGES[kind](alone.wires[Place.MYSQL]):
            await more_failures(ledgers_of(writers), 1)
            before = answers_of(ledgers_of(readers))["ok"]
            await lapse(OUTAGE_S)
            await more_answers(ledgers_of(readers), ANSWERS)
            without_mysql = answers_of(ledgers_of(readers))["ok"] - before
        await more_answers(ledgers_of(writers), ANSWERS)
    told = answers_of(ledgers_of(writers))
    figures(f"MySQL {kind} for {OUTAGE_S:.0f} s in phase 4: {without_mysql} reads meanwhile; writers {dict(told)}")
    assert {"ok"} == answers_of(ledgers_of(readers)).keys()
    assert 0 == told["unavailable, read"] + told["deadline_exceeded, read"]
    assert told["unavailable, not_applied"] + told["deadline_exceeded, not_applied"]
    assert [] == surprises_of([*readers, *writers])
    await estate.drained()
    await estate.verify()
    await hold_to_account([*readers, *writers], proxies)


async def test_reads_end_with_the_lease(estate: Estate, alone: Alone, figures: Figures) -> None:
    """A silent MySQL ends no read; once neither copy of the control state can be read, the lease ends all."""
    user, mysql = await make_user(alone.shop), alone.wires[Place.MYSQL]
    async with aiohttp.ClientSession() as http:
        find = partial(call, http, alone.proxy, "user.find_by_id", {"id": user["id"]})
        async with OUTAGES["silent"](mysql):
            assert {200} == {status async for status, _, _ in repeated(find, for_s=LEASE_S + SLOWNESS_S)}
        mysql.refuse()
        alone.wires[Place.DYNAMODB].rule = WITHOUT_MIRROR
        after_s = {(status, detail): s async for status, detail, s in repeated(find, for_s=LEASE_S + 2 * SLOWNESS_S)}
        await mysql.restore()
        alone.wires[Place.DYNAMODB].rule = pass_all
        await until("the proxy to serve again", alone.proxy.is_ready)
        assert (200, {"result": user}) == await find()
    served_s = after_s.pop((200, ""))
    figures(f"served for {served_s:.1f} s after neither copy could be read")
    assert [(503, "the migration phase is not known: no copy of it could be read for 3 s")] == list(after_s)
    assert 0 < served_s < LEASE_S + SLOWNESS_S
    await estate.verify()


async def repeated(
    read: Callable[[], Awaitable[tuple[int, Record]]], *, for_s: float
) -> AsyncIterator[tuple[int, str, float]]:
    """Read for so long: the status, what the answer says of a failure, and when it was asked for since the first."""
    began_s = time.monotonic()
    while (asked_s := time.monotonic() - began_s) < for_s:
        status, answer = await read()
        yield status, answer.get("detail", ""), asked_s


@pytest.mark.parametrize(("phase", "is_deaf"), LEFT_FOR)
async def test_way_down_waits_for_the_worker_that_is_cut_off(
    estate: Estate, shop: Shop, pair: Pair, phase: int, *, is_deaf: bool
) -> None:
    """Phase 4 is left through 3, and only when a worker that hears of nothing has stopped serving; it is named.

    One that has lost DynamoDB alone hears of the move and says so. All the time neither shows anything older than what
    the other has acknowledged.
    """
    await into_phase_4(estate, [*pair.both])
    (event,) = pair.second.events("serving_started")
    user = await make_user(shop)
    if is_deaf:
        pair.wires[Place.MYSQL].refuse()
        pair.wires[Place.DYNAMODB].rule = WITHOUT_MIRROR
    else:
        pair.wires[Place.DYNAMODB].refuse()
    async with asyncio.TaskGroup() as tasks:
        moving = tasks.create_task(pair.move(phase))
        stale = await stale_reads(pair, user, until_done=moving)
    assert [] == stale
    assert is_deaf == (event["instance"] in moving.result().unconfirmed)
    assert [4, 3, phase] == (await estate.phases_passed())[-3:]
    if is_deaf:
        await pair.wires[Place.MYSQL].restore()
        pair.wires[Place.DYNAMODB].rule = pass_all
    else:
        await pair.wires[Place.DYNAMODB].restore()
    await pair.serve()
    assert [] == await stale_reads(pair, user, until_done=moving)


async def test_phase_4_is_refused_while_the_listing_is_over_its_bound(
    estate: Estate, shop: Shop, proxy: ProxyProcess
) -> None:
    """The move names the setting and changes nothing; where the listing fits, a worker tells how full it is."""
    await into_phase_4(estate, [proxy])
    await move(estate, 3)
    seller, category = await make_user(shop), await make_category(shop)
    for _ in range(LARGE_PRODUCTS):
        own = {"seller_id": seller["id"], "category_id": category["id"], "description": LONG_TEXT}
        await make_product(shop, **own)
    refused = await command(estate, "phase", "set", "4", "--reason", "too early", CROSSFADE_LISTING_MAX_MB="1")
    assert refused.code != 0, refused.said
    assert "more than CROSSFADE_LISTING_MAX_MB=1 in each worker" in refused.said
    assert await is_phase(estate, 3)
    fitting = await command(estate, "gate", "4", CROSSFADE_LISTING_MAX_MB="2")
    assert "passed: listing within its bound" in fitting.said
    await must(estate, *phase_words(4, "it fits"), CROSSFADE_LISTING_MAX_MB="2")

    async def is_told() -> bool:
        return 1 / 256 < await proxy.metric("crossfade_listing_fill_ratio") < 2 / 256

    await until("the proxy to say how full its listing is", is_told)


async def test_phase_4_is_left_without_dynamodb_by_force_alone(estate: Estate, shop: Shop, proxy: ProxyProcess) -> None:
    """Workers that go by the other copy cannot be told: the move says so, changes nothing, and goes on when forced."""
    await into_phase_4(estate, [proxy])
    words = ("phase", "set", "1", "--reason", "DynamoDB is away")
    refused = await command(estate, *words, CROSSFADE_DYNAMODB_ENDPOINT=NOBODY)
    assert refused.code != 0
    assert "force moves on without them" in refused.complained
    assert await is_phase(estate, 4)
    await must(estate, *words, "--force", CROSSFADE_DYNAMODB_ENDPOINT=NOBODY)
    assert [4, 3, 1] == (await estate.phases_passed())[-3:]
    user = await make_user(shop)
    assert user == await shop.call("user.find_by_id", id=user["id"])


async def stale_reads(pair: Pair, user: Record, *, until_done: "asyncio.Task[Switched]") -> list[str]:
    """Write through the first proxy and read through the second until the move is done, and some times more.

    What the second showed that was older than the last write acknowledged.
    """
    stale: list[str] = []
    left = CALLS
    async with aiohttp.ClientSession() as http:
        for number in range(100_000):
            name = f"Name {number}"
            await must_write(http, pair, user, name)
            status, answer = await call(http, pair.second, "user.find_by_id", {"id": user["id"]})
            if status == 200 and answer["result"]["first_name"] != name:
                stale.append(f"{answer['result']['first_name']} after {name}")
            left -= until_done.done()
            if not left:
                break
    return stale


async def must_write(http: aiohttp.ClientSession, pair: Pair, user: Record, name: str) -> None:
    """A write through the first proxy, again where a switch is in its way."""

    async def is_written() -> bool:
        status, _ = await call(http, pair.first, "user.update", {"id": user["id"], "first_name": name})
        return status == 200

    await until("a write", is_written)
