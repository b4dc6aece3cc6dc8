"""The operations of `user` alone, through phases 1 to 4 and back under load."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import aiohttp
import orjson
import pytest

from adapters.dynamodb.contract import load_contract
from tests import servers
from tests.conformance.shop import Record, Shop
from tests.conformance.shops import is_full_proof
from tests.factories import make_user
from tests.fleet.clients import Client, answers_of, call, failures_of, load, more_answers
from tests.fleet.estate import Estate
from tests.fleet.estate import estate as made_estate
from tests.fleet.fixtures import Figures
from tests.fleet.ledger import check
from tests.fleet.proxies import ProxyProcess, command, must, must_move, serving

CLIENTS: Final = 16 if is_full_proof() else 4
ANSWERS: Final = 1_000 if is_full_proof() else 40
PACE_S: Final = 0.0 if is_full_proof() else 0.05
SHOWN: Final = "is_seller"
"""The attribute that is planted."""


@pytest.fixture(scope="module")
def estate(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 1 whose proxies serve users alone."""
    with made_estate(mysql_server, dynamodb_server, phase=1, CROSSFADE_ENTITIES="user") as made:
        yield made


@pytest.fixture
async def proxies(estate: Estate, proxy: ProxyProcess, tmp_path: Path) -> AsyncIterator[list[ProxyProcess]]:
    """Two proxies."""
    async with serving(estate, tmp_path / "second") as second:
        yield [proxy, second]


async def phases_passed(estate: Estate) -> list[int]:
    """The phases that the audit tells of, in order."""
    rows = await estate.rows("SELECT `after` FROM crossfade_audit WHERE kind = 'flags' ORDER BY id")
    flags = [orjson.loads(after) for (after,) in rows]
    return [_phase(each) for each in flags]


def _phase(flags: Record) -> int:
    if not flags["dual_write"]:
        return 1
    if flags["read_from_dynamodb"]:
        return 4
    return 3 if flags["dual_read"] else 2


async def plant_difference(estate: Estate, user: Record) -> int:
    """Turn a flag of a user in every item that shows it; how many there are."""
    planted = 0
    async with estate.client() as client:
        for table in map(client.table_name, load_contract().tables):
            pages = [page async for page in client.pages("Scan", {"TableName": table})]
            for item in [item for page in pages for item in page]:
                if item.get("id") == {"S": str(user["id"])} and SHOWN in item:
                    changed = {**item, SHOWN: {"BOOL": not user[SHOWN]}}
                    await client.request("PutItem", {"TableName": table, "Item": changed})
                    planted += 1
    return planted


async def test_every_phase_and_back_under_load(
    estate: Estate, shop: Shop, proxies: list[ProxyProcess], figures: Figures
) -> None:
    """Up to phase 4 and down again no call fails, and each client reads its own writes through either proxy."""
    async with load(shop, proxies, clients=CLIENTS, acts=Client.user_acts, pace_s=PACE_S) as ledgers:
        await more_answers(ledgers, ANSWERS)
        for phase in ("2", "3", "4", "3", "2", "1"):
            await must_move(estate, phase, f"on to {phase}")
            if phase == "2":
                await must(estate, "backfill")
            await more_answers(ledgers, ANSWERS)
    figures(f"users, phases 1 to 4 and back, {CLIENTS} clients: {dict(answers_of(ledgers))}")
    assert [] == failures_of(ledgers)
    await check(estate, ledgers)
    assert [2, 3, 4, 3, 2, 1] == await phases_passed(estate)
    compared = sum([await each.metric("crossfade_dual_reads_total", operation="find_by_id") for each in proxies])
    different = sum([await each.metric("crossfade_dual_reads_total", result="mismatch") for each in proxies])
    assert compared > 0
    assert different == 0


async def test_way_down_from_phase_4_goes_through_3(
    estate: Estate, shop: Shop, proxies: list[ProxyProcess], figures: Figures
) -> None:
    """One step down from 4 to 1 makes two, and no client reads a past value meanwhile."""
    await must_move(estate, "2", "up")
    await must(estate, "backfill")
    await must_move(estate, "4", "up")
    passed = await phases_passed(estate)
    async with load(shop, proxies, clients=CLIENTS, acts=Client.user_acts, pace_s=PACE_S) as ledgers:
        await more_answers(ledgers, ANSWERS)
        await must_move(estate, "1", "all the way down")
        await more_answers(ledgers, ANSWERS)
    figures(f"users, phase 4 to 1 at once, {CLIENTS} clients: {dict(answers_of(ledgers))}")
    assert [] == failures_of(ledgers)
    await check(estate, ledgers)
    assert [*passed, 3, 1] == await phases_passed(estate)


async def test_planted_difference_is_told_and_counted(estate: Estate, shop: Shop, proxy: ProxyProcess) -> None:
    """In phase 3 verify names a difference, it is the caller's answer, is counted, and heals by itself."""
    await must_move(estate, "3", "to compare")
    await must(estate, "backfill")
    user = await make_user(shop)
    assert await plant_difference(estate, user) > 0
    verified = await command(estate, "verify", "--json")
    assert (1, True) == (verified.code, SHOWN in verified.said)
    async with aiohttp.ClientSession() as http:
        status, answer = await call(http, proxy, "user.find_by_id", {"id": user["id"]})
    assert (500, "data_mismatch") == (status, answer["code"])
    (difference,) = answer["report"]["differences"]
    assert SHOWN in difference["path"]
    labels = {"entity": "user", "operation": "find_by_id", "result": "mismatch"}
    assert 1 == await proxy.metric("crossfade_dual_reads_total", **labels)
    assert 1 == await proxy.metric("crossfade_mismatched_attributes_total", entity="user", attribute=SHOWN)
    await estate.drained()
    assert user == await shop.call("user.find_by_id", id=user["id"])
    await estate.verify()
