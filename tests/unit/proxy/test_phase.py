"""From flags to plans."""

import pytest

from adapters.flags import Flags, MismatchPolicy
from proxy.flags.model import PHASES, with_phase
from proxy.phase import Plan, Side, WriteMode, plan_of


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (1, Plan(Side.SOURCE, compare_share=0.0, is_raising=True, write_mode=WriteMode.SOURCE_ONLY)),
        (2, Plan(Side.SOURCE, compare_share=0.0, is_raising=True, write_mode=WriteMode.DUAL)),
        (3, Plan(Side.SOURCE, compare_share=1.0, is_raising=True, write_mode=WriteMode.DUAL)),
        (4, Plan(Side.TARGET, compare_share=0.0, is_raising=True, write_mode=WriteMode.DUAL)),
        (5, Plan(Side.TARGET, compare_share=0.0, is_raising=True, write_mode=WriteMode.TARGET_ONLY)),
    ],
)
def test_plan_of_each_phase(phase: int, expected: Plan) -> None:
    """Every phase has exactly the reader, the comparison and the writers that its number promises."""
    assert expected == plan_of(with_phase(Flags(), phase))


def test_plan_of_phase_4_compared_behind() -> None:
    """With dual reads on in phase 4 the target answers and the source is compared."""
    flags = Flags(dual_write=True, dual_read=True, read_from_dynamodb=True, validation=True)
    plan = plan_of(flags)
    assert (Side.TARGET, 1.0) == (plan.authority, plan.compare_share)


@pytest.mark.parametrize(("percent", "expected"), [(100, 1.0), (0, 0.0), (10, 0.1)])
def test_plan_compares_the_percentage(percent: int, expected: float) -> None:
    """The share of calls that are compared is the percentage."""
    flags = Flags(dual_write=True, dual_read=True, validation=True, compare_percent=percent)
    assert expected == plan_of(flags).compare_share


@pytest.mark.parametrize("flags", [Flags(dual_read=False, validation=True), Flags(dual_read=True, validation=False)])
def test_plan_compares_nothing_without_both_flags(flags: Flags) -> None:
    """A percentage alone compares nothing: dual reads and their validation must both be on."""
    assert plan_of(flags).compare_share == 0


def test_plan_takes_the_mismatch_policy() -> None:
    """Only the policy `raise` lets a mismatch reach the caller."""
    assert not plan_of(Flags(mismatch_policy=MismatchPolicy.REPORT)).is_raising


def test_sides_are_each_others_other() -> None:
    """Source and target are each other's other side."""
    assert [Side.TARGET, Side.SOURCE] == [Side.SOURCE.other, Side.TARGET.other]


def test_every_phase_is_planned() -> None:
    """The five phases are the ones that exist."""
    assert [1, 2, 3, 4, 5] == list(PHASES)
