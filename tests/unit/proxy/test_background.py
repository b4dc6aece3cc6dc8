"""Tasks beside the calls: nothing is lost, and what must be finished is."""

import asyncio
import logging

import pytest

from adapters.deadline import Deadline
from proxy.background import Background, ServiceLoop, delay_s


async def fail(message: str = "broken") -> None:
    """Fail at once."""
    raise ValueError(message)


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The events logged so far."""
    return [record.getMessage() for record in caplog.records]


async def test_start_runs_and_forgets() -> None:
    """A task that nobody waits for runs to its end and is no longer held then."""
    background = Background()
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    assert background.start("work", work())
    assert len(background) == 1
    assert await background.drain(Deadline.after(5)) == 0
    assert done.is_set()
    assert len(background) == 0


async def test_start_logs_the_failure(caplog: pytest.LogCaptureFixture) -> None:
    """A failure that nobody waits for is an event with the task's name and the stack."""
    background = Background()
    background.start("compare", fail())
    await background.drain(Deadline.after(5))
    (record,) = caplog.records
    assert record.getMessage() == "task_failed"
    assert record.__dict__["event_fields"] == {"task": "compare"}
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


async def test_start_refuses_beyond_its_limit() -> None:
    """With no room the work is not run and the caller is told; room comes back with each end."""
    background = Background(limit=1)
    release = asyncio.Event()

    async def work() -> None:
        await release.wait()

    assert background.start("first", work())
    assert not background.start("second", work())
    release.set()
    await background.drain(Deadline.after(5))
    assert background.start("third", work())
    await background.drain(Deadline.after(5))


async def test_limit_does_not_bind_work_that_is_waited_for() -> None:
    """A write is never refused because comparisons fill the background."""
    background = Background(limit=0)

    async def work() -> int:
        return 7

    assert await background.finish("write", work()) == 7
    assert await background.spawn("read", work()) == 7


async def test_spawn_hands_result_and_failure_to_the_awaiter(caplog: pytest.LogCaptureFixture) -> None:
    """What runs beside its caller is the caller's: nothing is logged."""
    background = Background()
    task = background.spawn("shadow", fail("slow"))
    assert task.get_name() == "shadow"
    with pytest.raises(ValueError, match="slow"):
        await task
    assert events(caplog) == []


async def test_finish_returns_the_result_and_raises_the_failure(caplog: pytest.LogCaptureFixture) -> None:
    """A caller that stays gets what an await would have given."""
    background = Background()

    async def work() -> str:
        return "done"

    assert await background.finish("write", work()) == "done"
    with pytest.raises(ValueError, match="broken"):
        await background.finish("write", fail())
    assert events(caplog) == []


