"""Every outcome of a write to the shadow, provoked on real DynamoDB, directly and on a faulty wire."""

import asyncio
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from adapters.changes import (
    ADMINS,
    LISTING,
    TREE,
    Aggregate,
    Change,
    Image,
    ItemKey,
    RowKind,
    category_aggregate,
    product_aggregate,
    user_aggregate,
)
from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint, found_item
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.errors import Failure, Verdict
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.tables import create_tables
from adapters.dynamodb.transact import DynamoDBShadow, TransactPlan
from adapters.dynamodb.typed_json import ITEM_MAX_BYTES, Attributes, item_size_bytes
from adapters.errors import DeadlineExceeded, PayloadTooLarge, Unavailable
from adapters.ports.store import ShadowOutcome, ShadowResult
from tests.changes import ANA, BEN, cart_of, category_of, change_of, order_of, product_of, user_of
from tests.conformance.shops import is_full_proof
from tests.servers import DynamoDBEndpoint as Server
from tests.wire_faults import Answer, Fault, WireFaults

CONTRACT = load_contract()
MAPPER = ItemMapper(CONTRACT)
KEYS = Keys(CONTRACT)
CONFLICT = Answer(
    400, "TransactionCanceledException", {"CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}]}
)
pytestmark = pytest.mark.asyncio(loop_scope="module")

HEAVY = 405_000
"""Characters that make an item of nearly 400 KB."""
APPLIED = ShadowResult(ShadowOutcome.APPLIED)


@dataclass(frozen=True, slots=True)
class World:
    """A shadow, on a wire that can fail, and a sound way to look at its tables."""

    shadow: DynamoDBShadow
    client: DynamoDBClient
    wire: WireFaults

    async def write(self, change: Change, *, op: UUID | None = None, deadline_s: float = 10) -> ShadowResult:
        """Plan and write a change."""
        return await self.send(self.shadow.plan(change, op_id=op or uuid4()), deadline_s=deadline_s)

    async def send(self, plan: TransactPlan, *, deadline_s: float = 10) -> ShadowResult:
        """Write a plan."""
        return await self.shadow.write(plan, deadline=Deadline.after(deadline_s))

    async def item(self, key: Key) -> Attributes | None:
        """What lies under a key."""
        payload = {"TableName": self.client.table_name(key.table), "Key": KEYS.typed(key), "ConsistentRead": True}
        return found_item(await self.client.request("GetItem", payload))

    async def items(self, *tables: str) -> dict[Key, Attributes]:
        """All that lies in tables."""
        found = {}
        for table in tables:
            async for page in self.client.pages("Scan", {"TableName": self.client.table_name(table)}):
                for item in page:
                    found[Key(table, *(str(item[name]["S"]) for name in KEYS.names(table)))] = item
        return found

    async def fence(self, aggregate: Aggregate) -> tuple[int, str] | None:
        """A fence's version and operation."""
        item = await self.item(KEYS.fence(aggregate))
        return None if item is None else (int(str(item["v"]["N"])), str(item["op"]["S"]))

    async def set_fence(self, aggregate: Aggregate, version: int, op: str) -> None:
        """Leave a fence as another call would."""
        item = {**KEYS.typed(KEYS.fence(aggregate)), "v": {"N": str(version)}, "op": {"S": op}}
        await self.client.request("PutItem", {"TableName": self.client.table_name("Fence"), "Item": item})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sound(dynamodb_server: Server) -> AsyncIterator[DynamoDBClient]:
    """The tables, made once."""
    prefix = f"w{uuid4().hex[:8]}_"
    async with DynamoDBClient(_endpoint(dynamodb_server, dynamodb_server.url, prefix)) as client:
        await create_tables(client, CONTRACT, prefix)
        yield client
        for table in CONTRACT.tables:
            await client.request("DeleteTable", {"TableName": client.table_name(table)})


@pytest_asyncio.fixture(loop_scope="module")
async def world(dynamodb_server: Server, sound: DynamoDBClient) -> AsyncIterator[World]:
    """Empty tables, behind a wire without faults."""
    prefix = sound.endpoint.table_prefix
    async with (
        WireFaults(dynamodb_server.url) as wire,
        DynamoDBClient(_endpoint(dynamodb_server, wire.url, prefix)) as client,
    ):
        world = World(DynamoDBShadow(client, mapper=MAPPER, keys=KEYS), sound, wire)
        yield world
    for key in await world.items(*CONTRACT.tables):
        await sound.request("DeleteItem", {"TableName": sound.table_name(key.table), "Key": KEYS.typed(key)})


def _endpoint(server: Server, url: str, prefix: str) -> DynamoDBEndpoint:
    return DynamoDBEndpoint(server.region, url, prefix, server.access_key_id, server.secret_access_key)


def shown(*images: Image) -> dict[Key, Attributes]:
    """The items that show rows."""
    items = [item for image in images for item in MAPPER.items_of(image)]
    return {Key(item.table, item.partition, item.sort): item.attributes for item in items}


def listed(*images: Image) -> list[ItemKey]:
    """The keys of the items that show rows, as the journal lists them."""
    items = [item for image in images for item in MAPPER.items_of(image)]
    return [ItemKey(item.table, item.partition, item.sort, item.ref) for item in items]


def big_user(email: str) -> list[Image]:
    """Ana with a cart and more orders than a transaction takes."""
    orders = [order_of(ANA, email, number) for number in range(1, 151)]
    return [user_of(ANA, email, username="ana"), *(cart_of(ANA, email, number) for number in range(1, 6)), *orders]


MOVE = change_of({ANA: 2, LISTING: 5}, before=big_user("a@x"), after=big_user("b@x"), counts={ANA: 150})


async def test_write_puts_items_and_fence(world: World) -> None:
    """A new row's items are there, and its fence with version, operation and count."""
    ana, op = user_of(ANA, "a@x", is_admin=True), uuid4()
    change = change_of({ANA: 3, ADMINS: 8}, after=[ana], counts={ANA: 0, ADMINS: 2})
    assert APPLIED == await world.write(change, op=op)
    assert shown(ana) == await world.items("Users", "Support")
    assert {
        KEYS.fence(ANA): {"PK": {"S": "user#1"}, "v": {"N": "3"}, "op": {"S": str(op)}, "orders": {"N": "0"}},
        KEYS.fence(ADMINS): {"PK": {"S": "admins#1"}, "v": {"N": "8"}, "op": {"S": str(op)}, "n": {"N": "2"}},
    } == await world.items("Fence")


async def test_write_deletes_what_no_row_shows(world: World) -> None:
    """Old items without a new one under their key are gone; other rows' stay."""
    old, new, ben = user_of(ANA, "a@x", is_admin=True), user_of(ANA, "b@x"), user_of(BEN, "c@x")
    await world.write(change_of({ANA: 1, BEN: 1}, after=[old, ben]))
    assert APPLIED == await world.write(change_of({ANA: 2}, before=[old], after=[new]))
    assert shown(new, ben) == await world.items("Users", "Support")
    assert APPLIED == await world.write(change_of({ANA: 3}, before=[new]))
    assert shown(ben) == await world.items("Users", "Support")


async def test_write_leaves_unchanged_pointers_alone(world: World) -> None:
    """An order that changes where it lies is put, and only the pointer that changed."""
    before, after = order_of(ANA, "a@x", 1), order_of(ANA, "a@x", 1, status="completed")
    await world.write(change_of({ANA: 1}, after=[before]))
    assert APPLIED == await world.write(change_of({ANA: 2}, before=[before], after=[after]))
    assert shown(after) == await world.items("Users", "Support")
    assert 4 == len(world.wire.requests[-1].body["TransactItems"])


async def test_listing_version_writes_its_log_entry(world: World) -> None:
    """What a version of the listing changed is there with the version, for seven days."""
    change = change_of({product_aggregate(7): 1, LISTING: 12}, after=[product_of(7)])
    change.listed_products, change.listed_sellers = {7, 10}, {42}
    assert APPLIED == await world.write(change)
    entry = await world.item(KEYS.log_entry(12))
    assert entry is not None
    assert ({"SS": ["10", "7"]}, {"SS": ["42"]}) == (entry["product_ids"], entry["seller_ids"])
    assert abs(int(str(entry["expires_at"]["N"])) - time.time() - 7 * 24 * 3600) < 60
    assert 12 == (await world.fence(LISTING) or (0,))[0]


async def test_debris_refuses_and_tells_its_version(world: World) -> None:
    """A fence that a dead call left higher stops the write whole; rebuilt above it, the write passes."""
    await world.set_fence(ANA, 7, "dead")
    ana = user_of(ANA, "a@x")
    result = await world.write(change_of({ANA: 7}, after=[ana]))
    assert (ShadowOutcome.FENCE_REFUSED, {ANA: 7}) == (result.outcome, result.debris)
    assert {} == await world.items("Users", "Support")
    assert APPLIED == await world.write(change_of({ANA: 8}, after=[ana]))


async def test_own_fence_means_applied(world: World) -> None:
    """The same operation at the same version was an earlier attempt of ours, and is not written again."""
    op, change = uuid4(), change_of({ANA: 1, BEN: 4}, after=[user_of(ANA, "a@x"), user_of(BEN, "b@x")])
    await world.write(change, op=op)
    put = {"TableName": world.client.table_name("Users"), "Item": {**KEYS.typed(KEYS.user("a@x")), "x": {"S": "y"}}}
    await world.client.request("PutItem", put)
    assert APPLIED == await world.write(change, op=op)
    assert put["Item"] == await world.item(KEYS.user("a@x"))


async def test_own_operation_at_another_version_is_debris(world: World) -> None:
    """The operation's name alone proves nothing: it may have been rebuilt."""
    op = uuid4()
    await world.set_fence(ANA, 9, str(op))
    result = await world.write(change_of({ANA: 8}, after=[user_of(ANA, "a@x")]), op=op)
    assert (ShadowOutcome.FENCE_REFUSED, {ANA: 9}) == (result.outcome, result.debris)


async def test_applied_and_overtaken_is_ambiguous(world: World) -> None:
    """One fence of ours and one of another: applied, then overtaken in part."""
    op, change = uuid4(), change_of({ANA: 1, BEN: 4}, after=[user_of(ANA, "a@x"), user_of(BEN, "b@x")])
    await world.write(change, op=op)
    await world.set_fence(BEN, 5, "other")
    result = await world.write(change, op=op)
    assert (ShadowOutcome.AMBIGUOUS, {ANA: 1, BEN: 5}) == (result.outcome, result.debris)


async def test_put_under_anothers_key_names_the_owner(world: World) -> None:
    """An email that another user still holds in the shadow stops the write whole."""
    ben = user_of(BEN, "a@x", username="ben")
    await world.write(change_of({BEN: 1}, after=[ben]))
    result = await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x", username="ana")]))
    assert (ShadowOutcome.OWNER_REFUSED, BEN) == (result.outcome, result.aggregate)
    assert isinstance(result.error, Unavailable)
    assert shown(ben) == await world.items("Users", "Support")
    assert await world.fence(ANA) is None


async def test_put_over_an_item_without_owner_is_refused(world: World) -> None:
    """Something written beside the proxy is not overwritten, and nobody is named."""
    item = {**KEYS.typed(KEYS.user("a@x")), "x": {"S": "y"}}
    await world.client.request("PutItem", {"TableName": world.client.table_name("Users"), "Item": item})
    result = await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")]))
    assert (ShadowOutcome.OWNER_REFUSED, None) == (result.outcome, result.aggregate)
    assert "without an owner" in str(result.error)


async def test_delete_of_anothers_item_is_dropped(world: World) -> None:
    """The rest of the write goes on, under a token of its own, and the other's item stays."""
    ben = user_of(BEN, "a@x", username="ben")
    await world.write(change_of({BEN: 1}, after=[ben]))
    old, new = user_of(ANA, "a@x", username="ana"), user_of(ANA, "b@x", username="ana")
    assert APPLIED == await world.write(change_of({ANA: 1}, before=[old], after=[new]))
    assert shown(ben, new) == await world.items("Users", "Support")
    first, second = (request.body for request in world.wire.requests[-2:])
    assert len(first["TransactItems"]) == len(second["TransactItems"]) + 1
    assert first["ClientRequestToken"] != second["ClientRequestToken"]


async def test_two_users_swap_their_emails(world: World) -> None:
    """By way of a third, as uniqueness demands; each step deletes only what still is the mover's."""
    ana, ben = user_of(ANA, "a@x", username="ana"), user_of(BEN, "b@x", username="ben")
    away, ben_now, ana_now = (
        user_of(ANA, "c@x", username="ana"),
        user_of(BEN, "a@x", username="ben"),
        user_of(ANA, "b@x", username="ana"),
    )
    steps = [
        change_of({ANA: 1, BEN: 1}, after=[ana, ben]),
        change_of({ANA: 2}, before=[ana], after=[away]),
        change_of({BEN: 2}, before=[ben], after=[ben_now]),
        change_of({ANA: 3}, before=[away], after=[ana_now]),
    ]
    assert [APPLIED] * 4 == [await world.write(step) for step in steps]
    assert shown(ana_now, ben_now) == await world.items("Users", "Support")


async def test_category_that_lost_its_key_does_not_delete_the_winner(world: World) -> None:
    """Categories share an owner, so a delete looks at the id too."""
    tea, mate = category_of(1, "Tea"), category_of(2, "Tea")
    await world.write(change_of({TREE: 1}, after=[mate]))
    assert APPLIED == await world.write(change_of({TREE: 2}, before=[tea]))
    assert shown(mate) == await world.items("Categories", "Support")


async def test_category_counter_has_a_fence_of_its_own(world: World) -> None:
    """Where the tree is not locked, a category's item goes with the category's fence."""
    tea = category_of(1, "Tea")
    await world.set_fence(TREE, 9, "other")
    versions = {category_aggregate(1): 1, product_aggregate(7): 1}
    assert APPLIED == await world.write(change_of(versions, before=[tea], after=[tea, product_of(7)]))
    assert (9, "other") == await world.fence(TREE)


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.SWALLOW_ANSWER, Answer(500, "Oops")])
async def test_one_lost_attempt_is_repeated(world: World, fault: Fault | Answer) -> None:
    """The same payload under the same token, applied once."""
    world.wire.script.append(fault)
    ana = user_of(ANA, "a@x")
    assert APPLIED == await world.write(change_of({ANA: 1}, after=[ana]))
    assert shown(ana) == await world.items("Users", "Support")
    first, second = (request.body for request in world.wire.requests)
    assert first == second


