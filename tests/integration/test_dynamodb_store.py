"""The reads of users and of the control mirror, on real DynamoDB."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import pytest

from adapters.changes import Image, user_aggregate
from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.mirror import DynamoDBControlMirror
from adapters.dynamodb.store import DynamoDBStore
from adapters.dynamodb.tables import create_tables
from adapters.dynamodb.transact import DynamoDBShadow
from adapters.errors import DeadlineExceeded, Unavailable
from adapters.flags import ControlState, Flags, MismatchPolicy, WriteFailurePolicy
from adapters.operations import catalogue
from adapters.ports.store import ShadowOutcome
from adapters.records import User
from tests.changes import change_of, user_of
from tests.servers import DynamoDBEndpoint as Server
from tests.wire_faults import Fault, WireFaults

CONTRACT: Final = load_contract()
KEYS: Final = Keys(CONTRACT)
OPERATIONS: Final = catalogue()
STATE: Final = ControlState(
    flags=Flags(
        dual_write=True,
        mismatch_policy=MismatchPolicy.REPORT,
        write_failure_policy=WriteFailurePolicy.JOURNAL,
        compare_percent=7,
    ),
    epoch=5,
    changed_by="ana@shop.test",
    changed_at=datetime(2026, 1, 31, 9, 15, tzinfo=UTC),
    reason="try it",
)


@pytest.fixture
async def client(dynamodb_server: Server) -> AsyncIterator[DynamoDBClient]:
    """A client of empty tables."""
    prefix = f"u{uuid4().hex[:8]}_"
    keys = (dynamodb_server.access_key_id, dynamodb_server.secret_access_key)
    async with DynamoDBClient(DynamoDBEndpoint(dynamodb_server.region, dynamodb_server.url, prefix, *keys)) as client:
        await create_tables(client, CONTRACT, prefix)
        yield client
        for table in CONTRACT.tables:
            await client.request("DeleteTable", {"TableName": client.table_name(table)})


@pytest.fixture
def store(client: DynamoDBClient) -> DynamoDBStore:
    """The store on these tables."""
    return DynamoDBStore(client, keys=KEYS)


async def put(client: DynamoDBClient, *images: Image) -> None:
    """Write rows as the shadow does."""
    shadow = DynamoDBShadow(client, mapper=ItemMapper(CONTRACT), keys=KEYS)
    change = change_of({image.owner: 1 for image in images}, after=images)
    result = await shadow.write(shadow.plan(change, op_id=uuid4()), deadline=Deadline.after(10))
    assert ShadowOutcome.APPLIED is result.outcome


async def ask(store: DynamoDBStore, operation: str, arguments: Mapping[str, object] | None = None) -> object:
    """The answer to an operation of `user`."""
    return await store.read(OPERATIONS[f"user.{operation}"], arguments or {}, Deadline.after(5))


ANA: Final = user_of(user_aggregate(1), "Ana@Shop.test", username="Ána")


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("find_by_id", {"id": 1}),
        ("find_by_username", {"username": "ANA"}),
        ("find_by_email", {"email": "ANA@shop.TEST"}),
    ],
)
async def test_find_gives_the_whole_user(
    client: DynamoDBClient, store: DynamoDBStore, operation: str, arguments: Mapping[str, object]
) -> None:
    """By id, and by name and email in any spelling that the collation holds equal."""
    await put(client, ANA)
    assert ANA.user == await ask(store, operation, arguments)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("find_by_id", {"id": 2}),
        ("find_by_id", {"id": 0}),
        ("find_by_username", {"username": "Ann"}),
        ("find_by_username", {"username": ""}),
        ("find_by_username", {"username": "\u200b"}),
        ("find_by_email", {"email": "ann@shop.test"}),
        ("find_by_email", {"email": ""}),
        ("find_by_email", {"email": "\u200b"}),
        ("find_by_email", {"email": "CART#"}),
    ],
)
async def test_find_gives_none_for_what_is_not_there(
    client: DynamoDBClient, store: DynamoDBStore, operation: str, arguments: Mapping[str, object]
) -> None:
    """Also for texts that weigh nothing, which no key can be made of."""
    await put(client, ANA)
    assert await ask(store, operation, arguments) is None


async def test_exists_answers_for_any_spelling(client: DynamoDBClient, store: DynamoDBStore) -> None:
    """True for what is there, false for the rest."""
    await put(client, ANA)
    assert await ask(store, "exists_by_username", {"username": "aNa"}) is True
    assert await ask(store, "exists_by_username", {"username": "ben"}) is False
    assert await ask(store, "exists_by_email", {"email": "ana@shop.test"}) is True
    assert await ask(store, "exists_by_email", {"email": ""}) is False


async def test_find_all_super_admins_orders_by_username_then_id(client: DynamoDBClient, store: DynamoDBStore) -> None:
    """As the collation orders, whatever the ids; users who are none are left out."""
    names = {30: "Zoe", 4: "ábel", 5: "Abel2", 12: "Émile", 100: "emma"}
    admins = [
        user_of(user_aggregate(number), f"{number}@x", username=name, is_admin=True) for number, name in names.items()
    ]
    await put(client, ANA, *admins)
    found = await ask(store, "find_all_super_admins")
    assert isinstance(found, list)
    assert [4, 5, 12, 100, 30] == [user.id for user in found if isinstance(user, User)]


async def test_find_all_super_admins_reads_every_page(client: DynamoDBClient, store: DynamoDBStore) -> None:
    """More than the megabyte of one page."""
    for start in range(1, 41, 4):
        image = user_of(user_aggregate(start), f"{start}@x", is_admin=True)
        heavy = [
            replace(
                image,
                user=replace(image.user, id=number, email=f"{number}@x", username=f"{number}", first_name="x" * 60_000),
            )
            for number in range(start, start + 4)
        ]
        await put(client, *heavy)
    found = await ask(store, "find_all_super_admins")
    assert isinstance(found, list)
    assert 40 == len(found)


async def test_store_supports_every_read(store: DynamoDBStore) -> None:
    """So that phases 3 and 4 can be served for all entities."""
    assert all(store.supports(operation) for operation in OPERATIONS.values() if not operation.is_write)


async def test_read_keeps_its_deadline(client: DynamoDBClient, dynamodb_server: Server) -> None:
    """A silent service ends with the call's deadline."""
    async with (
        WireFaults(dynamodb_server.url) as wire,
        DynamoDBClient(replace(client.endpoint, endpoint_url=wire.url)) as slow,
    ):
        wire.script.append(Fault.SWALLOW_ANSWER)
        with pytest.raises(DeadlineExceeded):
            await DynamoDBStore(slow, keys=KEYS).read(OPERATIONS["user.find_by_id"], {"id": 1}, Deadline.after(0.2))


