"""Two proxies, many clients, and the phase moved under their load."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.crash.death import on_wires, wired
from tests.crash.moments import Place
from tests.factories import make_user
from tests.fleet.clients import Client, answers_of, call, load, make_stock, more_answers
from tests.fleet.estate import Estate
from tests.fleet.fixtures import Figures
from tests.fleet.ledger import check
from tests.fleet.proxies import ProxyProcess, command, must, must_move, phase_words, serving
from tests.fleet.waiting import until
from tests.fleet.wires import Hold

CLIENTS: Final = 32 if is_full_proof() else 8
ANSWERS: Final = 2_000 if is_full_proof() else 80
"""How many good answers are waited for between two moves."""
PACE_S: Final = 0.2 if is_full_proof() else 0.05
"""What a client waits between two acts, so that all together ask for a little less than both databases can do."""
COMMIT: Final = b"\x03COMMIT"


@pytest.fixture
async def proxies(estate: Estate, proxy: ProxyProcess, tmp_path: Path) -> AsyncIterator[list[ProxyProcess]]:
    """Two proxies."""
    async with serving(estate, tmp_path / "second") as second:
        yield [proxy, second]


async def users_in_dynamodb(estate: Estate) -> set[int]:
    """The ids of all users there."""
    async with estate.client() as client:
        pages = client.pages("Scan", {"TableName": client.table_name("Users"), "ConsistentRead": True})
        return {int(str(item["id"]["S"])) async for page in pages for item in page if item["SK"] == {"S": "#META"}}


async def last_user_before(estate: Estate, phase: str) -> int:
    """Move to a phase; the newest user's id in the moment that the phase begins."""
    before = await estate.epoch()

    async def has_moved() -> bool:
        return await estate.epoch() > before

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(must_move(estate, phase, "back and forth"))
        await until(f"phase {phase}", has_moved)
        ((last_id,),) = await estate.rows("SELECT MAX(id) FROM users")
    return int(last_id)


async def test_phase_moved_under_load_loses_nothing(
    estate: Estate, shop: Shop, proxies: list[ProxyProcess], figures: Figures
) -> None:
    """Phase 1-2-1-2 under load: no call fails, every answer is true, ids are unique; after a backfill all is equal.

    What was written since the last move is in both databases without it: no proxy goes on in the phase before.
    """
    stock = await make_stock(shop)
    await must_move(estate, "1", "the beginning")
    acts = partial(Client.daily_acts, stock=stock)
    async with load(shop, proxies, clients=CLIENTS, acts=acts, pace_s=PACE_S) as ledgers:
        for phase in ("2", "1", "2"):
            await more_answers(ledgers, ANSWERS)
            last_id = await last_user_before(estate, phase)
        await more_answers(ledgers, ANSWERS)
    figures(f"phase 1-2-1-2, {CLIENTS} clients: {dict(answers_of(ledgers))}")
    assert {"ok"} == answers_of(ledgers).keys()
    await check(estate, ledgers, stock)
    await estate.drained()
    made_since = {row[0] for row in await estate.rows("SELECT id FROM users WHERE id > %s", (last_id,))}
    assert made_since
    assert set() == made_since - await users_in_dynamodb(estate)
    await must(estate, "backfill")
    await must(estate, "verify", "--json")
    await estate.verify()


async def test_phase_2_all_along_keeps_databases_equal(
    estate: Estate, shop: Shop, proxies: list[ProxyProcess], figures: Figures
) -> None:
    """Phase 2 under load: verify alone finds the databases equal."""
    stock = await make_stock(shop)
    acts = partial(Client.daily_acts, stock=stock)
    async with load(shop, proxies, clients=CLIENTS, acts=acts, pace_s=PACE_S) as ledgers:
        await more_answers(ledgers, 3 * ANSWERS)
    figures(f"phase 2 all along, {CLIENTS} clients: {dict(answers_of(ledgers))}")
    assert {"ok"} == answers_of(ledgers).keys()
    await check(estate, ledgers, stock)
    await estate.verify()


async def test_move_waits_for_a_write_in_flight(estate: Estate, shop: Shop, tmp_path: Path) -> None:
    """A phase begins only when every write of the phase before has ended."""
    await must_move(estate, "1", "to move on from")
    user, before = await make_user(shop), await estate.epoch()
    arguments = {"id": user["id"], "first_name": "In flight"}
    # The command has to start and to gather evidence, on a busy machine too, while the write is held.
    patient = {"CROSSFADE_CALL_DEADLINE_S": "40", "CROSSFADE_WRITE_SESSION_TIMEOUT_S": "60"}
    async with wired(estate) as wires, serving(estate, tmp_path / "log", **on_wires(wires), **patient) as proxy:
        hold = wires[Place.MYSQL].rule = Hold(COMMIT)
        async with asyncio.TaskGroup() as tasks, aiohttp.ClientSession() as http:
            writing = tasks.create_task(call(http, proxy, "user.update", arguments))
            await hold.arrival()
            moving = tasks.create_task(command(estate, *phase_words(2, "to wait")))
            await until("the move to ask for the lock", estate.is_switch_waiting)
            assert before == await estate.epoch()
            hold.released.set()
            await asyncio.wait([writing, moving])
    assert 200 == writing.result()[0]
    assert 0 == moving.result().code
    assert before < await estate.epoch()
    await must(estate, "backfill")
