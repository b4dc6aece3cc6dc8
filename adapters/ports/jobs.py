"""Copies and comparisons on record: what is under way anywhere in the fleet, and what has come of those that ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

SILENT_AFTER_S: Final = 30.0
"""A job that says nothing for so long has lost its worker and counts as failed."""


class JobKind(StrEnum):
    """What a job does."""

    BACKFILL = "backfill"
    VERIFY = "verify"


class JobEnd(StrEnum):
    """How a job ends."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Start:
    """A job that begins. Of those with one `slot` at most one is under way; None is none of them."""

    kind: JobKind
    entities: Sequence[str]
    epoch: int
    started_by: str
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What a job came to; `is_equal` of a copy is that it is complete.

    `rows` are those compared, by entity; `differences` the first so many, secrets masked.
    """

    is_equal: bool
    rows: Mapping[str, int]
    difference_count: int = 0
    differences: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it is on record. `state` is `running` or a JobEnd."""

    id: int
    kind: JobKind
    entities: tuple[str, ...]
    state: str
    epoch: int
    done: int
    total: int
    findings: Findings | None
    started_by: str
    started_at: datetime
    updated_at: datetime
    error: str | None


class Jobs(Protocol):
    """The jobs. Raises Unavailable, DeadlineExceeded."""

    async def start(self, start: Start) -> int:
        """Put a job on record: its id. Raises Conflict `already_running` while another has its slot."""

    async def beat(self, job_id: int, *, done: int, total: int) -> bool:
        """Say that a job lives and how far it is; False when it was cancelled, or counts as failed by now."""

    async def end(
        self, job_id: int, end: JobEnd, *, findings: Findings | None = None, error: str | None = None
    ) -> None:
        """Put the end of a running job on record; of one that has ended nothing changes."""

    async def cancel(self, job_id: int) -> None:
        """Ask whoever runs it to stop."""

    async def find(self, job_id: int) -> JobRow | None:
        """A job by its id."""

    async def newest(self, *, limit: int) -> list[JobRow]:
        """The newest jobs, with those under way first."""

    async def ended(self, kind: JobKind, *, limit: int) -> list[JobRow]:
        """The newest jobs of a kind that are done, without their differences."""
