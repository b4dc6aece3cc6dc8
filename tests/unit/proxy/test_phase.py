"""From flags to plans."""

import pytest

from adapters.flags import Flags, MismatchPolicy
from proxy.flags.model import PHASES, with_phase
from proxy.phase import Plan, Side, WriteMode, plan_of


@pytest.mark.parametrize(
    ("phase", "authority", "is_dual_read", "write_mode"),
    [
        (1, Side.SOURCE, False, WriteMode.SOURCE_ONLY),
        (2, Side.SOURCE, False, WriteMode.DUAL),
        (3, Side.SOURCE, True, WriteMode.DUAL),
        (4, Side.TARGET, False, WriteMode.DUAL),
        (5, Side.TARGET, False, WriteMode.TARGET_ONLY),
    ],
)
def test_plan_of_each_phase(phase: int, authority: Side, is_dual_read: bool, write_mode: WriteMode) -> None:  # noqa: FBT001  # a table
    """Every phase has exactly the reader, the comparison and the writers that its number promises."""
    expected = Plan(authority, is_dual_read, 1.0, is_dual_read, is_raising=True, write_mode=write_mode)
    assert expected == plan_of(with_phase(Flags(), phase))


def test_plan_of_phase_4_compared_behind() -> None:
    """With dual reads on in phase 4 the target answers and the source is compared."""
    flags = Flags(dual_write=True, dual_read=True, read_from_dynamodb=True, validation=True)
    plan = plan_of(flags)
    assert (Side.TARGET, True, True) == (plan.authority, plan.is_dual_read, plan.is_compared)


@pytest.mark.parametrize(("percent", "expected"), [(100, 1.0), (0, 0.0), (10, 0.1)])
def test_plan_samples_the_percentage(percent: int, expected: float) -> None:
    """The share of dual reads that ask both is the percentage."""
    assert expected == plan_of(Flags(dual_write=True, dual_read=True, compare_percent=percent)).sample


def test_plan_takes_the_mismatch_policy() -> None:
    """Only the policy `raise` lets a mismatch reach the caller."""
    assert not plan_of(Flags(mismatch_policy=MismatchPolicy.REPORT)).is_raising


def test_sides_are_each_others_other() -> None:
    """Source and target are each other's other side."""
    assert [Side.TARGET, Side.SOURCE] == [Side.SOURCE.other, Side.TARGET.other]


def test_every_phase_is_planned() -> None:
    """The five phases are the ones that exist."""
    assert [1, 2, 3, 4, 5] == list(PHASES)
