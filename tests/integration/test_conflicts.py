"""A service that is busy: transactions that meet others, requests that it throttles. The answers stay the same."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import pytest

from proxy.settings import Settings
from tests.conformance.drivers import ReferenceShop
from tests.conformance.scene import Calls, Scene, calls_in
from tests.conformance.shop import OPERATIONS
from tests.conformance.shops import is_full_proof
from tests.conformance.test_random_sequences import FIRST_STEPS, Step
from tests.conformance.twins import Pick, Side, differences
from tests.fleet.fixtures import Figures, figures
from tests.integration.test_dual_reads import switch
from tests.servers import DynamoDBEndpoint
from tests.wire_faults import Answer, Fault, Request, WireFaults
from tests.workers import WorkerShop, open_worker

__all__ = ["figures"]

CONFLICTS: Final = 0.3
THROTTLED: Final = 0.1
BUYER: Final = {"id": Pick("user", 1), "username": "first", "email": "first"}
SELLER: Final = {"id": Pick("user", 0)}
CATEGORY: Final = {"id": Pick("category", 0), "parent_id": Pick("category", 1), "name": "second"}
PRODUCT: Final = {"id": Pick("product", 0), "price": Decimal("12.50")}
CALLS: Final[Calls] = calls_in(Scene(BUYER, SELLER, CATEGORY, PRODUCT, {"id": Pick("order", 0)}))
MORE_STEPS: Final[list[Step]] = [
    ("cart.add_item", {"user_id": BUYER["id"], "product_id": PRODUCT["id"], "quantity": 1}),
    ("order.create_order", {"user_id": BUYER["id"], "total_amount": Decimal("1.10")}),
]
ROUNDS: Final = 2 if is_full_proof() else 1


class Busy:
    """A rule by chance, and what it did."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.given: Counter[str] = Counter()

    def __call__(self, request: Request) -> Fault | Answer:
        """See Rule."""
        if request.action.startswith("Transact") and self._draw.random() < CONFLICTS:
            reasons = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * (len(request.body["TransactItems"]) - 1)]
            return self._answer("TransactionCanceledException", CancellationReasons=reasons)
        if self._draw.random() < THROTTLED:
            return self._answer("ProvisionedThroughputExceededException")
        return Fault.NONE

    def _answer(self, code: str, **members: object) -> Answer:
        self.given[code] += 1
        return Answer(400, code, members)


@pytest.fixture
async def busy(dynamodb_server: DynamoDBEndpoint) -> AsyncIterator[WireFaults]:
    """The way to DynamoDB, quiet at first."""
    async with WireFaults(dynamodb_server.url) as wire:
        yield wire


@pytest.fixture
async def shop(worker_settings: Settings, busy: WireFaults) -> AsyncIterator[WorkerShop]:
    """A worker in phase 4 that reaches DynamoDB by it; a difference fails the read."""
    on_wire = replace(worker_settings, dynamodb=replace(worker_settings.dynamodb, endpoint=busy.url))
    async with open_worker(on_wire) as opened:
        state = await opened.worker.databases.control.read()
        await switch(opened, replace(state.flags, dual_read=True, validation=True))
        yield opened


def utc_now() -> datetime:
    """The time that databases stamp rows with."""
    return datetime.now(UTC).replace(microsecond=0)


async def test_conflicts_and_throttling_change_no_answer(shop: WorkerShop, busy: WireFaults, figures: Figures) -> None:
    """All operations, the reads again after each write, beside a plain shop in memory: both answer alike."""
    found, expected = Side(shop), Side(ReferenceShop(is_dual=True, clock=utc_now))
    reads = [step for step in CALLS.items() if not OPERATIONS[step[0]].is_write]
    writes = [step for step in CALLS.items() if OPERATIONS[step[0]].is_write]
    rule = busy.rule = Busy(random.Random(7))
    for number in range(ROUNDS):
        for name, arguments in [*FIRST_STEPS, *MORE_STEPS, *reads, *_with_reads(writes, reads)]:
            answers = await expected.answer(name, dict(arguments)), await found.answer(name, dict(arguments))
            assert [] == differences(*answers), f"{name} {arguments} in round {number}"
    figures(f"{ROUNDS} rounds of all operations, a busy service's answers among them: {dict(rule.given)}")
    assert {"TransactionCanceledException", "ProvisionedThroughputExceededException"} == rule.given.keys()
    await shop.settle_and_compare()


def _with_reads(writes: list[Step], reads: list[Step]) -> list[Step]:
    if not is_full_proof():
        return [*writes, *reads]
    return [step for write in writes for step in (write, *reads)]