@pytest.mark.parametrize(
    ("fault", "is_applied"),
    [
        (Fault.LOSE_ANSWER, True),
        (Fault.LOSE_REQUEST, False),
        (Fault.SWALLOW_ANSWER, True),
        (Fault.SWALLOW_REQUEST, False),
        (Answer(503, "ServiceUnavailable"), False),
    ],
)
async def test_lost_attempts_are_ambiguous(world: World, fault: Fault | Answer, *, is_applied: bool) -> None:
    """Without an answer to any attempt nobody knows, whether it was applied or not."""
    world.wire.script.extend([fault, fault])
    result = await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")]))
    assert result.outcome is ShadowOutcome.AMBIGUOUS
    assert isinstance(result.error, Unavailable)
    assert is_applied == bool(await world.items("Users"))


async def test_refusal_after_a_lost_attempt_is_ambiguous(world: World) -> None:
    """The lost attempt may have been applied before another operation overtook it."""

    async def overtake() -> None:
        await world.set_fence(ANA, 4, "other")

    world.wire.script.extend([Fault.LOSE_REQUEST, overtake])
    result = await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")]))
    assert (ShadowOutcome.AMBIGUOUS, {ANA: 4}) == (result.outcome, result.debris)


async def test_rejection_after_a_lost_attempt_is_ambiguous(world: World) -> None:
    """One attempt that may have been applied is enough."""
    world.wire.script.extend([Fault.LOSE_ANSWER, Answer(400, "ValidationException")])
    result = await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")]))
    assert result.outcome is ShadowOutcome.AMBIGUOUS


