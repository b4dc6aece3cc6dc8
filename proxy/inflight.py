"""The calls under way in a worker, counted so that a drain can wait for their end."""

import asyncio
from types import TracebackType
from typing import Final

from adapters.deadline import Deadline

QUIET_S: Final = 0.3


class Inflight:
    """Counts what runs inside `with inflight:`, from the first byte of a call to its answer.

    aiohttp's shutdown alone would not do for a drain: it stops reading at once, so that a call whose body is still on
    its way hangs, and it closes connections on which the next call is already sent. In this order nobody is cut off:

        be unready, and answer with `Connection: close`
        stop the sites: the listeners close, the connections stay
        await inflight.ended(deadline)
        clean the runners up: the connections that are left are idle
    """

    def __init__(self, *, quiet_s: float = QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._calls = 0
        self._begun_total = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def calls(self) -> int:
        """The calls under way."""
        return self._calls

    def __enter__(self) -> None:
        self._calls += 1
        self._begun_total += 1
        self._idle.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self._calls -= 1
        if not self._calls:
            self._idle.set()

    async def ended(self, deadline: Deadline) -> int:
        """Wait until no call was under way for `quiet_s`, the moment in which clients would have sent their next one.

        Returns the number of calls that the deadline, in seconds of the loop's clock, has left.
        """
        try:
            async with asyncio.timeout_at(deadline.at_s):
                while not await self._is_quiet():
                    await self._idle.wait()
        except TimeoutError:
            return self._calls
        return 0

    async def _is_quiet(self) -> bool:
        before_total = self._begun_total
        if self._calls:
            return False
        await asyncio.sleep(self._quiet_s)
        return before_total == self._begun_total
