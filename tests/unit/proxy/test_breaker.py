"""The circuit breaker, over a clock of its own."""

import logging

import pytest

from proxy.breaker import COOLDOWN_CAP_S, Breaker


class Clock:
    """A time that only the test moves, in seconds."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The time of the breaker."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """A closed breaker that opens at the third failure; its cool-down is not moved by chance."""
    return Breaker("database", threshold=3, clock=clock, draw=lambda: 0.5)


def fail(breaker: Breaker, times: int) -> None:
    """Let calls fail."""
    for _ in range(times):
        breaker.failed()


def test_breaker_stays_closed_below_its_threshold(breaker: Breaker) -> None:
    """Failures that are not in a row do not open it."""
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert not breaker.is_open
    assert breaker.allow()
    assert breaker.retry_after_s == 0


def test_breaker_opens_at_its_threshold(breaker: Breaker) -> None:
    """From the last failure of the row no call goes through for a cool-down."""
    fail(breaker, 3)
    assert breaker.is_open
    assert not breaker.allow()
    assert breaker.retry_after_s == 1


def test_breaker_lets_one_probe_through_each_cool_down(breaker: Breaker, clock: Clock) -> None:
    """Only one call finds out whether the database is back, and it stays open meanwhile."""
    fail(breaker, 3)
    clock.now_s += 0.99
    assert not breaker.allow()
    clock.now_s += 0.01
    assert [True, False, False] == [breaker.allow() for _ in range(3)]
    assert breaker.is_open


def test_breaker_closes_when_a_probe_succeeds(breaker: Breaker, clock: Clock) -> None:
    """After a success all calls go through, and it takes a whole row to open it again."""
    fail(breaker, 3)
    clock.now_s += 1
    breaker.allow()
    breaker.succeeded()
    assert not breaker.is_open
    assert all(breaker.allow() for _ in range(3))
    fail(breaker, 2)
    assert not breaker.is_open


def test_breaker_waits_longer_after_each_failed_probe(breaker: Breaker, clock: Clock) -> None:
    """The cool-down doubles up to its cap, and is short again after a success."""
    fail(breaker, 3)
    pauses_s = []
    for _ in range(6):
        pauses_s.append(breaker.retry_after_s)
        clock.now_s += breaker.retry_after_s
        assert breaker.allow()
        breaker.failed()
    assert [1, 2, 4, 8, COOLDOWN_CAP_S, COOLDOWN_CAP_S] == pauses_s
    breaker.succeeded()
    fail(breaker, 3)
    assert breaker.retry_after_s == 1


def test_breaker_does_not_count_late_failures_as_probes(breaker: Breaker, clock: Clock) -> None:
    """Calls that were under way when it opened do not make the cool-down longer."""
    fail(breaker, 3)
    clock.now_s += 0.5
    fail(breaker, 10)
    assert breaker.retry_after_s == 0.5


def test_breaker_survives_a_probe_that_is_never_heard_of(breaker: Breaker, clock: Clock) -> None:
    """A probe whose caller went away only costs another cool-down."""
    fail(breaker, 3)
    clock.now_s += 1
    assert breaker.allow()
    clock.now_s += 1
    assert breaker.allow()
    breaker.succeeded()
    assert not breaker.is_open


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 0.8), (1.0, 1.2)])
def test_breaker_spreads_its_probes(clock: Clock, drawn: float, expected: float) -> None:
    """Workers do not probe in step."""
    breaker = Breaker("database", threshold=1, clock=clock, draw=lambda: drawn)
    breaker.failed()
    assert breaker.retry_after_s == pytest.approx(expected)


def test_breaker_logs_its_changes_once(breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Opening and closing are events, what happens in between is not."""
    caplog.set_level(logging.INFO)
    fail(breaker, 5)
    clock.now_s += 1
    breaker.allow()
    breaker.failed()
    breaker.succeeded()
    breaker.succeeded()
    assert ["breaker_opened", "breaker_closed"] == [record.getMessage() for record in caplog.records]