async def test_lost_attempt_stays_in_doubt_after_a_dropped_delete(world: World) -> None:
    """A failure of the changed payload does not make the first, which was lost, surely not applied."""
    await world.write(change_of({BEN: 1}, after=[user_of(BEN, "a@x", username="ben")]))
    old, new = user_of(ANA, "a@x", username="ana"), user_of(ANA, "b@x", username="ana")
    world.wire.script.extend([Fault.LOSE_REQUEST, Fault.NONE, Answer(400, "ValidationException")])
    result = await world.write(change_of({ANA: 1}, before=[old], after=[new]))
    assert result.outcome is ShadowOutcome.AMBIGUOUS


@pytest.mark.parametrize("answer", [CONFLICT, Answer(400, "ThrottlingException")])
async def test_busy_service_is_outwaited(world: World, answer: Answer) -> None:
    """Conflicts and throttling are definite and repeated, beyond the number of attempts."""
    world.wire.script.extend([answer] * 4)
    assert APPLIED == await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")]))


@pytest.mark.parametrize("answer", [CONFLICT, Answer(400, "ThrottlingException")])
async def test_busy_service_to_the_end_is_definite(world: World, answer: Answer) -> None:
    """What was always turned away surely was not applied; the last attempt may find no time to be sent."""
    world.wire.script.extend([answer] * 1000)
    result = await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")]), deadline_s=0.4)
    assert result.outcome is ShadowOutcome.FAILED
    assert isinstance(result.error, Unavailable | DeadlineExceeded)


