"""Failed logins, on MySQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.mysql.attempts import MySQLLoginAttempts
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.pool import Pool

ADDRESS = "192.0.2.1"


@pytest.fixture
async def pool(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[Pool]:
    """Sessions of the proxy's."""
    made = Pool(mysql_endpoint, size=2, name="test")
    yield made
    await made.close()


async def test_attempts_count_name_and_address_together(mysql_shop: Connection, pool: Pool) -> None:
    """Any spelling of the name counts, another name or address does not, nor what lies before the window."""
    attempts = MySQLLoginAttempts(pool, limit_s=5.0)
    now = datetime.now(UTC)
    await attempts.record("Ana", ADDRESS, now)
    await attempts.record("ANA", ADDRESS, now - timedelta(seconds=30))
    await attempts.record("ana", ADDRESS, now - timedelta(seconds=600))
    await attempts.record("bob", ADDRESS, now)
    await attempts.record("ana", "192.0.2.2", now)
    assert 2 == await attempts.failures("ana", ADDRESS, 300)
    assert 3 == await attempts.failures("ana", ADDRESS, 3600)
    await attempts.forget("aNa", ADDRESS)
    assert 0 == await attempts.failures("ana", ADDRESS, 3600)
    assert 1 == await attempts.failures("bob", ADDRESS, 300)
    kept = str(await mysql_shop.rows("SELECT * FROM crossfade_login_attempt"))
    assert "bob" not in kept


async def test_attempts_are_forgotten_after_a_day(mysql_shop: Connection, pool: Pool) -> None:
    """What is recorded later removes them."""
    attempts = MySQLLoginAttempts(pool, limit_s=5.0)
    await attempts.record("old", ADDRESS, datetime.now(UTC) - timedelta(days=2))
    await attempts.record("new", ADDRESS, datetime.now(UTC))
    assert 0 == await attempts.failures("old", ADDRESS, 7 * 24 * 3600)
    ((count,),) = await mysql_shop.rows(
        "SELECT COUNT(*) FROM crossfade_login_attempt WHERE at < NOW() - INTERVAL 1 DAY"
    )
    assert 0 == count
