"""Backfill and verify while the shop goes on writing to both databases, and a repairer pays what is owed.

CROSSFADE_PROOF=full sweeps ten times as often.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final
from uuid import uuid4

import pytest

from adapters.changes import Aggregate, Intent, IntentPart, ItemKey, Ref, RowKind, user_aggregate
from adapters.deadline import Deadline
from adapters.dynamodb.sweep import DynamoDBSweep
from adapters.errors import CrossfadeError
from adapters.mysql.journal import MySQLJournal
from adapters.operations import catalogue
from adapters.ports.sweep import FoundItem, Place
from proxy.breaker import Breaker
from proxy.calls import CallRequest
from proxy.dual_write import DualWrite, WriteParts
from proxy.flags.snapshot import Snapshot
from proxy.guard import Guard
from proxy.metrics import Metrics, Values
from proxy.repairer import Repairer, RepairParts
from tests.sweeping import SweptShop, key_of

SEED: Final = 20260131
WRITERS: Final = 4
CALL_S: Final = 10.0
PAUSE_S: Final = 0.05
RETURN_S: Final = 0.3
"""Longer than a write takes that nobody holds up."""
ROUNDS: Final = 30 if os.environ.get("CROSSFADE_PROOF") == "full" else 3
OPERATIONS = catalogue()
Call = tuple[str, Mapping[str, object]]


class Shopkeepers:
    """Writers and a repairer at work on a shop."""

    def __init__(self, shop: SweptShop) -> None:
        self._shop = shop
        self._snapshot = Snapshot()
        metrics = Metrics(Values(), OPERATIONS, databases=("source", "target"), tables=(), version="0")
        source, target = (Guard(name, Breaker(name), metrics) for name in ("source", "target"))
        parts = shop.parts
        self.repairer = Repairer(
            RepairParts(
                authority=parts.authority,
                journal=parts.journal,
                shadow=parts.shadow,
                snapshot=self._snapshot,
                count=metrics.repair_finished,
            )
        )
        self._writes = DualWrite(
            WriteParts(
                authority=parts.authority,
                journal=parts.journal,
                shadow=parts.shadow,
                repairs=self.repairer,
                authority_guard=source,
                shadow_guard=target,
                count=metrics.dual_write_finished,
                wake_repairer=lambda: None,
                limit_s=CALL_S,
            ),
            reread=parts.state,
        )
        self.outcomes: Counter[str] = Counter()
        self.is_open = True

    async def adopt(self) -> None:
        """Go by the flags as they are."""
        self._snapshot.adopt(await self._shop.parts.state(), is_deciding=True)

    async def keep_adopting(self) -> None:
        """Go by the flags as they are, until closing time."""
        while self.is_open:
            await self.adopt()
            await asyncio.sleep(PAUSE_S)

    async def write(self, name: str, arguments: Mapping[str, object]) -> None:
        """Make a call; its errors are counted."""
        state = await self._shop.parts.state()
        request = CallRequest(OPERATIONS[name], arguments, Deadline.after(CALL_S), "test")
        try:
            await self._writes.run(request, state)
        except CrossfadeError as error:
            self.outcomes[error.code] += 1
        else:
            self.outcomes["applied"] += 1

    async def keep_writing(self, calls: Iterator[Call]) -> None:
        """Write until closing time."""
        while self.is_open:
            await self.write(*next(calls))

    async def keep_repairing(self) -> None:
        """Repair until closing time, and then what is left."""
        while self.is_open or (await self._shop.parts.journal.backlog())[0]:
            await self.adopt()
            await self.repairer.run_once()
            await asyncio.sleep(PAUSE_S)


LINE = {"quantity": 1, "price_at_time": Decimal(1)}


TREE_CALLS: Sequence[Callable[[random.Random, int, str], Call]] = (
    lambda _, category, word: ("category.update", {"id": category, "name": word}),
    lambda _, category, word: ("category.create", {"name": word, "parent_id": category}),
    lambda draw, _, __: ("category.delete", {"id": draw.randint(5, 30)}),
    lambda draw, category, _: ("category.update", {"id": category, "parent_id": draw.randint(1, 8)}),
)


def calls(draw: random.Random) -> Iterator[Call]:
    """Calls without end: most on few rows, with moved keys, cascades and sold-out products among them."""
    while True:
        user, product, category = draw.randint(1, 9), draw.randint(1, 12), draw.randint(1, 8)
        word = f"{draw.choice('abcdef')}{draw.randint(0, 99)}"
        options: list[Call] = [
            ("cart.add_item", {"user_id": user, "product_id": product, "quantity": 1}),
            ("cart.remove_item", {"user_id": user, "product_id": product}),
            ("order.create_order", {"user_id": user, "total_amount": Decimal(product)}),
            (
                "order.create_order_item",
                {"order_id": user, "product_id": product, "quantity": 1, "price_at_time": 1},
            ),
            ("order.update_order_status", {"order_id": user, "status": "cancelled"}),
            ("order.checkout", {"user_id": user}),
            ("product.update_inventory", {"product_id": product, "quantity": draw.randint(0, 3)}),
            (
                "product.update_product",
                {"product_id": product, "seller_id": 1, "name": word, "category_id": category},
            ),
            ("user.create", {"username": word, "email": f"{word}@shop.test", "password_hash": "h"}),
            ("user.update", {"id": user, "email": f"{word}@moved.test"}),
            ("user.update", {"id": user, "first_name": word}),
            ("user.promote_to_super_admin", {"id": user}),
            ("user.demote_from_super_admin", {"id": user}),
            ("user.delete", {"id": draw.randint(6, 40)}),
            TREE_CALLS[draw.randrange(4)](draw, category, word),
        ]
        yield draw.choice(options)


@pytest.fixture
def keepers(swept_shop: SweptShop) -> Shopkeepers:
    """Writers at the planted shop."""
    return Shopkeepers(swept_shop)


async def test_sweeps_beside_writers_end_equal(swept_shop: SweptShop, keepers: Shopkeepers) -> None:
    """Nothing that writers do makes a backfill write what is old, or a verify call different what is under way."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(WRITERS):
            tasks.create_task(keepers.keep_writing(calls(random.Random(SEED + number))))
        tasks.create_task(keepers.keep_adopting())
        tasks.create_task(keepers.keep_repairing())
        for _ in range(ROUNDS):
            assert (await swept_shop.backfill()).is_complete
            report = await swept_shop.verify()
            assert [] == report.differences, "\n".join(report.lines())
        keepers.is_open = False
    assert (await swept_shop.verify()).is_equal
    assert 10 * ROUNDS <= keepers.outcomes["applied"], keepers.outcomes