async def test_passed_deadline_is_definite(world: World) -> None:
    """Nothing is sent after the deadline."""
    result = await world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")]), deadline_s=-1)
    assert result.outcome is ShadowOutcome.FAILED
    assert isinstance(result.error, DeadlineExceeded)
    assert world.wire.requests == []


async def test_missing_table_is_definite(world: World) -> None:
    """A request that the service rejects was not applied, and the error repeats its complaint."""
    await world.client.request("DeleteTable", {"TableName": world.client.table_name("Products")})
    result = await world.write(change_of({product_aggregate(7): 1}, after=[product_of(7)]))
    assert result.outcome is ShadowOutcome.FAILED
    assert "ResourceNotFoundException" in str(result.error)
    await create_tables(world.client, CONTRACT, world.client.endpoint.table_prefix)


async def test_cancelled_write_raises(world: World) -> None:
    """A cancellation is never swallowed."""
    world.wire.script.append(Fault.SWALLOW_ANSWER)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(world.write(change_of({ANA: 1}, after=[user_of(ANA, "a@x")])))
        await world.wire.wait_for(1)
        task.cancel()
    assert task.cancelled()


def order_size_bytes(lines: int) -> int:
    """What an order with that many lines weighs."""
    return item_size_bytes(MAPPER.items_of(order_of(ANA, "a@x", 1, lines=lines))[0].attributes)


