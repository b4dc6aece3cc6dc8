"""How large a rate may be, after so many cases in so many: the upper 95 % bound of Clopper and Pearson. Pure.

The bound p is the rate at which so few cases would be seen one time in twenty: P(X <= cases) = 0.05 for X binomial
(trials, p). It holds for every rate and any number of trials; after no case in n trials it is 1 - 0.05**(1/n), about
3 / n. (C. J. Clopper, E. S. Pearson: The use of confidence or fiducial limits, Biometrika 26, 1934.)
"""

import math
from typing import Final

DOUBT: Final = 0.05
STEPS: Final = 60
"""Halvings of the interval: as many as a double has digits to gain."""
NEGLIGIBLE: Final = 1e-12


def upper_bound(cases: int, trials: int) -> float | None:
    """The bound of the rate; None before the first trial."""
    if trials == 0:
        return None
    if cases >= trials:
        return 1.0
    low, high = cases / trials, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _at_most(cases, trials, middle) > DOUBT:
            low = middle
        else:
            high = middle
    return high


def _at_most(cases: int, trials: int, rate: float) -> float:
    """P(X <= cases), for rates above cases / trials: the terms are summed downwards, each smaller than the last."""
    if rate >= 1.0:
        return 0.0
    ways = math.lgamma(trials + 1) - math.lgamma(cases + 1) - math.lgamma(trials - cases + 1)
    term = math.exp(ways + cases * math.log(rate or 1.0) + (trials - cases) * math.log1p(-rate))
    total = 0.0
    for number in range(cases, -1, -1):
        total += term
        if term <= total * NEGLIGIBLE:
            break
        term *= number * (1 - rate) / ((trials - number + 1) * rate)
    return total
