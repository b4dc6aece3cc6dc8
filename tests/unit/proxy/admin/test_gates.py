"""From evidence to checks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.flags import Flags
from adapters.ports.audit import Beginnings
from adapters.ports.jobs import Findings, JobKind, JobRow
from proxy.admin.gates import ENTITIES, Evidence, gate
from proxy.admin.records import Gate, Verdict
from proxy.admin.words import description, named, words_of
from proxy.flags.model import PHASES, with_phase
from proxy.phase import Side

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WRITTEN = NOW - timedelta(hours=10)
UNMEASURED = {2: {"preflight clean"}, 3: set(), 4: {"listing within its bound"}, 5: {"counters raised"}}
ROWS = dict.fromkeys(ENTITIES, 10_000)


def job(kind: JobKind = JobKind.VERIFY, *, hours_ago: float = 0.5, is_equal: bool = True, **given: object) -> JobRow:
    """A job that took no time."""
    at = NOW - timedelta(hours=hours_ago)
    made = JobRow(
        1, kind, ENTITIES, "done", 2, 9, 9, Findings(is_equal, ROWS), "ana", started_at=at, updated_at=at, error=None
    )
    return replace(made, **given)  # type: ignore[arg-type]  # fields of a job


GOOD = Evidence(
    NOW,
    databases={"mysql": None, "dynamodb": None},
    table_faults=(),
    beginnings=Beginnings(WRITTEN, WRITTEN),
    backfills=(job(JobKind.BACKFILL, hours_ago=9),),
    verifies=(job(),),
    reads={(entity, "match"): 3_000 for entity in ENTITIES},
    writes={("user", "applied"): 991, ("cart", "rolled_back"): 9},
    backlog=(0, 0.0),
    owed=0,
)


def judged(target: int, evidence: Evidence, *, start: int | None = None) -> Gate:
    """The gate before a phase, from the one before it."""
    before, after = (with_phase(Flags(), phase) for phase in (start or target - 1, target))
    return gate(before, after, evidence, target=target, words=words_of(before, after))


def closed(target: int, evidence: Evidence) -> set[str]:
    """What holds it shut beside what nothing measures yet."""
    found = judged(target, evidence)
    assert UNMEASURED[target] <= {c.name for c in found.checks if c.verdict is Verdict.NOT_MEASURED}
    return {check.name for check in found.closed_by} - UNMEASURED[target]


@pytest.mark.parametrize("target", UNMEASURED)
def test_good_evidence_leaves_what_is_unmeasured_alone(target: int) -> None:
    """Only checks that nothing measures yet hold a gate shut, and they do."""
    assert set() == closed(target, GOOD)
    assert judged(target, GOOD).is_open == (not UNMEASURED[target])
    assert judged(target, GOOD).effects


@pytest.mark.parametrize("target", UNMEASURED)
def test_no_evidence_opens_no_gate(target: int) -> None:
    """What could not be had counts as little as what failed, and says why."""
    found = judged(target, Evidence(NOW, faults=("the books cannot be read",)))
    assert not found.is_open
    assert all(check.verdict is not Verdict.PASSED for check in found.checks if check.name != "databases reachable")
    told = [check.figure for check in found.checks if check.verdict is Verdict.NOT_MEASURED]
    assert {"the books cannot be read"} == set(told)


@pytest.mark.parametrize(
    ("target", "bad", "name"),
    [
        (2, {"databases": {"mysql": None, "dynamodb": "no answer"}}, "databases reachable"),
        (2, {"table_faults": ["table Users is missing"]}, "tables and indexes"),
        (2, {"refusal": "not in this version"}, "served"),
        (3, {"backfills": ()}, "backfill finished"),
        (3, {"backfills": (job(JobKind.BACKFILL, hours_ago=11),)}, "backfill finished"),
        (3, {"backfills": (job(JobKind.BACKFILL, hours_ago=1, is_equal=False),)}, "backfill finished"),
        (3, {"backlog": (1, 61.0)}, "no old intent"),
        (3, {"writes": {("user", "applied"): 999}}, "dual writes succeed"),
        (3, {"writes": {("user", "applied"): 990, ("user", "journalled"): 10}}, "dual writes succeed"),
        (3, {"writes": {("user", "applied"): 990, ("user", "unknown"): 10}}, "dual writes succeed"),
        (4, {"owed": 1}, "no unsettled intent"),
        (4, {"verifies": ()}, "full verify clean"),
        (4, {"verifies": (job(hours_ago=24.1),)}, "full verify clean"),
        (4, {"verifies": (job(hours_ago=11),)}, "full verify clean"),
        (4, {"verifies": (job(entities=("user",)),)}, "full verify clean"),
        (4, {"verifies": (job(hours_ago=0.1, is_equal=False), job())}, "full verify clean"),
        (4, {"verifies": (job(hours_ago=0.1, is_equal=False, entities=("cart",)), job())}, "full verify clean"),
        (4, {"reads": {**(GOOD.reads or {}), ("cart", "match"): 2_999}}, "cart compared"),
        (4, {"reads": {**(GOOD.reads or {}), ("cart", "mismatch"): 1}}, "cart compared"),
        (5, {"verifies": (job(hours_ago=1.1),)}, "full verify clean"),
        (5, {"backlog": (1, 0.1)}, "no unsettled intent"),
    ],
)
def test_each_check_fails_alone(target: int, bad: dict[str, object], name: str) -> None:
    """One bad piece of evidence closes the gate by the check that it belongs to."""
    assert {name} == closed(target, replace(GOOD, **bad))  # type: ignore[arg-type]  # fields of the evidence


def test_clean_verify_after_partial_one_counts() -> None:
    """A later clean comparison of some entities takes nothing from the one of all."""
    assert set() == closed(4, replace(GOOD, verifies=(job(hours_ago=0.1, entities=("cart",)), job())))


def test_few_rows_need_a_verify_and_no_reads() -> None:
    """An entity with fewer rows than reads are asked for may be verified instead."""
    small = job(findings=Findings(is_equal=True, rows={**ROWS, "cart": 2_999}))
    reads = {key: n for key, n in (GOOD.reads or {}).items() if key[0] != "cart"}
    assert set() == closed(4, replace(GOOD, verifies=(small,), reads=reads))


def test_first_start_in_a_phase_counts_from_the_beginning() -> None:
    """Where the target got every write from the very first start any backfill will do."""
    evidence = replace(GOOD, beginnings=Beginnings(None, None), backfills=(job(JobKind.BACKFILL, hours_ago=999),))
    assert set() == closed(3, evidence)


def test_phases_are_not_passed_over() -> None:
    """Two phases at once are refused, whatever the evidence."""
    found = judged(3, GOOD, start=1)
    assert "one phase at a time" in {check.name for check in found.closed_by}


@pytest.mark.parametrize(("start", "target"), [(s, t) for s in (2, 3, 4) for t in PHASES if t < s])
def test_way_back_has_no_gate(start: int, target: int) -> None:
    """Backward there are words and no checks."""
    found = judged(target, Evidence(NOW), start=start)
    assert (True, ()) == (found.is_open, found.checks)
    assert found.effects


def test_way_back_to_3_says_that_reads_are_compared() -> None:
    """It begins nothing that needs a gate, and is said all the same; a way forward says it once."""
    back, forward = (words_of(with_phase(Flags(), start), with_phase(Flags(), 3)) for start in (4, 2))
    assert [1, 1] == [sum("compares" in word for word in words) for words in (back, forward)]


def test_databases_are_called_by_their_names() -> None:
    """Sentences speak of source and target until somebody reads them."""
    names = {Side.SOURCE: "MySQL", Side.TARGET: "DynamoDB"}
    assert "dual write, DynamoDB read" == named(description(with_phase(Flags(), 4)), names)
    assert "MySQL answers; so does DynamoDB." == named("The source answers; so does the target.", names)