def lines_that_fit() -> int:
    """How many lines an order can have before it is too large for an item."""
    return bisect_right(range(10_000), ITEM_MAX_BYTES, key=order_size_bytes) - 1


async def test_item_over_the_limit_is_refused_before_anything_is_written(world: World) -> None:
    """The largest order that the plan takes goes in; with a line more the plan refuses it."""
    lines = lines_that_fit()
    assert APPLIED == await world.write(change_of({ANA: 1}, after=[order_of(ANA, "a@x", 1, lines=lines)]))
    with pytest.raises(PayloadTooLarge, match="order 1 would take"):
        await world.write(change_of({ANA: 2}, after=[order_of(ANA, "a@x", 1, lines=lines + 1)]))
    assert 1 == (await world.fence(ANA) or (0,))[0]


async def test_large_cart_is_cleared_in_two_transactions(world: World) -> None:
    """More than a hundred actions take more than one transaction, the second under the fence of the first."""
    lines = [cart_of(ANA, "a@x", number) for number in range(1, 121)]
    assert APPLIED == await world.write(change_of({ANA: 1}, after=lines))
    assert 2 == len(world.wire.requests)
    assert APPLIED == await world.write(change_of({ANA: 2}, before=lines))
    assert {} == await world.items("Users")


@pytest.mark.parametrize(("number", "transactions"), [(9, 1), (10, 5)])
async def test_heavy_items_stay_under_the_limit_of_a_transaction(world: World, number: int, transactions: int) -> None:
    """Nine items of nearly 400 KB fit the 4 MB of a transaction; ten take several, of moderate size."""
    products = [product_of(each, description="x" * HEAVY) for each in range(1, number + 1)]
    async with DynamoDBClient(world.client.endpoint, attempt_s=20) as patient:
        shadow = DynamoDBShadow(patient, mapper=MAPPER, keys=KEYS)
        versions = {product_aggregate(product.product.id): 1 for product in products}
        plan = shadow.plan(change_of(versions, after=products), op_id=uuid4())
        assert APPLIED == await shadow.write(plan, deadline=Deadline.after(100))
    assert transactions == len(plan.chunks)
    assert shown(*products) == await world.items("Products")


