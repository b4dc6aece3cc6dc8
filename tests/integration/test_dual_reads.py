"""Reads of both databases by workers, while others write, and after the two were made to differ."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from adapters.changes import IntentPart, product_aggregate, user_aggregate
from adapters.deadline import Deadline
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.typed_json import Attributes
from adapters.errors import CrossfadeError
from adapters.flags import Flags, MismatchPolicy
from adapters.operations import catalogue
from adapters.ports.store import Restart, RestartCause
from adapters.values import ProductFilters
from proxy.calls import CallRequest
from proxy.dual_read import attribute_of
from proxy.metrics import DualReadResult
from proxy.settings import Settings
from proxy.wiring.databases import SOURCE_NAME
from tests.conformance.refusals import failure_of
from tests.conformance.scene import Scene, make_scene
from tests.conformance.shop import CallFailed, Json, Record, decode
from tests.conformance.shops import is_full_proof
from tests.factories import make_category, make_line, make_product, make_user
from tests.fleet.fixtures import Figures, figures
from tests.fleet.waiting import lapse
from tests.workers import WorkerShop, open_worker

__all__ = ["figures"]

PRODUCTS = 10_000 if is_full_proof() else 1_000
COMBINATIONS = 1_000 if is_full_proof() else 100
RENEWALS = 400 if is_full_proof() else 15
LITTLE = 3
HOT_READS = 50_000 if is_full_proof() else 300
READERS = 4
WRITERS = 4
WRITES_EACH_S = 60
WORDS = ("tea", "Straße", "blue", "é", "e\u0301", "東京", "100%", "_", "cup", "ÅNGSTRÖM", "big")
SETTLE_S = 10.0
OPERATIONS = catalogue()


@pytest.fixture
async def shop(worker_settings: Settings) -> AsyncIterator[WorkerShop]:
    """A worker in phase 4 with the other database compared, where a difference fails the read."""
    async with open_worker(worker_settings) as opened:
        state = await opened.worker.databases.control.read()
        await switch(opened, replace(state.flags, dual_read=True, validation=True))
        yield opened


@pytest.fixture
async def other(worker_settings: Settings) -> AsyncIterator[WorkerShop]:
    """Another worker of the same fleet."""
    async with open_worker(worker_settings) as opened:
        yield opened


def listed(page: Json) -> list[int]:
    """The ids of a page."""
    return [product["id"] for product in page["products"]]


async def edit(shop: WorkerShop, key: Key, values: Attributes) -> None:
    """Change attributes of an item beside the proxy."""
    client, keys = shop.worker.databases.client, Keys(shop.worker.databases.contract)
    where = {"TableName": client.table_name(key.table), "Key": keys.typed(key)}
    item: Attributes = (await client.request("GetItem", {**where, "ConsistentRead": True}))["Item"]
    await client.request("PutItem", {"TableName": client.table_name(key.table), "Item": {**item, **values}})


async def result_of(shop: WorkerShop, operation: str, **arguments: object) -> str:
    """What came of a dual read: as the caller is told, a mismatch by its code."""
    request = CallRequest(OPERATIONS[operation], arguments, Deadline.after(SETTLE_S), "test")
    try:
        return str((await shop.worker.dispatch.call(request)).shadow)
    except CrossfadeError as error:
        return error.code


async def test_a_write_is_seen_by_the_other_worker_in_its_next_call(shop: WorkerShop, other: WorkerShop) -> None:
    """In lists, totals, details and the tree, whichever worker wrote and whatever the other one keeps."""
    for writer, reader in ((shop, other), (other, shop)):
        word = uuid4().hex
        seller = await make_user(writer)
        category = await make_category(writer)
        found = {"category_id": category["id"]}
        assert 0 == (await reader.call("product.get_products_by_category", **found))["total"]
        product = await make_product(writer, seller_id=seller["id"], name=word, inventory_quantity=1, **found)
        own = {"product_id": product["id"], "seller_id": seller["id"]}
        page = await reader.call("product.get_products_by_category", **found)
        assert ([product["id"]], 1) == (listed(page), page["total"])
        await writer.call("category.update", id=category["id"], name=f"to {word}")
        details = await reader.call("product.get_product_with_details", product_id=product["id"])
        assert f"to {word}" == details["category_name"]
        await writer.call("user.update", id=seller["id"], email=f"{word}@shop.test")
        (shown,) = (await reader.call("product.search_products", search_term=word))["products"]
        assert f"{word}@shop.test" == shown["seller_email"]
        in_stock = {"filters": {"in_stock_only": True, "search": word}}
        assert 1 == (await reader.call("product.get_products", **in_stock))["total"]
        await writer.call("product.reduce_inventory", product_id=product["id"], quantity=1)
        assert 0 == (await reader.call("product.get_products", **in_stock))["total"]
        await writer.call("product.update_product", **own, price=Decimal("77.77"))
        bounds = {"filters": {"min_price": Decimal("77.77"), "search": word}}
        assert 1 == (await reader.call("product.get_products", **bounds))["total"]
        await writer.call("product.delete_product", **own)
        assert 0 == (await reader.call("product.search_products", search_term=word))["total"]
        assert await writer.call("category.delete", id=category["id"])
        assert await reader.call("category.find_by_id", id=category["id"]) is None


async def test_lists_equal_those_of_the_authority_while_writers_change_products(
    shop: WorkerShop, other: WorkerShop, figures: Figures
) -> None:
    """Random filters over generated products: whatever differed is explained by a write, and nothing is a mismatch."""
    draw = random.Random(11)
    sellers, categories = await fill(shop, draw)
    await shop.copy()
    until = asyncio.Event()
    served = 0
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(change_products(other, draw, categories, until))
        try:
            for _ in range(COMBINATIONS):
                page = {"filters": filters_from(draw, sellers, categories), "page": draw.choice([1, 1, 2, 9])}
                served += await is_served(shop.call("product.get_products", **page))
        finally:
            until.set()
    assert writing.result()
    figures(f"{served} of {COMBINATIONS} lists of {PRODUCTS} products served beside {writing.result()} changes")
    assert served > COMBINATIONS * 0.9
    for _ in range(COMBINATIONS):
        asked = ProductFilters(**filters_from(draw, sellers, categories))
        page = {"filters": asked, "page": draw.choice([1, 2, 5]), "limit": draw.choice([1, 20, 100])}
        assert DualReadResult.MATCH == await result_of(shop, "product.get_products", **page)
    await shop.settle_and_compare()


async def test_lists_are_the_same_whatever_was_written_between_them(shop: WorkerShop, other: WorkerShop) -> None:
    """A worker brings up what it keeps over a few writes at once, in a shop so little that often all of it changes."""
    draw = random.Random(17)
    little = LittleShop(other, draw)
    for number in range(RENEWALS):
        writes = [await little.change() for _ in range(draw.randint(1, 6))]
        for read, arguments in (("product.get_products", {"limit": 1000}), ("category.find_all", {})):
            result = await result_of(shop, read, **arguments)
            assert DualReadResult.MATCH == result, f"{read} after {writes} of round {number}"
    await shop.settle_and_compare()


@dataclass(slots=True)
class LittleShop:
    """A shop of at most so many users, categories and products, which come and go at random."""

    shop: WorkerShop
    draw: random.Random
    users: set[int] = field(default_factory=set)
    categories: set[int] = field(default_factory=set)
    sellers: dict[int, int] = field(default_factory=dict)
    """Of each product."""

    async def change(self) -> str:
        """One write, or none where the one drawn has nothing to work on; its name."""
        change = self.draw.choice([self.join, self.leave, self.move, self.open, self.rename, self.close, *self.often])
        await change()
        return change.__name__

    @property
    def often(self) -> list[Callable[[], Awaitable[None]]]:
        """What happens most."""
        return [self.offer, self.withdraw] * 3

    async def join(self) -> None:
        """A user more."""
        if len(self.users) < LITTLE:
            self.users.add((await make_user(self.shop))["id"])

    async def leave(self) -> None:
        """A user less, with all that the user sold."""
        if len(self.users) == LITTLE:
            user = self._one_of(self.users)
            await self.shop.call("user.delete", id=user)
            self.users.remove(user)
            self.sellers = {product: seller for product, seller in self.sellers.items() if seller != user}

    async def move(self) -> None:
        """Another email of a user."""
        if self.users:
            await self.shop.call("user.update", id=self._one_of(self.users), email=f"{uuid4().hex}@shop.test")

    async def open(self) -> None:
        """A category more, somewhere in the tree."""
        if len(self.categories) < LITTLE:
            parent = self.draw.choice([None, *sorted(self.categories)])
            self.categories.add((await make_category(self.shop, parent_id=parent))["id"])

    async def rename(self) -> None:
        """Another name of a category."""
        if self.categories:
            await self.shop.call("category.update", id=self._one_of(self.categories), name=uuid4().hex)

    async def close(self) -> None:
        """A category less, unless something is in it."""
        if self.categories:
            category = self._one_of(self.categories)
            with suppress(CallFailed):
                await self.shop.call("category.delete", id=category)
                self.categories.remove(category)

    async def offer(self) -> None:
        """A product more."""
        if self.users and self.categories and len(self.sellers) < LITTLE:
            seller, category = self._one_of(self.users), self._one_of(self.categories)
            self.sellers[(await make_product(self.shop, seller_id=seller, category_id=category))["id"]] = seller

    async def withdraw(self) -> None:
        """A product less."""
        if self.sellers:
            product = self._one_of(self.sellers)
            own = {"product_id": product, "seller_id": self.sellers.pop(product)}
            await self.shop.call("product.delete_product", **own)

    def _one_of(self, ids: Collection[int]) -> int:
        return self.draw.choice(sorted(ids))


async def change_products(shop: WorkerShop, draw: random.Random, categories: list[int], until: asyncio.Event) -> int:
    """Change what lists show of random products until told to stop; the number of changes."""
    rows = await shop.rows("SELECT id, seller_id FROM products")
    changes = 0
    while not until.is_set():
        stock = {"product_id": draw.choice(rows)[0], "quantity": draw.choice([0, 0, 3])}
        changes += await is_served(shop.call("product.update_inventory", **stock))
        product_id, seller_id = draw.choice(rows)
        price = Decimal(draw.randint(1, 5000)) / 100
        new = {"name": name_from(draw), "price": price, "category_id": draw.choice(categories)}
        own = {"product_id": product_id, "seller_id": seller_id}
        changes += await is_served(shop.call("product.update_product", **own, **new))
    return changes


async def is_served(call: Awaitable[object]) -> bool:
    """Whether a call is answered. A machine that is busy with other things may have none in time: no mismatch."""
    try:
        await call
    except CallFailed as failure:
        if failure.code not in {"unavailable", "deadline_exceeded"}:
            raise
        return False
    return True


async def fill(shop: WorkerShop, draw: random.Random) -> tuple[list[int], list[int]]:
    """Products of a few sellers in a small tree, planted; the sellers and the categories."""
    sellers = [(await make_user(shop))["id"] for _ in range(5)]
    roots = [(await make_category(shop))["id"] for _ in range(3)]
    categories = [*roots, *[(await make_category(shop, parent_id=draw.choice(roots)))["id"] for _ in range(7)]]
    for _ in range(PRODUCTS):
        description = None if draw.random() < 0.2 else " ".join(draw.choices(WORDS, k=12))
        await shop.plant(
            "products",
            seller_id=draw.choice(sellers),
            category_id=draw.choice(categories),
            name=name_from(draw),
            description=description,
            price=Decimal(draw.randint(1, 5000)) / 100,
            inventory_quantity=draw.choice([0, 1, 50]),
            created_at=f"2026-01-31 09:{draw.randint(0, 59):02}:00",
        )
    return sellers, categories


def name_from(draw: random.Random) -> str:
    """A name of some words."""
    return " ".join(draw.choices(WORDS, k=2))


def filters_from(draw: random.Random, sellers: list[int], categories: list[int]) -> Record:
    """Any of the filters, each as often there as not."""
    every: Record = {
        "category_id": draw.choice([*categories, 2**30]),
        "seller_id": draw.choice(sellers),
        "search": draw.choice([*WORDS, "E", "TEA BLUE", "o\u0308", ""]),
        "min_price": Decimal(draw.randint(0, 60_000)) / 1000,
        "max_price": Decimal(draw.randint(0, 60_000)) / 1000,
        "in_stock_only": True,
    }
    return {name: value for name, value in every.items() if draw.random() < 0.35}


async def test_a_hot_product_is_no_mismatch(shop: WorkerShop, other: WorkerShop, figures: Figures) -> None:
    """Written sixty times a second while it is read: every difference is found to be a write's."""
    product = await make_product(shop, inventory_quantity=5)
    until, results, written = asyncio.Event(), Counter[str](), Counter[bool]()
    clock, quantities = asyncio.get_running_loop().time, count(1)

    async def write() -> None:
        due_s = clock()
        while not until.is_set():
            stock = {"product_id": product["id"], "quantity": next(quantities)}
            written[await is_served(other.call("product.update_inventory", **stock))] += 1
            due_s += WRITERS / WRITES_EACH_S  # Late writes are made up for, so that the rate holds on the whole.
            await lapse(max(0.0, due_s - clock()))

    async def read() -> None:
        while results.total() < HOT_READS:
            results[await result_of(shop, "product.get_product_by_id", product_id=product["id"])] += 1

    began_s = clock()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WRITERS):
            tasks.create_task(write())
        try:
            async with asyncio.TaskGroup() as readers:
                for _ in range(READERS):
                    readers.create_task(read())
        finally:
            until.set()
    figures(
        f"{dict(results)} of reads beside {written[True] / (clock() - began_s):.0f} writes a second of the same product"
    )
    assert results["match"] > 0
    assert {"match", "transient", "error", "unavailable", "deadline_exceeded"} >= results.keys()
    assert results["match"] + results["transient"] > HOT_READS * 0.99


