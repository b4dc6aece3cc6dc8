"""The course of a demonstration: its legs, what it needs of the migration, and what comes of it. No I/O.

    1  2 copy, compare  3  4  4 compared behind  3  2      the shoppers call all the time
    compare everything, delete what was made, compare everything

It ends in phase 2 and copies nothing a second time: what was written on the way must be in both databases by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from proxy.demo.caller import Reading
from proxy.demo.table import Figures, headings, leg_rows, operation_rows
from proxy.demo.tally import Complaints, merged
from proxy.sync.report import BackfillReport, VerifyReport, Watcher


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the course: the flags to set, and the phase that its answers come from."""

    title: str
    phase: str
    flags: Mapping[str, str]
    is_copied: bool = False


COMPARED_BEHIND: Final = {"migration_phase": "4", "dual_read_enabled": "true", "validation_enabled": "true"}
LEGS: Final = (
    Leg("phase 1", "1", {"migration_phase": "1"}),
    Leg("phase 2", "2", {"migration_phase": "2"}, is_copied=True),
    Leg("phase 3", "3", {"migration_phase": "3"}),
    Leg("phase 4", "4", {"migration_phase": "4"}),
    Leg("phase 4, compared", "4", COMPARED_BEHIND),
    Leg("back in phase 3", "3", {"migration_phase": "3"}),
    Leg("back in phase 2", "2", {"migration_phase": "2"}),
)


class Migration(Protocol):
    """What moves the shop's proxies, and sweeps both databases."""

    async def phase(self) -> str:
        """The phase in force; `custom` for flags that are none."""

    async def username(self, user_id: int) -> str | None:
        """What the source, asked beside the proxy, knows of a user."""

    async def move(self, flags: Mapping[str, str], *, reason: str) -> int:
        """Set flags; the epoch from then on."""

    async def backfill(self, progress: Watcher) -> BackfillReport:
        """Make the target equal to the source."""

    async def verify(self, progress: Watcher) -> VerifyReport:
        """Compare everything."""


class Stopped(Exception):  # an end, not always an error
    """The demonstration cannot go on; the message says why."""


@dataclass(slots=True)
class Outcome:
    """What came of it. `stopped` says why it ended early, `left` what could not be deleted.

    `verified` are the full comparisons by when they were made.
    """

    name: str
    phase: str = ""
    calls: int = 0
    legs: list[Figures] = field(default_factory=list)
    all_along: Reading = field(default_factory=Reading)
    verified: dict[str, VerifyReport] = field(default_factory=dict)
    complaints: Complaints = field(default_factory=Complaints)
    stopped: str | None = None
    left: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether it came to its end, every answer was as it should be, and both databases are equal."""
        return self.stopped is None and not self.complaints.count and not self.mismatched and self.is_equal

    @property
    def is_equal(self) -> bool:
        """Whether all full comparisons were made, and found no difference."""
        return bool(self.verified) and all(report.is_equal for report in self.verified.values())

    @property
    def mismatched(self) -> int:
        """How many dual reads of the proxy, whoever's, were confirmed to differ meanwhile."""
        return self.all_along.total("mismatch")

    def lines(self) -> list[str]:
        """The outcome for a person to read."""
        lasted_s = sum(leg.lasted_s for leg in self.legs)
        operations = operation_rows(merged(leg.tally for leg in self.legs), self.all_along, lasted_s=lasted_s)
        return [
            *([headings("operation"), *operations, ""] if operations else []),
            *([headings("leg"), *leg_rows(self.legs), ""] if self.legs else []),
            *(line for when, report in self.verified.items() for line in _verified_lines(when, report)),
            *self._complaint_lines(),
            *([f"stopped: {self.stopped}"] if self.stopped is not None else []),
            *self._left_lines(),
            f"the proxy is left in phase {self.phase}",
        ]

    def data(self) -> dict[str, object]:
        """The outcome for machines."""
        return {
            "is_well": self.is_well,
            "is_equal": self.is_equal,
            "phase": self.phase,
            "stopped": self.stopped,
            "calls": self.calls,
            "legs": [leg.data() for leg in self.legs],
            "mismatched": self.mismatched,
            "unexpected_count": self.complaints.count,
            "unexpected": self.complaints.lines,
            "verified": {
                when: {"is_equal": report.is_equal, "entities": report.entities, "differences": report.differences}
                for when, report in self.verified.items()
            },
            "name": self.name,
            "left": self.left,
        }

    def _complaint_lines(self) -> list[str]:
        count, known = self.complaints.count, self.complaints.lines
        unnamed = [f"and {count - len(known)} more"] if count > len(known) else []
        head = f"{self.calls:,} calls, {count:,} answered unexpectedly{':' if count else ''}"
        mismatched = [f"{self.mismatched:,} reads differed between the databases"] if self.mismatched else []
        return [head, *(f"  {line}" for line in [*known, *unnamed]), *mismatched]

    def _left_lines(self) -> list[str]:
        if not self.left:
            return [f"all of {self.name} is deleted; its moves stay on record, and the versions of what was deleted"]
        return [f"what stays of {self.name}:", *(f"  {line}" for line in self.left)]


def _verified_lines(when: str, report: VerifyReport) -> list[str]:
    found = report.lines()
    rows = sum(counts.equal for counts in report.entities.values())
    if report.is_equal:
        return [f"{when}: {rows:,} rows and all items compared: equal"]
    return [f"{when}: not equal", *(f"  {line}" for line in found)]
