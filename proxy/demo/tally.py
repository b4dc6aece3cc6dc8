"""What the shoppers' calls came to, by operation. No I/O; the memory does not grow with the calls."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from proxy.demo.expected import Answer, Judgement
from proxy.demo.workload import Call

STEP: Final = 1.05
"""Each class of latencies reaches a twentieth further than the one before."""
LEAST_S: Final = 1e-5
COMPLAINTS_KEPT: Final = 100


@dataclass(slots=True)
class Latencies:
    """How long calls took, to a twentieth: how many, by class."""

    classes: Counter[int] = field(default_factory=Counter)

    def note(self, duration_s: float) -> None:
        """One more."""
        self.classes[math.ceil(math.log(max(duration_s, LEAST_S) / LEAST_S, STEP))] += 1

    def add(self, others: "Latencies") -> None:
        """All of others."""
        self.classes.update(others.classes)

    def quantile_s(self, share: float) -> float | None:
        """A bound that this share of the calls did not exceed, at most a twentieth too high; None without calls."""
        left = share * self.classes.total()
        for number, count in sorted(self.classes.items()):
            left -= count
            if left <= 0:
                return float(LEAST_S * STEP**number)
        return None


@dataclass(slots=True)
class OperationTally:
    """The calls of one operation, or of all. `refused` are refusals that were to be expected."""

    calls: int = 0
    refused: int = 0
    latencies: Latencies = field(default_factory=Latencies)

    def add(self, other: "OperationTally") -> None:
        """All of another's."""
        self.calls += other.calls
        self.refused += other.refused
        self.latencies.add(other.latencies)


class Tally:
    """The calls since a moment."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._lasted_s: float | None = None
        self.operations: defaultdict[str, OperationTally] = defaultdict(OperationTally)
        self.phases: Counter[str] = Counter()
        self.served_by: Counter[str] = Counter()
        self.shadows: Counter[str] = Counter()

    def note(self, call: Call, answer: Answer, judgement: Judgement) -> None:
        """One more."""
        tally = self.operations[call.operation]
        tally.calls += 1
        tally.refused += judgement.is_refusal
        tally.latencies.note(answer.duration_s)
        for counter, value in ((self.phases, answer.phase), (self.served_by, answer.served_by)):
            if value:
                counter[value] += 1
        if answer.shadow:
            self.shadows[answer.shadow] += 1

    def end(self) -> None:
        """The time is over: rates go by what has passed until now."""
        self._lasted_s = self.lasted_s

    @property
    def lasted_s(self) -> float:
        """How long, until now or the end."""
        return time.monotonic() - self._began_s if self._lasted_s is None else self._lasted_s

    def total(self) -> OperationTally:
        """All operations together."""
        total = OperationTally()
        for each in self.operations.values():
            total.add(each)
        return total


class Complaints:
    """Answers that should not have come: how many, and the first of them in words."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[str] = []

    def note(self, title: str, call: Call, complaint: str) -> None:
        """One more, during the leg of that title."""
        self.count += 1
        if len(self.lines) < COMPLAINTS_KEPT:
            self.lines.append(f"{title}: {call.operation}: {complaint}")


def merged(tallies: Iterable[Tally]) -> dict[str, OperationTally]:
    """The operations of several tallies."""
    operations: defaultdict[str, OperationTally] = defaultdict(OperationTally)
    for tally in tallies:
        for name, each in tally.operations.items():
            operations[name].add(each)
    return dict(operations)