async def test_a_difference_is_reported_and_kept(shop: WorkerShop) -> None:
    """With its paths and both values, to the caller and for later."""
    product = await make_product(shop)
    keys = Keys(shop.worker.databases.contract)
    await edit(shop, keys.product(product["id"]), {"product_name": {"S": "Another"}, "image_url": {"S": "http://x"}})
    failure = await failure_of(shop.call("product.get_product_by_id", product_id=product["id"]))
    assert "data_mismatch" == failure.code
    assert f"name mismatch: DynamoDB='Another', MySQL='{product['name']}'" in str(failure.problem["detail"])
    assert ["name", "image_url"] == [each["path"] for each in failure.problem["report"]["differences"]]
    await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
    kept = await shop.rows("SELECT entity, operation, report FROM crossfade_mismatch ORDER BY id DESC LIMIT 1")
    ((entity, operation, report),) = kept
    assert ("product", "product.get_product_by_id") == (entity, operation)
    assert failure.problem["report"]["differences"] == decode(str(report).encode())["differences"]
    await shop.worker.repairer.run_once()
    await shop.settle_and_compare()


Difference = tuple[Key, Attributes | None, str, Record, str]
"""An item, its new values or None to delete it, a read that shows it, and the attribute that is told."""
RESULT = "result"


