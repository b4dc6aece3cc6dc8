"""Differences of every kind: each is found by the first read that shows it, told, and healed; the others by verify."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pytest

from adapters.deadline import Deadline
from adapters.dynamodb.caches import Caches
from adapters.dynamodb.client import found_item
from adapters.dynamodb.expressions import OP, VERSION
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.typed_json import Attributes
from proxy.settings import Settings
from proxy.sync.verify import verify
from tests.conformance.shop import CallFailed, Record, decode
from tests.conformance.shops import is_full_proof
from tests.fleet.fixtures import Figures, figures
from tests.fleet.waiting import lapse
from tests.integration.planted import Planted, Read, differences_in, items_of, make_usual_shop, reads_of
from tests.integration.test_dual_reads import switch
from tests.workers import SETTLE_PAUSE_S, WorkerShop, open_worker

__all__ = ["figures"]

PLANTED: Final = 200 if is_full_proof() else 20
SETTLE_S: Final = 10.0
SECRET: Final = "$2b$"
EXTRA: Final = {
    "user": "INSERT INTO users (username, email, password_hash) VALUES ('extra', 'extra@shop.test', '$2b$12$extra')",
    "product": "INSERT INTO products (seller_id, category_id, name, price) SELECT seller_id, category_id, 'Extra', 1 "
    "FROM products LIMIT 1",
    "category": "INSERT INTO categories (name) VALUES ('Extra')",
    "cart": "INSERT INTO shopping_carts (user_id, product_id) SELECT MAX(user_id), MIN(product_id) + 1 "
    "FROM orders JOIN shopping_carts USING (user_id)",
    "order": "INSERT INTO orders (user_id, total_amount) SELECT user_id, 77 FROM orders LIMIT 1",
}
TABLES: Final = {"user": "users", "product": "products", "category": "categories", "cart": "shopping_carts"}


@dataclass(frozen=True, slots=True)
class Bench:
    """A worker in phase 4 that compares all it reads, its shop, and what it can be asked."""

    shop: WorkerShop
    keys: Keys
    items: dict[Key, Attributes]
    reads: Sequence[Read]

    async def lay(self, key: Key, item: Attributes | None) -> None:
        """Put an item beside the proxy, or delete it; the worker forgets what it keeps, as after a restart."""
        client = self.shop.worker.databases.client
        if item is None:
            await client.request("DeleteItem", {"TableName": client.table_name(key.table), "Key": self.keys.typed(key)})
        else:
            placed = {**item, **self.keys.typed(key)}
            await client.request("PutItem", {"TableName": client.table_name(key.table), "Item": placed})
        self.forget()

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self.shop.worker.databases.target.caches = Caches(self.keys)

    async def get(self, key: Key) -> Attributes | None:
        """What lies there."""
        client = self.shop.worker.databases.client
        where = {"TableName": client.table_name(key.table), "Key": self.keys.typed(key), "ConsistentRead": True}
        return found_item(await client.request("GetItem", where))

    async def found_by(self) -> tuple[Read, Record] | None:
        """The first read that fails for a mismatch, and what it tells."""
        for operation, arguments in self.reads:
            try:
                await self.shop.call(operation, **arguments)
            except CallFailed as failure:
                if failure.code != "data_mismatch":
                    raise
                return (operation, arguments), dict(failure.problem)
        return None

    async def heal(self) -> None:
        """Wait for what a mismatch asked for."""
        await self.shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
        async with asyncio.timeout(SETTLE_S):
            while (await self.shop.worker.databases.journal.backlog())[0]:
                await self.shop.worker.repairer.run_once()
                await lapse(SETTLE_PAUSE_S)

    async def kept_report(self) -> Record:
        """The newest mismatch kept."""
        ((text,),) = await self.shop.rows("SELECT report FROM crossfade_mismatch ORDER BY id DESC LIMIT 1")
        kept: Record = decode(str(text).encode())
        return kept


@pytest.fixture
async def bench(worker_settings: Settings) -> AsyncIterator[Bench]:
    """The policy is raise."""
    async with open_worker(worker_settings) as shop:
        databases = shop.worker.databases
        state = await databases.control.read()
        await switch(shop, replace(state.flags, dual_read=True, validation=True))
        await make_usual_shop(shop)
        keys = Keys(databases.contract)
        items = dict(await items_of(databases.client, databases.contract, keys))
        yield Bench(shop, keys, items, await reads_of(shop))


async def test_every_planted_difference_is_found(
    bench: Bench, figures: Figures, caplog: pytest.LogCaptureFixture
) -> None:
    """By the first read that shows it, with path, both values and no secret, and healed; what none shows, by verify."""
    every = list(differences_in(bench.items, bench.keys))
    draw = random.Random(4)
    by_read, by_verify = Counter[str](), Counter[str]()
    for planted in draw.sample(every, min(PLANTED, len(every))):
        await bench.lay(planted.key, planted.after)
        told = await bench.found_by()
        if told is None:
            by_verify[planted.name] += 1
            await demand_verify_finds(bench, planted)
        else:
            by_read[planted.name] += 1
            await demand_told_and_healed(bench, planted, *told)
    figures(
        f"{by_read.total() + by_verify.total()} of {len(every)} differences planted, {len(by_read | by_verify)} kinds: "
        f"{by_read.total()} found by reads and healed, {by_verify.total()} by verify alone {dict(by_verify)}"
    )
    assert by_read
    assert caplog.records
    assert SECRET not in str([vars(record) for record in caplog.records])
    await bench.shop.settle_and_compare()


async def demand_told_and_healed(bench: Bench, planted: Planted, read: Read, problem: Record) -> None:
    """The problem has path and both values, so has the report kept; the item is as it was, and the read agrees."""
    differences = problem["report"]["differences"]
    assert differences, planted
    assert all({"path", "mysql", "dynamodb", "message"} == each.keys() for each in differences), planted
    assert all(each["mysql"] != each["dynamodb"] or each["mysql"] == "***" for each in differences), planted
    await bench.heal()
    kept = await bench.kept_report()
    assert as_texts(differences) == as_texts(kept["differences"]), planted
    assert SECRET not in f"{problem}{kept}", planted
    operation, arguments = read
    await bench.shop.call(operation, **arguments)
    assert own_part(planted.before) == own_part(await bench.get(planted.key)), (planted.name, read, differences)


def own_part(item: Attributes | None) -> Attributes | None:
    """An item without the version that a repair gives a fence."""
    return item and {name: value for name, value in item.items() if name not in {VERSION, OP}}


def as_texts(differences: Sequence[Record]) -> list[Record]:
    """Differences with their values as texts: money is kept as one."""
    return [{name: str(value) for name, value in each.items()} for each in differences]


async def demand_verify_finds(bench: Bench, planted: Planted) -> None:
    """Verify names the item; then it is as before."""
    report = await verify(bench.shop.worker.databases.sweep, progress=lambda _: None)
    place = f"{planted.key.table} {planted.key.partition}"
    assert any(each.item.startswith(place) for each in report.differences), (planted, report.lines())
    await bench.lay(planted.key, planted.before)


@pytest.mark.parametrize("kind", EXTRA)
async def test_items_without_a_row_are_found_and_removed(bench: Bench, kind: str) -> None:
    """A row that somebody deletes beside the proxy leaves all its items: a read tells, and all of them go."""
    table = TABLES.get(kind, "orders")
    await bench.shop.execute(EXTRA[kind])
    await bench.shop.copy()
    wider = replace(bench, reads=await reads_of(bench.shop))
    await bench.shop.execute(f"DELETE FROM {table} ORDER BY id DESC LIMIT 1")
    wider.forget()
    told = await wider.found_by()
    assert told is not None
    await wider.heal()
    while (again := await wider.found_by()) is not None:
        assert again[0] != told[0], again
        told = again
        await wider.heal()
    databases = bench.shop.worker.databases
    left = await items_of(databases.client, databases.contract, bench.keys)
    assert {key for key in bench.items if key.table != "Fence"} == {key for key in left if key.table != "Fence"}
    # How many products a category has no read shows.
    await bench.shop.copy()
    await bench.shop.settle_and_compare()
