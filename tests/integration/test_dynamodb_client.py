"""The client against real DynamoDB, directly and through a proxy that loses requests and answers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import sleep as block
from uuid import uuid4

import pytest
from aiobotocore.credentials import AioCredentials
from botocore.credentials import ReadOnlyCredentials

from adapters.deadline import Deadline
from adapters.dynamodb.client import Capacity, DynamoDBClient, DynamoDBEndpoint, Observation, found_item
from adapters.dynamodb.errors import Failure, Verdict
from adapters.errors import DeadlineExceeded, Unavailable
from tests.conformance.shops import is_full_proof
from tests.fleet.waiting import until
from tests.servers import DynamoDBEndpoint as Server
from tests.wire_faults import Answer, Fault, WireFaults

KEY = {"PK": {"S": "a"}}
THROTTLED = Answer(400, "ThrottlingException")


def endpoint_at(url: str, server: Server, prefix: str) -> DynamoDBEndpoint:
    """The server, reached by this address."""
    return DynamoDBEndpoint(server.region, url, prefix, server.access_key_id, server.secret_access_key)


@pytest.fixture
async def client(dynamodb_server: Server) -> AsyncIterator[DynamoDBClient]:
    """A client of a table T with the item `a`."""
    async with DynamoDBClient(endpoint_at(dynamodb_server.url, dynamodb_server, f"c{uuid4().hex[:8]}_")) as client:
        table = client.table_name("T")
        await client.request(
            "CreateTable",
            {
                "TableName": table,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
            },
        )
        await client.request("PutItem", {"TableName": table, "Item": {**KEY, "n": {"N": "1"}}})
        yield client
        await client.request("DeleteTable", {"TableName": table})


@pytest.fixture
async def wire(dynamodb_server: Server) -> AsyncIterator[WireFaults]:
    """A faulty wire to the server."""
    async with WireFaults(dynamodb_server.url) as wire:
        yield wire


@pytest.fixture(params=[True, False] if is_full_proof() else [True], ids=lambda is_fast: "own" if is_fast else "sdk")
def has_fast_path(request: pytest.FixtureRequest) -> bool:
    """Whether requests take the short way, or the SDK's."""
    return bool(request.param)


@pytest.fixture
async def shaky(
    client: DynamoDBClient, wire: WireFaults, dynamodb_server: Server, *, has_fast_path: bool
) -> AsyncIterator[DynamoDBClient]:
    """A client of the same table on a faulty wire, with a short limit for an attempt."""
    endpoint = endpoint_at(wire.url, dynamodb_server, client.endpoint.table_prefix)
    async with DynamoDBClient(endpoint, attempt_s=0.3, connections=2, has_fast_path=has_fast_path) as shaky:
        yield shaky


async def get(client: DynamoDBClient, *, deadline_s: float = 5) -> object:
    """The number of the item `a`."""
    payload = {"TableName": client.table_name("T"), "Key": KEY, "ConsistentRead": True}
    response = await client.request("GetItem", payload, deadline=Deadline.after(deadline_s), operation="t.get")
    item = found_item(response)
    return item and item["n"]


async def put(client: DynamoDBClient, number: int, *, deadline_s: float = 5, token: bool = True) -> None:
    """Write the number of the item `a`."""
    item = {**KEY, "n": {"N": str(number)}}
    payload: dict[str, object] = {"TransactItems": [{"Put": {"TableName": client.table_name("T"), "Item": item}}]}
    if token:
        payload["ClientRequestToken"] = str(uuid4())
    await client.send("TransactWriteItems", payload, deadline=Deadline.after(deadline_s))


async def failure_of_put(client: DynamoDBClient, *, deadline_s: float = 5, token: bool = True) -> Failure:
    """How a write of 2 failed."""
    with pytest.raises(Failure) as caught:
        await put(client, 2, deadline_s=deadline_s, token=token)
    return caught.value


async def test_request_returns_typed_json(client: DynamoDBClient) -> None:
    """Values come back as they were written."""
    assert {"N": "1"} == await get(client)