def planted_in(scene: Scene, keys: Keys) -> dict[str, Difference]:
    """Differences of every kind."""
    buyer, product, order = scene.buyer, scene.product, scene.order
    orders = keys.orders(buyer["email"])
    base = Key(orders.table, orders.partition, f"{orders.sort_prefix}{order['created_at']}#{order['id']:010d}")
    line = keys.cart_item(email=buyer["email"], product_id=product["id"])
    uid, uname, email = keys.user_by_id(buyer["id"]), keys.user_by_name(buyer["username"]), keys.user(buyer["email"])
    pointer = keys.order_by_id(order["id"])
    fence, goods = keys.fence(user_aggregate(buyer["id"])), keys.product(product["id"])
    pair, own = {"user_id": buyer["id"], "product_id": product["id"]}, {"user_id": buyer["id"]}
    find, by_id = {"id": buyer["id"]}, {"order_id": order["id"]}
    by_name, by_email = {"username": buyer["username"]}, {"email": buyer["email"]}
    by_product = {"product_id": product["id"]}
    return {
        "username": (uid, {"username": {"S": "x"}}, "user.find_by_id", find, "username"),
        "secret": (uid, {"password_hash": {"S": "x"}}, "user.find_by_id", find, "password_hash"),
        "null for empty": (uid, {"profile_data": {"M": {}}}, "user.find_by_id", find, "first_name"),
        "flag": (uid, {"is_seller": {"BOOL": True}}, "user.find_by_id", find, "is_seller"),
        "time": (uid, {"created_at": {"S": "2020-01-31T09:15:00Z"}}, "user.find_by_id", find, "created_at"),
        "user gone": (uid, None, "user.find_by_id", find, RESULT),
        "stale marker": (uname, {"email": {"S": "old@x"}}, "user.find_by_username", by_name, "email"),
        "email gone": (email, None, "user.exists_by_email", by_email, RESULT),
        "quantity": (line, {"quantity": {"N": "9"}}, "cart.get_cart_item_by_user_and_product", pair, "quantity"),
        "line gone": (line, None, "cart.get_cart_items", own, RESULT),
        "line not counted": (line, None, "cart.get_cart_item_count", own, RESULT),
        "status": (base, {"order_status": {"S": "cancelled"}}, "order.get_order_by_id", by_id, "status"),
        "items": (base, {"order_items": {"L": []}}, "order.get_user_orders", own, "items"),
        "pointer gone": (pointer, None, "order.get_order_by_id", by_id, RESULT),
        "another's pointer": (pointer, {"owner": {"S": "user#999999"}}, "order.get_order_by_id", by_id, RESULT),
        "nobody's pointer": (pointer, {"owner": {"S": "nobody"}}, "order.get_order_by_id", by_id, RESULT),
        "order gone": (base, None, "order.get_user_orders", own, RESULT),
        "count": (fence, {"orders": {"N": "7"}}, "order.get_user_order_count", own, RESULT),
        "nothing to read": (goods, {"price": {"S": "dear"}}, "product.get_product_by_id", by_product, RESULT),
        "price": (goods, {"price": {"N": "1.99"}}, "product.get_product_by_id", by_product, "price"),
        "product gone": (goods, None, "product.get_product_by_id", by_product, RESULT),
    }


