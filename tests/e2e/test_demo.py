"""`crossfade demo` at a running proxy: what it shows, what it finds, what it leaves."""

import asyncio
import io
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from adapters.errors import InvalidArgument, Unavailable
from proxy.demo.caller import Caller, caller_session
from proxy.demo.course import LEGS
from proxy.demo.run import Demo
from proxy.demo.screen import Screen
from proxy.demo.stage import PREFIX
from proxy.demo.workload import MIX
from proxy.wiring import commands, control_commands
from proxy.wiring.demo import DatabaseMigration, demo
from tests.conformance.shop import Json
from tests.conformance.shops import is_full_proof
from tests.fleet.estate import NO_OPTIONS, Estate
from tests.fleet.estate import estate as made_estate
from tests.fleet.proxies import Command, Done, ProxyProcess, serving, started
from tests.fleet.waiting import until
from tests.servers import DynamoDBEndpoint, MySQLEndpoint

CLIENTS: Final = "8" if is_full_proof() else "3"
PHASE_S: Final = "5" if is_full_proof() else "0.5"
LIMIT_S: Final = 300.0
WORKERS: Final = "2"
ATTEMPT_S: Final = "2.4"
"""The first transactions of a DynamoDB Local that has just started may take longer than a second."""
COMPARED: Final = ("phase 3", "phase 4, compared", "back in phase 3")
FREQUENT: Final = {name for name, rps in MIX.items() if is_full_proof() or rps >= 175}
"""The operations that are called for certain, in so short a time."""
UNREAD: Final = "dmitri@shop.test"
"""A user of the sample shop whom no call of a demonstration shows."""
DIFFERENCE: Final = {
    "Key": {"PK": {"S": UNREAD}, "SK": {"S": "#META"}},
    "UpdateExpression": "SET is_seller = :planted",
    "ExpressionAttributeValues": {":planted": {"BOOL": True}},
}


@pytest.fixture(scope="module")
def estate(mysql_server: MySQLEndpoint, dynamodb_server: DynamoDBEndpoint) -> Iterator[Estate]:
    """The sample shop, in phase 1 when the module begins."""
    with made_estate(mysql_server, dynamodb_server, phase=1) as made:
        asyncio.run(commands.db_sample(made.settings(), NO_OPTIONS))
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving_proxy(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProxyProcess]:
    """A proxy of two workers."""
    log: Path = tmp_path_factory.mktemp("proxy") / "log"
    async with serving(estate, log, CROSSFADE_WORKERS=WORKERS, CROSSFADE_DYNAMODB_ATTEMPT_S=ATTEMPT_S) as ready:
        yield ready


@pytest.fixture
async def proxy(estate: Estate, serving_proxy: ProxyProcess) -> ProxyProcess:
    """The proxy, in phase 1."""
    await move(estate, 1)
    return serving_proxy


async def move(estate: Estate, phase: int) -> None:
    """Move to a phase."""
    given = Namespace(phase=phase, kill=[], reason="to begin with", force=True)
    await control_commands.phase_set(estate.settings(), given)


def words(proxy: ProxyProcess, *, phase_s: str = PHASE_S) -> list[str]:
    """The command line."""
    place = ["--url", f"http://{proxy.rpc}", "--admin-url", f"http://{proxy.admin}"]
    return ["demo", "--json", *place, "--clients", CLIENTS, "--phase-s", phase_s]


def options(**given: object) -> Namespace:
    """The options of a demonstration that is not to begin."""
    nowhere = "http://127.0.0.1:9"
    defaults = {"url": nowhere, "admin_url": nowhere, "clients": 1, "phase_s": 1.0, "yes": False}
    return Namespace(**{**defaults, **given})


async def made_up(estate: Estate) -> list[str]:
    """The names of all that demonstrations have made and that is still there."""
    sql = """SELECT username FROM users WHERE username LIKE %s UNION ALL SELECT name FROM products WHERE name LIKE %s
     UNION ALL SELECT name FROM categories WHERE name LIKE %s"""
    return [name for (name,) in await estate.rows(sql, (f"%{PREFIX}%",) * 3)]


async def moves(estate: Estate) -> list[str]:
    """The moves of demonstrations that are on record, in order."""
    rows = await estate.rows("SELECT reason FROM crossfade_audit WHERE reason LIKE 'demonstration%%' ORDER BY id")
    return [reason.partition(": ")[2] for (reason,) in rows]


async def is_in(estate: Estate, flag: str) -> bool:
    """Whether a flag is set."""
    return [(1,)] == await estate.rows(f"SELECT {flag} FROM crossfade_control")


