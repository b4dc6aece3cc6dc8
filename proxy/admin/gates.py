"""The gates: from evidence to checks. Pure; `evidence.py` gathers it.

A gate belongs to an effect, whichever call brings it about. Evidence that could not be had holds it shut, as does what
nothing measures yet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from adapters.flags import Flags
from adapters.operations import PORTS
from adapters.ports.audit import Beginnings
from adapters.ports.jobs import JobRow
from proxy.admin.bound import upper_bound
from proxy.admin.records import Check, EntityStatistics, Gate, Verdict
from proxy.flags.effects import Effect, effects
from proxy.flags.model import phase_of
from proxy.metrics.labels import DualReadResult, DualWriteOutcome

ENTITIES: Final = tuple(PORTS)
INTENT_AGE_MAX_S: Final = 60.0
WRITES_WINDOW: Final = timedelta(minutes=15)
WRITES_MIN: Final = 1_000
WRITE_FAILURES_MAX: Final = 0.01
COMPARED_MIN: Final = 3_000
MISMATCHES_MAX: Final = 0.001
VERIFY_AGE: Final = timedelta(hours=24)
VERIFY_AGE_LAST: Final = timedelta(hours=1)
WRITE_FAILURES: Final = (DualWriteOutcome.ROLLED_BACK, DualWriteOutcome.JOURNALLED, DualWriteOutcome.UNKNOWN)

Totals = Mapping[tuple[str, str], int]
"""By (entity, result)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known at a moment; None is what could not be had, and `faults` says why.

    `databases` has why each cannot be reached, None for one that can; `backlog` the unsettled intents and the age of
    the oldest in seconds, `owed` those that a read of the target might show; jobs come newest first. `listing_fault` is
    empty for a listing within its bound.
    """

    at: datetime
    databases: Mapping[str, str | None] = field(default_factory=dict)
    table_faults: Sequence[str] | None = None
    beginnings: Beginnings | None = None
    backfills: Sequence[JobRow] | None = None
    verifies: Sequence[JobRow] | None = None
    reads: Totals | None = None
    writes: Totals | None = None
    backlog: tuple[int, float] | None = None
    owed: int | None = None
    listing_fault: str | None = None
    refusal: str | None = None
    faults: tuple[str, ...] = ()


def gate(before: Flags, after: Flags, evidence: Evidence, *, target: int, words: Sequence[str]) -> Gate:
    """The checks before a change of flags; none for one that begins nothing. `words` say what it does."""
    begun = effects(before, after)
    checks = [check for effect in begun for measure in CHECKS[effect] for check in measure(evidence)]
    start, end = phase_of(before), phase_of(after)
    if begun and start is not None and end is not None and end > start + 1:
        figure = f"from {start} to {end}"
        sentence = "Phases are entered one at a time, each on the evidence of the one before."
        checks.insert(0, Check("one phase at a time", sentence, Verdict.FAILED, figure, "one", evidence.at))
    if evidence.refusal is not None:
        checks.insert(0, Check("served", evidence.refusal, Verdict.FAILED, "no", "yes", evidence.at))
    return Gate(target, tuple(words), tuple({check.name: check for check in checks}.values()))


def statistics(totals: Totals) -> tuple[EntityStatistics, ...]:
    """Dual reads by entity; match, transient and mismatch were compared."""
    found = []
    for entity in ENTITIES:
        n = {result: totals.get((entity, result), 0) for result in DualReadResult}
        mismatched = n[DualReadResult.MISMATCH]
        compared = n[DualReadResult.MATCH] + n[DualReadResult.TRANSIENT] + mismatched
        found.append(
            EntityStatistics(
                entity,
                compared=compared,
                matched=n[DualReadResult.MATCH],
                transient=n[DualReadResult.TRANSIENT],
                mismatched=mismatched,
                errors=n[DualReadResult.ERROR],
                skipped=n[DualReadResult.SKIPPED],
                rate=mismatched / compared if compared else None,
                bound=upper_bound(mismatched, compared),
            )
        )
    return tuple(found)


def _databases(evidence: Evidence) -> list[Check]:
    faults = [f"{name}: {fault}" for name, fault in evidence.databases.items() if fault]
    sentence = "Both databases answer."
    figure = "; ".join(faults) or "both answer"
    return [_check("databases reachable", sentence, figure, "both", evidence, is_passed=not faults)]


def _tables(evidence: Evidence) -> list[Check]:
    name, sentence = "tables and indexes", "Every table and index of the target is as the contract says."
    faults = evidence.table_faults
    if faults is None:
        return [_unmeasured(name, sentence, "0 faults", evidence)]
    figure = "; ".join(faults[:3]) or "0 faults"
    return [_check(name, sentence, figure, "0 faults", evidence, is_passed=not faults)]


def _preflight(evidence: Evidence) -> list[Check]:
    sentence = "Every row of the source can be held by the target, as a preflight sweep finds."
    return [_unmeasured("preflight clean", sentence, "0 rows in the way", evidence)]


def _backfill(evidence: Evidence) -> list[Check]:
    name = "backfill finished"
    sentence = "A backfill began after the target began to get every write, and left nothing out."
    threshold = "complete, after writes began to go to both"
    if evidence.beginnings is None or evidence.backfills is None:
        return [_unmeasured(name, sentence, threshold, evidence)]
    job = next((job for job in evidence.backfills if _is_after(job, evidence.beginnings)), None)
    if job is None or job.findings is None:
        return [_check(name, sentence, "none since then", threshold, evidence, is_passed=False)]
    figure = f"job {job.id}, ended {job.updated_at:%Y-%m-%d %H:%M:%S} UTC"
    left = job.findings.difference_count
    figure += "" if job.findings.is_equal else f", {left} left as they are"
    return [_check(name, sentence, figure, threshold, evidence, is_passed=job.findings.is_equal, at=job.updated_at)]


def _old_intents(evidence: Evidence) -> list[Check]:
    name, sentence, threshold = "no old intent", "No write is owed to the target for longer than a minute.", "60 s"
    if evidence.backlog is None:
        return [_unmeasured(name, sentence, threshold, evidence)]
    count, age_s = evidence.backlog
    figure = f"{count} unsettled, the oldest {age_s:.0f} s" if count else "none unsettled"
    is_passed = not count or age_s <= INTENT_AGE_MAX_S
    return [_check(name, sentence, figure, threshold, evidence, is_passed=is_passed)]


def _write_failures(evidence: Evidence) -> list[Check]:
    name = "dual writes succeed"
    sentence = "Of the dual writes of the last 15 minutes hardly one failed in the target."
    threshold = f"under {WRITE_FAILURES_MAX:.0%} of at least {WRITES_MIN}"
    if evidence.writes is None:
        return [_unmeasured(name, sentence, threshold, evidence)]
    total = sum(evidence.writes.values())
    failed = sum(n for (_, result), n in evidence.writes.items() if result in WRITE_FAILURES)
    figure = f"{failed} of {total} failed"
    is_passed = total >= WRITES_MIN and failed < WRITE_FAILURES_MAX * total
    return [_check(name, sentence, figure, threshold, evidence, is_passed=is_passed)]


def _compared(evidence: Evidence) -> list[Check]:
    threshold = f"{COMPARED_MIN} compared, bound under {MISMATCHES_MAX:.1%}; or fewer rows, verified"
    found = []
    verified = _clean_verify(evidence, VERIFY_AGE)
    for stats in statistics(evidence.reads or {}):
        name = f"{stats.entity} compared"
        sentence = f"Reads of {stats.entity} were compared often enough, and agreed."
        rows = None if verified is None or verified.findings is None else verified.findings.rows.get(stats.entity, 0)
        is_small = rows is not None and rows < COMPARED_MIN
        if evidence.reads is None and not is_small:
            found.append(_unmeasured(name, sentence, threshold, evidence))
            continue
        is_agreed = stats.compared >= COMPARED_MIN and stats.bound is not None and stats.bound < MISMATCHES_MAX
        figure = f"{stats.compared} compared, {stats.mismatched} different"
        figure += f", bound {stats.bound:.3%}" if stats.bound is not None else ""
        figure += f"; {rows} rows, all verified" if is_small else ""
        found.append(_check(name, sentence, figure, threshold, evidence, is_passed=is_agreed or is_small))
    return found


def _verified(evidence: Evidence, *, within: timedelta) -> list[Check]:
    name, hours = "full verify clean", int(within.total_seconds() // 3600)
    sentence = "Every row was compared with its items, and every item with its row, and no difference was found since."
    threshold = f"no difference, at most {hours} h ago"
    if evidence.verifies is None or evidence.beginnings is None:
        return [_unmeasured(name, sentence, threshold, evidence)]
    job = _clean_verify(evidence, within)
    if job is not None:
        figure = f"job {job.id}, {_ago(evidence.at - job.updated_at)}"
        return [_check(name, sentence, figure, threshold, evidence, is_passed=True, at=job.updated_at)]
    last = next(iter(evidence.verifies), None)
    figure = (
        "none" if last is None else f"the last, job {last.id}, {_ago(evidence.at - last.updated_at)}: {_told(last)}"
    )
    return [_check(name, sentence, figure, threshold, evidence, is_passed=False)]


def _clean_verify(evidence: Evidence, within: timedelta) -> JobRow | None:
    """The newest verify of everything, young enough and since all writes go to both, unless a later one differs."""
    for job in evidence.verifies or ():
        is_clean = job.findings is not None and job.findings.is_equal
        if not is_clean or evidence.beginnings is None or not _is_after(job, evidence.beginnings):
            return None
        if set(ENTITIES) <= set(job.entities):
            return job if evidence.at - job.updated_at <= within else None
    return None


def _settled(evidence: Evidence, *, with_deferred: bool = False) -> list[Check]:
    name, sentence = "no unsettled intent", "Nothing is owed to the target; the move checks it again under its lock."
    unsettled, _ = evidence.backlog or (None, None)
    count = unsettled if with_deferred else evidence.owed
    if count is None:
        return [_unmeasured(name, sentence, "0", evidence)]
    return [_check(name, sentence, str(count), "0", evidence, is_passed=count == 0)]


def _listing(evidence: Evidence) -> list[Check]:
    name, sentence = "listing within its bound", "What lists of products show fits each worker's memory."
    fault, threshold = evidence.listing_fault, "within the bound of the settings"
    if fault is None:
        return [_unmeasured(name, sentence, threshold, evidence)]
    return [_check(name, sentence, fault or "within it", threshold, evidence, is_passed=not fault)]


def _counters(evidence: Evidence) -> list[Check]:
    sentence = "The target's counters of ids stand above every id of the source."
    return [_unmeasured("counters raised", sentence, "above every id", evidence)]


CHECKS: Final[Mapping[Effect, Sequence[Callable[[Evidence], list[Check]]]]] = {
    Effect.WRITTEN: (_databases, _tables, _preflight),
    Effect.COMPARED: (_backfill, _old_intents, _write_failures),
    Effect.ANSWERS: (_compared, partial(_verified, within=VERIFY_AGE), _settled, _listing),
    Effect.ALONE: (partial(_verified, within=VERIFY_AGE_LAST), partial(_settled, with_deferred=True), _counters),
}
"""Per effect, in the order in which they are shown."""


def _check(
    name: str,
    sentence: str,
    figure: str,
    threshold: str,
    evidence: Evidence,
    *,
    is_passed: bool,
    at: datetime | None = None,
) -> Check:
    verdict = Verdict.PASSED if is_passed else Verdict.FAILED
    return Check(name, sentence, verdict, figure, threshold, at or evidence.at)


def _unmeasured(name: str, sentence: str, threshold: str, evidence: Evidence) -> Check:
    return Check(name, sentence, Verdict.NOT_MEASURED, "; ".join(evidence.faults) or "-", threshold, None)


def _is_after(job: JobRow, beginnings: Beginnings) -> bool:
    return beginnings.written_at is None or job.started_at >= beginnings.written_at


def _told(job: JobRow) -> str:
    if job.findings is None or not job.findings.is_equal:
        return "not equal"
    return "equal" if set(ENTITIES) <= set(job.entities) else f"equal, of {', '.join(job.entities)} alone"


def _ago(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    return f"{minutes // 60} h {minutes % 60} min ago"
