"""Honest comparison: every subject in every round, in an order drawn anew each time, and medians over the rounds."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

T = TypeVar("T")


async def interleaved(
    subjects: Mapping[str, Callable[[], Awaitable[T]]], *, rounds: int, draw: random.Random
) -> dict[str, list[T]]:
    """What each measurement gave, round by round."""
    found: dict[str, list[T]] = {name: [] for name in subjects}
    for _ in range(rounds):
        order = list(subjects)
        draw.shuffle(order)
        for name in order:
            found[name].append(await subjects[name]())
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of ours to the median of theirs."""
    return median(ours) / median(theirs)


def noise(one: Sequence[float], same: Sequence[float]) -> float:
    """How far two measurements of the same thing lie apart, as a share: the median over the rounds, or of all, if more.

    A difference smaller than this says nothing.
    """
    by_round = median(abs(a / b - 1) for a, b in zip(one, same, strict=True))
    return max(by_round, abs(ratio(one, same) - 1))