async def test_every_planted_difference_is_found_and_healed(shop: WorkerShop) -> None:
    """Missing items, each kind of value, stale markers: by the read that shows it, by name; the next one agrees."""
    scene = await make_scene(shop)
    client, keys = shop.worker.databases.client, Keys(shop.worker.databases.contract)
    for name, (key, values, operation, arguments, attribute) in planted_in(scene, keys).items():
        if values is None:
            where = {"TableName": client.table_name(key.table), "Key": keys.typed(key)}
            await client.request("DeleteItem", where)
        else:
            await edit(shop, key, values)
        failure = await failure_of(shop.call(operation, **arguments))
        assert "data_mismatch" == failure.code, name
        assert attribute == attribute_of(failure.problem["report"]["differences"][0]["path"]), name
        assert "$2b$" not in str(failure.problem), name
        await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
        await shop.worker.repairer.run_once()
        assert DualReadResult.MATCH == await result_of(shop, operation, **arguments), name
    await shop.settle_and_compare()


async def test_an_extra_line_is_removed(shop: WorkerShop) -> None:
    """An item of a row that there is not, found by the read that shows it."""
    user, product = await make_user(shop), await make_product(shop)
    await make_line(shop, user, product)
    keys = Keys(shop.worker.databases.contract)
    line = keys.cart_item(email=user["email"], product_id=product["id"])
    await shop.execute(f"DELETE FROM shopping_carts WHERE user_id = {user['id']}")
    assert "data_mismatch" == (await failure_of(shop.call("cart.get_cart_item_count", user_id=user["id"]))).code
    await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
    await shop.worker.repairer.run_once()
    where = {"TableName": shop.worker.databases.client.table_name(line.table), "Key": keys.typed(line)}
    assert "Item" not in await shop.worker.databases.client.request("GetItem", where)
    assert 0 == await shop.call("cart.get_cart_item_count", user_id=user["id"])


