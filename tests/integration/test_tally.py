"""What a worker counts for the gates, and how it comes to the counts of the fleet."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.errors import Unavailable
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.pool import Pool
from adapters.mysql.tally import MySQLTallies
from adapters.ports.tally import Counted
from proxy.admin.tally import KEPT_MAX, Tally
from proxy.metrics import DualReadResult, DualWriteOutcome

START = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
LIMIT_S = 5.0
NOBODY = 1
"""A port where no server listens."""


@pytest.fixture
async def tallies(mysql_shop: Connection, mysql_endpoint: MySQLEndpoint) -> AsyncIterator[MySQLTallies]:
    """The counts of the fleet, none yet."""
    await mysql_shop.execute("DELETE FROM crossfade_tally")
    pool = Pool(mysql_endpoint, size=2, name="test")
    yield MySQLTallies(pool, limit_s=LIMIT_S)
    await pool.close()


@pytest.fixture
async def unreachable(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[MySQLTallies]:
    """The same while the server is away."""
    pool = Pool(replace(mysql_endpoint, port=NOBODY), size=2, name="test")
    yield MySQLTallies(pool, limit_s=LIMIT_S)
    await pool.close()


async def test_tally_brings_each_count_once_by_entity(tallies: MySQLTallies) -> None:
    """Operations of an entity are counted together, reads apart from writes."""
    tally = Tally(tallies, now=lambda: START)
    for operation in ("user.find_by_id", "user.find_by_email"):
        tally.read(operation, DualReadResult.MATCH)
    tally.written("cart.add_item", DualWriteOutcome.APPLIED)
    assert [2, 0] == [await tally.run_once(), await tally.run_once()]
    assert {("user", "match"): 2} == await tallies.totals(Counted.READ, since=None)
    assert {("cart", "applied"): 1} == await tallies.totals(Counted.WRITE, since=None)


async def test_tally_keeps_what_it_could_not_bring_with_its_minute(
    mysql_shop: Connection, tallies: MySQLTallies, unreachable: MySQLTallies
) -> None:
    """After an outage each count arrives under the minute it was counted in."""
    at = [START]
    tally = Tally(unreachable, now=lambda: at[0])
    for _ in range(3):
        tally.read("user.find_by_id", DualReadResult.MATCH)
        with pytest.raises(Unavailable):
            await tally.run_once()
        at[0] += timedelta(minutes=1)
    tally._tallies = tallies
    assert 3 == await tally.run_once()
    found = await mysql_shop.rows("SELECT minute, n FROM crossfade_tally ORDER BY minute")
    first = START.replace(second=0, tzinfo=None)
    assert [(first + timedelta(minutes=n), 1) for n in range(3)] == found


async def test_tally_is_bounded(tallies: MySQLTallies) -> None:
    """An outage without end costs no memory without end: the oldest counts go."""
    at = [START]
    tally = Tally(tallies, now=lambda: at[0])
    for _ in range(KEPT_MAX + 5):
        tally.read("user.find_by_id", DualReadResult.MATCH)
        at[0] += timedelta(minutes=1)
        tally._take_stock()
    assert KEPT_MAX == len(tally._kept)
    assert START.replace(second=0) + timedelta(minutes=6) == min(count.minute for count in tally._kept)
