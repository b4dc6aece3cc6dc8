"""Counters, gauges and histograms whose values lie in memory that forked workers share, in Prometheus' text format.

    one anonymous shared mapping, made before the fork:  | worker 0: cell cell cell ... | worker 1: ... |
    a worker writes the cells of its own part only; whoever is scraped adds up all parts

So any worker answers for all of them, a worker that is killed loses no count, and its successor goes on in the same
part. The usual client does this with a file per process and metric type: 4.6 us a call against 0.5 us here, and 40 ms
a scrape of 3,400 series against 2 ms, during which every other thread waits for the interpreter.
"""

import math
import mmap
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

CELLS: Final = 32_768
"""Cells of one worker, 8 bytes each; a page that is never written takes no memory."""
CELL_BYTES: Final = 8
CELL_FORMAT: Final = "d"
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
PLAIN_LABEL: Final = re.compile(r'[^"\\\n]*')
NO_VALUE: Final = math.nan

Cells = MutableSequence[float]


class Kind(StrEnum):
    """The types of Prometheus that are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """What the gauges of several workers are together."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


class _Part:
    """The cells that this process writes; an object of its own so that `attach` reaches every series."""

    __slots__ = ("cells",)

    def __init__(self, cells: Cells) -> None:
        self.cells = cells


class Counter:
    """A number that only grows."""

    __slots__ = ("_cell", "_part")

    def __init__(self, part: _Part, cell: int) -> None:
        self._part = part
        self._cell = cell

    def add(self, amount: float = 1.0) -> None:
        """Count. Only from the thread that runs the event loop."""
        self._part.cells[self._cell] += amount


class Gauge:
    """A number that this worker sees now; None is no value, and is left out of the page."""

    __slots__ = ("_cell", "_part")

    def __init__(self, part: _Part, cell: int) -> None:
        self._part = part
        self._cell = cell

    def set(self, value: float | None) -> None:
        """Replace the value."""
        self._part.cells[self._cell] = NO_VALUE if value is None else value


class Histogram:
    """How often a value fell between which bounds, and the sum of all. Cells: sum, one a bound, the rest."""

    __slots__ = ("_bounds", "_cell", "_part")

    def __init__(self, part: _Part, cell: int, bounds: Sequence[float]) -> None:
        self._part = part
        self._cell = cell
        self._bounds = bounds

    def observe(self, value: float) -> None:
        """Count a value; one on a bound belongs below it. Only from the thread that runs the event loop."""
        cells, cell = self._part.cells, self._cell
        cells[cell] += value
        cells[cell + 1 + bisect_left(self._bounds, value)] += 1.0