async def test_finish_outlives_its_caller() -> None:
    """A cancelled caller leaves at once; the work goes on to its end and is waited for by the drain."""
    background = Background()
    begun, release, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await release.wait()
        done.set()

    task = background.spawn("caller", background.finish("write", work()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not done.is_set()
    assert len(background) == 1
    release.set()
    assert await background.drain(Deadline.after(5)) == 0
    assert done.is_set()


async def test_finish_logs_a_failure_after_its_caller_left(caplog: pytest.LogCaptureFixture) -> None:
    """With nobody left to tell, the failure is an event."""
    background = Background()
    release = asyncio.Event()

    async def work() -> None:
        await release.wait()
        await fail("too late")

    caller = background.spawn("caller", background.finish("write", work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    release.set()
    await background.drain(Deadline.after(5))
    assert events(caplog) == ["task_failed"]


async def test_finish_logs_a_failure_in_the_very_moment_its_caller_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The failure is not lost when work and caller end together."""
    background = Background()
    caller: asyncio.Task[None] | None = None

    async def work() -> None:
        await asyncio.sleep(0)
        assert caller is not None
        asyncio.get_running_loop().call_soon(caller.cancel)
        await fail("just now")

    caller = background.spawn("caller", background.finish("write", work()))
    with pytest.raises(asyncio.CancelledError):
        await caller
    await background.drain(Deadline.after(5))
    assert events(caplog) == ["task_failed"]


async def test_drain_waits_for_tasks_started_meanwhile() -> None:
    """Work that a draining task starts is part of the drain."""
    background = Background()
    done = asyncio.Event()

    async def second() -> None:
        done.set()

    async def first() -> None:
        background.start("second", second())

    background.start("first", first())
    assert await background.drain(Deadline.after(5)) == 0
    assert done.is_set()


async def test_drain_cancels_what_the_deadline_leaves(caplog: pytest.LogCaptureFixture) -> None:
    """A drain ends; what it cut off is counted and named."""
    background = Background()
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    background.start("endless", work())
    await asyncio.sleep(0)
    assert await background.drain(Deadline.after(0)) == 1
    assert ended.is_set()
    assert events(caplog) == ["drain_cut_short"]
    assert len(background) == 0


@pytest.mark.parametrize(
    ("failures", "drawn", "expected"),
    [
        (0, 0.5, 2.0),
        (0, 0.0, 1.6),
        (0, 1.0, 2.4),
        (1, 0.5, 4.0),
        (4, 0.5, 30.0),
        (10_000, 0.5, 30.0),
    ],
)
def test_delay_doubles_up_to_its_cap(failures: int, drawn: float, expected: float) -> None:
    """The pause grows with failures in a row, up to the cap, and is spread to both sides."""
    assert delay_s(2.0, failures, cap_s=30.0, drawn=drawn) == pytest.approx(expected)


def test_delay_is_never_below_the_interval() -> None:
    """A service that runs rarely does not run more often because it fails."""
    assert delay_s(300.0, 3, cap_s=60.0, drawn=0.5) == 300.0


class Runs:
    """A service that counts its runs, fails in some of them, and tells when it has reached a number."""

    def __init__(self, *, failing: range = range(0)) -> None:
        self.total = 0
        self._failing = failing
        self._moved = asyncio.Condition()

    async def run_once(self) -> None:
        """Count."""
        async with self._moved:
            self.total += 1
            self._moved.notify_all()
        if self.total in self._failing:
            await fail()

    async def reached(self, total: int) -> None:
        """Wait for that many runs."""
        async with asyncio.timeout(5), self._moved:
            await self._moved.wait_for(lambda: self.total >= total)


async def test_service_loop_runs_at_once_and_again() -> None:
    """The first run does not wait, further ones come by themselves."""
    runs = Runs()
    loop = ServiceLoop("runs", runs.run_once, interval_s=0.001)
    task = Background().spawn("loop", loop.run())
    await runs.reached(3)
    loop.stop()
    await task


async def test_service_loop_runs_when_woken() -> None:
    """A wake cuts the pause short, also one that comes during a run; a stop ends the pause."""
    runs = Runs()
    loop = ServiceLoop("runs", runs.run_once, interval_s=3600)
    task = Background().spawn("loop", loop.run())
    await runs.reached(1)
    loop.wake()
    await runs.reached(2)
    loop.stop()
    async with asyncio.timeout(5):
        await task
    assert runs.total == 2


async def test_service_loop_goes_on_after_failures(caplog: pytest.LogCaptureFixture) -> None:
    """Each failure is logged with its number, and so is the recovery."""
    caplog.set_level(logging.INFO)
    runs = Runs(failing=range(1, 3))
    loop = ServiceLoop("runs", runs.run_once, interval_s=0.001)
    task = Background().spawn("loop", loop.run())
    await runs.reached(4)
    loop.stop()
    await task
    assert [(record.getMessage(), record.__dict__["event_fields"]) for record in caplog.records] == [
        ("service_failed", {"service": "runs", "failures": 1}),
        ("service_failed", {"service": "runs", "failures": 2}),
        ("service_recovered", {"service": "runs", "failures": 2}),
    ]


async def test_service_loop_is_not_woken_out_of_a_back_off() -> None:
    """Wakes do not turn a failing service into a busy loop; a stop still ends it at once."""
    runs = Runs(failing=range(1, 100))
    loop = ServiceLoop("runs", runs.run_once, interval_s=3600)
    background = Background()
    task = background.spawn("loop", loop.run())
    await runs.reached(1)
    for _ in range(20):
        loop.wake()
        await asyncio.sleep(0)
    assert runs.total == 1
    loop.stop()
    async with asyncio.timeout(5):
        await task


async def test_service_loop_passes_a_cancellation_on() -> None:
    """A cancelled loop ends, in a run as in a pause."""
    begun = asyncio.Event()

    async def run_once() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = Background().spawn("loop", ServiceLoop("endless", run_once, interval_s=1).run())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
