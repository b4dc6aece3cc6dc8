"""Kill -9 in the middle of a repair, with every message on its way that it sends; another repairer finishes."""

from pathlib import Path
from typing import Final

import pytest

from proxy.dual_write import Step
from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.crash.death import KILLED, Fatal, dying, on_wires, wired
from tests.crash.moments import REQUEST, Moment, Place
from tests.crash.shapes import SHORT, Shape
from tests.fleet.estate import Estate
from tests.fleet.proxies import ProxyProcess, started
from tests.fleet.wires import Fate

AHEAD: Final = Moment("shadow written", step=Step.SHADOW_WRITTEN)
OWING: Final = Moment("committed", step=Step.COMMITTED, is_committed=True)
DEBTS: Final = {"update": AHEAD, "cascading delete": OWING}
"""The writes that leave something to repair: one that DynamoDB must forget, one with deferred parts."""

MOMENTS: Final = (
    Moment("claim on its way", place=Place.MYSQL, marker=b"SET next_try_at = NOW(3) + INTERVAL", fate=Fate.CUT),
    Moment("locks asked for", place=Place.MYSQL, marker=b"FOR UPDATE NOWAIT", fate=Fate.CUT),
    Moment("request lost", place=Place.DYNAMODB, marker=REQUEST),
    Moment("request on its way", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT),
    Moment("request late", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT, is_late=True),
    Moment("settling", place=Place.MYSQL, marker=b"'aborted', 'done'", fate=Fate.CUT),
    Moment("commit lost", place=Place.MYSQL, marker=b"\x03COMMIT"),
    Moment("commit on its way", place=Place.MYSQL, marker=b"\x03COMMIT", fate=Fate.CUT),
)
OCCASIONS: Final = (1, 2) if is_full_proof() else (1,)
"""Which of the messages of its kind is the fatal one."""


async def leave_debts(estate: Estate, shop: Shop, proxy: ProxyProcess, log: Path) -> None:
    """Have writes die, with no repairer about."""
    shapes: dict[str, Shape] = {str(shape): shape for shape in SHORT}
    prepared = {name: await shapes[name].prepare(shop) for name in DEBTS}
    await estate.drained()
    proxy.pause()
    for name, moment in DEBTS.items():
        async with dying(estate, moment, log) as death:
            await death.call(shapes[name].operation, prepared[name])


@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("moment", MOMENTS, ids=str)
async def test_killed_repair_is_finished_by_another(
    estate: Estate, shop: Shop, proxy: ProxyProcess, tmp_path: Path, *, moment: Moment, occasion: int
) -> None:
    """What a dead repairer had begun is done again, and its late request is refused; no row of the shop changes."""
    await leave_debts(estate, shop, proxy, tmp_path / "log")
    before = await estate.books()
    await estate.age_intents()
    async with wired(estate) as wires, started(estate, "repair", **on_wires(wires)) as repair:
        fatal = Fatal(moment, occasion, repair.kill)
        fatal.arm(wires)
        assert KILLED == await repair.end()
        await estate.repair()
        if moment.is_late:
            assert b"ConditionalCheckFailed" in await fatal.late_answer(wires)
    assert before == await estate.books()
    await estate.verify()
    proxy.resume()
