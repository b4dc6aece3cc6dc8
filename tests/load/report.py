"""Ratios and their bars, as a table for people and as JSON for whoever compares runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final

HEADINGS: Final = ("#", "ratio", "is", "noise", "must", "stretch", "verdict", "ours", "theirs")


class Verdict(StrEnum):
    """Where a ratio lies."""

    STRETCH = "stretch"
    MUST = "must"
    MISSED = "MISSED"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a ratio has to reach, and should; `is_least` when more is better."""

    must: float
    stretch: float
    is_least: bool

    def verdict(self, value: float) -> Verdict:
        """What a value has reached."""
        if self._is_reached(value, self.stretch):
            return Verdict.STRETCH
        return Verdict.MUST if self._is_reached(value, self.must) else Verdict.MISSED

    def text(self, limit: float) -> str:
        """A limit with its direction."""
        return f"{'>=' if self.is_least else '<='} {limit:g}"

    def _is_reached(self, value: float, limit: float) -> bool:
        return value >= limit if self.is_least else value <= limit


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the table; `number` is 0 for one that has none.

    `noise` is a share of the value, None where it is counted and not timed. `ours` and `theirs` are the figures behind
    it, with their unit; `notes` belong to the picture; `raw` is all that was measured.
    """

    number: int
    name: str
    value: float
    bar: Bar
    ours: str
    theirs: str
    noise: float | None = None
    notes: tuple[str, ...] = ()
    raw: Mapping[str, object] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """What it has reached."""
        return self.bar.verdict(self.value)


def table(ratios: Sequence[Ratio]) -> str:
    """The table, in columns as wide as their widest cell, and the notes below it."""
    rows = [HEADINGS, *(_cells(ratio) for ratio in ratios)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    notes = [f"#{ratio.number or '-'}: {', '.join(ratio.notes)}" for ratio in ratios if ratio.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _cells(ratio: Ratio) -> tuple[str, ...]:
    noise = "" if ratio.noise is None else f"{ratio.noise:.1%}"
    bar = ratio.bar
    limits = (bar.text(bar.must), bar.text(bar.stretch))
    value = f"{ratio.value:.3g}"
    return (str(ratio.number or "-"), ratio.name, value, noise, *limits, ratio.verdict, ratio.ours, ratio.theirs)


def as_json(ratios: Sequence[Ratio], machine: Mapping[str, object]) -> dict[str, object]:
    """Everything that was measured, and where."""
    return {
        "machine": dict(machine),
        "ratios": [{**asdict(ratio), "verdict": ratio.verdict} for ratio in ratios],
    }
