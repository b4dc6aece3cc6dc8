"""The record of who changed what, and the log that an admin reads: it, mismatches, failed writes and repairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

FLAGS: Final = "flags"
"""The kind of the entry that a change of flags writes in its own transaction."""


@dataclass(frozen=True, slots=True)
class Act:
    """One entry: who did what from where and why, what was before and after, and what a gate said of it."""

    kind: str
    who: str
    address: str
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    reason: str = ""
    gate: Mapping[str, object] | None = None


class Source(StrEnum):
    """Where entries of the log come from. Of an intent that failed and was settled there are two."""

    AUDIT = "audit"
    MISMATCH = "mismatch"
    WRITE_FAILURE = "write_failure"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it lies there; `data` is ready for JSON."""

    id: int
    at: datetime
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Since when the target gets every write, and since when reads are compared; None where that began unrecorded.

    What began with the very first start has no entry.
    """

    written_at: datetime | None
    compared_at: datetime | None


class Audit(Protocol):
    """The log, to which entries are added and from which none is taken. Raises Unavailable, DeadlineExceeded."""

    async def record(self, act: Act) -> None:
        """Add an entry."""

    async def page(self, source: Source, *, below_id: int | None, limit: int) -> list[Entry]:
        """The newest entries of a source, those of an id below one alone; by id, the highest first."""

    async def count(self, source: Source) -> int:
        """How many entries a source has."""

    async def beginnings(self) -> Beginnings:
        """When what goes on now began, by the changes of flags on record."""