async def test_move_of_a_user_with_many_orders(world: World) -> None:
    """All items are under the new email, none under the old, in more than four transactions."""
    await world.write(change_of({ANA: 1}, after=big_user("a@x"), counts={ANA: 150}))
    sent = len(world.wire.requests)
    assert APPLIED == await world.write(MOVE)
    entry = {key: item for key, item in (await world.items("Support")).items() if key.partition == "LOG"}
    assert entry.keys() == {KEYS.log_entry(5)}
    assert {**shown(*big_user("b@x")), **entry} == await world.items("Users", "Support")
    assert len(world.wire.requests) - sent > 4
    assert 2 == (await world.fence(ANA) or (0,))[0]


def chunks_of_move() -> range:
    """The numbers of the transactions of the move, in the short form of some."""
    shadow = DynamoDBShadow(DynamoDBClient(DynamoDBEndpoint("r")), mapper=MAPPER, keys=KEYS)
    number = len(shadow.plan(MOVE, op_id=uuid4()).chunks)
    return range(0, number, 1 if is_full_proof() else 3)


def seen_by_readers(items: dict[Key, Attributes]) -> set[str]:
    """The emails under which a reader finds the user and, beside it, all lines and orders."""
    by_email = {
        email: [key for key in items if key.table == "Users" and key.partition == email] for email in ("a@x", "b@x")
    }
    return {email for email, keys in by_email.items() if KEYS.user(email) in keys and len(keys) == 156}


def without_log(items: dict[Key, Attributes]) -> dict[Key, Attributes]:
    """The items that show rows."""
    return {key: item for key, item in items.items() if key.partition != "LOG"}


async def repair_move(world: World) -> ShadowResult:
    """Make the shadow what it was before the move, as the repairer does from the journal's keys."""
    change = change_of({ANA: 3, LISTING: 6}, after=big_user("a@x"), counts={ANA: 150})
    keys = listed(*big_user("a@x"), *big_user("b@x"))
    return await world.send(world.shadow.converge(change, listed=keys, op_id=uuid4()))


async def replay(world: World, body: Mapping[str, object]) -> Verdict:
    """What becomes of a request that comes again, long after its token was forgotten."""
    with pytest.raises(Failure) as caught:
        await world.client.send("TransactWriteItems", {**body, "ClientRequestToken": str(uuid4())})
    return caught.value.verdict


@pytest.mark.parametrize("fault", [Fault.LOSE_REQUEST, Fault.LOSE_ANSWER])
@pytest.mark.parametrize("number", chunks_of_move())
async def test_broken_move_is_ambiguous_never_torn_and_repairable(world: World, number: int, fault: Fault) -> None:
    """Whichever transaction is lost, readers find the user whole under one email, and repair restores the old one.

    What the broken move may still have under way is refused from then on.
    """
    await world.write(change_of({ANA: 1}, after=big_user("a@x"), counts={ANA: 150}))
    world.wire.requests.clear()
    world.wire.script.extend([*[Fault.NONE] * number, fault, fault])
    assert (await world.write(MOVE)).outcome is ShadowOutcome.AMBIGUOUS
    assert 1 == len(seen_by_readers(await world.items("Users")))
    late = [request.body for request in world.wire.requests]
    assert len(late) == number + 2
    assert APPLIED == await repair_move(world)
    assert {Verdict.REFUSED} == {await replay(world, body) for body in late}
    assert shown(*big_user("a@x")) == without_log(await world.items("Users", "Support"))


@pytest.mark.parametrize("number", chunks_of_move())
async def test_move_that_is_turned_away_is_definite_only_at_first(world: World, number: int) -> None:
    """A definite failure after something was written leaves the write in doubt."""
    world.wire.script.extend([*[Fault.NONE] * number, Answer(400, "ValidationException")])
    result = await world.write(MOVE)
    assert result.outcome is (ShadowOutcome.AMBIGUOUS if number else ShadowOutcome.FAILED)


async def test_move_that_is_overtaken_stops(world: World) -> None:
    """A later transaction demands the fence as the first left it."""

    async def overtake() -> None:
        await world.set_fence(ANA, 9, "other")

    world.wire.script.extend([Fault.NONE, overtake])
    result = await world.write(MOVE)
    assert (ShadowOutcome.AMBIGUOUS, {ANA: 9}) == (result.outcome, result.debris)
    assert 2 == len(world.wire.requests)