async def test_a_difference_that_a_write_explains_is_transient(shop: WorkerShop) -> None:
    """A writer that holds the aggregate, and an intent that is still owed, are told from a lasting difference."""
    product = await make_product(shop)
    keys, databases = Keys(shop.worker.databases.contract), shop.worker.databases
    await edit(shop, keys.product(product["id"]), {"product_name": {"S": "Another"}})
    read = {"product_id": product["id"]}
    state = await databases.control.read()
    async with databases.writer.unit(state, deadline=Deadline.after(SETTLE_S)) as unit:
        await unit.lock_now([product_aggregate(product["id"])])
        assert DualReadResult.TRANSIENT == await result_of(shop, "product.get_product_by_id", **read)
    part = IntentPart((product_aggregate(product["id"]),), ())
    await databases.journal.insert_due("test", [part], op_id=uuid4())
    assert DualReadResult.TRANSIENT == await result_of(shop, "product.get_product_by_id", **read)
    await shop.worker.repairer.run_once()
    assert "data_mismatch" == await result_of(shop, "product.get_product_by_id", **read)
    await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
    await shop.settle_and_compare()


async def test_a_witness_holds_writers_and_notices_a_switch(shop: WorkerShop) -> None:
    """While it holds an aggregate nobody else gets it; under another epoch it holds nothing."""
    databases, aggregate = shop.worker.databases, product_aggregate(2**30)
    state, deadline = await databases.control.read(), Deadline.after(SETTLE_S)
    async with databases.witness.hold([aggregate], epoch=state.epoch, deadline=deadline) as stillness:
        assert not await stillness.is_unsettled()
        async with databases.writer.unit(state, deadline=deadline) as unit:
            with pytest.raises(Restart) as refused:
                await unit.lock_now([aggregate])
            assert RestartCause.LOCK_CONFLICT is refused.value.cause
    with pytest.raises(Restart) as moved:
        async with databases.witness.hold([aggregate], epoch=state.epoch + 1, deadline=deadline):
            pass
    assert RestartCause.EPOCH_MOVED is moved.value.cause


