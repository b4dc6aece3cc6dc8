"""All entities through all phases and back under load, by two proxies, one of which loses each database on the way."""

from typing import Final

from proxy.flags.switch import Switched
from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.crash.moments import Place
from tests.fleet.clients import answers_of, more_answers
from tests.fleet.estate import Estate
from tests.fleet.fixtures import Figures
from tests.fleet.ledger import Ledger
from tests.fleet.pair import Pair
from tests.fleet.shoppers import Shopper, hold_to_account, ledgers_of, shopping, surprises_of
from tests.fleet.waiting import lapse

CLIENTS: Final = 32 if is_full_proof() else 4
ANSWERS: Final = 1_500 if is_full_proof() else 30
"""How many good answers are waited for between two moves."""
CUT_OFF_S: Final = 10.0 if is_full_proof() else 0.5
PACE_S: Final = 0.0 if is_full_proof() else 0.05
STEPS_DOWN: Final = (3, 2, 1) if is_full_proof() else ()
"""The way down one by one; then up again, and at once from 4 to 1."""


async def up_from_1(pair: Pair, ledgers: list[Ledger]) -> None:
    """From phase 1 to 4; in phase 3 a mismatch fails the read."""
    await pair.move(2)
    await pair.estate.backfill()
    for phase in (3, 4):
        await more_answers(ledgers, ANSWERS)
        await pair.move(phase)
    await more_answers(ledgers, ANSWERS)


async def through_all_phases(pair: Pair, ledgers: list[Ledger]) -> Switched:
    """Move and cut under the load of these clients; the move from 4 to 1."""
    await more_answers(ledgers, ANSWERS)
    await up_from_1(pair, ledgers)
    for place in Place:
        async with pair.cut_off(place):
            await lapse(CUT_OFF_S)
            await more_answers(ledgers, ANSWERS)
        await more_answers(ledgers, ANSWERS)
    for phase in STEPS_DOWN:
        await pair.move(phase)
        await more_answers(ledgers, ANSWERS)
    if STEPS_DOWN:
        await up_from_1(pair, ledgers)
    async with pair.cut_off(Place.MYSQL):
        await lapse(CUT_OFF_S)
        last = await pair.move(1)
        await more_answers(ledgers, ANSWERS)
    await more_answers(ledgers, ANSWERS)
    return last


async def account(pair: Pair, shoppers: list[Shopper], figures: Figures) -> None:
    """Say what was answered, and demand that it was right."""
    answers, looks = dict(answers_of(ledgers_of(shoppers))), sum(shopper.looks for shopper in shoppers)
    compared = {result: await pair.dual_reads(result) for result in ("match", "transient", "mismatch", "error")}
    figures(f"all phases, {len(shoppers)} clients of all entities: {answers}, {looks} looks, compared {compared}")
    assert [] == surprises_of(shoppers)
    assert compared["match"] > 0
    assert compared["mismatch"] == 0


async def test_all_entities_through_all_phases_and_back(
    estate: Estate, shop: Shop, pair: Pair, figures: Figures
) -> None:
    """1-2-3-4-3-2-1 and 4-1 under load; each client sees its own writes through both proxies all the time.

    In phase 4 one proxy is cut off from MySQL, then from DynamoDB, and from MySQL again when 4 is left for 1.
    """
    await pair.move(1)
    async with shopping(shop, pair.both, clients=CLIENTS, pace_s=PACE_S) as shoppers:
        last = await through_all_phases(pair, ledgers_of(shoppers))
    await account(pair, shoppers, figures)
    assert {event["instance"] for event in pair.second.events("serving_started")} <= {*last.unconfirmed}
    await pair.move(2)
    await estate.backfill()
    await estate.drained()
    await estate.verify()
    await pair.move(3)
    await pair.serve()
    await hold_to_account(shoppers, pair.both)
    assert 0 == await pair.dual_reads("mismatch")
