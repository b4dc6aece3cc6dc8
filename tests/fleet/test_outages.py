"""A database that is away, slow or silent under load: every answer is true, nothing acknowledged is lost, all heals.

One proxy, which reaches both databases through wires, serves all the load and does all the repairs.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from proxy.breaker import THRESHOLD
from proxy.wiring.worker import REPAIR_S
from tests.conformance.shop import CallFailed, Shop
from tests.conformance.shops import is_full_proof
from tests.crash.death import Wires, on_wires, wired
from tests.crash.moments import Place
from tests.factories import make_user
from tests.fleet.clients import Client, answers_of, failures_of, load, make_stock, more_answers, more_failures
from tests.fleet.estate import Estate
from tests.fleet.fixtures import Figures, shop_of
from tests.fleet.ledger import Ledger, check
from tests.fleet.proxies import ProxyProcess, must, must_move, serving
from tests.fleet.waiting import lapse, until
from tests.fleet.wires import Fate, Wire, lose_all, pass_all

CLIENTS: Final = 32 if is_full_proof() else 6
OUTAGE_S: Final = 10.0 if is_full_proof() else 1.0
JOURNALLED_S: Final = {"refused": 60.0, "silent": 60.0} if is_full_proof() else {"refused": 3.0}
JOURNALLED_PACE_S: Final = 0.3 if is_full_proof() else 0.05
"""What a client waits between two acts while writes are journalled.

Clients who ask again as soon as they are answered ask, while one database is away, for several times of what both take
before and after: no shop could live with such customers, outage or not. So the load stays below that.
"""
ANSWERS: Final = 30
FAILURES: Final = 5
SLOW_S: Final = 1.5
"""Longer than the proxy's limit for an attempt, which is a second."""
ANSWERED_WITHIN_S: Final = {Place.DYNAMODB: 5.0 + 2.0, Place.MYSQL: 5.0 + 5.0 + 5.0 + 2.0}
"""The call's deadline, what a COMMIT and the question after it may take beyond it, and what a busy machine adds."""
CATCH_UP_LIMIT_S: Final = 120.0


@asynccontextmanager
async def refused(wire: Wire) -> AsyncIterator[None]:
    """Nobody listens."""
    wire.refuse()
    yield
    await wire.restore()


@asynccontextmanager
async def slow(wire: Wire) -> AsyncIterator[None]:
    """Every message arrives, after its sender has given it up."""

    async def rule(_: bytes) -> Fate:
        await lapse(SLOW_S)
        return Fate.PASS

    wire.rule = rule
    yield
    wire.rule = pass_all


@asynccontextmanager
async def silent(wire: Wire) -> AsyncIterator[None]:
    """Nothing is answered, nothing arrives; in the end all arrives that was on its way."""
    healed = asyncio.Event()

    async def rule(_: bytes) -> Fate:
        await healed.wait()
        return Fate.PASS

    wire.rule = rule
    yield
    wire.rule = pass_all
    healed.set()


@asynccontextmanager
async def cut(wire: Wire) -> AsyncIterator[None]:
    """Every message arrives and is done, and no answer comes back."""

    async def rule(_: bytes) -> Fate:
        return Fate.CUT

    wire.rule = rule
    yield
    wire.rule = pass_all


@asynccontextmanager
async def lossy(wire: Wire) -> AsyncIterator[None]:
    """Every connection breaks with its next message."""
    wire.rule = lose_all
    yield
    wire.rule = pass_all


OUTAGES: Final = {outage.__name__: outage for outage in (refused, slow, silent, cut, lossy)}
SHORT: Final = [(Place.DYNAMODB, name) for name in ("refused", "silent", "cut")] + [(Place.MYSQL, "cut")]
ALL: Final = [(place, name) for place in Place for name in OUTAGES]


@dataclass(frozen=True, slots=True)
class Served:
    """A shop behind one proxy, whose wires may fail."""

    estate: Estate
    shop: Shop
    proxy: ProxyProcess
    wires: Wires


@pytest.fixture
async def served(estate: Estate, tmp_path: Path) -> AsyncIterator[Served]:
    """The only proxy of the shop."""
    async with (
        wired(estate) as wires,
        serving(estate, tmp_path / "log", **on_wires(wires)) as proxy,
        aiohttp.ClientSession() as http,
    ):
        yield Served(estate, shop_of(estate, proxy, http), proxy, wires)