async def test_demo_goes_all_the_way_and_back(estate: Estate, proxy: ProxyProcess) -> None:
    """All answers are right in every phase, each comes from it, and everything is equal; nothing made up stays."""
    async with started(estate, *words(proxy)) as running:
        assert 0 == await running.end(limit_s=LIMIT_S), running.complained + running.said
    shown = data(running)
    legs = {leg["title"]: leg for leg in shown["legs"]}
    assert list(legs) == await moves(estate)
    assert ["1", "2", "3", "4", "4", "3", "2"] == [phase for leg in shown["legs"] for phase in leg["phases"]]
    assert {"mysql"} == legs["phase 3"]["served_by"].keys()
    assert {"mysql", "dynamodb"} == legs["phase 4"]["served_by"].keys()
    for title, leg in legs.items():
        assert leg["total"]["calls"] > 0
        assert 0 < leg["total"]["p50_s"] <= leg["total"]["p99_s"]
        assert bool(leg["shadow"]) is (title in COMPARED)
        assert leg["total"]["compared"] > 0 or title not in COMPARED
    assert FREQUENT <= {name for leg in shown["legs"] for name in leg["operations"]} <= MIX.keys()
    assert 3 == len(shown["verified"])
    assert (True, 0, [], "2") == (shown["is_equal"], shown["mismatched"], shown["unexpected"], shown["phase"])
    assert all(title in running.complained for title in legs)
    assert "\x1b" not in running.complained
    assert [] == await made_up(estate)
    await estate.verify()


async def test_demo_fails_on_a_difference_that_no_call_shows(estate: Estate, proxy: ProxyProcess) -> None:
    """One attribute that differs, of a record that nobody reads: all calls are right, and yet it is not well."""

    async def plant(course: asyncio.Task[None]) -> None:
        await until("phase 3", lambda: is_in(estate, "dual_read"))
        async with estate.client() as client:
            await client.request("UpdateItem", {"TableName": client.table_name("Users"), **DIFFERENCE})
        await asyncio.wait([course])

    async with commands.opened(estate.settings()) as databases, caller_session("") as http:
        caller = Caller(http, f"http://{proxy.rpc}", f"http://{proxy.admin}")
        migration, screen = DatabaseMigration(estate.settings(), databases), Screen(io.StringIO())
        outcome = await Demo(caller, migration, screen, clients=1, leg_s=float(PHASE_S), legs=LEGS[1:3]).run(plant)
    assert (False, False) == (outcome.is_well, outcome.is_equal)
    assert (0, 0, 2) == (outcome.complaints.count, outcome.mismatched, len(outcome.legs))
    (difference,) = outcome.verified["with what was written on the way"].differences
    assert UNREAD in str(difference)
    assert [] == await made_up(estate)


async def test_demo_interrupted_moves_nothing_further(estate: Estate, proxy: ProxyProcess) -> None:
    """Ctrl-C: it deletes what it made, says in which phase it leaves the proxy, and does not end well."""
    before = await moves(estate)

    async def has_moved() -> bool:
        return len(await moves(estate)) > len(before)

    async with started(estate, *words(proxy, phase_s="600")) as running:
        await until("the first move", has_moved)
        running.interrupt()
        assert 1 == await running.end()
    shown = data(running)
    assert ("interrupted", "1") == (shown["stopped"], shown["phase"])
    assert [*before, "phase 1"] == await moves(estate)
    assert [] == await made_up(estate)


async def test_demo_refuses_production_without_consent(estate: Estate) -> None:
    """Made-up orders are nothing for a shop in use, unless somebody says so."""
    given = {
        "CROSSFADE_ENV": "production",
        "CROSSFADE_MYSQL_PASSWORD": "given",
        "CROSSFADE_RPC_TOKEN": "token",
        "CROSSFADE_JWT_SECRET": "s" * 32,
        "CROSSFADE_DYNAMODB_ENDPOINT": "https://dynamodb.us-east-1.amazonaws.com",
    }
    settings = estate.settings(**given)
    with pytest.raises(InvalidArgument, match="production"):
        await demo(settings, options())
    with pytest.raises(Unavailable, match="no proxy"):
        await demo(settings, options(yes=True))


async def test_demo_refuses_a_migration_under_way(estate: Estate, proxy: ProxyProcess) -> None:
    """Nobody's phase 3 is taken back for a demonstration."""
    await move(estate, 3)
    with pytest.raises(Unavailable, match="phase 3 is in force"):
        await demo(estate.settings(), options(admin_url=f"http://{proxy.admin}"))
    assert [] == await made_up(estate)


def data(running: Command) -> Json:
    """What a command said that has ended."""
    return Done(0, running.said, running.complained).data
