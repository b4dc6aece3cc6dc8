"""Waiting for what another process does: the one place that polls."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

LIMIT_S: Final = 30.0
ASK_EVERY_S: Final = 0.03

T = TypeVar("T")


async def until(what: str, probe: Callable[[], Awaitable[T]], *, limit_s: float = LIMIT_S) -> T:
    """The first answer of the probe that is true in a condition. AssertionError with `what` when none comes in time."""
    end_s = time.monotonic() + limit_s
    while not (answer := await probe()):
        assert time.monotonic() < end_s, f"waited {limit_s:.0f} s in vain for {what}; last seen: {answer!r}"
        await asyncio.sleep(ASK_EVERY_S)
    return answer


async def lapse(seconds_s: float) -> None:
    """Let time pass: a fault lasts so long, or clients work so long, where the length is the point."""
    await asyncio.sleep(seconds_s)
