"""The deadline of a call, and the named steps inside it."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
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

    def scope(self, name: str) -> "Scope":
        """Run a step under the deadline: `async with deadline.scope("mysql.query")`.

        Raises DeadlineExceeded, naming the step and the seconds it was allowed, when the deadline passes in it.
        """
        return Scope(self.at_s, name)


class Scope:
    """A step of a call. A class, because a generator as context costs as much again as the timeout in it."""

    __slots__ = ("_allowed_s", "_at_s", "_name", "_timeout")

    def __init__(self, at_s: float, name: str) -> None:
        self._at_s = at_s
        self._name = name

    async def __aenter__(self) -> None:
        self._allowed_s = self._at_s - asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout_at(self._at_s)
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise DeadlineExceeded(
                f"the deadline passed in {self._name} after {max(self._allowed_s, 0):.3f} s"
            ) from late
