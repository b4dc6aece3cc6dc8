"""MySQL, or a proxy, killed under load and started again."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from deploy.local.mysql import MySQLServer, start_mysql
from tests import servers
from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.fleet.clients import Client, answers_of, load, make_stock, more_answers, more_failures
from tests.fleet.estate import Estate
from tests.fleet.estate import estate as made_estate
from tests.fleet.fixtures import Figures
from tests.fleet.ledger import check
from tests.fleet.proxies import ProxyProcess, serving

CLIENTS: Final = 32 if is_full_proof() else 6
ROUNDS: Final = 5 if is_full_proof() else 1
ANSWERS: Final = 40
FAILURES: Final = 5


@pytest.fixture(scope="module")
def mortal(server_folder: Path) -> Iterator[MySQLServer]:
    """A MySQL server that may be killed."""
    with start_mysql(server_folder / "mortal", keep=False) as server:
        yield server


@pytest.fixture(scope="module")
def estate(mortal: MySQLServer, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 2 on that server."""
    mysql = servers.MySQLEndpoint(mortal.host, mortal.port, mortal.user, mortal.password)
    with made_estate(mysql, dynamodb_server) as made:
        yield made


async def test_killed_mysql_loses_nothing_that_was_acknowledged(
    estate: Estate, shop: Shop, proxy: ProxyProcess, mortal: MySQLServer, figures: Figures
) -> None:
    """Kill -9 of MySQL under load, and a start: the proxy goes on by itself, and every answer was true."""
    stock = await make_stock(shop)
    async with load(shop, [proxy], clients=CLIENTS, acts=partial(Client.all_acts, stock=stock)) as ledgers:
        for _ in range(ROUNDS):
            await more_answers(ledgers, ANSWERS)
            await asyncio.to_thread(mortal.kill)
            await more_failures(ledgers, FAILURES)
            await asyncio.to_thread(mortal.start)
            await more_answers(ledgers, ANSWERS)
    figures(f"MySQL killed {ROUNDS} times under {CLIENTS} clients: {dict(answers_of(ledgers))}")
    await estate.drained()
    await check(estate, ledgers, stock)
    await estate.verify()


async def test_killed_proxy_loses_nothing_that_was_acknowledged(
    estate: Estate, shop: Shop, proxy: ProxyProcess, tmp_path: Path, figures: Figures
) -> None:
    """Kill -9 of one proxy of two under load, and another in its place: all intents settled, every answer true."""
    stock = await make_stock(shop)
    async with serving(estate, tmp_path / "first") as mortal_proxy:
        proxies = [proxy, mortal_proxy]
        async with load(shop, proxies, clients=CLIENTS, acts=partial(Client.all_acts, stock=stock)) as ledgers:
            await more_answers(ledgers, ANSWERS)
            await mortal_proxy.kill()
            await more_failures(ledgers, FAILURES)
    figures(f"one proxy of two killed under {CLIENTS} clients: {dict(answers_of(ledgers))}")
    async with serving(estate, tmp_path / "second"):
        await estate.drained()
    await check(estate, ledgers, stock)
    await estate.verify()
