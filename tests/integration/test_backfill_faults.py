"""Backfill beside locks, faults, moves between phases and other backfills."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from adapters.changes import Aggregate
from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.sweep import DynamoDBSweep
from adapters.dynamodb.transact import DynamoDBShadow
from adapters.errors import Conflict, Unavailable
from adapters.flags import ControlState
from adapters.ports.store import UnitOfWork, Writer
from proxy.sync import backfill as backfill_module
from tests.sweeping import FORGET, KEYS, MAPPER, SweptShop
from tests.wire_faults import Fault, WireFaults

WAITERS = """SELECT COUNT(*) FROM performance_schema.data_lock_waits w
 JOIN performance_schema.threads t ON t.thread_id = w.blocking_thread_id WHERE t.processlist_id = %s"""


@pytest.fixture
def shop(swept_shop: SweptShop) -> SweptShop:
    """The planted shop, in the source alone."""
    return swept_shop


async def check_healed(shop: SweptShop) -> None:
    """A backfill leaves nothing as it was, and both databases equal."""
    assert (await shop.backfill()).is_complete
    assert (await shop.verify()).is_equal


async def test_lost_versions_are_taken_up_from_fences(shop: SweptShop) -> None:
    """A source restored without its version rows: fences are ahead of it, and are passed."""
    await shop.backfill()
    await shop.mysql.batch(FORGET)
    await shop.mysql.execute("UPDATE products SET name = 'other'")
    await check_healed(shop)


async def test_busy_aggregate_is_waited_for(shop: SweptShop) -> None:
    """A lock that is held holds up its own aggregate, which is copied once the lock is free."""
    await shop.mysql.batch("BEGIN; INSERT INTO crossfade_version (kind, id, version) VALUES (2, 5, 1), (3, 7, 1)")
    retried = asyncio.Event()
    units = 0

    async def count() -> None:
        nonlocal units
        units += 1
        if units > 12:
            retried.set()

    waiting = _before_each_unit(shop, count)
    async with asyncio.TaskGroup() as tasks:
        backfill = tasks.create_task(waiting.backfill())
        await retried.wait()
        await shop.mysql.batch("ROLLBACK")
    report = backfill.result()
    assert report.is_complete
    assert 1 <= report.kinds["user"].retried
    assert (await shop.verify()).is_equal


async def test_lock_that_is_hardly_free_is_queued_for(shop: SweptShop) -> None:
    """A lock that is held whenever it is tried is had by waiting for it: its holder goes only once someone does."""
    await shop.mysql.batch("BEGIN; SELECT * FROM crossfade_version WHERE kind = 1 FOR UPDATE")

    async def leave_to_who_waits() -> None:
        while await shop.mysql.rows(WAITERS, (shop.mysql.thread_id,)) == [(0,)]:
            pass
        await shop.mysql.batch("ROLLBACK")

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(leave_to_who_waits())
        report = await shop.backfill()
    assert report.is_complete
    assert (await shop.verify()).is_equal


@pytest.mark.parametrize(("phase", "reason"), [(1, "move to phase 2 first"), (5, "source does not get writes")])
async def test_backfill_is_refused_without_dual_writes(shop: SweptShop, phase: int, reason: str) -> None:
    """What it would copy, nobody would keep up."""
    await shop.set_phase(phase)
    with pytest.raises(Conflict, match=reason):
        await shop.backfill()
    assert {} == await shop.items()


async def test_backfill_ends_when_phase_leaves(shop: SweptShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move to phase 1 in its midst ends it; a move among phases with dual writes does not."""
    monkeypatch.setattr(backfill_module, "AT_ONCE", 1)
    moves = iter([3, 4, 1])

    async def move() -> None:
        if (phase := next(moves, None)) is not None:
            await shop.set_phase(phase)

    async with asyncio.timeout(30):
        with pytest.raises(Conflict, match="move to phase 2 first"):
            await _before_each_unit(shop, move).backfill()
    assert next(moves, None) is None
    await shop.set_phase(2)
    await check_healed(shop)


async def test_backfill_ends_though_rows_keep_coming(shop: SweptShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows made after it began are their writers' affair: it does not run after them."""
    monkeypatch.setattr(backfill_module, "AT_ONCE", 1)

    async def hire() -> None:
        insert = "INSERT INTO users (username, email, password_hash) VALUES (UUID(), UUID(), 'h')"
        await shop.mysql.execute(insert)

    async with asyncio.timeout(30):
        report = await _before_each_unit(shop, hire).backfill()
    assert (12, 25, 8) == tuple(report.kinds[kind].aggregates for kind in ("user", "product", "category"))


async def test_two_backfills_at_once_agree(shop: SweptShop) -> None:
    """Each waits for the other's locks and passes the other's fences."""
    async with asyncio.TaskGroup() as tasks:
        runs = [tasks.create_task(shop.backfill()) for _ in range(2)]
    assert [True, True] == [run.result().is_complete for run in runs]
    assert (await shop.verify()).is_equal


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
async def test_lost_transactions_are_repeated(shop: SweptShop, fault: Fault) -> None:
    """Writes of which nobody knows whether they were applied are made again, above whatever they left."""
    async with _on_wire(shop) as (shaky, wire):
        wire.script.extend([Fault.NONE, fault, fault, Fault.NONE, fault, fault, fault, fault])
        report = await shaky.backfill()
    assert report.is_complete
    assert 1 <= sum(counts.retried for counts in report.kinds.values())
    await check_healed(shop)


async def test_unreachable_target_ends_backfill(shop: SweptShop) -> None:
    """A target that does not answer at all is an error, after some tries; the next backfill begins anew."""
    async with _on_wire(shop) as (shaky, wire):
        wire.script.extend([Fault.LOSE_REQUEST] * 10_000)
        with pytest.raises(Unavailable):
            await shaky.backfill()
    await check_healed(shop)


class _Interrupted:
    """A Writer before each of whose units something happens."""

    def __init__(self, writer: Writer, interlude: Callable[[], Awaitable[None]]) -> None:
        self._writer = writer
        self._interlude = interlude

    @asynccontextmanager
    async def unit(
        self, state: ControlState, *, deadline: Deadline, also_lock: frozenset[Aggregate] = frozenset()
    ) -> AsyncIterator[UnitOfWork]:
        """See Writer."""
        await self._interlude()
        async with self._writer.unit(state, deadline=deadline, also_lock=also_lock) as unit:
            yield unit


def _before_each_unit(shop: SweptShop, interlude: Callable[[], Awaitable[None]]) -> SweptShop:
    """The shop, something happening before each unit of work of its sweeps."""
    return replace(shop, parts=replace(shop.parts, authority=_Interrupted(shop.parts.authority, interlude)))


@asynccontextmanager
async def _on_wire(shop: SweptShop) -> AsyncIterator[tuple[SweptShop, WireFaults]]:
    """The shop behind a faulty wire to its target."""
    endpoint = shop.client.endpoint
    async with (
        WireFaults(endpoint.endpoint_url or "") as wire,
        DynamoDBClient(replace(endpoint, endpoint_url=wire.url), attempts=1) as client,
    ):
        shadow = DynamoDBShadow(client, mapper=MAPPER, keys=KEYS)
        target = DynamoDBSweep(client, mapper=MAPPER, keys=KEYS)
        yield replace(shop, parts=replace(shop.parts, shadow=shadow, target=target)), wire