async def test_converge_puts_what_is_there_and_deletes_the_rest(world: World) -> None:
    """Each listed item becomes what the rows say; what is not listed is not touched."""
    gone, stays, moved = order_of(ANA, "a@x", 1), order_of(ANA, "a@x", 2), user_of(ANA, "a@x", username="ana")
    other = order_of(ANA, "a@x", 3)
    await world.write(change_of({ANA: 1}, after=[gone, moved, other]))
    now: list[Image] = [stays, user_of(ANA, "b@x", username="ana"), order_of(ANA, "a@x", 3, status="completed")]
    keys = listed(gone, stays, moved, user_of(ANA, "b@x", username="ana"))
    plan = world.shadow.converge(change_of({ANA: 2}, after=now, counts={ANA: 2}), listed=keys, op_id=uuid4())
    assert ((), ()) == (plan.parts, plan.deferred)
    assert APPLIED == await world.send(plan)
    assert shown(stays, now[1], other) == await world.items("Users", "Support")


async def test_converge_leaves_what_is_anothers(world: World) -> None:
    """A listed key that another row took since is that row's."""
    ben, mate = user_of(BEN, "a@x", username="ben"), category_of(2, "Tea")
    await world.write(change_of({BEN: 1, TREE: 1}, after=[ben, mate]))
    keys = listed(user_of(ANA, "a@x", username="ana"), category_of(1, "Tea"))
    plan = world.shadow.converge(change_of({ANA: 2, TREE: 2}), listed=keys, op_id=uuid4())
    assert APPLIED == await world.send(plan)
    assert shown(ben, mate) == await world.items("Users", "Categories", "Support")


async def test_converge_deletes_what_any_of_a_keys_rows_left(world: World) -> None:
    """A key listed for two rows is freed whichever of them still lies there."""
    ana, ben = user_of(ANA, "a@x", username="ana"), user_of(BEN, "a@x", username="ben")
    tea, mate = category_of(1, "Tea"), category_of(2, "Tea")
    pairs: list[tuple[Image, Image]] = [(ana, ben), (ben, ana), (tea, mate), (mate, tea)]
    for version, (left, other) in enumerate(pairs):
        await world.write(change_of({left.owner: 2 * version + 1}, after=[left]))
        change = change_of({left.owner: 2 * version + 2, other.owner: 2 * version + 2})
        plan = world.shadow.converge(change, listed=listed(left, other), op_id=uuid4())
        assert APPLIED == await world.send(plan)
    assert {} == await world.items("Users", "Categories", "Support")


async def test_converge_logs_the_listing(world: World) -> None:
    """A repair that concerns the listing has a log entry of its own."""
    change = change_of({product_aggregate(7): 2, LISTING: 4})
    change.listed_products = {7}
    await world.write(change_of({product_aggregate(7): 1}, after=[product_of(7)]))
    plan = world.shadow.converge(change, listed=listed(product_of(7)), op_id=uuid4())
    assert APPLIED == await world.send(plan)
    assert {} == await world.items("Products")
    assert await world.item(KEYS.log_entry(4)) is not None


async def test_converge_is_chunked_like_a_write(world: World) -> None:
    """Repairing many items takes several transactions."""
    lines = [cart_of(ANA, "a@x", number) for number in range(1, 151)]
    plan = world.shadow.converge(change_of({ANA: 1}, after=lines), listed=listed(*lines), op_id=uuid4())
    assert APPLIED == await world.send(plan)
    assert shown(*lines) == await world.items("Users")
    assert 2 == len(plan.chunks)


async def test_deferred_parts_are_done_by_converging(world: World) -> None:
    """Children of a deleted user go by the parts that its plan left, one transaction each."""
    children = [image for image in big_user("a@x") if image.ref.kind is not RowKind.USER]
    await world.write(change_of({ANA: 1}, after=big_user("a@x")))
    change = change_of({ANA: 2}, before=[user_of(ANA, "a@x", username="ana")])
    change.deferred = list(children)
    plan = world.shadow.plan(change, op_id=uuid4())
    assert APPLIED == await world.send(plan)
    assert shown(*children) == await world.items("Users", "Support")
    for number, part in enumerate(plan.deferred):
        again = world.shadow.converge(change_of({ANA: 3 + number}), listed=part.keys, op_id=uuid4())
        assert 1 == len(again.chunks)
        assert APPLIED == await world.send(again)
    assert {} == await world.items("Users", "Support")


