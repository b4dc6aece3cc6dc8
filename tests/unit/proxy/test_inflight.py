"""Waiting for the calls under way."""

import asyncio

import pytest

from adapters.deadline import Deadline
from proxy.background import Background
from proxy.inflight import Inflight


async def test_ended_returns_at_once_when_nothing_runs() -> None:
    """With no call there is nothing to wait for but the quiet moment."""
    assert await Inflight(quiet_s=0).ended(Deadline.after(5)) == 0


async def test_ended_waits_for_every_call() -> None:
    """It returns after the last call, not after the first."""
    inflight = Inflight(quiet_s=0)
    releases = [asyncio.Event(), asyncio.Event()]

    async def call(release: asyncio.Event) -> None:
        with inflight:
            await release.wait()

    background = Background()
    calls = [background.spawn("call", call(release)) for release in releases]
    await asyncio.sleep(0)
    assert inflight.calls == 2
    ended = background.spawn("ended", inflight.ended(Deadline.after(5)))
    releases[0].set()
    await calls[0]
    await asyncio.sleep(0)
    assert not ended.done()
    releases[1].set()
    assert await ended == 0
    assert inflight.calls == 0


async def test_ended_waits_for_calls_that_come_in_the_quiet_moment() -> None:
    """A client that sends its next call right after the last answer is not cut off."""
    inflight = Inflight(quiet_s=0.05)
    answered = asyncio.Event()

    async def next_call() -> None:
        with inflight:
            await asyncio.sleep(0)
            answered.set()

    with inflight:
        background = Background()
        ended = background.spawn("ended", inflight.ended(Deadline.after(5)))
        await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.01, lambda: background.start("next", next_call()))
    assert await ended == 0
    assert answered.is_set()


async def test_ended_gives_up_at_the_deadline() -> None:
    """It says how many calls the deadline left."""
    inflight = Inflight(quiet_s=0)
    with inflight, inflight:
        assert await inflight.ended(Deadline.after(0)) == 2


async def test_failed_call_is_no_longer_under_way() -> None:
    """A call ends however it ends."""
    inflight = Inflight(quiet_s=0)
    with pytest.raises(ZeroDivisionError), inflight:
        divmod(inflight.calls, 0)
    assert inflight.calls == 0
