"""Bounded concurrency with a short queue: what is beyond both is refused at once, so that the rest stays fast."""

import asyncio
from collections import deque
from collections.abc import Callable

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Outcome, Unavailable


class Limiter:
    """At most `slots` calls at once, `queue` more waiting in order of arrival, each for at most `wait_s` seconds.

    `name` stands in the refusal, `on_shed` is told of each. For one event loop: no await between a look and its effect.
    """

    def __init__(self, name: str, *, slots: int, queue: int, wait_s: float, on_shed: Callable[[], None]) -> None:
        self._name = name
        self._slots = slots
        self._queue = queue
        self._wait_s = wait_s
        self._on_shed = on_shed
        self._in_use = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    @property
    def in_use(self) -> int:
        """The calls that hold a slot."""
        return self._in_use

    @property
    def waiting(self) -> int:
        """The calls in the queue."""
        return len(self._waiters)

    async def enter(self, deadline: Deadline) -> None:
        """Take a slot, to be given back by `leave`.

        Raises Unavailable when the queue is full or the wait too long, DeadlineExceeded when the deadline comes first.
        """
        if self._in_use < self._slots:
            self._in_use += 1
            return
        if len(self._waiters) >= self._queue:
            raise self._shed("its queue is full")
        await self._wait(deadline.capped(self._wait_s), deadline)

    def leave(self) -> None:
        """Give the slot to the first in the queue, or back."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._in_use -= 1

    async def _wait(self, until: Deadline, deadline: Deadline) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout_at(until.at_s):
                await waiter
        except TimeoutError as error:
            self._give_up(waiter)
            if until.at_s == deadline.at_s:
                msg = f"the deadline passed in the queue of {self._name}"
                raise DeadlineExceeded(msg, outcome=Outcome.NOT_APPLIED) from error
            raise self._shed(f"no place came free within {self._wait_s:g} s") from error
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: asyncio.Future[None]) -> None:
        # A slot may have been handed over in the very moment in which the wait ended.
        if waiter.done() and not waiter.cancelled():
            self.leave()
        elif waiter in self._waiters:
            self._waiters.remove(waiter)

    def _shed(self, why: str) -> Unavailable:
        self._on_shed()
        return Unavailable(f"{self._name} is at its limit: {why}", outcome=Outcome.NOT_APPLIED)
