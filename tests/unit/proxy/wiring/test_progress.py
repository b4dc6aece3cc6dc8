"""Progress in words."""

import io

import pytest

from proxy.sync.report import Progress
from proxy.wiring.progress import ProgressPrinter, described


@pytest.mark.parametrize(
    ("progress", "seconds_s", "expected"),
    [
        (Progress("user", 50, 100), 2.0, "user [###############               ] 50/100, 25/s, 2 s left"),
        (Progress("user", 0, 0), 0.0, "user [##############################] 0/0, 0/s"),
        (Progress("item", 21, None), 3.0, "item: 21, 7/s"),
    ],
)
def test_described_tells_share_rate_and_time_left(progress: Progress, seconds_s: float, expected: str) -> None:
    """A step of known size has a bar and a time left, another one counts and rate alone."""
    assert expected == described(progress, seconds_s=seconds_s)


def test_printer_writes_the_end_of_a_step_and_not_every_moment_of_it() -> None:
    """Off a terminal a step's first and last word are lines of their own; what lies close between is left out."""
    stream = io.StringIO()
    printer = ProgressPrinter(stream)
    for done in range(1, 6):
        printer(Progress("user", done, 5))
    assert ["1/5", "5/5"] == [line.split("] ")[1].split(",")[0] for line in stream.getvalue().splitlines()]