@pytest.mark.parametrize("is_torn", [False, True])
async def test_under_report_the_caller_gets_the_answer_and_the_log_the_difference(
    shop: WorkerShop, *, is_torn: bool
) -> None:
    """The comparison goes on behind the answer; the difference is counted, kept and healed all the same.

    So it is where the item makes no answer, and the caller gets none.
    """
    product = await make_product(shop)
    databases = shop.worker.databases
    async with flagged(shop, mismatch_policy=MismatchPolicy.REPORT):
        torn = {"seller_id": {"S": "torn"}} if is_torn else {}
        await edit(shop, Keys(databases.contract).product(product["id"]), {"product_name": {"S": "Another"}, **torn})
        call = shop.call("product.get_product_by_id", product_id=product["id"])
        if is_torn:
            assert "unavailable" == (await failure_of(call)).code
        else:
            assert "Another" == (await call)["name"]
        await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
        await shop.worker.repairer.run_once()
        assert product["name"] == (await shop.call("product.get_product_by_id", product_id=product["id"]))["name"]
        await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
    await shop.settle_and_compare()


@pytest.mark.parametrize(("percent", "compared"), [(0, range(1)), (50, range(60, 141))])
async def test_reads_out_of_the_sample_ask_the_authority_alone(
    shop: WorkerShop, percent: int, compared: Collection[int]
) -> None:
    """They count as skipped; chance decides which, and 40 of 200 off the middle comes once in 10 to the 8."""
    product = await make_product(shop)
    read = {"product_id": product["id"]}
    async with flagged(shop, compare_percent=percent):
        before = source_calls(shop)
        results = Counter([await result_of(shop, "product.get_product_by_id", **read) for _ in range(200)])
    assert {DualReadResult.MATCH, DualReadResult.SKIPPED} >= results.keys()
    assert results[DualReadResult.MATCH] in compared
    assert results[DualReadResult.MATCH] == source_calls(shop) - before


