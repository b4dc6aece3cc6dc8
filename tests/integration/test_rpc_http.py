"""The RPC listener over real HTTP: calls, their answers and their errors."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from adapters.errors import (
    Conflict,
    CrossfadeError,
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    Outcome,
    Reason,
    Subject,
    Unavailable,
)
from adapters.values import NO_RECORD
from proxy.calls import CallRequest
from tests.integration.rpc_listener import (
    ANA,
    CREATE,
    DEFAULT_S,
    FIND,
    OPERATIONS,
    TOKEN,
    Desk,
    Listener,
    ana,
    head,
    listening,
    problem,
)


@pytest.fixture(name="listener")
async def fixture_listener() -> AsyncIterator[Listener]:
    """A listener without a token."""
    async with listening(Desk()) as listener:
        yield listener


async def test_a_call_is_checked_dispatched_and_answered(listener: Listener) -> None:
    """The arguments reach the dispatcher, the record comes back whole, headers say who answered."""
    response = await listener.post(FIND, b'{"id": 7}', X_Correlation_Id="call-1")
    expected = (
        b'{"result":{"id":7,"username":"ana","email":"ana@shop.test","password_hash":"$2b$","first_name":"Ana",'
        b'"last_name":null,"is_seller":true,"super_admin":false,"created_at":"2026-01-31T09:15:00Z","updated_at":null}}'
    )
    assert (200, "application/json", expected) == (response.status, response.content_type, response.body)
    assert ("1", "mysql") == (response.headers["X-Crossfade-Phase"], response.headers["X-Crossfade-Served-By"])
    assert "X-Crossfade-Shadow" not in response.headers
    (call,) = listener.desk.calls
    assert ("user.find_by_id", {"id": 7}, "call-1") == (call.operation.full_name, call.arguments, call.correlation_id)
    assert 0 < call.deadline.remaining_s <= DEFAULT_S
    assert [("user.find_by_id", "ok")] == listener.desk.finished
    assert listener.limiter.in_use == 0


async def test_the_shadow_is_told_where_one_was_asked(listener: Listener) -> None:
    """A dual read says what the comparison found."""
    listener.desk.shadow = "match"
    assert "match" == (await listener.post(FIND, b'{"id": 7}')).headers["X-Crossfade-Shadow"]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_operation_has_its_path(listener: Listener, operation: str) -> None:
    """With the arguments of the document's example, each of the 53 is dispatched under its own name."""
    path = f"/rpc/{operation.replace('.', '/')}"
    document = (await listener.request("GET", "/openapi.json")).json
    example = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
    response = await listener.post(path, json.dumps(example).encode())
    assert response.status == 200
    assert [operation] == [call.operation.full_name for call in listener.desk.calls]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": "7"}', b'{"id": 7, "colour": "red"}', b"", b'{"id": 7.5}'])
async def test_a_wrong_call_is_told_what_is_wrong(listener: Listener, body: bytes) -> None:
    """Nothing is dispatched, and the answer names the places."""
    members = problem(await listener.post(FIND, body), 400, "invalid_argument")
    assert members["errors"]
    assert "outcome" not in members
    assert [] == listener.desk.calls
    assert [("user.find_by_id", "invalid_argument")] == listener.desk.finished


async def test_an_integer_of_any_size_names_no_record(listener: Listener) -> None:
    """Beyond 64 bits, and beyond what a double holds, an id is still an integer."""
    for text in (str(2**31), "7e9", "1e400", str(10**30), "-" + "9" * 400, "9" * 3000):
        assert (await listener.post(FIND, f'{{"id": {text}}}'.encode())).status == 200
    assert [{"id": NO_RECORD}] * 6 == [call.arguments for call in listener.desk.calls]


async def test_a_text_that_can_match_nothing_is_answered_without_a_database(listener: Listener) -> None:
    """The answer is the one for a record that does not exist."""
    for path, name, expected in (
        ("/rpc/user/find_by_email", "email", None),
        ("/rpc/user/exists_by_username", "username", False),
        ("/rpc/order/get_orders_by_status", "status", []),
    ):
        response = await listener.post(path, json.dumps({name: "x" * 101}).encode())
        assert (200, {"result": expected}) == (response.status, response.json)
    assert [] == listener.desk.calls


@pytest.mark.parametrize("path", ["/", "/rpc", "/rpc/user", "/rpc/user/nothing", "/rpc/users/find_by_id", f"{FIND}/"])
async def test_an_unknown_path_is_an_operation_that_is_not_found(listener: Listener, path: str) -> None:
    """Whatever the method, and without repeating the path."""
    for method in ("POST", "GET", "DELETE"):
        members = problem(await listener.request(method, path), 404, "not_found")
        assert members["reason"] == "operation"
    assert {("unknown", "not_found")} == set(listener.desk.finished)


@pytest.mark.parametrize(
    ("allowed", "method", "path"),
    [("POST", "GET", FIND), ("POST", "PUT", CREATE), ("POST", "OPTIONS", FIND), ("GET, HEAD", "POST", "/openapi.json")],
)
async def test_another_method_is_refused(listener: Listener, allowed: str, method: str, path: str) -> None:
    """With the methods there are."""
    response = await listener.request(method, path)
    problem(response, 405, "invalid_argument")
    assert allowed == response.headers["Allow"]


