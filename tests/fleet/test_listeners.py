"""The listeners of a real proxy: what a broken request gets, and how a drain treats the calls under way."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.fleet.estate import Estate
from tests.fleet.proxies import Event, ProxyProcess, serving
from tests.fleet.waiting import until

SECRET = b"a-header-that-no-log-may-hold"
CALL = b"POST /rpc/user/find_by_id HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"id": 1}'
BROKEN = {
    "no method": b"%s / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header without a name": CALL + b": x\r\nX-Secret: %s\r\n\r\n",
    "a length that is none": CALL + b"Content-Length: %s\r\n\r\n",
    "a chunk without a length": CALL + b"Transfer-Encoding: chunked\r\n\r\n%s\r\n",
}


async def exchange(address: str, sent: bytes) -> bytes:
    """What comes back for these bytes until the connection ends."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("listener", ["rpc", "admin"])
async def test_broken_requests_are_refused_and_told_of_in_one_line(
    proxy: ProxyProcess, listener: str, kind: str
) -> None:
    """What is no HTTP gets 400 and a closed connection; the log gets one warning, no stack and no byte of it."""
    before = len(proxy.events("request_broken"))
    answer = await exchange(getattr(proxy, listener), BROKEN[kind] % SECRET)
    assert b" 400 " in answer.split(b"\r\n")[0]

    async def told() -> list[Event]:
        return proxy.events("request_broken")[before:]

    (event,) = await until("the warning", told)
    assert ("warning", listener) == (event["level"], event["listener"])
    assert event.keys() == {"time", "level", "event", "logger", "listener", "kind"}
    assert [] == proxy.events("library_spoke")
    assert SECRET.decode() not in proxy.tail()


async def test_broken_requests_are_counted(proxy: ProxyProcess) -> None:
    """They are among the refused calls that name no operation."""
    name, labels = "crossfade_rpc_requests_total", {"operation": "other", "code": "invalid_argument"}
    before = await proxy.metric(name, **labels)
    await exchange(proxy.rpc, BROKEN["no method"] % SECRET)
    assert before + 1 == await proxy.metric(name, **labels)


@pytest.mark.parametrize("path", ["/openapi.json", "/healthz", "/nowhere"])
@pytest.mark.parametrize("listener", ["rpc", "admin"])
async def test_answers_do_not_tell_what_serves(proxy: ProxyProcess, listener: str, path: str) -> None:
    """The Server header names the proxy, and no version of anything."""
    async with aiohttp.ClientSession() as http, http.get(f"http://{getattr(proxy, listener)}{path}") as response:
        assert ["crossfade"] == response.headers.getall("Server")


async def test_answers_to_broken_requests_do_not_tell_what_serves(proxy: ProxyProcess) -> None:
    """Nor do those that no handler makes."""
    answer = await exchange(proxy.rpc, BROKEN["no method"] % SECRET)
    assert b"\r\nServer: crossfade\r\n" in answer
    assert b"aiohttp" not in answer


async def test_drain_answers_the_call_whose_body_is_on_its_way(estate: Estate, tmp_path: Path) -> None:
    """SIGTERM in the middle of a call: no newcomer is let in, health says so, and the call is answered in full."""
    async with serving(estate, tmp_path / "log") as proxy:
        host, _, port = proxy.rpc.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(CALL + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY[:3]))
        await until("the call to be under way", lambda: _is_waiting(proxy))
        async with asyncio.TaskGroup() as tasks:
            stopping = tasks.create_task(proxy.stop())
            await until("newcomers to be refused", lambda: _is_refused(host, int(port)))
            assert not await proxy.is_ready()
            writer.write(BODY[3:])
            answer = await reader.read()
        assert 0 == stopping.result()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b'{"result":null}')
    (finished,) = proxy.events("drain_finished")
    assert (0, 0) == (finished["calls_cut"], finished["tasks_cut"])


async def _is_waiting(proxy: ProxyProcess) -> bool:
    """Whether the head of the call has arrived: the next call on another connection is behind it."""
    async with aiohttp.ClientSession() as http, http.get(f"http://{proxy.rpc}/healthz") as response:
        return response.ok


async def _is_refused(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_drain_serves_the_next_call_on_a_kept_connection(estate: Estate, tmp_path: Path) -> None:
    """A client that sends its next call before it can know of the drain is answered, and told to leave."""
    async with serving(estate, tmp_path / "log") as proxy:
        host, _, port = proxy.rpc.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        call = CALL + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
        writer.write(call)
        await reader.readuntil(b'{"result":null}')
        async with asyncio.TaskGroup() as tasks:
            stopping = tasks.create_task(proxy.stop())
            await until("the drain to begin", lambda: _has_begun(proxy))
            writer.write(call)
            answer = await reader.read()
        assert 0 == stopping.result()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in answer


async def _has_begun(proxy: ProxyProcess) -> bool:
    return bool(proxy.events("drain_started"))
