"""From flags to plans."""

import pytest

from adapters.flags import Flags, MismatchPolicy
from proxy.flags.model import PHASES, with_phase
from proxy.phase import Plan, Side, WriteMode, plan_of

ALWAYS = 0.0


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (1, Plan(Side.SOURCE, is_compared=False, is_raising=True, write_mode=WriteMode.SOURCE_ONLY)),
        (2, Plan(Side.SOURCE, is_compared=False, is_raising=True, write_mode=WriteMode.DUAL)),
        (3, Plan(Side.SOURCE, is_compared=True, is_raising=True, write_mode=WriteMode.DUAL)),
        (4, Plan(Side.TARGET, is_compared=False, is_raising=True, write_mode=WriteMode.DUAL)),
        (5, Plan(Side.TARGET, is_compared=False, is_raising=True, write_mode=WriteMode.TARGET_ONLY)),
    ],
)
def test_plan_of_each_phase(phase: int, expected: Plan) -> None:
    """Every phase has exactly the reader, the comparison and the writers that its number promises."""
    assert expected == plan_of(with_phase(Flags(), phase), sample=ALWAYS)


def test_plan_of_phase_4_compared_behind() -> None:
    """With dual reads on in phase 4 the target answers and the source is compared."""
    flags = Flags(dual_write=True, dual_read=True, read_from_dynamodb=True, validation=True)
    plan = plan_of(flags, sample=ALWAYS)
    assert (Side.TARGET, True) == (plan.authority, plan.is_compared)


@pytest.mark.parametrize(
    ("percent", "sample", "expected"), [(100, 0.999, True), (0, 0.0, False), (10, 0.0999, True), (10, 0.1, False)]
)
def test_plan_compares_the_percentage(percent: int, sample: float, expected: bool) -> None:  # noqa: FBT001  # a table
    """A call is compared when its sample lies below the percentage, so 0 is none and 100 is all."""
    flags = Flags(dual_write=True, dual_read=True, validation=True, compare_percent=percent)
    assert expected == plan_of(flags, sample=sample).is_compared


def test_plan_takes_the_mismatch_policy() -> None:
    """Only the policy `raise` lets a mismatch reach the caller."""
    assert not plan_of(Flags(mismatch_policy=MismatchPolicy.REPORT), sample=ALWAYS).is_raising


def test_sides_are_each_others_other() -> None:
    """Source and target are each other's other side."""
    assert [Side.TARGET, Side.SOURCE] == [Side.SOURCE.other, Side.TARGET.other]


def test_every_phase_is_planned() -> None:
    """The five phases are the ones that exist."""
    assert [1, 2, 3, 4, 5] == list(PHASES)