async def test_a_user_who_comes_back_for_a_moment_is_no_failure(
    swept_shop: SweptShop, keepers: Shopkeepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether an item is gone is seen before its owner may write again: he may put it back, and leave once more."""
    await swept_shop.backfill()
    await keepers.adopt()
    ((address,),) = await swept_shop.mysql.rows("SELECT email FROM users WHERE id = 12")
    await swept_shop.mysql.execute("UPDATE users SET email = 'gone@moved.test' WHERE id = 12")
    returning: list[asyncio.Task[None]] = []
    look = DynamoDBSweep.items_at

    async def items_at(sweep: DynamoDBSweep, places: Collection[Place]) -> list[FoundItem]:
        returning.append(tasks.create_task(keepers.write("user.update", {"id": 12, "email": address})))
        await asyncio.wait(returning, timeout=RETURN_S)
        found = await look(sweep, places)
        if returning[-1].done():
            await keepers.write("user.update", {"id": 12, "email": "gone@moved.test"})
        return found

    monkeypatch.setattr(DynamoDBSweep, "items_at", items_at)
    async with asyncio.TaskGroup() as tasks:
        report = await swept_shop.backfill()
    assert report.is_complete, "\n".join(report.lines())
    assert [1, 1] == [len(returning), keepers.outcomes["applied"]]
    assert (await swept_shop.verify()).is_equal


async def test_verify_waits_for_what_the_repairer_owes(
    swept_shop: SweptShop, keepers: Shopkeepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference that an intent announces is gone once it is settled, and then counts as equal."""
    await swept_shop.backfill()
    ref = Ref(RowKind.USER, 12)
    item = await swept_shop.item_of(ref)
    await swept_shop.put(item.table, {**item.attributes, "username": {"S": "other"}})
    part = IntentPart((user_aggregate(12),), (ItemKey(item.table, item.partition, item.sort, ref),))
    await swept_shop.parts.journal.insert_due("test", [part], op_id=uuid4())
    asked = asyncio.Event()
    look_up = MySQLJournal.due

    async def due(journal: MySQLJournal, *, limit: int, aggregate: Aggregate | None = None) -> list[Intent]:
        found = await look_up(journal, limit=limit, aggregate=aggregate)
        if aggregate is not None:
            asked.set()
        return found

    async def repair_when_asked() -> None:
        await asked.wait()
        await keepers.adopt()
        await keepers.repairer.run_once()

    monkeypatch.setattr(MySQLJournal, "due", due)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(repair_when_asked())
        report = await swept_shop.verify()
    assert report.is_equal
    assert item.attributes == await swept_shop.get(key_of(item))
