"""A proxy that serves the operations of `user` alone, in phase 3."""

from collections.abc import Iterator
from typing import Final

import aiohttp
import pytest

from adapters.dynamodb.contract import load_contract
from tests import servers
from tests.conformance.shop import Record, Shop
from tests.factories import make_user
from tests.fleet.clients import call
from tests.fleet.estate import Estate
from tests.fleet.estate import estate as made_estate
from tests.fleet.proxies import ProxyProcess, command, must, must_move

SHOWN: Final = "is_seller"
"""The attribute that is planted."""


@pytest.fixture(scope="module")
def estate(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 1 whose proxies serve users alone."""
    with made_estate(mysql_server, dynamodb_server, phase=1, CROSSFADE_ENTITIES="user") as made:
        yield made


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
