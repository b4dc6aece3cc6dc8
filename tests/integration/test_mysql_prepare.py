"""Preparing a site, and what is asked of its server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.errors import Unavailable
from adapters.flags import Flags, MismatchPolicy, WriteFailurePolicy
from adapters.mysql import prepare as prepare_module
from adapters.mysql import version as version_module
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.prepare import check_server, prepare
from adapters.mysql.version import version_fault
from tests import servers
from tests.mysql_schema import mysql_schema

OWN_TABLES = ("audit", "control", "intent", "job", "login_attempt", "mismatch", "proxy", "tally", "version")
EVERYTHING = [
    *(f"created table {name}" for name in prepare_module.SHOP_TABLES),
    *(f"created table crossfade_{name}" for name in OWN_TABLES),
    "set the flags of the first start",
    *(f"set up the version of {name}#1" for name in ("tree", "listing", "admins")),
]


@pytest_asyncio.fixture
async def endpoint(mysql_server: servers.MySQLEndpoint) -> AsyncIterator[MySQLEndpoint]:
    """A schema without tables."""
    async with mysql_schema(mysql_server, has_tables=False) as endpoint:
        yield endpoint


@pytest_asyncio.fixture
async def site(endpoint: MySQLEndpoint) -> AsyncIterator[Connection]:
    """A session with that schema."""
    connection = await Connection.open(endpoint)
    yield connection
    await connection.quit()


async def test_prepare_makes_all_and_says_so_once(endpoint: MySQLEndpoint) -> None:
    """The first run tells what it made, the second finds nothing to do."""
    assert EVERYTHING == await prepare(endpoint, shop_tables=True, first_flags=Flags())
    assert [] == await prepare(endpoint, shop_tables=True, first_flags=Flags())


async def test_prepare_by_two_at_once_is_done_once(endpoint: MySQLEndpoint) -> None:
    """Two runs at the same time make everything, each thing once."""
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(prepare(endpoint, shop_tables=True, first_flags=Flags())) for _ in range(2)]
    assert sorted([[], EVERYTHING]) == sorted(run.result() for run in runs)


async def test_prepare_gives_up_on_another_that_hangs(
    endpoint: MySQLEndpoint, site: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that waits in vain for the lock says what it waited for."""
    monkeypatch.setattr(prepare_module, "LOCK_WAIT_S", 1)
    await site.rows(prepare_module.GET_LOCK, (0,))
    with pytest.raises(Unavailable, match="another `crossfade db prepare`"):
        await prepare(endpoint, shop_tables=True, first_flags=Flags())


async def test_prepare_leaves_the_shop_alone_unless_told(endpoint: MySQLEndpoint, site: Connection) -> None:
    """At a site the shop's tables are not the proxy's to make: it names what is missing."""
    with pytest.raises(Unavailable, match="lacks the shop's tables categories, order_items, orders, products"):
        await prepare(endpoint, shop_tables=False, first_flags=Flags())
    assert [] == await site.rows("SHOW TABLES")


async def test_prepare_makes_the_table_of_jobs_anew(endpoint: MySQLEndpoint, site: Connection) -> None:
    """One of the shape that nothing was ever written to gives way; the present one stays, with what it has."""
    await site.execute("CREATE TABLE crossfade_job (name VARCHAR(64) PRIMARY KEY, last_id BIGINT NULL)")
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    await site.execute(
        "INSERT INTO crossfade_job (kind, entities, epoch, started_by) VALUES ('verify', '[]', 1, 'ana')"
    )
    assert [] == await prepare(endpoint, shop_tables=True, first_flags=Flags())
    assert [("verify",)] == await site.rows("SELECT kind FROM crossfade_job")


async def test_prepare_adds_the_column_that_old_shops_lack(endpoint: MySQLEndpoint, site: Connection) -> None:
    """users.super_admin and its index come with prepare; existing users are none."""
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    await site.batch("ALTER TABLE users DROP COLUMN super_admin")
    await site.batch("INSERT INTO users (username, email, password_hash) VALUES ('a', 'a', 'h')")
    expected = ["added column users.super_admin", "added an index on users.super_admin"]
    assert expected == await prepare(endpoint, shop_tables=False, first_flags=Flags())
    assert [(0,)] == await site.rows("SELECT super_admin FROM users")
    await site.batch("ALTER TABLE users DROP INDEX super_admin")
    assert expected[1:] == await prepare(endpoint, shop_tables=False, first_flags=Flags())


