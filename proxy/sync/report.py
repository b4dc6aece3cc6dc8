"""What sweeps say of themselves: how far they are, and what they found and did. No I/O."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from adapters.ports.sweep import ItemDifference

DIFFERENCES_KEPT: Final = 1_000
"""How many differences a report names; it counts all."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is: what it counts, how many are done, and of how many, None where nobody knows."""

    step: str
    done: int
    total: int | None


Watcher = Callable[[Progress], None]
"""Is told how far a sweep is, after each page."""


@dataclass(slots=True)
class CopyCounts:
    """What a backfill did for the aggregates of one kind."""

    aggregates: int = 0
    put: int = 0
    deleted: int = 0
    retried: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """What a backfill had to leave as it is, and why."""

    subject: str
    reason: str


@dataclass(slots=True)
class BackfillReport:
    """What a backfill did, by kind of aggregate. `retried` counts tries that were repeated."""

    kinds: dict[str, CopyCounts] = field(default_factory=lambda: defaultdict(CopyCounts))
    failures: list[Failure] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether nothing had to be left as it is."""
        return not self.failures

    def lines(self) -> list[str]:
        """The report for a person to read."""
        done = [
            f"{kind}: {counts.aggregates} copied, {counts.put} items put, {counts.deleted} deleted, "
            f"{counts.retried} tries repeated"
            for kind, counts in self.kinds.items()
        ]
        return [*done, *(f"left as it is: {failure.subject}: {failure.reason}" for failure in self.failures)]


@dataclass(slots=True)
class RowCounts:
    """What a verify found of the rows of one entity; an item that shows no row is a different one."""

    equal: int = 0
    different: int = 0
    could_not_tell: int = 0


@dataclass(slots=True)
class VerifyReport:
    """What a verify found, by entity, and the first DIFFERENCES_KEPT differences."""

    entities: dict[str, RowCounts] = field(default_factory=lambda: defaultdict(RowCounts))
    differences: list[ItemDifference] = field(default_factory=list)
    difference_count: int = 0

    @property
    def is_equal(self) -> bool:
        """Whether every row was compared and nothing differs."""
        return not any(counts.different or counts.could_not_tell for counts in self.entities.values())

    def note(self, difference: ItemDifference) -> None:
        """Keep a difference that was confirmed, while there is room."""
        self.difference_count += 1
        if len(self.differences) < DIFFERENCES_KEPT:
            self.differences.append(difference)

    def lines(self) -> list[str]:
        """The report for a person to read."""
        found = [
            f"{entity}: {counts.equal} equal, {counts.different} different, {counts.could_not_tell} could not tell"
            for entity, counts in self.entities.items()
        ]
        unnamed = self.difference_count - len(self.differences)
        return [*found, *map(str, self.differences), *([f"and {unnamed} differences more"] if unnamed else [])]