async def test_ping_needs_the_tables(client: DynamoDBClient) -> None:
    """An answer from a place without the tables is none."""
    await DynamoDBStore(client, keys=KEYS).ping(Deadline.after(5))
    async with DynamoDBClient(replace(client.endpoint, table_prefix="nowhere_")) as stray:
        with pytest.raises(Unavailable, match="ResourceNotFoundException"):
            await DynamoDBStore(stray, keys=KEYS).ping(Deadline.after(5))


async def test_mirror_keeps_the_newest_state(client: DynamoDBClient) -> None:
    """Nothing at first; then what was written, unless it is older than what is there."""
    mirror = DynamoDBControlMirror(client, keys=KEYS)
    assert await mirror.read() is None
    await mirror.write(STATE)
    assert STATE == await mirror.read()
    await mirror.write(replace(STATE, epoch=4, reason="older"))
    assert STATE == await mirror.read()
    newer = replace(STATE, epoch=6, changed_at=None)
    await mirror.write(newer)
    assert newer == await mirror.read()


async def test_mirror_says_when_it_cannot_be_written(client: DynamoDBClient) -> None:
    """The wire's error, not silence."""
    async with DynamoDBClient(replace(client.endpoint, table_prefix="nowhere_")) as stray:
        mirror = DynamoDBControlMirror(stray, keys=KEYS)
        with pytest.raises(Unavailable):
            await mirror.write(STATE)
        with pytest.raises(Unavailable):
            await mirror.read()
