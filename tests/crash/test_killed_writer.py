"""Kill -9 in the middle of every kind of write, at every step and with every message on its way."""

from pathlib import Path
from typing import Final

import pytest

from adapters.flags import WriteFailurePolicy
from adapters.operations import catalogue
from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.crash.death import dying
from tests.crash.moments import COMMITTING, MOMENTS, REQUEST, Moment, Place
from tests.crash.shapes import EVERY, ORDERS, SHAPES, SHORT, Shape, move_user
from tests.fleet.estate import Estate
from tests.fleet.wires import Fate, lose_all

MOVED_ACTIONS: Final = 4 * ORDERS
"""What the orders of a moving user take of transactions, which hold a hundred."""

KILLS: Final = [
    (shape, moment)
    for number, moment in enumerate(MOMENTS)
    for shape in (SHAPES if moment.step or is_full_proof() else (SHAPES[number % 6],))
]
"""Every step with every shape; in the short form every message on its way with one shape, in turn."""
JOURNALLED: Final = SHAPES if is_full_proof() else (SHORT[3],)
JOURNALLING: Final = (
    Moment("commit lost", place=Place.MYSQL, marker=COMMITTING),
    Moment("commit on its way", place=Place.MYSQL, marker=COMMITTING, fate=Fate.CUT, is_committed=True),
)


def test_every_write_has_its_shape() -> None:
    """The shapes cover all writes of the catalogue."""
    assert {name for name, each in catalogue().items() if each.is_write} == {shape.operation for shape in EVERY}


@pytest.mark.parametrize(("shape", "moment"), KILLS, ids=str)
async def test_killed_write_is_in_both_databases_or_in_neither(
    estate: Estate, shop: Shop, tmp_path: Path, *, shape: Shape, moment: Moment
) -> None:
    """Once COMMIT has reached MySQL the write is there, before that it never is; repair makes the databases equal."""
    arguments = await shape.prepare(shop)
    before = await estate.books()
    async with dying(estate, moment, tmp_path / "log") as death:
        await death.call(shape.operation, arguments)
        await estate.repair()
        if moment.is_late:
            assert b"ConditionalCheckFailed" in await death.late_answer()
    assert moment.is_committed == (before != await estate.books())
    await estate.verify()


async def test_move_killed_in_a_later_chunk_is_undone(estate: Estate, shop: Shop, tmp_path: Path) -> None:
    """A move that dies after some of its transactions leaves nothing of them, whichever was the last, late or lost."""
    moments = [
        Moment("chunk late", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT, is_late=True),
        Moment("chunk on its way", place=Place.DYNAMODB, marker=REQUEST, fate=Fate.CUT),
    ]
    for chunk in range(2, MOVED_ACTIONS // 100 + 2):
        for moment in moments:
            arguments = await move_user(shop)
            before = await estate.books()
            async with dying(estate, moment, tmp_path / "log", nth=chunk) as death:
                await death.call("user.update", arguments)
                await estate.repair()
                if moment.is_late:
                    assert b"ConditionalCheckFailed" in await death.late_answer()
            assert before == await estate.books()
            await estate.verify()


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize("policy", [WriteFailurePolicy.JOURNAL], indirect=True)
@pytest.mark.parametrize("moment", JOURNALLING, ids=str)
async def test_write_killed_while_it_is_journalled_is_in_both_or_in_neither(
    estate: Estate, shop: Shop, tmp_path: Path, *, moment: Moment
) -> None:
    """DynamoDB is away, and the process dies with the COMMIT of the journalled write: repair follows MySQL."""
    for shape in JOURNALLED:
        arguments = await shape.prepare(shop)
        await estate.drained()
        before = await estate.books()
        async with dying(estate, moment, tmp_path / "log") as death:
            death.wires[Place.DYNAMODB].rule = lose_all
            await death.call(shape.operation, arguments)
        await estate.repair()
        assert moment.is_committed == (before != await estate.books())
        await estate.verify()
