"""The control plane by the command line, run in the test's own process: a start of its own takes a second each."""

import getpass

import pytest
import pytest_asyncio

from adapters.errors import Conflict, InvalidArgument, NotFound
from proxy.cli import _parser
from proxy.wiring.commands import Report
from tests.conformance.shop import Shop
from tests.factories import make_user
from tests.fleet.estate import Estate
from tests.fleet.proxies import phase_words


async def run(estate: Estate, *words: str) -> Report:
    """What a command reports. Raises what the command line would print."""
    options = _parser().parse_args(words)
    report: Report = await options.command(estate.settings(), options)
    return report


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def in_phase_2(estate: Estate) -> None:
    """The shop is in phase 2, by a change that is on record."""
    await run(estate, *phase_words(1, "the beginning"))
    await run(estate, *phase_words(2, "to write to both"))


async def test_closed_gate_says_check_by_check_what_is_missing(estate: Estate) -> None:
    """`gate` and a move say the same checks; nothing is changed, and --force alone is not enough."""
    before = await estate.epoch()
    gate = await run(estate, "gate", "3")
    assert not gate.is_well
    assert [line.partition(":")[0] for line in gate.lines[1:-1]] == ["failed", "passed", "failed"]
    moved = await run(estate, "phase", "set", "3")
    assert (False, "closed") == (moved.is_well, moved.data["gate"])
    errors = moved.data["errors"]
    assert isinstance(errors, list)
    assert ["backfill finished", "dual writes succeed"] == [error["name"] for error in errors]
    assert f"closed by: {', '.join(error['name'] for error in errors)}" == gate.lines[-1]
    with pytest.raises(InvalidArgument, match="needs a reason"):
        await run(estate, "phase", "set", "3", "--force")
    assert before == await estate.epoch()


async def test_way_back_is_open(estate: Estate) -> None:
    """A lower phase has a gate without checks."""
    gate = await run(estate, "gate", "1")
    assert (True, "open") == (gate.is_well, gate.lines[-1])


async def test_log_has_who_did_what_and_why(estate: Estate) -> None:
    """The newest first, page by page; the operating system's user is on record."""
    first = await run(estate, "logs", "--kind", "audit", "--limit", "1")
    who, what = f"{getpass.getuser()} (command line)", "flags: dual_write False -> True, forced past its gate"
    assert first.lines[0].endswith(f" {who}: {what}; to write to both")
    second = await run(estate, "logs", "--kind", "audit", "--limit", "1", "--cursor", str(first.data["next_cursor"]))
    assert "dual_write True -> False" in second.lines[0]
    with pytest.raises(InvalidArgument):
        await run(estate, "logs", "--cursor", "nonsense")


async def test_first_super_admin_is_made_on_the_host(estate: Estate, shop: Shop) -> None:
    """By email, in both databases like any write, and on record; a second time is refused, as is nobody's email."""
    user = await make_user(shop)
    await run(estate, "admin", "promote", user["email"])
    assert [user["username"]] == [each["username"] for each in await shop.call("user.find_all_super_admins")]
    with pytest.raises(Conflict, match="already"):
        await run(estate, "admin", "promote", user["email"])
    with pytest.raises(NotFound):
        await run(estate, "admin", "promote", "nobody@shop.test")
    assert "promote: super_admin False -> True" in (await run(estate, "logs", "--limit", "1")).lines[0]
    await estate.verify()


async def test_flags_go_through_the_same_gates(estate: Estate) -> None:
    """By the name of a route as by that of a phase; what needs no gate is simply done."""
    assert not (await run(estate, "flags", "set", "READ_DDB=true")).is_well
    assert (await run(estate, "flags", "set", "compare_percent=7", "--reason", "less")).is_well
    assert "compare_percent: 7 -> 100" in (await run(estate, "flags", "reset")).lines
