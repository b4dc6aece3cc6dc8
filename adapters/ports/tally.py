"""What dual reads and dual writes of the whole fleet came to, by minute."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Counted(StrEnum):
    """What is counted."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True, order=True)
class Count:
    """What one number is of: the minute's beginning, and the result by its name in the metrics."""

    kind: Counted
    minute: datetime
    entity: str
    result: str


class Tallies(Protocol):
    """The counts. Raises Unavailable, DeadlineExceeded."""

    async def add(self, counts: Mapping[Count, int]) -> None:
        """Add to what is there, all or nothing. When the answer is lost, and it is said again, it counts twice."""

    async def totals(self, kind: Counted, *, since: datetime | None) -> Mapping[tuple[str, str], int]:
        """By (entity, result), from the minute of that moment on, or all that is kept."""

    async def sweep(self) -> int:
        """Remove what is older than a week; how many rows."""
