"""Meters: values of several workers in one page."""

import os
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.meters import CELLS, Merge, Meters


def samples(meters: Meters) -> dict[str, float]:
    """The page as the reference parser reads it: `name{label=value}` to value."""
    return {
        sample.name + ("{" + ",".join(f"{k}={v}" for k, v in sample.labels.items()) + "}" if sample.labels else ""): (
            sample.value
        )
        for family in text_string_to_metric_families(meters.render().decode())
        for sample in family.samples
    }


def in_worker(meters: Meters, worker: int, work: Callable[[], None]) -> None:
    """Do something in a forked process that is that worker, which then dies without clearing up."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            meters.attach(worker)
            work()
            code = 0
        finally:
            os._exit(code)
    assert (pid, 0) == os.waitpid(pid, 0)


def test_counter_adds_up_all_workers() -> None:
    """Every worker's page shows what all of them counted, dead ones included, and a successor goes on."""
    meters = Meters(workers=2)
    calls = meters.counter("calls_total", "Calls.", code="ok")
    calls.add()
    in_worker(meters, 1, lambda: calls.add(2.5))
    in_worker(meters, 1, calls.add)
    assert samples(meters) == {"calls_total{code=ok}": 4.5}


def test_counter_begins_at_zero() -> None:
    """A series is there before its first event, or `increase` would miss that one."""
    meters = Meters()
    meters.counter("calls_total", "Calls.", code="ok")
    meters.counter("calls_total", "Calls.", code="internal")
    assert samples(meters) == {"calls_total{code=ok}": 0, "calls_total{code=internal}": 0}


@pytest.mark.parametrize(("merge", "expected"), [(Merge.SUM, 9), (Merge.MAX, 7), (Merge.MIN, 2)])
def test_gauge_merges_the_workers_that_have_a_value(merge: Merge, expected: float) -> None:
    """Sum, largest or smallest of the live workers' values; a worker that has none does not count."""
    meters = Meters(workers=3)
    open_calls = meters.gauge("open_calls", "Calls now.", merge=merge)
    open_calls.set(2)
    in_worker(meters, 2, lambda: open_calls.set(7))
    assert samples(meters) == {"open_calls": expected}


def test_gauge_without_a_value_is_left_out() -> None:
    """Not knowing is not zero."""
    meters = Meters()
    age = meters.gauge("age_seconds", "Age.", merge=Merge.MAX, copy="a")
    assert samples(meters) == {}
    age.set(0)
    assert samples(meters) == {"age_seconds{copy=a}": 0}
    age.set(None)
    assert samples(meters) == {}


def test_retire_takes_gauges_away_and_keeps_counts() -> None:
    """After a worker's death its connections are gone, what it did is not."""
    meters = Meters(workers=2)
    done = meters.counter("done_total", "Done.")
    pool = meters.gauge("pool", "Connections.", merge=Merge.SUM)
    pool.set(3)

    def work() -> None:
        done.add()
        pool.set(5)

    in_worker(meters, 1, work)
    assert samples(meters) == {"done_total": 1, "pool": 8}
    meters.retire(1)
    assert samples(meters) == {"done_total": 1, "pool": 3}


def test_histogram_counts_into_cumulative_buckets() -> None:
    """A value on a bound lies below it, one above all bounds only in +Inf; all workers add up."""
    meters = Meters(workers=2)
    seconds = meters.histogram("call_seconds", "Seconds.", bounds=(0.1, 1.0), operation="x")
    for value in (0.05, 0.1, 0.2, 3.0):
        seconds.observe(value)
    in_worker(meters, 1, lambda: seconds.observe(0.5))
    assert samples(meters) == {
        "call_seconds_bucket{operation=x,le=0.1}": 2,
        "call_seconds_bucket{operation=x,le=1.0}": 4,
        "call_seconds_bucket{operation=x,le=+Inf}": 5,
        "call_seconds_sum{operation=x}": pytest.approx(3.85),
        "call_seconds_count{operation=x}": 5,
    }


def test_histogram_without_values_has_no_lines() -> None:
    """Operations that were never called do not fill the page."""
    meters = Meters()
    meters.histogram("call_seconds", "Seconds.", bounds=(0.1,))
    assert samples(meters) == {}
    assert b"# TYPE call_seconds histogram" in meters.render()


def test_histogram_without_labels_has_the_same_lines() -> None:
    """A bucket's own label stands alone where there is no other."""
    meters = Meters()
    meters.histogram("call_seconds", "Seconds.", bounds=(0.1,)).observe(0.05)
    assert samples(meters)["call_seconds_bucket{le=0.1}"] == 1
    assert samples(meters)["call_seconds_count"] == 1


def test_render_states_meaning_and_type() -> None:
    """The page begins each metric with its help and type, and ends with a line feed."""
    meters = Meters()
    meters.counter("calls_total", "Calls answered.")
    assert meters.render() == b"# HELP calls_total Calls answered.\n# TYPE calls_total counter\ncalls_total 0.0\n"


@pytest.mark.parametrize(
    "declare",
    [
        lambda meters: meters.counter("calls_total", "Calls.", code="ok"),
        lambda meters: meters.counter("calls_total", "Calls.", result="ok"),
        lambda meters: meters.gauge("calls_total", "Calls.", merge=Merge.SUM, code="x"),
        lambda meters: meters.counter("Calls", "Calls."),
        lambda meters: meters.counter("shed_total", "Two\nlines."),
        lambda meters: meters.counter("shed_total", "Shed.", code='a"b'),
        lambda meters: meters.histogram("seconds", "Seconds.", bounds=tuple(range(CELLS))),
    ],
    ids=["same series", "other labels", "other kind", "bad name", "bad meaning", "bad label value", "too many cells"],
)
def test_meters_refuse_what_the_page_cannot_hold(declare: Callable[[Meters], object]) -> None:
    """A second declaration that differs, and texts that would need escapes, fail at the start."""
    meters = Meters()
    meters.counter("calls_total", "Calls.", code="ok")
    with pytest.raises(ValueError, match=r"calls_total|Calls|shed_total|seconds"):
        declare(meters)


def test_meters_refuse_a_declaration_after_the_fork() -> None:
    """What one worker declares by itself, the others could not place."""
    meters = Meters(workers=2)

    def declare() -> None:
        with pytest.raises(ValueError, match="after the fork"):
            meters.counter("late_total", "Late.")

    in_worker(meters, 1, declare)