async def test_repair_goes_on_above_debris_in_every_transaction(world: World) -> None:
    """A deletion that came through in the shadow alone left all its fences; each round of the repair takes one more.

    What an earlier round has written is not written again.
    """
    products = [product_of(number) for number in range(1, 151)]
    owners = [product_aggregate(product.product.id) for product in products]
    await world.write(change_of(dict.fromkeys(owners, 1), after=products))
    await world.write(change_of(dict.fromkeys(owners, 2), before=products))
    versions, op, rounds = dict.fromkeys(owners, 2), uuid4(), 0
    while True:
        plan = world.shadow.converge(change_of(versions, after=products), listed=listed(*products), op_id=op)
        result = await world.send(plan)
        rounds += 1
        if result.outcome is not ShadowOutcome.FENCE_REFUSED:
            break
        versions |= {aggregate: version + 1 for aggregate, version in result.debris.items()}
    assert (APPLIED, 3, 3) == (result, len(plan.chunks), rounds - 1)
    assert shown(*products) == await world.items("Products")


async def test_repair_overtaken_in_part_begins_anew_above_all_fences(world: World) -> None:
    """One fence as the repair left it and one of another: both are in the way, and nothing passes for applied."""
    op, versions = uuid4(), {ANA: 2, BEN: 2}
    rows = [user_of(ANA, "a@x"), user_of(BEN, "b@x")]
    plan = world.shadow.converge(change_of(versions, after=rows), listed=listed(*rows), op_id=op)
    assert APPLIED == await world.send(plan)
    await world.set_fence(BEN, 5, "other")
    again = world.shadow.converge(change_of(versions | {BEN: 6}, after=rows), listed=listed(*rows), op_id=op)
    result = await world.send(again)
    assert (ShadowOutcome.FENCE_REFUSED, {ANA: 2}) == (result.outcome, result.debris)


async def test_repair_deletes_orders_of_one_of_many_users(world: World) -> None:
    """Where many users are locked, an order that is gone is deleted if it was one of theirs, and no other's."""
    carol = user_aggregate(1000)
    mine, foreign = order_of(ANA, "a@x", 1), order_of(carol, "c@x", 2)
    await world.write(change_of({ANA: 1, carol: 1}, after=[mine, foreign]))
    versions = {user_aggregate(number): 2 for number in range(1, 251)}
    plan = world.shadow.converge(change_of(versions), listed=listed(mine, foreign), op_id=uuid4())
    assert APPLIED == await world.send(plan)
    assert shown(foreign) == await world.items("Users", "Support")
    assert len(versions) + 1 == len(await world.items("Fence"))


async def test_repair_deletes_only_what_is_there(world: World) -> None:
    """Steps that never came to be are looked for, not deleted, once the fence keeps their late requests out."""
    there, gone = [user_of(ANA, "a@x"), *big_user("c@x")[-2:]], big_user("b@x")
    await world.write(change_of({ANA: 1}, after=there))
    world.wire.requests.clear()
    plan = world.shadow.converge(change_of({ANA: 2}), listed=[*listed(*gone), *listed(*there)], op_id=uuid4())
    assert APPLIED == await world.send(plan)
    assert {} == await world.items("Users", "Support")
    sent = [request.action for request in world.wire.requests]
    assert "TransactWriteItems" == sent[0]
    assert len(plan.chunks) > sent.count("TransactWriteItems")
    assert len(plan.chunks) - 1 == sent.count("BatchGetItem")


async def test_row_that_has_no_items_stops_its_writes_but_no_repair(world: World) -> None:
    """A row written beside the proxy, without a time that a key is made of."""
    odd = order_of(ANA, "a@x", 1)
    odd = replace(odd, order=replace(odd.order, created_at=None))
    with pytest.raises(Unavailable, match="order 1: created_at is NULL, and a key is made of it: see `crossfade pre"):
        await world.write(change_of({ANA: 1}, after=[odd]))
    line = cart_of(ANA, "a@x", 7)
    plan = world.shadow.converge(change_of({ANA: 1}, after=[odd, line]), listed=listed(line), op_id=uuid4())
    assert APPLIED == await world.send(plan)
    assert APPLIED == await world.write(change_of({ANA: 2}, before=[odd, line]))
    assert {} == await world.items("Users")


async def test_empty_change_is_an_empty_plan(world: World) -> None:
    """Nothing to do is said so, and sends nothing."""
    plan = world.shadow.plan(change_of({ANA: 1}), op_id=uuid4())
    assert plan.is_empty
    assert APPLIED == await world.send(plan)
    assert world.wire.requests == []
