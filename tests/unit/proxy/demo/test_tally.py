"""Counting calls."""

import pytest

from proxy.demo.expected import Answer, Judgement
from proxy.demo.tally import COMPLAINTS_KEPT, Complaints, Latencies, Tally, merged
from proxy.demo.workload import Call

CALL = Call("user.find_by_id", {"id": 1})


def latencies(*durations_s: float) -> Latencies:
    """Some calls' latencies."""
    noted = Latencies()
    for duration_s in durations_s:
        noted.note(duration_s)
    return noted


@pytest.mark.parametrize(("share", "expected_s"), [(0.5, 0.050), (0.99, 0.099), (1.0, 0.100), (0.01, 0.001)])
def test_quantile_is_right_to_a_twentieth(share: float, expected_s: float) -> None:
    """Of 1 to 100 ms each quantile is what it must be, or up to a twentieth more."""
    found_s = latencies(*(number / 1000 for number in range(1, 101))).quantile_s(share)
    assert found_s is not None
    assert expected_s <= found_s <= expected_s * 1.0501


def test_quantile_without_calls_is_none() -> None:
    """Nothing was called, so nothing took any time."""
    assert latencies().quantile_s(0.5) is None


def test_latencies_take_no_more_memory_with_more_calls() -> None:
    """100,000 calls of up to a minute fall into a few hundred classes."""
    noted = latencies(*(number / 1666 for number in range(1, 100_001)))
    assert len(noted.classes) < 350


def test_tally_counts_calls_refusals_and_headers() -> None:
    """Each answer is counted under its operation, and by what its headers say."""
    tally = Tally()
    tally.note(CALL, Answer(200, {}, 0.001, phase="3", served_by="mysql", shadow="match"), Judgement())
    tally.note(CALL, Answer(409, {}, 0.001), Judgement(is_refusal=True))
    total = tally.total()
    assert (2, 1) == (total.calls, total.refused)
    assert ({"3": 1}, {"mysql": 1}, {"match": 1}) == (tally.phases, tally.served_by, tally.shadows)


def test_merged_adds_tallies_up() -> None:
    """The calls of several legs together."""
    tallies = [Tally(), Tally()]
    for tally in tallies:
        tally.note(CALL, Answer(200, {}, 0.010), Judgement())
    operations = merged(tallies)
    assert 2 == operations[CALL.operation].calls
    assert 2 == operations[CALL.operation].latencies.classes.total()


def test_end_stops_the_clock() -> None:
    """A leg that has ended lasted as long as it did."""
    tally = Tally()
    tally.end()
    assert tally.lasted_s == tally.lasted_s


def test_complaints_keep_the_first_and_count_all() -> None:
    """However many there are, memory holds the first hundred."""
    complaints = Complaints()
    for number in range(COMPLAINTS_KEPT + 5):
        complaints.note("phase 3", CALL, f"wrong {number}")
    assert COMPLAINTS_KEPT + 5 == complaints.count
    assert COMPLAINTS_KEPT == len(complaints.lines)
    assert "phase 3: user.find_by_id: wrong 0" == complaints.lines[0]
