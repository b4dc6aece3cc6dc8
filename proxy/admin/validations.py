"""Comparisons of all rows, started by an admin and run by the worker that was asked."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from adapters.changes import RowKind
from adapters.errors import Fault, InvalidArgument, NotFound, Subject
from adapters.ports.audit import Act, Audit
from adapters.ports.jobs import Findings, JobKind, JobRow, Jobs, Start
from proxy.admin.gates import ENTITIES
from proxy.admin.jobs import JobRunner, Work
from proxy.admin.records import Actor, Job, JobState
from proxy.sync.locked import SweepParts, admitted
from proxy.sync.report import BackfillReport, VerifyReport, Watcher
from proxy.sync.verify import verify

SLOT: Final = "validation"
FULL: Final = "full"
DIFFERENCES_KEPT: Final = 100
"""How many differences a job's row names; it counts all."""


class Validations:
    """Starts, shows and ends them."""

    def __init__(self, sweep: SweepParts, jobs: Jobs, runner: JobRunner, audit: Audit) -> None:
        self._sweep = sweep
        self._jobs = jobs
        self._runner = runner
        self._audit = audit

    async def start(self, entities: Sequence[str] | None, *, actor: Actor, mode: str) -> Job:
        """See ControlRoom. Raises Conflict too in a phase that has nothing to compare."""
        chosen = _checked(entities, mode)
        state = await admitted(self._sweep)
        start = Start(JobKind.VERIFY, chosen, state.epoch, actor.who, slot=SLOT)
        job_id = await self._runner.begin(start, comparing(self._sweep, chosen))
        await self._record("validate", actor, job_id, entities=chosen)
        return await self.find(job_id)

    async def find(self, job_id: int) -> Job:
        """See ControlRoom."""
        row = await self._jobs.find(job_id)
        if row is None:
            raise NotFound("there is no such job", subject=Subject("job", job_id))
        return job_of(row)

    async def cancel(self, job_id: int, *, actor: Actor) -> Job:
        """See ControlRoom. It ends at its next sign of life, within seconds."""
        job = await self.find(job_id)
        if job.state is JobState.RUNNING:
            await self._jobs.cancel(job_id)
            await self._record("cancel", actor, job_id)
        return await self.find(job_id)

    async def _record(self, kind: str, actor: Actor, job_id: int, **told: object) -> None:
        await self._audit.record(Act(kind, who=actor.who, address=actor.address, after={"job": job_id, **told}))


def comparing(sweep: SweepParts, entities: Sequence[str]) -> Work:
    """The work of a comparison, for a JobRunner."""

    async def work(tell: Watcher) -> Findings:
        kinds = frozenset(RowKind(entity) for entity in entities)
        return findings_of(await verify(sweep, progress=tell, entities=kinds))

    return work


def findings_of(report: VerifyReport) -> Findings:
    """What a comparison leaves on record."""
    rows = {
        entity: counts.equal + counts.different + counts.could_not_tell for entity, counts in report.entities.items()
    }
    differences = [
        {
            "entity": each.entity,
            "id": None if each.ref is None else each.ref.id,
            "item": each.item,
            "path": each.path,
            "kind": each.kind.value,
            "source": each.source,
            "target": each.target,
        }
        for each in report.differences[:DIFFERENCES_KEPT]
    ]
    return Findings(report.is_equal, rows, report.difference_count, differences)


def copy_findings_of(report: BackfillReport) -> Findings:
    """What a copy leaves on record: by kind of aggregate how many, and what was left as it is."""
    rows = {kind: counts.aggregates for kind, counts in report.kinds.items()}
    left = [asdict(failure) for failure in report.failures[:DIFFERENCES_KEPT]]
    return Findings(report.is_complete, rows, len(report.failures), left)


def job_of(row: JobRow) -> Job:
    """A job as it is shown."""
    found = row.findings
    return Job(
        row.id,
        kind=row.kind.value,
        entities=row.entities,
        state=JobState(row.state),
        done=row.done,
        total=max(row.total, row.done),
        difference_count=0 if found is None else found.difference_count,
        differences=() if found is None else tuple(found.differences),
        is_equal=None if found is None else found.is_equal,
        started_by=row.started_by,
        started_at=row.started_at,
        updated_at=row.updated_at,
        error=row.error,
    )


def _checked(entities: Sequence[str] | None, mode: str) -> Sequence[str]:
    faults = [] if mode == FULL else [Fault("mode", f"is {FULL}")]
    chosen = ENTITIES if entities is None else tuple(dict.fromkeys(entities))
    if not chosen:
        faults.append(Fault("entities", "names at least one"))
    faults += [Fault("entities", f"are among {', '.join(ENTITIES)}") for _ in set(chosen) - set(ENTITIES)][:1]
    if faults:
        raise InvalidArgument("nothing was compared", faults=faults)
    return chosen
