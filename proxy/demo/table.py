"""The figures as lines of text. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proxy.demo.caller import COMPARED, Reading
from proxy.demo.tally import OperationTally, Tally

COLUMNS: Final = (
    ("calls", 8),
    ("per s", 8),
    ("p50 ms", 8),
    ("p99 ms", 8),
    ("compared", 10),
    ("transient", 11),
    ("mismatched", 12),
)
"""Headings with the width of their columns."""
FIRST_WIDTH: Final = 33
FIRST_WIDTH_LEAST: Final = 12
ALL: Final = "all"
P50: Final = 0.5
P99: Final = 0.99
TABLE_WIDTH: Final = FIRST_WIDTH + sum(width for _, width in COLUMNS)
"""How wide a table is where there is room."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a leg came to so far. `intents_most` is the largest number of open intents seen."""

    title: str
    tally: Tally
    reading: Reading
    intents_most: int = 0

    @property
    def lasted_s(self) -> float:
        """How long."""
        return self.tally.lasted_s

    def data(self) -> dict[str, object]:
        """The figures for machines: seconds, shares of the answers' headers, and all operations."""
        tally, reading = self.tally, self.reading
        return {
            "title": self.title,
            "lasted_s": round(self.lasted_s, 3),
            "phases": tally.phases,
            "served_by": tally.served_by,
            "shadow": tally.shadows,
            "intents_most": self.intents_most,
            "total": _operation_data(tally.total(), reading, operation=None),
            "operations": {
                name: _operation_data(each, reading, operation=name) for name, each in sorted(tally.operations.items())
            },
        }


@dataclass(frozen=True, slots=True)
class View:
    """What there is to see in a moment. Between two legs the figures are those of the last one."""

    figures: Figures
    doing: str
    clients: int
    complaints: int
    is_between: bool = False


def view_lines(view: View, *, width: int, height: int) -> list[str]:
    """The live table in this much room: the operations called most when not all have it."""
    figures = view.figures
    rows = operation_rows(figures.tally.operations, figures.reading, lasted_s=figures.lasted_s, width=width)
    foot = [total_row(ALL, figures, width=width), *_footnotes(view)]
    room = max(height - len(foot) - 3, 1)
    hidden = [f"... and {len(rows) - room} operations more"] if len(rows) > room else []
    head = f"{figures.title}: {view.doing}; {view.clients} clients"
    return [line[:width] for line in [head, headings("operation", width=width), *rows[:room], *hidden, *foot]]


def view_summary(view: View) -> str:
    """The same in one line; between two legs no figures that were told already."""
    if view.is_between:
        return f"{view.doing}; {_footnotes(view)[-1]}"
    total, reading = view.figures.tally.total(), view.figures.reading
    calls, rate, p50, p99, *compared = _cells(total, reading, lasted_s=view.figures.lasted_s, operation=None)
    results = ", ".join(f"{name} {cell}" for (name, _), cell in zip(COLUMNS[4:], compared, strict=True))
    times = f"{calls} calls, {rate} per s, p50 {p50} ms, p99 {p99} ms"
    return f"{view.figures.title}: {view.doing}; {times}; {results}; {'; '.join(_footnotes(view))}"


def operation_rows(
    operations: Mapping[str, OperationTally], reading: Reading, *, lasted_s: float, width: int = TABLE_WIDTH
) -> list[str]:
    """A row for each operation, the one called most first."""
    ordered = sorted(operations.items(), key=lambda each: (-each[1].calls, each[0]))
    return [
        _line(name, _cells(tally, reading, lasted_s=lasted_s, operation=name), width=width) for name, tally in ordered
    ]


def leg_rows(legs: Sequence[Figures]) -> list[str]:
    """A row for each leg."""
    return [total_row(leg.title, leg, width=TABLE_WIDTH) for leg in legs]


def total_row(title: str, figures: Figures, *, width: int) -> str:
    """All operations in one row."""
    cells = _cells(figures.tally.total(), figures.reading, lasted_s=figures.lasted_s, operation=None)
    return _line(title, cells, width=width)


def headings(first: str, *, width: int = TABLE_WIDTH) -> str:
    """The line above rows."""
    return _line(first, (name for name, _ in COLUMNS), width=width)


def shares(counts: Mapping[str, int]) -> str:
    """How often each, in words: `mysql 12, dynamodb 3`."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "-"


def _cells(tally: OperationTally, reading: Reading, *, lasted_s: float, operation: str | None) -> Sequence[str]:
    """The comparisons are those of one operation, None for those of all."""
    rate = tally.calls / lasted_s if lasted_s > 0 else 0.0
    return (
        f"{tally.calls:,}",
        f"{rate:,.1f}",
        _milliseconds(tally.latencies.quantile_s(P50)),
        _milliseconds(tally.latencies.quantile_s(P99)),
        *(f"{reading.total(*which, operation=operation):,}" for which in (COMPARED, ("transient",), ("mismatch",))),
    )


def _footnotes(view: View) -> Sequence[str]:
    tally, intents = view.figures.tally, view.figures.reading.intents_open
    return (
        f"answered by {shares(tally.served_by)}; shadow {shares(tally.shadows)}",
        f"intents open {'-' if intents is None else intents}; unexpected answers {view.complaints}",
    )


def _line(first: str, cells: Iterable[str], *, width: int) -> str:
    first_width = min(max(width - TABLE_WIDTH + FIRST_WIDTH, FIRST_WIDTH_LEAST), FIRST_WIDTH)
    shown = "".join(f" {cell:>{size - 1}}" for cell, (_, size) in zip(cells, COLUMNS, strict=True))
    return f"{first:<{first_width}.{first_width}}{shown}"


def _milliseconds(seconds_s: float | None) -> str:
    return "-" if seconds_s is None else f"{seconds_s * 1000:.1f}"


def _operation_data(tally: OperationTally, reading: Reading, *, operation: str | None) -> dict[str, object]:
    return {
        "calls": tally.calls,
        "refused": tally.refused,
        "p50_s": tally.latencies.quantile_s(P50),
        "p99_s": tally.latencies.quantile_s(P99),
        "compared": reading.total(*COMPARED, operation=operation),
        "transient": reading.total("transient", operation=operation),
        "mismatched": reading.total("mismatch", operation=operation),
    }
