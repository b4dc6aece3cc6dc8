"""Two proxies, many clients, and the phase moved under their load."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.fleet.clients import answers_of, load, make_stock, more_answers
from tests.fleet.estate import Estate
from tests.fleet.fixtures import Figures
from tests.fleet.ledger import check
from tests.fleet.proxies import ProxyProcess, must, serving

CLIENTS: Final = 32 if is_full_proof() else 8
ANSWERS: Final = 2_000 if is_full_proof() else 150
"""How many good answers are waited for between two moves."""


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


async def test_phase_moved_under_load_loses_nothing(
    estate: Estate, shop: Shop, proxies: list[ProxyProcess], figures: Figures
) -> None:
    """Phase 1-2-1-2 under load: no call fails, every answer is true, ids are unique; after a backfill all is equal.

    What was written since the last move is in both databases without it: no proxy goes on in the phase before.
    """
    stock = await make_stock(shop)
    await must(estate, "phase", "set", "1", "--reason", "the beginning")
    async with load(shop, proxies, clients=CLIENTS, acts=lambda client: client.all_acts(stock)) as ledgers:
        for phase in ("2", "1", "2"):
            await more_answers(ledgers, ANSWERS)
            await must(estate, "phase", "set", phase, "--reason", "back and forth")
        ((last_id,),) = await estate.rows("SELECT MAX(id) FROM users")
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
    async with load(shop, proxies, clients=CLIENTS, acts=lambda client: client.all_acts(stock)) as ledgers:
        await more_answers(ledgers, 3 * ANSWERS)
    figures(f"phase 2 all along, {CLIENTS} clients: {dict(answers_of(ledgers))}")
    assert {"ok"} == answers_of(ledgers).keys()
    await check(estate, ledgers, stock)
    await estate.verify()
