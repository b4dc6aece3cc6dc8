"""The rules of the flags."""

import itertools

import pytest

from adapters.errors import InvalidArgument
from adapters.flags import Flags, MismatchPolicy, WriteFailurePolicy
from proxy.flags.model import PHASES, phase_label, phase_of, refusals, routes, shown, with_changes, with_phase

DUAL = Flags(dual_write=True)
TARGET_READS = Flags(dual_write=True, read_from_dynamodb=True)


@pytest.mark.parametrize("phase", PHASES)
def test_phase_is_a_view_of_its_booleans(phase: int) -> None:
    """Setting a phase and asking for it gives the same number."""
    assert phase == phase_of(with_phase(Flags(), phase))


def test_phase_4_compared_behind_is_phase_4() -> None:
    """Comparing the source behind the target's answer is still phase 4."""
    assert 4 == phase_of(Flags(dual_write=True, dual_read=True, read_from_dynamodb=True, validation=True))


def test_other_combinations_are_custom() -> None:
    """Flags that are no phase are shown as custom."""
    flags = Flags(dual_write=True, dual_read=True)
    assert (None, "custom", "custom") == (phase_of(flags), phase_label(flags), shown(flags)["migration_phase"])


def test_with_phase_keeps_policies_but_never_journals_for_the_reader() -> None:
    """A phase keeps policies and percentage; where the target answers, writes must not lag behind."""
    flags = Flags(write_failure_policy=WriteFailurePolicy.JOURNAL, compare_percent=7)
    assert (WriteFailurePolicy.JOURNAL, 7) == (
        with_phase(flags, 2).write_failure_policy,
        with_phase(flags, 2).compare_percent,
    )
    assert WriteFailurePolicy.ROLLBACK is with_phase(flags, 4).write_failure_policy


def test_every_combination_is_judged() -> None:
    """Of the 16 combinations just those are refused that read or compare a database without every write."""
    allowed = set()
    for values in itertools.product((False, True), repeat=4):
        dual_write, dual_read, read_from_dynamodb, validation = values
        flags = Flags(dual_write, dual_read, read_from_dynamodb, validation)
        if not refusals(flags):
            allowed.add(values)
    t, f = True, False
    # dual_write, dual_read, read_from_dynamodb, validation
    expected = {(f, f, f, f), (f, f, t, f), (t, f, f, f), (t, f, t, f)}
    expected |= {(t, t, f, f), (t, t, t, f), (t, t, f, t), (t, t, t, t)}
    assert expected == allowed


def test_journal_is_refused_where_the_target_answers() -> None:
    """Journalled writes would be missing from the target's answers."""
    with pytest.raises(InvalidArgument) as caught:
        with_changes(TARGET_READS, {"write_failure_policy": "journal"})
    assert ["flags"] == [fault.path for fault in caught.value.faults]


def test_with_changes_sets_several_at_once() -> None:
    """All changes are made, then judged as a whole."""
    changed = with_changes(DUAL, {"dual_read_enabled": "true", "validation_enabled": "on", "compare_percent": "5"})
    assert Flags(dual_write=True, dual_read=True, validation=True, compare_percent=5) == changed


def test_with_changes_takes_the_phase() -> None:
    """The phase is a flag like the others."""
    assert with_phase(Flags(mismatch_policy=MismatchPolicy.REPORT), 3) == with_changes(
        Flags(), {"migration_phase": "3", "mismatch_policy": "report"}
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("dual_write_enabled", "maybe"),
        ("mismatch_policy", "shrug"),
        ("compare_percent", "101"),
        ("compare_percent", "half"),
        ("migration_phase", "6"),
        ("migration_phase", "two"),
    ],
)
def test_with_changes_refuses(name: str, value: str) -> None:
    """An unknown flag or a wrong value is refused."""
    with pytest.raises(InvalidArgument) as caught:
        with_changes(Flags(), {name: value})
    assert 1 == len(caught.value.faults)


def test_with_changes_names_every_fault() -> None:
    """All faults are named at once, and nothing is changed."""
    with pytest.raises(InvalidArgument) as caught:
        with_changes(Flags(), {"colour": "red", "dual_write_enabled": "maybe", "dual_read_enabled": "true"})
    assert ["colour", "dual_write_enabled", "flags"] == [fault.path for fault in caught.value.faults]


def test_with_changes_takes_values_of_json() -> None:
    """Booleans and numbers count as their texts do; a number is no boolean, nor the other way round."""
    given = {"dual_write_enabled": True, "compare_percent": 5}
    assert with_changes(Flags(), given) == with_changes(Flags(), {name: str(value) for name, value in given.items()})
    for name, value in {"dual_write_enabled": 1, "compare_percent": True, "mismatch_policy": {}}.items():
        with pytest.raises(InvalidArgument):
            with_changes(Flags(), {name: value})


@pytest.mark.parametrize("phase", PHASES)
def test_routes_are_a_view_of_the_phases(phase: int) -> None:
    """Each phase has routes of its own, and setting those gives the phase; 3 needs its authority, which stays."""
    flags = with_phase(Flags(), phase)
    start = Flags() if phase == 3 else with_phase(Flags(), 4)
    assert flags == with_changes(start, routes(flags))
    assert len(PHASES) == len({tuple(routes(with_phase(Flags(), each)).values()) for each in PHASES})


def test_reading_both_keeps_the_authority() -> None:
    """With both READ_ names true whoever answered goes on answering, and the other is compared."""
    changed = with_changes(TARGET_READS, {"READ_MYSQL": True, "READ_DDB": True})
    assert Flags(dual_write=True, dual_read=True, read_from_dynamodb=True, validation=True) == changed


@pytest.mark.parametrize(
    "changes",
    [
        {"READ_MYSQL": False},
        {"WRITE_MYSQL": False},
        {"READ_DDB": True},
        {"migration_phase": 2, "dual_write_enabled": False},
        {"WRITE_DDB": True, "dual_write_enabled": False},
    ],
)
def test_contradictions_are_refused_with_a_sentence(changes: dict[str, object]) -> None:
    """What reads a database that is not written, or says two things at once, is refused."""
    with pytest.raises(InvalidArgument) as caught:
        with_changes(Flags(), changes)
    assert all(" " in fault.message for fault in caught.value.faults)
