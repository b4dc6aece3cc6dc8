"""The RPC listener over real HTTP: who is let in, which headers count, and how bodies are read."""

import gzip
from collections.abc import AsyncIterator

import pytest

from tests.integration.rpc_listener import (
    BODY_MAX_BYTES,
    CREATE,
    FIND,
    JSON,
    TOKEN,
    Desk,
    Listener,
    head,
    listening,
    problem,
)


@pytest.fixture(name="listener")
async def fixture_listener() -> AsyncIterator[Listener]:
    """A listener without a token."""
    async with listening(Desk()) as listener:
        yield listener


async def test_an_empty_body_needs_no_content_type(listener: Listener) -> None:
    """It is an object without arguments."""
    response = await listener.request("POST", "/rpc/category/find_all")
    assert (200, {}) == (response.status, listener.desk.calls[0].arguments)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_a_content_type_may_have_parameters(listener: Listener, content_type: str) -> None:
    """JSON is JSON, however it is announced."""
    assert (await listener.post(FIND, b'{"id": 7}', Content_Type=content_type)).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ";"])
async def test_a_body_of_another_type_is_refused(listener: Listener, content_type: str) -> None:
    """A page of another origin can send only such types without asking first."""
    members = problem(await listener.post(FIND, b'{"id": 7}', Content_Type=content_type), 400, "invalid_argument")
    assert ["Content-Type"] == [error["path"] for error in members["errors"]]
    assert [] == listener.desk.calls


async def test_a_call_needs_the_token_where_there_is_one() -> None:
    """No token and a wrong one are refused alike, before anything else is told; the right one is let in."""
    async with listening(Desk(), token=TOKEN) as listener:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
            for path in (FIND, "/rpc/no/operation"):
                response = await listener.post(path, b'{"id": 7}', **headers)
                problem(response, 401, "unauthenticated")
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert [] == listener.desk.calls
        assert (await listener.post(FIND, b'{"id": 7}', Authorization=f"Bearer {TOKEN}")).status == 200


async def test_a_token_may_hold_any_byte() -> None:
    """One that is no text is wrong like any other."""
    async with listening(Desk(), token=TOKEN) as listener:
        answer, _, writer = await listener.raw(head("Authorization: Bearer \xff\xfe", "Content-Length: 0"))
        assert b" 401 " in answer.splitlines()[0]
        writer.close()


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.test"}, {"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}],
)
async def test_a_lured_browser_is_refused(listener: Listener, headers: dict[str, str]) -> None:
    """Host, Origin and Sec-Fetch-Site each suffice; a write tells that nothing happened."""
    members = problem(await listener.post(CREATE, b'{"name": "x"}', **headers), 403, "forbidden")
    assert members["outcome"] == "not_applied"
    assert [] == listener.desk.calls


async def test_a_correlation_id_is_taken_or_made(listener: Listener) -> None:
    """It is in the dispatcher's context and on the answer, each call's its own; an unprintable one is replaced."""
    responses = [await listener.post(FIND, b'{"id": 7}', X_Correlation_Id=given) for given in ("mine", "", "x" * 129)]
    returned = [response.headers["X-Correlation-Id"] for response in responses]
    assert returned == listener.desk.ids == [call.correlation_id for call in listener.desk.calls]
    assert returned[0] == "mine"
    assert 3 == len(set(returned))
    answer, _, writer = await listener.raw(head("X-Correlation-Id: \xe9", "Content-Length: 0"))
    assert b"\xe9" not in answer
    writer.close()


async def test_a_caller_sets_the_time_that_a_call_may_take(listener: Listener) -> None:
    """The deadline is the caller's; a value that is none is refused."""
    await listener.post(FIND, b'{"id": 7}', X_Request_Timeout="0.5")
    assert 0 < listener.desk.calls[0].deadline.remaining_s <= 0.5
    members = problem(await listener.post(FIND, b'{"id": 7}', X_Request_Timeout="61"), 400, "invalid_argument")
    assert ["X-Request-Timeout"] == [error["path"] for error in members["errors"]]


async def test_an_idempotency_key_is_refused(listener: Listener) -> None:
    """Rather than ignored: the caller would rely on it."""
    response = await listener.post(CREATE, b'{"name": "x"}', Idempotency_Key="k")
    members = problem(response, 400, "invalid_argument")
    assert ["Idempotency-Key"] == [error["path"] for error in members["errors"]]
    assert "not supported by this version" in members["detail"]
    assert members["outcome"] == "not_applied"


async def test_a_body_may_be_as_large_as_the_limit(listener: Listener) -> None:
    """To the byte."""
    body = b'{"id": 7}'.ljust(BODY_MAX_BYTES)
    assert (await listener.post(FIND, body)).status == 200
    problem(await listener.post(FIND, body + b" "), 413, "payload_too_large")


async def test_a_body_above_the_limit_is_refused_before_it_is_read(listener: Listener) -> None:
    """Its announced length is enough, none of it need come, and the connection ends."""
    answer, _, writer = await listener.raw(head("Content-Type: application/json", "Content-Length: 4097"))
    assert b" 413 " in answer.splitlines()[0]
    assert b"connection: close" in answer.lower()
    writer.close()


async def test_a_body_without_a_length_is_read_to_the_limit(listener: Listener) -> None:
    """A chunked body is refused once it has passed the limit, and taken when it does not."""

    async def chunks(number: int) -> AsyncIterator[bytes]:
        yield b'{"id": 7}'
        for _ in range(number):
            yield b" " * 1000

    assert (await listener.request("POST", FIND, data=chunks(1), headers=JSON)).status == 200
    problem(await listener.request("POST", FIND, data=chunks(5), headers=JSON), 413, "payload_too_large")


async def test_a_compressed_body_is_limited_by_what_it_holds(listener: Listener) -> None:
    """A small body that unpacks into a large one is too large; one that does not unpack is wrong."""
    small = await listener.post(FIND, gzip.compress(b'{"id": 7}'), Content_Encoding="gzip")
    assert (200, {"id": 7}) == (small.status, listener.desk.calls[0].arguments)
    bomb = await listener.post(FIND, gzip.compress(b" " * 1_000_000), Content_Encoding="gzip")
    problem(bomb, 413, "payload_too_large")
    members = problem(await listener.post(FIND, b"no gzip", Content_Encoding="gzip"), 400, "invalid_argument")
    assert ["body"] == [error["path"] for error in members["errors"]]


async def test_a_body_that_is_expected_is_asked_for(listener: Listener) -> None:
    """`100 Continue` comes once nothing speaks against the call, and not before."""
    lines = ("Content-Type: application/json", "Content-Length: 9", "Expect: 100-continue")
    answer, reader, writer = await listener.raw(head(*lines))
    assert b"HTTP/1.1 100 Continue\r\n\r\n" == answer
    writer.write(b'{"id": 7}')
    assert b"HTTP/1.1 200 OK" in await reader.readuntil(b"\r\n\r\n")
    writer.close()
    answer, _, writer = await listener.raw(head("Origin: null", *lines))
    assert b" 403 " in answer.splitlines()[0]
    writer.close()


async def test_a_body_that_does_not_come_meets_the_deadline(listener: Listener) -> None:
    """A caller that stops in the middle holds the call no longer than it said itself."""
    lines = ("Content-Type: application/json", "Content-Length: 9", "X-Request-Timeout: 0.05")
    answer, reader, writer = await listener.raw(head(*lines), b'{"id')
    assert b" 504 " in answer.splitlines()[0]
    assert b"deadline_exceeded" in await reader.read(4096)
    writer.close()