async def test_the_document_is_served_to_everyone() -> None:
    """It needs no token, but says that calls do."""
    async with listening(Desk(), token=TOKEN) as listener:
        response = await listener.request("GET", "/openapi.json")
        document = response.json
        assert (200, "application/json", 53) == (response.status, response.content_type, len(document["paths"]))
        assert [{"token": []}] == document["security"]
        assert (await listener.request("HEAD", "/openapi.json")).status == 200
        foreign = await listener.request("GET", "/openapi.json", headers={"Host": "evil.test"})
        problem(foreign, 403, "forbidden")


@pytest.mark.parametrize(
    ("status", "expected", "error"),
    [
        (404, {"reason": "record", "outcome": "not_applied"}, NotFound("x", subject=Subject("category", 5))),
        (409, {"reason": "reserved_name", "subject": {"entity": "category"}},
         Conflict("x", reason=Reason.RESERVED_NAME, subject=Subject("category"))),
        (503, {"outcome": "not_applied"}, Unavailable("x", retry_after_s=3)),
        (503, {"outcome": "unknown"}, Unavailable("x", outcome=Outcome.UNKNOWN)),
        (504, {"outcome": "unknown"}, DeadlineExceeded("x", outcome=Outcome.UNKNOWN)),
        (400, {"errors": []}, InvalidArgument("x")),
    ],
)  # fmt: skip
async def test_an_error_of_the_dispatcher_becomes_a_problem(
    listener: Listener, status: int, expected: dict[str, object], error: CrossfadeError
) -> None:
    """With its code, members and outcome; a slot is free again."""

    async def fail(_call: CallRequest) -> object:
        raise error

    listener.desk.reply = fail
    response = await listener.post(CREATE, b'{"name": "x"}')
    members = problem(response, status, error.code)
    assert expected == {name: members[name] for name in expected}
    assert ("Retry-After" in response.headers) == (status == 503)
    assert [("category.create", error.code)] == listener.desk.finished
    assert listener.limiter.in_use == 0


async def test_an_unexpected_error_is_logged_and_not_told(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    """The caller learns that it happened, and that nobody knows whether the write did; the log has the stack."""

    async def fail(_call: CallRequest) -> object:
        raise KeyError("s3cret")

    listener.desk.reply = fail
    with caplog.at_level(logging.ERROR):
        members = problem(await listener.post(CREATE, b'{"name": "x"}'), 500, "internal")
    assert members["outcome"] == "unknown"
    assert "s3cret" not in str(members)
    (record,) = caplog.records
    assert "call_broke" == record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)
    assert listener.limiter.in_use == 0


async def test_an_answer_without_a_form_on_the_wire_is_an_unexpected_error(listener: Listener) -> None:
    """A write that was done and cannot be told of is not called undone."""

    async def answer(_call: CallRequest) -> object:
        return object()

    listener.desk.reply = answer
    assert "unknown" == (problem(await listener.post(CREATE, b'{"name": "x"}'), 500, "internal"))["outcome"]


async def test_calls_beyond_the_limit_are_shed() -> None:
    """With Retry-After, while those under way go on; what needs no database is answered still."""
    entered, released = asyncio.Event(), asyncio.Event()

    async def hold(_call: CallRequest) -> object:
        entered.set()
        await released.wait()
        return ANA

    async with listening(Desk(reply=hold), slots=1) as listener, asyncio.TaskGroup() as calls:
        held = calls.create_task(listener.post(FIND, b'{"id": 7}'))
        await entered.wait()
        shed = await listener.post(CREATE, b'{"name": "x"}')
        members = problem(shed, 503, "unavailable")
        assert ("1", "not_applied", 1) == (shed.headers["Retry-After"], members["outcome"], listener.desk.shed_total)
        problem(await listener.post(FIND, b"[]"), 400, "invalid_argument")
        released.set()
        assert (await held).status == 200
        assert (await listener.post(FIND, b'{"id": 7}')).status == 200


async def test_a_caller_that_goes_away_gives_its_slot_back() -> None:
    """The call is cancelled, and the cancellation goes all the way through."""
    entered, left = asyncio.Event(), asyncio.Event()

    async def hold(_call: CallRequest) -> object:
        entered.set()
        try:
            return await asyncio.Event().wait()
        finally:
            left.set()

    async with listening(Desk(reply=hold), slots=1) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(head("Content-Type: application/json", "Content-Length: 9") + b'{"id": 7}')
        await entered.wait()
        writer.close()
        await left.wait()
        listener.desk.reply = ana
        assert (await listener.post(FIND, b'{"id": 7}')).status == 200
        assert [("user.find_by_id", "ok")] == listener.desk.finished


async def test_connections_end_while_draining(listener: Listener) -> None:
    """A connection is kept until the proxy drains, then the answer is its last; errors too."""
    assert "Connection" not in (await listener.post(FIND, b'{"id": 7}')).headers
    listener.desk.is_draining = True
    for body in (b'{"id": 7}', b"["):
        assert "close" == (await listener.post(FIND, body)).headers["Connection"]


async def test_every_call_is_logged_once(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    """One access line with what the metrics have; aiohttp's own log stays silent."""
    with caplog.at_level(logging.INFO):
        await listener.post(FIND, b'{"id": 7}')
    (record,) = caplog.records
    assert ("proxy.access", "call_finished") == (record.name, record.getMessage())


async def test_other_routes_may_stand_beside_the_operations() -> None:
    """Those that probes ask for, without the door that calls come through."""

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="fine")

    async with listening(Desk(), token=TOKEN, beside=[web.get("/healthz", healthy)]) as listener:
        reply = await listener.request("GET", "/healthz", headers={"Host": "10.0.0.7:8080"})
        assert (200, b"fine") == (reply.status, reply.body)
        assert [] == listener.desk.finished