def slowest_s(ledgers: list[Ledger]) -> float:
    """The longest that a client waited for an answer."""
    return max(ledger.slowest_s for ledger in ledgers)


@pytest.mark.parametrize(("place", "kind"), ALL if is_full_proof() else SHORT)
async def test_outage_is_told_truly_and_heals(served: Served, figures: Figures, place: Place, kind: str) -> None:
    """Under policy `rollback` calls fail with a code and an outcome, in time; afterwards all goes on by itself."""
    stock = await make_stock(served.shop)
    async with load(
        served.shop, [served.proxy], clients=CLIENTS, acts=partial(Client.all_acts, stock=stock)
    ) as ledgers:
        await more_answers(ledgers, ANSWERS)
        async with OUTAGES[kind](served.wires[place]):
            await more_failures(ledgers, FAILURES)
            await lapse(OUTAGE_S)
        await more_answers(ledgers, ANSWERS)
    await served.estate.drained()
    figures(f"{place} {kind}: {dict(answers_of(ledgers))}, slowest {slowest_s(ledgers):.1f} s")
    await check(served.estate, ledgers, stock)
    assert slowest_s(ledgers) < ANSWERED_WITHIN_S[place]
    await served.estate.verify()


@pytest.mark.parametrize(("kind", "length_s"), JOURNALLED_S.items())
async def test_outage_under_policy_journal_fails_no_call(
    served: Served, figures: Figures, kind: str, length_s: float
) -> None:
    """Writes go on in MySQL while DynamoDB is away, and the backlog is gone soon after."""
    stock = await make_stock(served.shop)
    await must(served.estate, "flags", "set", "write_failure_policy=journal")
    async with load(
        served.shop,
        [served.proxy],
        clients=CLIENTS,
        acts=partial(Client.daily_acts, stock=stock),
        pace_s=JOURNALLED_PACE_S,
    ) as ledgers:
        await more_answers(ledgers, ANSWERS)
        async with OUTAGES[kind](served.wires[Place.DYNAMODB]):
            await lapse(length_s)
            owed = await served.estate.owed()
        healed_s = time.monotonic()
        await served.estate.caught_up(limit_s=CATCH_UP_LIMIT_S)
        caught_up_s = time.monotonic() - healed_s
    figures(
        f"journal, DynamoDB {kind} for {length_s:.0f} s: {dict(answers_of(ledgers))}, {owed} intents owed, "
        f"caught up in {caught_up_s:.1f} s, {caught_up_s / length_s:.2f} of the outage, "
        f"slowest call {slowest_s(ledgers):.1f} s"
    )
    assert [] == failures_of(ledgers)
    assert owed > 0
    await check(served.estate, ledgers, stock)
    await served.estate.drained()
    await served.estate.verify()
    await must(served.estate, "flags", "set", "write_failure_policy=rollback")


async def test_repairs_wait_while_the_shadow_is_known_to_be_away(served: Served) -> None:
    """What is owed is neither locked nor put off in vain, so that all of it is due once the shadow is back."""
    await must(served.estate, "flags", "set", "write_failure_policy=journal")
    async with refused(served.wires[Place.DYNAMODB]):
        for _ in range(2 * THRESHOLD):
            await make_user(served.shop)
        await until("all that is owed to be due", served.estate.is_all_due)
        await lapse(2 * REPAIR_S)
        assert await served.estate.is_all_due()
        assert await served.estate.owed() == 2 * THRESHOLD
    await served.estate.drained()
    await served.estate.verify()


async def test_a_dual_read_that_is_waited_for_tells_which_database_is_away(served: Served) -> None:
    """Each in turn, under the policy that answers nothing it could not compare; whole again, it answers."""
    user = await make_user(served.shop)
    await must_move(served.estate, 3, "to compare")

    async def tells(what: str) -> bool:
        try:
            return user == await served.shop.call("user.find_by_id", id=user["id"]) and not what
        except CallFailed as failed:
            return bool(what) and what in str(failed)

    for place, told in ((Place.DYNAMODB, "could not be compared: DynamoDB"), (Place.MYSQL, "unavailable: MySQL")):
        async with refused(served.wires[place]):
            await until(f"the read to miss {place}", partial(tells, told))
        await until("the read to be compared again", partial(tells, ""))