async def test_reads_that_are_not_compared_go_to_both_all_the_same(shop: WorkerShop) -> None:
    """Nobody waits for the other database, or learns that it differs or fails; compared again, it does differ."""
    product = await make_product(shop)
    read = {"product_id": product["id"]}
    await edit(shop, Keys(shop.worker.databases.contract).product(product["id"]), {"product_name": {"S": "Another"}})
    async with flagged(shop, validation=False):
        before = source_calls(shop)
        assert DualReadResult.SKIPPED == await result_of(shop, "product.get_product_by_id", **read)
        await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
        assert 1 == source_calls(shop) - before
        await shop.execute("RENAME TABLE products TO products_away")
        try:
            assert "Another" == (await shop.call("product.get_product_by_id", **read))["name"]
            await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
        finally:
            await shop.execute("RENAME TABLE products_away TO products")
    assert "data_mismatch" == await result_of(shop, "product.get_product_by_id", **read)
    await shop.worker.comparisons.drain(Deadline.after(SETTLE_S))
    await shop.worker.repairer.run_once()
    await shop.settle_and_compare()


@asynccontextmanager
async def flagged(shop: WorkerShop, **changes: Any) -> AsyncIterator[None]:  # noqa: ANN401  # flags, of several types
    """With these flags changed."""
    flags = (await shop.worker.databases.control.read()).flags
    await switch(shop, replace(flags, **changes))
    try:
        yield
    finally:
        await switch(shop, flags)


def source_calls(shop: WorkerShop) -> float:
    """How often MySQL has read a product by its id."""
    labels = {"database": SOURCE_NAME, "entity": "product", "operation": "get_product_by_id", "result": "ok"}
    registry = shop.worker.metrics.values.registry
    return registry.get_sample_value("crossfade_database_calls_total", labels) or 0.0


async def switch(shop: WorkerShop, flags: Flags) -> None:
    """Change the flags, and let this worker see it."""
    control = shop.worker.databases.control
    epoch = (await control.read()).epoch
    await control.switch(flags, expected_epoch=epoch, who="test", address="", reason="test")
    await shop.worker.poll.run_once()


async def test_a_record_is_made_though_somebody_looked_for_its_id_before(shop: WorkerShop) -> None:
    """An id that no record has yet is held still under a version row, which the record then goes on from."""
    databases = shop.worker.databases
    state, deadline = await databases.control.read(), Deadline.after(SETTLE_S)
    ahead = user_aggregate((await make_user(shop))["id"] + 1)
    async with databases.witness.hold([ahead], epoch=state.epoch, deadline=deadline):
        pass
    assert ahead.id == (await make_user(shop))["id"]
    assert [(1,)] == await shop.rows(f"SELECT version FROM crossfade_version WHERE kind = 2 AND id = {ahead.id}")
    await shop.settle_and_compare()
