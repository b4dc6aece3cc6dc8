"""Kill -9 in the middle of a repair, with every message on its way that it sends; another repairer finishes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from tests.fleet.waiting import until
from tests.fleet.wires import Fate, Hold

AHEAD: Final = Moment("shadow written", step=Step.SHADOW_WRITTEN)
OWING: Final = Moment("committed", step=Step.COMMITTED, is_committed=True)
DEBTS: Final = {"update": AHEAD, "cascading delete": OWING}
"""The writes that leave something to repair: one that DynamoDB must forget, one with deferred parts."""

OPENED: Final = Moment("intent opened", step=Step.INTENT_OPENED)
NEWCOMER: Final = {"username": "newcomer", "email": "newcomer@shop.test", "password_hash": "hash"}
SETTLED_WITHIN_S: Final = 8.0
"""Much less than the fifteen seconds after which MySQL drops a silent session and its locks."""
COMMIT: Final = b"\x03COMMIT"
CLAIM: Final = Moment(
    "claim on its way", place=Place.MYSQL, marker=b"SET next_try_at = NOW(3) + INTERVAL", fate=Fate.CUT
)
MOMENTS: Final = (
    CLAIM,
    Moment("locks asked for", place=Place.MYSQL, marker=b"FOR UPDATE NOWAIT", fate=Fate.CUT),
    Moment("request lost", place=Place.DYNAMODB, marker=REQUEST),
    Moment("request on its way", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT),
    Moment("request late", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT, is_late=True),
    Moment("settling", place=Place.MYSQL, marker=b"'aborted', 'done'", fate=Fate.CUT),
    Moment("commit lost", place=Place.MYSQL, marker=COMMIT),
    Moment("commit on its way", place=Place.MYSQL, marker=COMMIT, fate=Fate.CUT),
)
KILLS: Final = MOMENTS if is_full_proof() else [moment for moment in MOMENTS if "lost" not in moment.name]
OCCASIONS: Final = (1, 2) if is_full_proof() else (1,)
"""Which of the messages of its kind is the fatal one. All debts are claimed by one message, and settled by several."""
CASES: Final = [
    pytest.param(moment, occasion, id=f"{moment}-{occasion}")
    for moment in KILLS
    for occasion in OCCASIONS
    if moment is not CLAIM or occasion == 1
]


@asynccontextmanager
async def indebted(estate: Estate, shop: Shop, proxy: ProxyProcess, log: Path) -> AsyncIterator[None]:
    """Writes have died and left due intents, and no repairer is about until the end, when the proxy goes on."""
    shapes: dict[str, Shape] = {str(shape): shape for shape in SHORT}
    prepared = {name: await shapes[name].prepare(shop) for name in DEBTS}
    await estate.drained()
    proxy.pause()
    try:
        for name, moment in DEBTS.items():
            async with dying(estate, moment, log) as death:
                await death.call(shapes[name].operation, prepared[name])
        # What has failed before is settled by itself: so the repair takes several steps.
        await estate.rows("UPDATE crossfade_intent SET attempts = 1")
        await estate.age_intents()
        yield
    finally:
        proxy.resume()
        await until("the proxy to be up to date", proxy.is_ready)


@pytest.mark.parametrize(("moment", "occasion"), CASES)
async def test_killed_repair_is_finished_by_another(
    estate: Estate, shop: Shop, proxy: ProxyProcess, tmp_path: Path, *, moment: Moment, occasion: int
) -> None:
    """What a dead repairer had begun is done again, and its late request is refused; no row of the shop changes."""
    async with (
        indebted(estate, shop, proxy, tmp_path / "log"),
        wired(estate) as wires,
        started(estate, "repair", **on_wires(wires)) as repair,
    ):
        before = await estate.books()
        fatal = Fatal(moment, occasion, repair.kill)
        fatal.arm(wires)
        assert KILLED == await repair.end()
        await estate.repair()
        if moment.is_late:
            assert b"ConditionalCheckFailed" in await fatal.late_answer(wires)
        assert before == await estate.books()
        await estate.verify()


@pytest.mark.parametrize("fate", [Fate.LOSE, Fate.CUT], ids=["commit lost", "answer lost"])
async def test_repair_goes_on_after_a_commit_without_answer(
    estate: Estate, shop: Shop, proxy: ProxyProcess, tmp_path: Path, *, fate: Fate
) -> None:
    """A repairer that cannot tell what became of its COMMIT looks again later, by itself."""
    async with (
        indebted(estate, shop, proxy, tmp_path / "log"),
        wired(estate) as wires,
        started(estate, "repair", **on_wires(wires)) as repair,
    ):
        commits = 0

        async def rule(message: bytes) -> Fate:
            nonlocal commits
            commits += COMMIT in message
            return fate if COMMIT in message and commits == 1 else Fate.PASS

        wires[Place.MYSQL].rule = rule
        code = await repair.end()
        assert code == 0, repair.complained
        assert commits > 0
        await estate.verify()


async def test_repairer_at_a_standstill_holds_up_no_other_repair(
    estate: Estate, shop: Shop, proxy: ProxyProcess, tmp_path: Path
) -> None:
    """While one repairer stands still with its locks, another settles soon what the first does not hold."""
    async with (
        indebted(estate, shop, proxy, tmp_path / "log"),
        wired(estate) as wires,
        started(estate, "repair", **on_wires(wires)) as repair,
    ):
        hold = wires[Place.DYNAMODB].rule = Hold(REQUEST)
        await hold.arrival()
        repair.pause()
        held = await estate.unsettled()
        await until("all that it holds to be due again", estate.is_all_due)
        async with dying(estate, OPENED, tmp_path / "log") as death:
            await death.call("user.create", NEWCOMER)
        proxy.resume()

        async def is_settled() -> bool:
            return await estate.unsettled() <= held

        await until("the other intent to be settled", is_settled, limit_s=SETTLED_WITHIN_S)
    await estate.drained()
    await estate.verify()
