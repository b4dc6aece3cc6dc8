"""Running copies and comparisons so that the whole fleet knows of them, and an admin can end them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from adapters.errors import CrossfadeError
from adapters.ports.jobs import Findings, JobEnd, Jobs, Start
from proxy.background import Background
from proxy.logs import EventLog
from proxy.sync.report import Progress, Watcher

BEAT_S: Final = 2.0
"""How often a job says that it lives, and asks whether it shall go on."""
CANCELLED: Final = "it was cancelled, or its worker was silent for too long"
STOPPED: Final = "its worker was stopped"
BROKEN: Final = "its worker failed; see that worker's log"

log = EventLog(__name__)

Work = Callable[[Watcher], Coroutine[Any, Any, Findings]]
"""A copy or comparison, which is told whom to tell how far it is."""


class _Meter:
    """How far a job is, over all of its steps so far; the total grows as steps begin.

    A step whose end nobody knows is taken to be as long as those before it.
    """

    def __init__(self, *, tell: Watcher) -> None:
        self._tell = tell
        self._steps: dict[str, Progress] = {}

    def note(self, progress: Progress) -> None:
        """Be told, and tell."""
        self._steps[progress.step] = progress
        self._tell(progress)

    @property
    def done(self) -> int:
        """What is done."""
        return sum(step.done for step in self._steps.values())

    @property
    def total(self) -> int:
        """Of how many, as far as is known."""
        known = sum(step.total or 0 for step in self._steps.values())
        return sum(max(step.done, known if step.total is None else step.total) for step in self._steps.values())


def _untold(_: Progress) -> None:
    pass


class JobRunner:
    """Runs jobs of this process, each with its row."""

    def __init__(self, jobs: Jobs, background: Background) -> None:
        self._jobs = jobs
        self._background = background

    async def run(self, start: Start, work: Work, *, tell: Watcher = _untold) -> Findings | None:
        """Run a job to its end: what it found, None when it was cancelled.

        Raises what the work raises, and Conflict like `Jobs.start`.
        """
        return await self._run(await self._jobs.start(start), work, _Meter(tell=tell))

    async def begin(self, start: Start, work: Work) -> int:
        """Start a job beside the caller: its id. Raises Conflict like `Jobs.start`."""
        job_id = await self._jobs.start(start)
        self._background.start(f"job.{job_id}", self._run(job_id, work, _Meter(tell=_untold)))
        return job_id

    async def _run(self, job_id: int, work: Work, meter: _Meter) -> Findings | None:
        end, findings, error = JobEnd.FAILED, None, BROKEN
        task = self._background.spawn(f"job.{job_id}.work", work(meter.note))
        try:
            if not await self._watched(job_id, task, meter):
                end, error = JobEnd.CANCELLED, CANCELLED
                return None
            findings = task.result()
            end, error = JobEnd.DONE, ""
        except CrossfadeError as failure:
            error = str(failure)
            raise
        except asyncio.CancelledError:
            error = STOPPED
            raise
        finally:
            task.cancel()
            await self._put_end(job_id, end, findings, error)
        return findings

    async def _watched(self, job_id: int, task: "asyncio.Task[Findings]", meter: _Meter) -> bool:
        """Say every now and then that the job lives, until it has ended; False when it was told to end."""
        while not task.done():
            await asyncio.wait({task}, timeout=BEAT_S)
            if not await self._beat(job_id, meter) and not task.done():
                task.cancel()
                await asyncio.wait({task})
                return False
        return True

    async def _beat(self, job_id: int, meter: _Meter) -> bool:
        try:
            return await self._jobs.beat(job_id, done=meter.done, total=meter.total)
        except CrossfadeError as error:
            log.warning("job_beat_failed", job=job_id, error=error)
            return True

    async def _put_end(self, job_id: int, end: JobEnd, findings: Findings | None, error: str) -> None:
        """The row; where it cannot be written it will count as failed for its silence."""
        try:
            await self._jobs.end(job_id, end, findings=findings, error=error or None)
        except CrossfadeError as failure:
            log.warning("job_end_unrecorded", job=job_id, end=end, error=failure)
        log.info("job_ended", job=job_id, end=end)
