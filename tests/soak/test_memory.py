"""A worker's memory after many calls: what it needs it has soon, and then it needs no more."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from proxy.environment import read_address
from tests import servers
from tests.conformance.shops import is_full_proof
from tests.fleet.estate import Estate, estate
from tests.fleet.fixtures import Figures
from tests.fleet.proxies import ProxyProcess, must, serving
from tests.load.machine import resident_bytes
from tests.load.stock import plant_stock
from tests.load.volley import fire
from tests.load.workload import mixed_calls

CALLS: Final = 100_000 if is_full_proof() else 10_000
FIRST_SHARE: Final = 0.1
GROWTH_MAX: Final = 1.10
LIMIT_BYTES: Final = 200_000_000
RECORDS: Final = 100
CONNECTIONS: Final = 16
SLICE_S: Final = 0.25
MEGABYTE: Final = 1_000_000


@pytest.fixture
def small_shop(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 2 with a hundred users and products, equal in both databases."""
    with estate(mysql_server, dynamodb_server) as made:
        asyncio.run(plant_stock(made, records=RECORDS))
        asyncio.run(_copy(made))
        yield made


async def _copy(shop: Estate) -> None:
    await must(shop, "backfill")


async def load(proxy: ProxyProcess, calls_total: int) -> None:
    """Make so many calls, and a few more."""
    calls, made = mixed_calls(RECORDS), 0
    while made < calls_total:
        first = made % len(calls)
        turned = calls[first:] + calls[:first]  # Or each slice would begin with the same ones.
        made += (await fire(read_address(proxy.rpc), turned, connections=CONNECTIONS, duration_s=SLICE_S)).calls


async def test_memory_stays_as_it_was_after_the_first_tenth_of_the_calls(
    small_shop: Estate, tmp_path: Path, figures: Figures
) -> None:
    """Reads and dual writes in turn: ten times as many calls later there is a tenth more at most, and under 200 MB."""
    async with serving(small_shop, tmp_path / "log") as proxy:
        await load(proxy, round(CALLS * FIRST_SHARE))
        first_bytes = resident_bytes(proxy.pid)
        await load(proxy, round(CALLS * (1 - FIRST_SHARE)))
        last_bytes = resident_bytes(proxy.pid)
        assert 0 == await proxy.stop()
    first_mb, last_mb = first_bytes / MEGABYTE, last_bytes / MEGABYTE
    figures(f"{first_mb:.1f} MB after {CALLS * FIRST_SHARE:.0f} calls, {last_mb:.1f} MB after {CALLS}")
    assert last_bytes <= first_bytes * GROWTH_MAX
    assert last_bytes < LIMIT_BYTES
    await small_shop.drained()
    await small_shop.verify()
