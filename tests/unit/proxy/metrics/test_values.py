"""Values: those of several workers on one page, whatever becomes of a worker."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client import Counter, Histogram
from prometheus_client import values as library
from prometheus_client.parser import text_string_to_metric_families

from proxy.metrics.values import FOLDER_VARIABLE, Merge, SharedValues, Sights, Values, open_values

RESTARTS = 40
MAPPED = Path("/proc/self/maps")


class Shop:
    """A few metrics, and the page that shows them."""

    def __init__(self, values: Values, merge: Merge = "livesum") -> None:
        self.values = values
        with values.declaring() as registry:
            self.calls = Counter("calls_total", "Calls.", ("code",), registry=registry).labels("ok")
            self.open_calls = Sights(registry, "open_calls", "Calls now.", merge=merge).of()
            self.age_s = Sights(registry, "age_seconds", "Age.", ("copy",), merge="livemax").of("a")
            seconds = Histogram("call_seconds", "Seconds.", ("operation",), buckets=(0.1, 1.0), registry=registry)
            self.seconds = seconds.labels("x")

    def page(self, prefix: str = "") -> dict[str, float]:
        """The series of that prefix as the reference parser reads them: `name label=value` to value."""
        return {
            spelt(sample.name, sample.labels): sample.value
            for family in text_string_to_metric_families(self.values.render().decode())
            for sample in family.samples
            if sample.name.startswith(prefix)
        }


def spelt(name: str, labels: Mapping[str, str]) -> str:
    """A series in one word."""
    return name + "".join(f" {label}={value}" for label, value in sorted(labels.items()))


@pytest.fixture
def shared() -> Iterator[Values]:
    """Values of three workers."""
    with open_values(workers=3) as opened:
        yield opened


def forked(work: Callable[[], None]) -> int:
    """Do something in a forked process, which then ends without clearing up: its id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def in_worker(values: Values, worker: int, work: Callable[[], None]) -> None:
    """Do something as that worker, and wait for its end."""

    def attached() -> None:
        values.attach(worker)
        work()

    pid = forked(attached)
    assert (pid, 0) == os.waitpid(pid, 0)


def test_counter_adds_up_all_workers(shared: Values) -> None:
    """Every worker's page shows what all of them counted, dead ones included, and a successor goes on."""
    shop = Shop(shared)
    in_worker(shared, 0, shop.calls.inc)
    in_worker(shared, 1, lambda: shop.calls.inc(2.5))
    in_worker(shared, 1, shop.calls.inc)
    assert shop.page("calls") == {"calls_total code=ok": 4.5}


def test_worker_shows_what_the_others_counted(shared: Values) -> None:
    """Whichever worker is asked, the answer is the same."""
    shop = Shop(shared)
    in_worker(shared, 0, shop.calls.inc)

    def look() -> None:
        shop.calls.inc()
        assert shop.page("calls") == {"calls_total code=ok": 2}

    in_worker(shared, 2, look)


@pytest.mark.parametrize("workers", [1, 2])
def test_values_begin_at_zero(workers: int) -> None:
    """A count is there before its first event, or `increase` would miss that one; a gauge is not."""
    with open_values(workers=workers) as opened:
        assert Shop(opened, merge="livemin").page() == {
            "calls_total code=ok": 0,
            "call_seconds_bucket le=0.1 operation=x": 0,
            "call_seconds_bucket le=1.0 operation=x": 0,
            "call_seconds_bucket le=+Inf operation=x": 0,
            "call_seconds_count operation=x": 0,
            "call_seconds_sum operation=x": 0,
        }


@pytest.mark.parametrize(("merge", "expected"), [("livesum", 9), ("livemax", 7), ("livemin", 2)])
def test_gauge_merges_the_workers_that_have_a_value(shared: Values, merge: Merge, expected: float) -> None:
    """Sum, largest or smallest of the live workers' values; a worker that has none does not count."""
    shop = Shop(shared, merge)
    in_worker(shared, 0, lambda: shop.open_calls.set(2))
    in_worker(shared, 1, lambda: None)
    in_worker(shared, 2, lambda: shop.open_calls.set(7))
    assert shop.page("open_calls") == {"open_calls": expected}


@pytest.mark.parametrize("workers", [1, 2])
def test_gauge_without_a_value_is_left_out(workers: int) -> None:
    """Not knowing is not zero."""
    with open_values(workers=workers) as opened:
        shop = Shop(opened)
        opened.attach(0)
        assert shop.page("age") == {}
        shop.age_s.set(0)
        assert shop.page("age") == {"age_seconds copy=a": 0}
        shop.age_s.set(None)
        assert shop.page("age") == {}


