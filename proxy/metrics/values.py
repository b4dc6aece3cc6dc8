"""Where the values of the metrics lie: in this process, or for several workers in files that all of them can read.

    blank/*_blank.db   made before the fork: every series, all at zero, no gauge with a value
    *_0.db             a copy, which worker 0 maps, and its successors after it
    *_1.db             ...

Whoever is scraped adds up the files, so any worker answers for all, and a killed one loses no count. The copies are
made before their worker, and renamed when they are whole: a page that met a file in the making would fail on its empty
header (prometheus/client_python issue 1199) or take a gauge for zero that nobody has set.
"""

import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Gauge,
    Metric,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from proxy.metrics.folder import open_folder, place

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
Merge = Literal["livesum", "livemax", "livemin"]
"""What the gauges of all live workers are together, as the library calls it."""
UNKNOWN: Final[Mapping[Merge, float]] = {"livesum": 0.0, "livemax": -math.inf, "livemin": math.inf}
"""The value of a gauge that has none: it changes nothing of what the others are together."""
BLANK: Final = "blank"
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


class Sight:
    """A gauge that can be without a value, and is at first; it is left out of the page then, unless it is a sum."""

    __slots__ = ("_gauge", "_unknown")

    def __init__(self, gauge: Gauge, unknown: float) -> None:
        self._gauge = gauge
        self._unknown = unknown
        self.set(None)

    def set(self, value: float | None) -> None:
        """Replace the value of this worker."""
        self._gauge.set(self._unknown if value is None else value)


class Sights:
    """A metric whose series are sights."""

    def __init__(
        self, registry: CollectorRegistry, name: str, meaning: str, labels: Sequence[str] = (), *, merge: Merge
    ) -> None:
        self._gauge = Gauge(name, meaning, labels, registry=registry, multiprocess_mode=merge)
        self._unknown = UNKNOWN[merge]

    def of(self, *labels: str) -> Sight:
        """The series with those label values."""
        return Sight(self._gauge.labels(*labels) if labels else self._gauge, self._unknown)


class Values:
    """The values of a process that works alone."""

    def __init__(self) -> None:
        # Each counter's birth would be a gauge of its own on the page.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._collector: Collector = self.registry

    @contextmanager
    def declaring(self) -> Iterator[CollectorRegistry]:
        """Where to register the metrics; those that are made meanwhile keep their values here. Once, before a fork."""
        with _made_of(values.MutexValue):
            yield self.registry

    def attach(self, worker: int) -> None:
        """Be that worker in this process from now on."""

    def retire(self, worker: int) -> None:
        """Take the gauges of a worker that has ended off the page, and leave its counts for its successor."""

    def render(self) -> bytes:
        """The page for Prometheus (text format 0.0.4); tens of milliseconds, hence in a thread of its own."""
        return generate_latest(_Known(self._collector))


class SharedValues(Values):
    """The values of several workers, in files in `folder`. For the process that forks them, and for each of them."""

    def __init__(self, folder: Path, *, workers: int) -> None:
        super().__init__()
        self._folder = folder
        self._workers = workers
        self._writer = BLANK
        self._kind = values.MultiProcessValue(lambda: self._writer)  # type: ignore[no-untyped-call]
        self._collector = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]

    @contextmanager
    def declaring(self) -> Iterator[CollectorRegistry]:
        """See Values; on leaving, there are files for all workers."""
        blank = self._folder / BLANK
        blank.mkdir()
        with _made_of(self._kind), _files_in(blank):
            yield self.registry
        for worker in range(self._workers):
            self._copy_blank("*", worker)

    def attach(self, worker: int) -> None:
        """See Values."""
        self._writer = str(worker)
        with _files_in(self._folder):
            # The library looks who it is whenever it is asked for a value, and then maps the files of that worker.
            list(self.registry.collect())

    def retire(self, worker: int) -> None:
        """See Values. The library's `mark_process_dead` would leave it to the successor to make the files."""
        self._copy_blank("gauge_*", worker)

    def close(self) -> None:
        """Close this process's files."""
        self._kind.close_all_files()

    def _copy_blank(self, pattern: str, worker: int) -> None:
        ending = f"_{BLANK}.db"
        for blank in (self._folder / BLANK).glob(pattern + ending):
            target = self._folder / f"{blank.name.removesuffix(ending)}_{worker}.db"
            Path(shutil.copyfile(blank, target.with_suffix(".part"))).replace(target)


@contextmanager
def open_values(*, workers: int) -> Iterator[Values]:
    """The values of that many workers, in a folder of their own if there are several.

    Raises OSError when there is no room for the files: 1 MB a worker.
    """
    if workers == 1:
        yield Values()
        return
    with open_folder(place()) as folder:
        shared = SharedValues(folder, workers=workers)
        try:
            yield shared
        finally:
            shared.close()


class _Known:
    """All that has a value."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterator[Metric]:
        """The metrics, without the gauges that have none."""
        for metric in self._collector.collect():
            if metric.type == "gauge":
                metric.samples = [sample for sample in metric.samples if not math.isinf(sample.value)]
            yield metric


@contextmanager
def _made_of(kind: object) -> Iterator[None]:
    """Have the library's metrics made of that kind of value; it has one variable for all, set when it is imported."""
    before, values.ValueClass = values.ValueClass, kind
    try:
        yield
    finally:
        values.ValueClass = before


@contextmanager
def _files_in(folder: Path) -> Iterator[None]:
    """Have the library open its files there; it looks nowhere but in the environment."""
    before = os.environ.get(FOLDER_VARIABLE)
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        os.environ.pop(FOLDER_VARIABLE)
        os.environ.update({} if before is None else {FOLDER_VARIABLE: before})
