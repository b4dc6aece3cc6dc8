"""The deadline of a call, and the named steps inside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from adapters.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the running loop's clock, in seconds."""

    at_s: float

    @classmethod
    def after(cls, seconds_s: float) -> Self:
        """The deadline that many seconds from now."""
        return cls(asyncio.get_running_loop().time() + seconds_s)

    @property
    def remaining_s(self) -> float:
        """Seconds left, negative once passed."""
        return self.at_s - asyncio.get_running_loop().time()

    def capped(self, seconds_s: float) -> "Deadline":
        """The earlier of this deadline and one that many seconds from now."""
        return Deadline(min(self.at_s, asyncio.get_running_loop().time() + seconds_s))

    @asynccontextmanager
    async def scope(self, name: str) -> AsyncIterator[None]:
        """Run a step under the deadline.

        Raises DeadlineExceeded, naming the step and the seconds it was allowed, when the deadline passes in it.
        """
        allowed_s = self.remaining_s
        try:
            async with asyncio.timeout_at(self.at_s):
                yield
        except TimeoutError as error:
            msg = f"the deadline passed in {name} after {max(allowed_s, 0):.3f} s"
            raise DeadlineExceeded(msg) from error