@dataclass(slots=True)
class Family:
    """A metric: everything about it but its values. `series` is label text to first cell."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...]
    merge: Merge = Merge.SUM
    bounds: tuple[float, ...] = ()
    series: dict[str, int] = field(default_factory=dict)

    def head(self) -> str:
        """The two lines above the values."""
        return f"# HELP {self.name} {self.meaning}\n# TYPE {self.name} {self.kind}\n"


class Meters:
    """All metrics of a process and its workers. Declare everything, then fork, then `attach` in each worker."""

    def __init__(self, *, workers: int = 1) -> None:
        self._memory = memoryview(mmap.mmap(-1, workers * CELLS * CELL_BYTES)).cast(CELL_FORMAT)
        # A memoryview takes what its format says, whereas its type knows of integers alone.
        cells = cast("list[Cells]", [self._memory[first : first + CELLS] for first in range(0, workers * CELLS, CELLS)])
        self._parts = cells
        self._part = _Part(cells[0])
        self._used = 0
        self._pid = os.getpid()
        self._families: dict[str, Family] = {}

    @property
    def families(self) -> Sequence[Family]:
        """The metrics in the order of their declaration."""
        return tuple(self._families.values())

    def counter(self, name: str, meaning: str, **labels: str) -> Counter:
        """A series of a counter; the first one of a name declares the metric."""
        family = self._family(Family(name, Kind.COUNTER, meaning, tuple(labels)))
        return Counter(self._part, self._claim(family, labels, cells=1))

    def gauge(self, name: str, meaning: str, *, merge: Merge, **labels: str) -> Gauge:
        """A series of a gauge, without a value so far."""
        family = self._family(Family(name, Kind.GAUGE, meaning, tuple(labels), merge))
        cell = self._claim(family, labels, cells=1)
        for part in self._parts:
            part[cell] = NO_VALUE
        return Gauge(self._part, cell)

    def histogram(self, name: str, meaning: str, *, bounds: tuple[float, ...], **labels: str) -> Histogram:
        """A series of a histogram; `bounds` ascend and are the same for all of a name."""
        family = self._family(Family(name, Kind.HISTOGRAM, meaning, tuple(labels), bounds=bounds))
        return Histogram(self._part, self._claim(family, labels, cells=len(bounds) + 2), bounds)

    def attach(self, worker: int) -> None:
        """Write to the part of that worker from now on, in this process."""
        self._part.cells = self._parts[worker]

    def retire(self, worker: int) -> None:
        """Take the gauges of a worker that has ended off the page; its counts stay."""
        part = self._parts[worker]
        for family in self._families.values():
            if family.kind is Kind.GAUGE:
                for cell in family.series.values():
                    part[cell] = NO_VALUE

    def render(self) -> bytes:
        """The page for Prometheus (text format 0.0.4). May run in a thread of its own, beside the writers."""
        starts = range(0, len(self._memory), CELLS)
        parts = [self._memory[first : first + self._used].tolist() for first in starts]
        totals = [sum(column) for column in zip(*parts, strict=True)]
        text: list[str] = []
        for family in self._families.values():
            text.append(family.head())
            match family.kind:
                case Kind.COUNTER:
                    text += [f"{family.name}{labels} {totals[cell]!r}\n" for labels, cell in family.series.items()]
                case Kind.GAUGE:
                    text += _gauge_lines(family, parts)
                case Kind.HISTOGRAM:
                    text += _histogram_lines(family, totals)
        return "".join(text).encode()

    def _family(self, wanted: Family) -> Family:
        family = self._families.setdefault(wanted.name, wanted)
        names = (wanted.name, *wanted.labels)
        if not all(NAME.fullmatch(name) for name in names) or not PLAIN_LABEL.fullmatch(wanted.meaning):
            raise ValueError(f"{wanted.name} has a name, label or meaning that the page cannot hold")
        if (wanted.kind, wanted.labels, wanted.bounds) != (family.kind, family.labels, family.bounds):
            raise ValueError(f"{wanted.name} was declared otherwise before")
        return family

    def _claim(self, family: Family, labels: dict[str, str], *, cells: int) -> int:
        if not all(PLAIN_LABEL.fullmatch(value) for value in labels.values()):
            raise ValueError(f"{family.name} has a label that the page cannot hold: {labels}")
        given = ",".join(f'{name}="{value}"' for name, value in labels.items())
        text = f"{{{given}}}" if given else ""
        if text in family.series:
            raise ValueError(f"{family.name} has the series {labels} already")
        if os.getpid() != self._pid:
            raise ValueError(f"{family.name} is declared after the fork, which the other workers would not know")
        if self._used + cells > CELLS:
            raise ValueError(f"{family.name} does not fit any more")
        first, self._used = self._used, self._used + cells
        family.series[text] = first
        return first


def _gauge_lines(family: Family, parts: Sequence[Sequence[float]]) -> Iterator[str]:
    for labels, cell in family.series.items():
        values = [part[cell] for part in parts if not math.isnan(part[cell])]
        if values:
            yield f"{family.name}{labels} {_merged(values, family.merge)!r}\n"


def _merged(values: Iterable[float], merge: Merge) -> float:
    match merge:
        case Merge.SUM:
            return sum(values)
        case Merge.MAX:
            return max(values)
        case Merge.MIN:
            return min(values)


def _histogram_lines(family: Family, totals: Sequence[float]) -> Iterator[str]:
    """The lines of those series that have seen a value: most operations of most databases never do."""
    limits = [*(repr(bound) for bound in family.bounds), "+Inf"]
    for labels, cell in family.series.items():
        counts = totals[cell + 1 : cell + 1 + len(limits)]
        if not any(counts):
            continue
        count = 0.0
        opened = f"{labels[:-1]}," if labels else "{"
        for limit, more in zip(limits, counts, strict=True):
            count += more
            yield f'{family.name}_bucket{opened}le="{limit}"}} {count!r}\n'
        yield f"{family.name}_sum{labels} {totals[cell]!r}\n{family.name}_count{labels} {count!r}\n"
