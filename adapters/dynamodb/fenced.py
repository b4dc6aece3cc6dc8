"""What a worker keeps of an aggregate, guarded by the aggregate's fence.

    call ── fence as it read it ──▶ at ── as kept? ──▶ the value
                                     └─ else one call renews, the others wait and share ─▶ the value

A write raises its fence in its own transaction. So whoever reads the fence after a write was acknowledged sees another
stamp than that of an older copy, and the copy is renewed before it answers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from adapters.dynamodb.expressions import OP, VERSION
from adapters.dynamodb.reading import ItemReader
from adapters.dynamodb.typed_json import Attributes, read_count, read_text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a fence says: the version, and the operation that took it there, which tells two histories apart."""

    version: int
    op: str


NEVER_RAISED: Final = Stamp(0, "")
"""The stamp of a fence that is not there."""


def stamp_of(fence: Attributes | None) -> Stamp:
    """The stamp in a fence."""
    if fence is None or VERSION not in fence:
        return NEVER_RAISED
    return Stamp(read_count(fence, VERSION), read_text(fence, OP) if OP in fence else "")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A value and the stamp that it is as new as."""

    stamp: Stamp
    value: T


class Fenced(Generic[T]):
    """A kept value. `renew` brings it up to the fence as it is now, from what is kept; a stamp seen is its hint.

    A renewal that fails or is cut short leaves what was kept, and the next call renews anew.
    """

    def __init__(self, name: str, renew: Callable[[ItemReader, Kept[T] | None, Stamp], Awaitable[Kept[T]]]) -> None:
        self._name = name
        self._renew = renew
        self._kept: Kept[T] | None = None
        self._begun_s = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def kept(self) -> Kept[T] | None:
        """What is kept, however old."""
        return self._kept

    async def at(self, seen: Stamp, items: ItemReader) -> T:
        """The value, at least as new as the stamp that the caller has just seen. Raises as the reader."""
        if self._kept is not None and self._kept.stamp == seen:
            return self._kept.value
        entered_s = time.monotonic()  # The loop's own clock stands still between its turns, and has whole milliseconds.
        async with items.deadline.scope(f"dynamodb.{self._name}"), self._lock:
            # A renewal that began after the fence was seen has read the fence as it was seen, or later. Versions alone
            # do not tell: they begin anew when the tables are emptied or restored.
            if self._kept is None or (self._kept.stamp != seen and self._begun_s < entered_s):
                begun_s = time.monotonic()
                self._kept = await self._renew(items, self._kept, seen)
                self._begun_s = begun_s
            return self._kept.value
