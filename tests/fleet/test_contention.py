"""Repairers and writers on one aggregate: nobody starves, nothing is lost, and MySQL finds no deadlocks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from adapters.changes import IntentPart, ItemKey, Ref, RowKind, product_aggregate
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.keys import Keys
from adapters.mysql.journal import MySQLJournal
from adapters.mysql.pool import Pool
from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.fleet.clients import Act, Client, answers_of, failures_of, load, make_stock
from tests.fleet.estate import Estate
from tests.fleet.fixtures import Figures
from tests.fleet.ledger import Stock, check
from tests.fleet.proxies import ProxyProcess, serving
from tests.fleet.waiting import lapse

CLIENTS: Final = 16 if is_full_proof() else 6
LENGTH_S: Final = 120.0 if is_full_proof() else 3.0
ASKED_EVERY_S: Final = 0.05
DEADLOCKS: Final = "SELECT COUNT FROM information_schema.innodb_metrics WHERE NAME = 'lock_deadlocks'"
KEYS: Final = Keys(load_contract())


@pytest.fixture
async def proxies(estate: Estate, proxy: ProxyProcess, tmp_path: Path) -> AsyncIterator[list[ProxyProcess]]:
    """Two proxies."""
    async with serving(estate, tmp_path / "second") as second:
        yield [proxy, second]


@pytest.fixture
async def journal(estate: Estate) -> AsyncIterator[MySQLJournal]:
    """The journal, to ask for repairs beside the proxies."""
    pool = Pool(estate.mysql, size=2, name="journal")
    yield MySQLJournal(pool, instance="test", limit_s=5.0)
    await pool.close()


async def ask_for_repairs(journal: MySQLJournal, part: IntentPart, stopped: asyncio.Event) -> int:
    """Ask for a repair of the same items again and again; how often."""
    asked = 0
    while not stopped.is_set():
        await journal.insert_due("repair", [part], op_id=uuid4())
        await lapse(ASKED_EVERY_S)
        asked += 1
    return asked


def hot_acts(client: Client, stock: Stock) -> list[Act]:
    """What a client does, mostly to the product at which all are."""
    return [client.take(stock), client.add_line(stock), client.take(stock)]


async def deadlocks(estate: Estate) -> int:
    """How many deadlocks the server has found so far."""
    ((found,),) = await estate.rows(DEADLOCKS)
    return int(found)


async def repaired(proxies: list[ProxyProcess]) -> float:
    """How many intents the proxies have settled so far."""
    return sum([await proxy.metric("crossfade_repairs_total", result="repaired") for proxy in proxies])


async def test_repairs_beside_writers_of_one_record_lose_nothing(
    estate: Estate, shop: Shop, proxies: list[ProxyProcess], journal: MySQLJournal, figures: Figures
) -> None:
    """Every take from one product's stock counts once, no call fails, and the repairs come to their turn."""
    stock = await make_stock(shop)
    key = KEYS.product(stock.product_id)
    ref = Ref(RowKind.PRODUCT, stock.product_id)
    part = IntentPart((product_aggregate(ref.id),), (ItemKey(key.table, key.partition, key.sort, ref),))
    before, stopped = await deadlocks(estate), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        async with load(shop, proxies, clients=CLIENTS, acts=lambda client: hot_acts(client, stock)) as ledgers:
            asking = tasks.create_task(ask_for_repairs(journal, part, stopped))
            await lapse(LENGTH_S)
            done, owed = await repaired(proxies), await estate.owed()
        stopped.set()
    found, answers = await deadlocks(estate) - before, answers_of(ledgers)
    figures(
        f"repairs beside {CLIENTS} writers for {LENGTH_S:.0f} s: {dict(answers)}, {done:.0f} of {asking.result()} "
        f"repairs done, {owed} owed at the end, {found} deadlocks"
    )
    assert [] == failures_of(ledgers)
    assert found <= answers["ok"] // 100
    assert done > owed
    await estate.drained()
    await check(estate, ledgers, stock)
    await estate.verify()