async def test_prepare_sets_the_first_flags_and_keeps_those_in_force(endpoint: MySQLEndpoint, site: Connection) -> None:
    """The flags of the settings count for an empty table only."""
    first = Flags(
        dual_write=True,
        dual_read=True,
        validation=True,
        mismatch_policy=MismatchPolicy.REPORT,
        write_failure_policy=WriteFailurePolicy.JOURNAL,
        compare_percent=7,
    )
    await prepare(endpoint, shop_tables=True, first_flags=first)
    stored = (
        "SELECT epoch, dual_write, dual_read, read_from_dynamodb, validation, mismatch_policy, write_failure_policy,"
        " compare_percent, changed_at IS NOT NULL FROM crossfade_control"
    )
    assert [(1, 1, 1, 0, 1, "report", "journal", 7, 1)] == await site.rows(stored)
    await site.batch("UPDATE crossfade_control SET epoch = 9")
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    assert [(9, 1, 1, 0, 1, "report", "journal", 7, 1)] == await site.rows(stored)


async def test_prepare_seeds_the_versions_that_every_lock_needs(endpoint: MySQLEndpoint, site: Connection) -> None:
    """Tree, listing and admins exist from the start, and keep their versions."""
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    await site.batch("UPDATE crossfade_version SET version = 5 WHERE kind = 5")
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    found = await site.rows("SELECT kind, id, version, n FROM crossfade_version ORDER BY kind")
    assert [(1, 1, 0, None), (5, 1, 5, None), (6, 1, 0, None)] == found


async def test_prepare_makes_a_journal_that_finds_intents_by_aggregate(
    endpoint: MySQLEndpoint, site: Connection
) -> None:
    """Intents are found by what they concern, and by when they are due, through indexes."""
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    ((by_aggregate,),) = await site.rows(
        "EXPLAIN FORMAT=TREE SELECT id FROM crossfade_intent WHERE 'user#42' MEMBER OF (aggs)"
    )
    ((by_time,),) = await site.rows(
        "EXPLAIN FORMAT=TREE SELECT id FROM crossfade_intent WHERE state = 'open' AND next_try_at <= NOW(3)"
    )
    assert "using aggs" in by_aggregate
    assert "using state_next_try_at" in by_time


async def test_check_server_finds_nothing_wrong_with_a_prepared_site(endpoint: MySQLEndpoint, site: Connection) -> None:
    """A server as it should be."""
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    assert [] == await check_server(site, pooled_connections=10)


async def test_check_server_names_what_stands_against_it(endpoint: MySQLEndpoint, site: Connection) -> None:
    """Other collations, engines and missing tables are named, and pools larger than the server."""
    await prepare(endpoint, shop_tables=True, first_flags=Flags())
    await site.batch(
        "ALTER TABLE users MODIFY email VARCHAR(100) COLLATE utf8mb4_bin NOT NULL;"
        "ALTER TABLE products MODIFY name VARCHAR(200) CHARACTER SET latin1 NOT NULL, DROP INDEX name_description;"
        "DROP TABLE order_items, shopping_carts;"
        "ALTER TABLE users DROP INDEX username"
    )
    ((most,),) = await site.rows("SELECT @@max_connections")
    assert [
        "table order_items is missing",
        "table shopping_carts is missing",
        "column products.name has the collation latin1_swedish_ci; utf8mb4_0900_ai_ci is needed",
        "column users.email has the collation utf8mb4_bin; utf8mb4_0900_ai_ci is needed",
        f"max_connections is {most}: less than the {most} connections of all pools and 5 to spare",
    ] == await check_server(site, pooled_connections=most)


@pytest.mark.parametrize(
    ("version", "comment", "fault"),
    [
        ("8.0.21", "MySQL Community Server - GPL", "the server is MySQL 8.0.21; 8.0.22 or newer is needed"),
        ("5.7.44-log", "", "the server is MySQL 5.7.44-log; 8.0.22 or newer is needed"),
        ("5.7.mysql_aurora.2.11", "", "the server is MySQL 5.7.mysql_aurora.2.11; 8.0.22 or newer is needed"),
        (
            "5.5.5-11.4.2-MariaDB-ubu2404",
            "",
            "the server is MariaDB (5.5.5-11.4.2-MariaDB-ubu2404), which has other collations and locks than MySQL",
        ),
        ("8.0.22", "", None),
        ("8.0.36-28", "Percona Server", None),
        ("8.0.mysql_aurora.3.04.0", "", None),
        ("9.7.4-2", "(Debian)", None),
        ("next", "", None),
    ],
)
def test_version_decides(version: str, comment: str, fault: str | None) -> None:
    """The oldest that will do is 8.0.22; MariaDB will not."""
    assert fault == version_fault(version, comment)


async def test_server_that_will_not_do_is_refused_at_once(
    mysql_endpoint: MySQLEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a statement is sent that an old server may not know."""
    monkeypatch.setattr(version_module, "OLDEST_VERSION", (99, 0, 0))
    with pytest.raises(Unavailable, match=r"99\.0\.0 or newer is needed"):
        await Connection.open(mysql_endpoint)
