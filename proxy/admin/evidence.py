"""Evidence for the gates, gathered at once and each piece by itself: one that cannot be had is missing alone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from adapters.deadline import Deadline
from adapters.errors import Conflict, CrossfadeError
from adapters.flags import Flags
from adapters.ports.audit import Audit
from adapters.ports.jobs import JobKind, Jobs
from adapters.ports.tally import Counted, Tallies
from proxy.admin.gates import WRITES_WINDOW, Evidence, Totals
from proxy.flags.effects import Effect, effects
from proxy.phase import Side

PING_LIMIT_S: Final = 1.0
JOBS_LOOKED_AT: Final = 20

T = TypeVar("T")


class Backlog(Protocol):
    """Who knows what is owed to the target."""

    async def backlog(self) -> tuple[int, float]:
        """The number of unsettled intents and the age of the oldest, in seconds."""

    async def owed(self) -> int:
        """How many of them a read of the target might show."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where evidence is kept."""

    audit: Audit
    jobs: Jobs
    tallies: Tallies
    backlog: Backlog


@dataclass(frozen=True, slots=True)
class Databases:
    """Both databases as far as the control plane looks at them; `names` are those of the wire."""

    names: Mapping[Side, str]
    pings: Mapping[Side, Callable[[Deadline], Awaitable[None]]]
    check_tables: Callable[[], Awaitable[Sequence[str]]]
    prove_listing: Callable[[], Awaitable[None]]
    refuse: Callable[[Flags], str | None]


class Desk:
    """Gathers."""

    def __init__(self, books: Books, databases: Databases) -> None:
        self._books = books
        self._databases = databases

    async def gather(self, before: Flags, after: Flags) -> Evidence:
        """What there is for a change of flags. Raises nothing for what cannot be reached."""
        books, at, faults = self._books, datetime.now(UTC), list[str]()
        async with asyncio.TaskGroup() as tasks:
            pings = tasks.create_task(self.reachable())
            tables = tasks.create_task(either(self._tables(before, after), faults))
            beginnings = tasks.create_task(either(books.audit.beginnings(), faults))
            backfills = tasks.create_task(either(books.jobs.ended(JobKind.BACKFILL, limit=JOBS_LOOKED_AT), faults))
            verifies = tasks.create_task(either(books.jobs.ended(JobKind.VERIFY, limit=JOBS_LOOKED_AT), faults))
            reads = tasks.create_task(either(self.compared(), faults))
            writes = tasks.create_task(either(books.tallies.totals(Counted.WRITE, since=at - WRITES_WINDOW), faults))
            backlog = tasks.create_task(either(books.backlog.backlog(), faults))
            owed = tasks.create_task(either(books.backlog.owed(), faults))
            listing = tasks.create_task(either(self._listing(before, after), faults))
        return Evidence(
            at,
            databases=dict(pings.result().values()),
            table_faults=tables.result(),
            beginnings=beginnings.result(),
            backfills=backfills.result(),
            verifies=verifies.result(),
            reads=reads.result(),
            writes=writes.result(),
            backlog=backlog.result(),
            owed=owed.result(),
            listing_fault=listing.result(),
            refusal=self._databases.refuse(after),
            faults=tuple(dict.fromkeys(faults)),
        )

    async def _tables(self, before: Flags, after: Flags) -> Sequence[str] | None:
        """Many requests, for the one effect that they matter to."""
        return await self._databases.check_tables() if Effect.WRITTEN in effects(before, after) else None

    async def _listing(self, before: Flags, after: Flags) -> str | None:
        """What is wrong with the listing, nothing where it is well; a Scan, for the one effect that it matters to."""
        if Effect.ANSWERS not in effects(before, after):
            return None
        try:
            await self._databases.prove_listing()
        except Conflict as error:
            return str(error)
        return ""

    async def compared(self) -> Totals:
        """What dual reads came to since reads began to be compared, of a week at most."""
        beginnings = await self._books.audit.beginnings()
        return await self._books.tallies.totals(Counted.READ, since=beginnings.compared_at)

    async def reachable(self) -> dict[Side, tuple[str, str | None]]:
        """Per database its name and why it cannot be reached, None for one that can; within about a second."""
        faults: dict[Side, list[str]] = {side: [] for side in self._databases.names}
        async with asyncio.TaskGroup() as tasks:
            for side, ping in self._databases.pings.items():
                tasks.create_task(either(ping(Deadline.after(PING_LIMIT_S)), faults[side]))
        return {side: (name, next(iter(faults[side]), None)) for side, name in self._databases.names.items()}


async def either(work: Awaitable[T], faults: list[str]) -> T | None:
    """What comes of it; None when it cannot be had, and why is among the faults."""
    try:
        return await work
    except CrossfadeError as error:
        faults.append(str(error))
        return None
