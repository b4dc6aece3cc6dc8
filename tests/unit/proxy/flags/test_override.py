"""What `proxy.flags.override` promises: one browser's reads, and never where writes go."""

from itertools import product

import pytest

from adapters.errors import Conflict, InvalidArgument
from adapters.flags import ControlState, Flags, MismatchPolicy, WriteFailurePolicy
from proxy.flags.model import PHASES, phase_of, refusals, with_phase
from proxy.flags.override import from_claims, reading_of, shown_reading, to_claims


def state(phase: int, **given: object) -> ControlState:
    """A phase in force, of version 9."""
    return ControlState(with_phase(Flags(**given), phase), 9, "root", None, "")  # type: ignore[arg-type]  # flags by name


@pytest.mark.parametrize(("phase", "wanted"), list(product((2, 3, 4), repeat=2)))
def test_a_browser_can_read_as_in_another_phase(phase: int, wanted: int) -> None:
    """Beside any phase in which both databases get every write; writes stay as they are."""
    reading = reading_of(state(phase), {"migration_phase": wanted})
    flags = reading.beside(state(phase).flags)
    assert (wanted, 9) == (phase_of(flags), reading.epoch)
    assert [] == refusals(flags)


@pytest.mark.parametrize("phase", [1, 5])
def test_a_browser_reads_as_all_where_one_database_is_written(phase: int) -> None:
    """The other one lacks writes."""
    for wanted in PHASES:
        with pytest.raises(Conflict, match="one database"):
            reading_of(state(phase), {"migration_phase": wanted})


@pytest.mark.parametrize(
    "changes",
    [
        {"migration_phase": 1},
        {"migration_phase": 5},
        {"dual_write_enabled": False},
        {"dual_write_enabled": True},
        {"write_failure_policy": "journal"},
        {"WRITE_MYSQL": False},
        {"no_flag": 1},
        {"compare_percent": 101},
        {"validation_enabled": True},
    ],
)
def test_an_override_is_of_reads_alone(changes: dict[str, object]) -> None:
    """What sends writes elsewhere, and what makes no sense, is named."""
    with pytest.raises(InvalidArgument) as caught:
        reading_of(state(2), changes)
    assert caught.value.faults


def test_an_override_reads_no_database_that_may_lag() -> None:
    """Under `journal` an acknowledged write may be owed to the other one still: the policy of all stays in force."""
    lagging = state(3, write_failure_policy=WriteFailurePolicy.JOURNAL)
    with pytest.raises(Conflict, match="journal"):
        reading_of(lagging, {"migration_phase": 4})
    assert reading_of(lagging, {"migration_phase": 2}).epoch == 9


def test_a_cookie_says_what_was_asked_for() -> None:
    """There and back; the page shows it by the names of the flags."""
    reading = reading_of(state(2), {"migration_phase": 3, "mismatch_policy": "report", "compare_percent": 5})
    assert reading == from_claims(to_claims(reading))
    assert (MismatchPolicy.REPORT, 5) == (reading.mismatch_policy, reading.compare_percent)
    assert {"migration_phase": 3, "compare_percent": 5}.items() <= shown_reading(reading).items()


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"epoch": 9},
        {"epoch": "9", "flags": {}},
        {"epoch": 9, "flags": []},
        {"epoch": 9, "flags": {"dual_write_enabled": False}},
        {
            "epoch": 9,
            "flags": {
                "dual_read_enabled": 3,
                "read_from_dynamodb": True,
                "validation_enabled": False,
                "mismatch_policy": "raise",
                "compare_percent": 100,
            },
        },
    ],
)
def test_a_cookie_of_another_form_says_nothing(claims: dict[str, object]) -> None:
    """Such as one of a version with other flags."""
    assert from_claims(claims) is None