@pytest.mark.parametrize("fault", [Fault.LOSE_REQUEST, Fault.LOSE_ANSWER, Fault.SWALLOW_REQUEST, Answer(500, "Oops")])
async def test_read_survives_one_fault(shaky: DynamoDBClient, wire: WireFaults, fault: Fault | Answer) -> None:
    """A read is repeated once, whatever became of the first attempt."""
    wire.script.append(fault)
    assert {"N": "1"} == await get(shaky)
    assert 2 == len(wire.requests)


async def test_read_gives_up_after_its_attempts(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """A second fault is the wire's `unavailable`, with action, table and address."""
    wire.script.extend([Fault.LOSE_REQUEST, Fault.LOSE_REQUEST])
    with pytest.raises(Unavailable, match=rf"GetItem on {shaky.table_name('T')} at {wire.url}: no answer"):
        await get(shaky)


async def test_throttling_is_outwaited(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """Throttling does not count against the attempts."""
    wire.script.extend([THROTTLED] * 5)
    assert {"N": "1"} == await get(shaky)


async def test_throttling_ends_with_the_deadline(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """Throttled to the end, a write surely did not happen, and the error says code, status and request."""
    wire.script.extend([THROTTLED] * 1000)
    failure = await failure_of_put(shaky, deadline_s=0.4)
    assert (Verdict.BUSY, False) == (failure.verdict, failure.may_be_applied)
    assert "ThrottlingException, HTTP 400, request INJECTED" in str(failure.error)


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.SWALLOW_ANSWER, Fault.LOSE_REQUEST, Answer(503, "Oops")])
async def test_write_with_a_token_is_repeated(shaky: DynamoDBClient, wire: WireFaults, fault: Fault | Answer) -> None:
    """An unanswered write is repeated under its token, and applied once."""
    wire.script.append(fault)
    await put(shaky, 2)
    assert {"N": "2"} == await get(shaky)
    first, second = (request.body for request in wire.requests[:2])
    assert first == second


async def test_write_without_a_token_is_not_repeated(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """Nothing that might be applied twice is sent twice."""
    wire.script.append(Fault.LOSE_ANSWER)
    failure = await failure_of_put(shaky, token=False)
    assert (Verdict.AMBIGUOUS, True) == (failure.verdict, failure.may_be_applied)
    assert 1 == len(wire.requests)


@pytest.mark.parametrize("fault", [Fault.LOSE_REQUEST, Fault.SWALLOW_REQUEST, Answer(500, "InternalServerError")])
async def test_unanswered_write_is_ambiguous(shaky: DynamoDBClient, wire: WireFaults, fault: Fault | Answer) -> None:
    """What was sent and not answered may be applied, even where it was not."""
    wire.script.extend([fault, fault])
    failure = await failure_of_put(shaky)
    assert (Verdict.AMBIGUOUS, True) == (failure.verdict, failure.may_be_applied)


async def test_ambiguity_is_remembered(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """A definite failure after an ambiguous one does not make the write surely not applied."""
    wire.script.extend([Fault.LOSE_ANSWER, Answer(400, "ValidationException", {"message": "no"})])
    failure = await failure_of_put(shaky)
    assert (Verdict.REJECTED, True) == (failure.verdict, failure.may_be_applied)


async def test_transaction_in_progress_is_awaited(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """While an earlier attempt is undecided the same token is tried again, beyond the number of attempts."""
    wire.script.extend([Fault.LOSE_ANSWER, *[Answer(400, "TransactionInProgressException")] * 3])
    await put(shaky, 3)
    assert {"N": "3"} == await get(shaky)


async def test_transaction_in_progress_to_the_end_is_ambiguous(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """What is still in progress at the deadline may yet be applied."""
    wire.script.extend([Answer(400, "TransactionInProgressException")] * 1000)
    failure = await failure_of_put(shaky, deadline_s=0.3)
    assert (Verdict.PENDING, True) == (failure.verdict, failure.may_be_applied)


async def test_token_mismatch_is_ambiguous(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """Something was taken under the token; what, is unknown."""
    wire.script.extend([Answer(400, "IdempotentParameterMismatchException")] * 2)
    assert (await failure_of_put(shaky)).may_be_applied


async def test_refused_connection_is_definite(dynamodb_server: Server, *, has_fast_path: bool) -> None:
    """Where nothing listens, nothing was sent, and the error says where."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with DynamoDBClient(endpoint_at(url, dynamodb_server, ""), has_fast_path=has_fast_path) as client:
        failure = await failure_of_put(client)
    assert (Verdict.UNSENT, False) == (failure.verdict, failure.may_be_applied)
    assert url in str(failure.error)


async def test_unknown_host_is_definite(dynamodb_server: Server, *, has_fast_path: bool) -> None:
    """A name without an address: nothing was sent."""
    async with DynamoDBClient(
        endpoint_at("http://nowhere.invalid:1", dynamodb_server, ""), has_fast_path=has_fast_path
    ) as client:
        failure = await failure_of_put(client)
    assert (Verdict.UNSENT, False) == (failure.verdict, failure.may_be_applied)


async def test_failed_handshake_is_definite(dynamodb_server: Server, wire: WireFaults, *, has_fast_path: bool) -> None:
    """Where no TLS is spoken nothing was sent."""
    url = wire.url.replace("http:", "https:")
    async with DynamoDBClient(endpoint_at(url, dynamodb_server, ""), has_fast_path=has_fast_path) as client:
        failure = await failure_of_put(client)
    assert (Verdict.UNSENT, False) == (failure.verdict, failure.may_be_applied)


@asynccontextmanager
async def full_backlog() -> AsyncIterator[str]:
    """The address of a listener that accepts no connection any more."""
    with socket.socket() as listener, socket.socket() as filler, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for one in (filler, second):
            one.setblocking(False)  # noqa: FBT003  # the only form it has
            one.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_connect_timeout_is_definite(dynamodb_server: Server, *, has_fast_path: bool) -> None:
    """A connection that is not made in time carried nothing."""
    async with (
        full_backlog() as url,
        DynamoDBClient(endpoint_at(url, dynamodb_server, ""), attempt_s=0.2, has_fast_path=has_fast_path) as client,
    ):
        failure = await failure_of_put(client)
    assert (Verdict.UNSENT, False) == (failure.verdict, failure.may_be_applied)
    assert isinstance(failure.error, Unavailable)


async def test_waiting_for_a_free_connection_is_definite(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """A write that never got a connection of the pool was not sent."""
    wire.script.extend([Fault.SWALLOW_REQUEST] * 2)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(failure_of_put(shaky, token=False))
        await wire.wait_for(2)
        failure = await failure_of_put(shaky, deadline_s=0.1)
    assert (Verdict.UNSENT, False) == (failure.verdict, failure.may_be_applied)
    assert 2 == len(wire.requests)


async def test_deadline_that_passed_before_sending_is_definite(
    shaky: DynamoDBClient, wire: WireFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process stopped before it signs and sends sends nothing once its deadline has passed."""
    await get(shaky)
    stopped = asyncio.Event()

    def stop_for_a_while() -> None:
        stopped.set()
        block(0.15)

    async def slowly(credentials: AioCredentials) -> ReadOnlyCredentials:
        stop_for_a_while()
        return ReadOnlyCredentials(credentials.access_key, credentials.secret_key, credentials.token)

    with monkeypatch.context() as patched:
        patched.setattr(AioCredentials, "get_frozen_credentials", slowly)
        failure = await failure_of_put(shaky, deadline_s=0.1)
    assert stopped.is_set()
    assert (Verdict.UNSENT, False) == (failure.verdict, failure.may_be_applied)
    assert isinstance(failure.error, DeadlineExceeded)
    assert ["GetItem"] == [request.action for request in wire.requests]
    assert {"N": "1"} == await get(shaky)


async def test_deadline_after_sending_is_ambiguous(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """The wire's error is `deadline_exceeded`, and the write may be applied."""
    wire.script.append(Fault.SWALLOW_ANSWER)
    failure = await failure_of_put(shaky, deadline_s=0.29)
    assert failure.may_be_applied
    assert isinstance(failure.error, DeadlineExceeded)


async def test_cancellation_passes_and_frees_the_connection(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """A cancelled request raises CancelledError, and its connection is not handed on."""
    wire.script.extend([Fault.SWALLOW_ANSWER] * 2)
    tasks = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(put(shaky, 5)) for _ in range(2)]
        await wire.wait_for(2)
        for task in tasks:
            task.cancel()
    assert all(task.cancelled() for task in tasks)

    async def is_applied() -> bool:
        return {"N": "5"} == await get(shaky)

    await until("a put that was passed on", is_applied)


async def test_attempts_are_observed(client: DynamoDBClient, wire: WireFaults, dynamodb_server: Server) -> None:
    """Each attempt is reported with its result, and the capacity of the table it used, named without prefix."""
    seen: list[Observation] = []
    endpoint = endpoint_at(wire.url, dynamodb_server, client.endpoint.table_prefix)
    wire.script.append(THROTTLED)
    async with DynamoDBClient(endpoint, observe=seen.append) as observed:
        await get(observed)
        await put(observed, 2)
    assert [(s.operation, s.action, s.is_read, s.result) for s in seen] == [
        ("t.get", "GetItem", True, "busy"),
        ("t.get", "GetItem", True, "ok"),
        ("", "TransactWriteItems", False, "ok"),
    ]
    assert [s.capacity for s in seen] == [(), (Capacity("T", 1.0),), (Capacity("T", 2.0),)]
    assert all(0 < s.seconds_s < 5 for s in seen)


async def test_pages_go_on_to_the_end(client: DynamoDBClient) -> None:
    """A Scan gives every item once, page by page."""
    table = client.table_name("T")
    for number in range(5):
        await client.request("PutItem", {"TableName": table, "Item": {"PK": {"S": str(number)}}})
    pages = [list(page) async for page in client.pages("Scan", {"TableName": table, "Limit": 2})]
    assert ["0", "1", "2", "3", "4", "a"] == sorted(str(item["PK"]["S"]) for page in pages for item in page)
    assert len(pages) > 2


async def test_batch_get_reads_more_than_a_batch(client: DynamoDBClient) -> None:
    """Any number of keys; those without an item are left out."""
    table = client.table_name("T")
    keys = [{"PK": {"S": str(number)}} for number in range(250)]
    for key in keys[::50]:
        await client.request("PutItem", {"TableName": table, "Item": key})
    found = await client.batch_get({table: keys})
    assert sorted(keys[::50], key=str) == sorted(found[table], key=str)


async def test_batch_get_asks_again_for_what_was_left_over(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """Keys that the service did not process are asked for until they are."""
    table = shaky.table_name("T")
    wire.script.append(Answer(200, "", {"Responses": {table: []}, "UnprocessedKeys": {table: {"Keys": [KEY]}}}))
    found = await shaky.batch_get({table: [KEY]}, deadline=Deadline.after(5))
    assert {table: [{**KEY, "n": {"N": "1"}}]} == found


async def test_batch_get_keeps_its_deadline(shaky: DynamoDBClient, wire: WireFaults) -> None:
    """A table too busy to answer ends with the deadline."""
    table = shaky.table_name("T")
    left = Answer(200, "", {"Responses": {}, "UnprocessedKeys": {table: {"Keys": [KEY]}}})
    wire.script.extend([left] * 1000)
    with pytest.raises(DeadlineExceeded):
        await shaky.batch_get({table: [KEY]}, deadline=Deadline.after(0.3))


async def test_condition_failure_stays_a_failure(client: DynamoDBClient) -> None:
    """Only who set a condition knows what its refusal means."""
    payload = {
        "TableName": client.table_name("T"),
        "Item": KEY,
        "ConditionExpression": "attribute_not_exists(PK)",
    }
    with pytest.raises(Failure) as caught:
        await client.request("PutItem", payload)
    assert caught.value.verdict is Verdict.REFUSED


async def test_missing_table_is_unavailable(client: DynamoDBClient) -> None:
    """The service's own complaint reaches the operator."""
    with pytest.raises(Unavailable, match=r"ResourceNotFoundException, HTTP 400, request .+: Cannot do operations"):
        await client.request("GetItem", {"TableName": "none", "Key": KEY})


def test_endpoint_hides_its_keys() -> None:
    """Keys stand in no representation."""
    shown = repr(DynamoDBEndpoint("r", access_key="AKIA", secret_key="hush"))
    assert "AKIA" not in shown
    assert "hush" not in shown
