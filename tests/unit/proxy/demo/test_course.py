"""When a demonstration is well."""

import pytest

from adapters.flags import Flags
from proxy.demo.caller import Reading
from proxy.demo.course import LEGS, Outcome
from proxy.demo.workload import Call
from proxy.flags.model import phase_label, with_changes
from proxy.sync.report import RowCounts, VerifyReport

EQUAL = VerifyReport({"user": RowCounts(equal=3)})
DIFFERENT = VerifyReport({"user": RowCounts(equal=3, different=1)})
UNSURE = VerifyReport({"user": RowCounts(could_not_tell=1)})


def outcome(**given: object) -> Outcome:
    """A good one, but for what is given."""
    made = Outcome("demo", phase="2", calls=10, verified={"in the end": EQUAL})
    for name, value in given.items():
        setattr(made, name, value)
    return made


def test_outcome_is_well_when_all_is() -> None:
    """It came to its end, all answers were right, and everything is equal."""
    assert outcome().is_well
    assert "in the end: 3 rows and all items compared: equal" in outcome().lines()


@pytest.mark.parametrize(
    "given",
    [
        {"verified": {}},
        {"verified": {"before": EQUAL, "in the end": DIFFERENT}},
        {"verified": {"before": UNSURE, "in the end": EQUAL}},
        {"stopped": "interrupted"},
        {"all_along": Reading({("user.find_by_id", "mismatch"): 1})},
    ],
)
def test_outcome_is_not_well(given: dict[str, object]) -> None:
    """One comparison that was not made or not equal, an early end, one mismatch: each is enough."""
    assert not outcome(**given).is_well


def test_outcome_names_unexpected_answers() -> None:
    """With the leg, the operation and the problem."""
    made = outcome()
    made.complaints.note("phase 3", Call("user.find_by_id", {}), "500: data_mismatch")
    assert not made.is_well
    assert "10 calls, 1 answered unexpectedly:" in made.lines()
    assert "  phase 3: user.find_by_id: 500: data_mismatch" in made.lines()


def test_outcome_says_what_stays() -> None:
    """In which phase the proxy is, and what could not be deleted."""
    lines = outcome(left=["user.delete 7: 409: conflict, restrict"]).lines()
    assert ["what stays of demo:", "  user.delete 7: 409: conflict, restrict", "the proxy is left in phase 2"] == lines[
        -3:
    ]


def test_legs_lead_up_and_back() -> None:
    """The flags of each leg are allowed, and are its phase."""
    flags, phases = Flags(), []
    for leg in LEGS:
        flags = with_changes(flags, leg.flags)
        assert leg.phase == phase_label(flags)
        phases.append(leg.phase)
    assert ["1", "2", "3", "4", "4", "3", "2"] == phases
