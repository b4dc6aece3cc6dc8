"""Flags that change and change under load: what every answer says of its phase was true when it was served.

The flags in force are known from outside up to the length of each change: a state may be the one in force from the
beginning of the change to it until the end of the change after it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from proxy.flags.model import phase_label
from tests.conformance.shop import Record, Shop, encode
from tests.conformance.shops import is_full_proof
from tests.factories import make_user
from tests.fleet.control import Hand, controlling
from tests.fleet.estate import Estate
from tests.fleet.fixtures import Figures
from tests.fleet.proxies import ProxyProcess, must, serving
from tests.fleet.waiting import lapse

CLIENTS: Final = 32 if is_full_proof() else 8
CHANGES: Final = 200 if is_full_proof() else 12
BETWEEN_S: Final = 0.8
"""Four states in turn, each for so long: none comes again within what a read may be late by."""
PACE_S: Final = 0.0 if is_full_proof() else 0.02
LEASE_S: Final = 3.0
FOREVER: Final = float("inf")
CUSTOM: Final = {"read_from_dynamodb": False, "dual_write_enabled": True, "dual_read_enabled": True}
TURNS: Final[Sequence[Mapping[str, object]]] = (
    {"migration_phase": 3},
    {"migration_phase": 4},
    {**CUSTOM, "validation_enabled": False},
    {"migration_phase": 2},
)


@dataclass(slots=True)
class Reign:
    """A phase, and when it may have been in force: from the first of these moments to the last."""

    phase: str
    begun_s: float
    ended_s: float = FOREVER


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: what it was to, when, and what it said of itself."""

    is_write: bool
    asked_s: float
    answered_s: float
    status: int
    phase: str


@dataclass(slots=True)
class Chronicle:
    """What was in force, and what was told."""

    reigns: list[Reign]
    told: list[Told] = field(default_factory=list)

    def is_true(self, told: Told) -> bool:
        """Whether a phase that was told may have been in force: in the call, for a read up to the lease before it."""
        earliest_s = told.asked_s - (0.0 if told.is_write else LEASE_S)
        return any(
            reign.phase == told.phase and reign.begun_s <= told.answered_s and reign.ended_s >= earliest_s
            for reign in self.reigns
        )


@pytest.fixture
async def two_workers(estate: Estate, tmp_path: Path) -> AsyncIterator[ProxyProcess]:
    """One proxy of two workers, whose calls have time enough on a machine that has not."""
    patient = {"CROSSFADE_CALL_DEADLINE_S": "30", "CROSSFADE_WRITE_SESSION_TIMEOUT_S": "60"}
    async with serving(estate, tmp_path / "log", CROSSFADE_WORKERS="2", **patient) as proxy:
        yield proxy


async def ask(http: aiohttp.ClientSession, url: str, body: Record, *, is_write: bool) -> Told:
    """One call."""
    asked_s = time.monotonic()
    async with http.post(url, data=encode(body)) as response:
        await response.read()
        return Told(is_write, asked_s, time.monotonic(), response.status, response.headers.get("X-Crossfade-Phase", ""))


async def call_on(proxy: ProxyProcess, user_id: int, told: list[Told], stopped: asyncio.Event) -> None:
    """One client, which writes and reads in turn, on a new connection now and then, so that it meets both workers."""
    for number in range(1_000_000):
        if stopped.is_set():
            return
        headers = {"Content-Type": "application/json"}
        async with aiohttp.ClientSession(headers=headers) as http:
            for _ in range(10):
                write = {"id": user_id, "first_name": f"Name {number}"}
                told.append(await ask(http, f"http://{proxy.rpc}/rpc/user/update", write, is_write=True))
                told.append(await ask(http, f"http://{proxy.rpc}/rpc/user/find_by_id", {"id": user_id}, is_write=False))
                await lapse(PACE_S)


async def change_on(hand: Hand, chronicle: Chronicle) -> None:
    """The flags in turn, each change noted with when it began and ended."""
    for _, flags in zip(range(CHANGES), cycle(TURNS), strict=False):
        await lapse(BETWEEN_S)
        begun_s = time.monotonic()
        state = await hand.set(**flags)
        chronicle.reigns[-1].ended_s = time.monotonic()
        chronicle.reigns.append(Reign(phase_label(state.flags), begun_s))


async def test_every_answer_tells_a_phase_in_force(
    estate: Estate, shop: Shop, two_workers: ProxyProcess, figures: Figures
) -> None:
    """Of a write a phase that was in force during the call, of a read one at most 3 s before it; no call fails."""
    await must(estate, "backfill")
    users = [await make_user(shop) for _ in range(CLIENTS)]
    stopped = asyncio.Event()
    async with controlling(estate) as hand, asyncio.TaskGroup() as tasks:
        await hand.set(mismatch_policy="report")
        chronicle = Chronicle([Reign("2", time.monotonic())])
        for user in users:
            tasks.create_task(call_on(two_workers, user["id"], chronicle.told, stopped))
        try:
            await change_on(hand, chronicle)
        finally:
            stopped.set()
    figures(f"{CHANGES} changes, {CLIENTS} clients: {dict(Counter(told.phase for told in chronicle.told))}")
    assert {200} == {told.status for told in chronicle.told}
    assert [] == [told for told in chronicle.told if not chronicle.is_true(told)]
    for is_write in (True, False):
        assert {"2", "3", "4", "custom"} == {told.phase for told in chronicle.told if told.is_write == is_write}
    await estate.drained()
    await estate.verify()


def test_chronicle_finds_what_is_not_true() -> None:
    """A write that tells the phase before, and a read that tells one of long ago, are found."""
    chronicle = Chronicle([Reign("2", 0.0, 10.0), Reign("3", 9.5)])
    assert chronicle.is_true(Told(is_write=True, asked_s=9.9, answered_s=12.0, status=200, phase="2"))
    assert not chronicle.is_true(Told(is_write=True, asked_s=10.1, answered_s=12.0, status=200, phase="2"))
    assert chronicle.is_true(Told(is_write=False, asked_s=12.9, answered_s=13.0, status=200, phase="2"))
    assert not chronicle.is_true(Told(is_write=False, asked_s=13.1, answered_s=13.2, status=200, phase="2"))
    assert not chronicle.is_true(Told(is_write=False, asked_s=8.0, answered_s=9.0, status=200, phase="3"))