def test_retire_takes_gauges_away_and_keeps_counts(shared: Values) -> None:
    """After a worker's death its connections are gone, what it did is not; its successor has gauges of its own."""
    shop = Shop(shared)

    def work() -> None:
        shop.calls.inc()
        shop.open_calls.set(5)

    in_worker(shared, 0, lambda: shop.open_calls.set(3))
    in_worker(shared, 1, work)
    assert shop.page("open_calls") == {"open_calls": 8}
    shared.retire(1)
    assert shop.page("open_calls") == {"open_calls": 3}
    assert shop.page("calls") == {"calls_total code=ok": 1}
    in_worker(shared, 1, lambda: shop.open_calls.set(1))
    assert shop.page("open_calls") == {"open_calls": 4}


def test_histogram_adds_up_all_workers(shared: Values) -> None:
    """A value on a bound lies below it, one above all bounds only in +Inf; all workers add up."""
    shop = Shop(shared)

    def work() -> None:
        for value in (0.05, 0.1, 0.2, 3.0):
            shop.seconds.observe(value)

    in_worker(shared, 0, work)
    in_worker(shared, 1, lambda: shop.seconds.observe(0.5))
    assert shop.page("call_seconds") == {
        "call_seconds_bucket le=0.1 operation=x": 2,
        "call_seconds_bucket le=1.0 operation=x": 4,
        "call_seconds_bucket le=+Inf operation=x": 5,
        "call_seconds_count operation=x": 5,
        "call_seconds_sum operation=x": pytest.approx(3.85),
    }


def test_page_is_right_while_workers_come_and_go(shared: Values) -> None:
    """No page fails on a file in the making, misses a count, or sees a smallest value that nobody has set."""
    shop = Shop(shared, merge="livemin")
    in_worker(shared, 0, lambda: shop.open_calls.set(7))

    def look() -> None:
        before = 0.0
        while before < RESTARTS:
            page = shop.page()
            assert page["open_calls"] == 7
            assert before <= page["calls_total code=ok"]
            before = page["calls_total code=ok"]

    def work() -> None:
        shop.calls.inc()
        shop.open_calls.set(9)

    watcher = forked(look)
    for _ in range(RESTARTS):
        in_worker(shared, 1, work)
        shared.retire(1)
    assert (watcher, 0) == os.waitpid(watcher, 0)


def test_worker_finds_its_files_made(tmp_path: Path) -> None:
    """A worker makes no file, neither the first one nor a successor: it could be killed before it is whole."""
    opened = SharedValues(tmp_path, workers=1)
    Shop(opened)
    made = {path.name: path.stat().st_size for path in tmp_path.glob("*")}
    assert {"counter_0.db", "histogram_0.db", "gauge_livesum_0.db", "gauge_livemax_0.db", "blank"} == set(made)
    in_worker(opened, 0, lambda: None)
    opened.retire(0)
    assert made == {path.name: path.stat().st_size for path in tmp_path.glob("*")}
    opened.close()


def test_open_values_clears_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each start has a folder of its own, which does not outlive it; one worker needs none."""
    monkeypatch.setattr("proxy.metrics.folder.IN_MEMORY", str(tmp_path))
    with open_values(workers=2) as first, open_values(workers=2) as second:
        in_worker(first, 0, Shop(first).calls.inc)
        assert Shop(second).page("calls") == {"calls_total code=ok": 0}
        assert len(list(tmp_path.iterdir())) == 2
        assert str(tmp_path) in MAPPED.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in MAPPED.read_text(encoding="utf-8")
    with open_values(workers=1) as alone:
        Shop(alone).calls.inc()
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", [None, "/nowhere"])
def test_values_lie_where_they_are_told(monkeypatch: pytest.MonkeyPatch, folder: str | None) -> None:
    """Nothing goes by the library's own settings, of the process or its environment, and nothing changes them."""
    monkeypatch.setattr(library, "ValueClass", library.MultiProcessValue())  # type: ignore[no-untyped-call]
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    if folder is not None:
        monkeypatch.setenv(FOLDER_VARIABLE, folder)
    before = library.ValueClass
    for workers in (1, 2):
        with open_values(workers=workers) as opened:
            shop = Shop(opened)
            opened.attach(0)
            shop.calls.inc()
            assert shop.page("calls") == {"calls_total code=ok": 1}
    assert folder == os.environ.get(FOLDER_VARIABLE)
    assert library.ValueClass is before
