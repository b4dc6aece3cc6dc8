"""The upper bound of a rate."""

import math

import pytest

from proxy.admin.bound import DOUBT, upper_bound


def at_most(cases: int, trials: int, rate: float) -> float:
    """P(X <= cases) as it is defined, term by term."""
    return sum(math.comb(trials, n) * rate**n * (1 - rate) ** (trials - n) for n in range(cases + 1))


@pytest.mark.parametrize("trials", [1, 2_995, 3_000, 1_000_000])
def test_bound_after_no_case_is_three_in_so_many(trials: int) -> None:
    """With no case it is 1 - 0.05**(1/n), about 3 / n for many."""
    bound = upper_bound(0, trials)
    assert bound == pytest.approx(1 - DOUBT ** (1 / trials))
    if trials > 1:
        assert 3 / trials == pytest.approx(bound, rel=0.002)


@pytest.mark.parametrize(("cases", "trials"), [(1, 10), (3, 50), (9, 10), (40, 800), (5, 1_000)])
def test_bound_is_where_so_few_cases_come_one_time_in_twenty(cases: int, trials: int) -> None:
    """By the definition of Clopper and Pearson."""
    bound = upper_bound(cases, trials)
    assert bound is not None
    assert at_most(cases, trials, bound) == pytest.approx(DOUBT, rel=1e-6)


def test_bound_of_three_thousand_equal_reads_is_under_a_thousandth() -> None:
    """As few as 3,000 comparisons without a mismatch do; with one it takes 4,742."""
    assert (upper_bound(0, 3_000) or 1) < 0.001
    assert (upper_bound(1, 3_000) or 0) > 0.001
    assert (upper_bound(1, 4_741) or 0) > 0.001 > (upper_bound(1, 4_742) or 1)


def test_bound_of_extremes() -> None:
    """Nothing is known before the first trial; where all are cases the rate may be one; large numbers cost nothing."""
    assert upper_bound(0, 0) is None
    assert 1.0 == upper_bound(7, 7)
    assert 0.5 == pytest.approx(upper_bound(5_000_000, 10_000_000), rel=0.001)
