"""Work beside the calls: tracked tasks, and the one loop that every background service runs in.

No other module starts a task. A task here has a name, is held until it is done, and its failure is in the log.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from adapters.deadline import Deadline
from proxy.logs import EventLog

JITTER: Final = 0.2
BACKOFF_CAP_S: Final = 60.0
DOUBLINGS: Final = 30
STOP_LIMIT_S: Final = 1.0
"""How long tasks that a drain has cancelled may take to end."""

log = EventLog(__name__)

T = TypeVar("T")
Work = Coroutine[Any, Any, T]


class Background:
    """The tasks of a process, at most `limit` of those that nobody waits for."""

    def __init__(self, *, limit: int | None = None) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unwatched = 0

    def __len__(self) -> int:
        """How many tasks are under way."""
        return len(self._tasks)

    def start(self, name: str, work: Work[object]) -> bool:
        """Run something that nobody waits for; its failure is logged. False, and not run, when there is no room."""
        if self._limit is not None and self._unwatched >= self._limit:
            work.close()
            return False
        self._unwatched += 1
        task = self._track(name, self._guarded(name, work))
        task.add_done_callback(self._unwatched_ended)
        return True

    def spawn(self, name: str, work: Work[T]) -> asyncio.Task[T]:
        """Run something beside the caller, which must await the task or cancel it: its failure is the caller's."""
        return self._track(name, work)

    async def finish(self, name: str, work: Work[T]) -> T:
        """Run something to its end, whatever becomes of the caller, which waits for it.

        A cancelled caller leaves at once with CancelledError and the work goes on; its failure is then logged.
        """
        task = self._track(name, work)
        try:
            return await asyncio.shield(task)  # noqa: TID251  # The one place where it is meant.
        except asyncio.CancelledError:
            if not task.cancelled():
                task.add_done_callback(_log_failure)
            raise

    async def drain(self, deadline: Deadline) -> int:
        """Wait until all tasks are done, those started meanwhile too; cancel what the deadline leaves: how many."""
        while self._tasks and deadline.remaining_s > 0:
            await asyncio.wait(self._tasks, timeout=deadline.remaining_s)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        if left:
            log.warning("drain_cut_short", tasks=sorted(task.get_name() for task in left))
            await asyncio.wait(left, timeout=STOP_LIMIT_S)
        return len(left)

    def _track(self, name: str, work: Work[T]) -> asyncio.Task[T]:
        # The one place that starts tasks; asyncio.create_task would look for the way to name one each time.
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, name: str, work: Work[object]) -> None:
        try:
            await work
        except Exception:  # Nobody waits for this task, so its failure ends here, in the log.
            log.exception("task_failed", task=name)

    def _unwatched_ended(self, _: asyncio.Task[None]) -> None:
        self._unwatched -= 1


class ServiceLoop:
    """Runs `run_once` every `interval_s`, give or take a fifth, until `stop`; after failures ever more rarely."""

    def __init__(
        self,
        name: str,
        run_once: Callable[[], Awaitable[object]],
        *,
        interval_s: float,
        backoff_cap_s: float = BACKOFF_CAP_S,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._run_once = run_once
        self._interval_s = interval_s
        self._backoff_cap_s = backoff_cap_s
        self._draw = draw
        self._stopped = asyncio.Event()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Run once more as soon as possible; a loop that failed still waits for its back-off."""
        self._woken.set()

    def stop(self) -> None:
        """End the loop after the run under way, if there is one."""
        self._stopped.set()
        self._woken.set()

    async def run(self) -> None:
        """Loop; the first run is at once. Returns after `stop`."""
        failures = 0
        while not self._stopped.is_set():
            self._woken.clear()
            failures = 0 if await self._succeeded(failures) else failures + 1
            pause_s = delay_s(self._interval_s, failures, cap_s=self._backoff_cap_s, drawn=self._draw())
            # A wake must not shorten a back-off: whoever wakes us does so at each write.
            await _elapsed(pause_s, self._stopped if failures else self._woken)

    async def _succeeded(self, failures: int) -> bool:
        try:
            await self._run_once()
        except Exception:  # A service goes on after any failure.
            log.exception("service_failed", service=self._name, failures=failures + 1)
            return False
        if failures:
            log.info("service_recovered", service=self._name, failures=failures)
        return True


def delay_s(interval_s: float, failures: int, *, cap_s: float, drawn: float) -> float:
    """The pause before the next run, in seconds: the interval, doubled by each failure in a row up to `cap_s`.

    `drawn` from 0 to 1 moves it by up to JITTER to either side, so that workers do not run in step.
    """
    doubled_s = min(interval_s * 2.0 ** min(failures, DOUBLINGS), max(cap_s, interval_s))
    return doubled_s * (1 + JITTER * (2 * drawn - 1))


async def _elapsed(pause_s: float, cut_short_by: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await cut_short_by.wait()
    except TimeoutError:
        return


def _log_failure(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("task_failed", task=task.get_name(), error=error)
