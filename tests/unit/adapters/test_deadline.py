"""Deadlines and their named steps."""

import asyncio

import pytest

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded

NEVER_S = 60.0


async def test_scope_names_the_step_that_was_late() -> None:
    """A step that outlasts the deadline is cut, and the error says which step it was and how long it had."""
    with pytest.raises(DeadlineExceeded, match=r"the deadline passed in mysql.query after 0\.0[12]\d s"):
        async with Deadline.after(0.02).scope("mysql.query"):
            await asyncio.sleep(NEVER_S)


async def test_scope_of_a_passed_deadline_cuts_the_first_wait() -> None:
    """What begins too late does not wait at all."""
    with pytest.raises(DeadlineExceeded, match=r"after 0\.000 s"):
        async with Deadline.after(-1).scope("step"):
            await asyncio.sleep(NEVER_S)


async def test_scope_lets_a_quick_step_through() -> None:
    """A step in time is not disturbed, nor is what comes after it."""
    async with Deadline.after(NEVER_S).scope("step"):
        result = 1
    await asyncio.sleep(0)
    assert 1 == result


async def test_scope_leaves_other_errors_alone() -> None:
    """An error of the step is its own, a timeout of something inside included."""
    with pytest.raises(TimeoutError, match="inner"):
        async with Deadline.after(NEVER_S).scope("step"):
            raise TimeoutError("inner")


async def test_scope_passes_a_cancellation_on() -> None:
    """A caller that is cancelled is cancelled, not late."""
    started = asyncio.Event()

    async def step() -> None:
        async with Deadline.after(NEVER_S).scope("step"):
            started.set()
            await asyncio.sleep(NEVER_S)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(step())
        await started.wait()
        task.cancel()
    assert task.cancelled()


async def test_capped_is_the_earlier_deadline() -> None:
    """A cap shortens a deadline and never prolongs it."""
    deadline = Deadline.after(10)
    assert 5 > deadline.capped(5).remaining_s > 4
    assert deadline == deadline.capped(NEVER_S)


async def test_scope_inside_another_of_the_same_deadline_is_late_once() -> None:
    """Two steps that end together make one error, and leave the task free of cancellations."""
    deadline = Deadline.after(0.02)
    with pytest.raises(DeadlineExceeded, match="the deadline passed in"):
        async with deadline.scope("outer"), deadline.scope("inner"):
            await asyncio.sleep(NEVER_S)
    task = asyncio.current_task()
    assert task is not None
    assert 0 == task.cancelling()
    await asyncio.sleep(0)


async def test_scope_does_not_hide_a_cancellation_that_comes_with_the_deadline() -> None:
    """A caller that is cancelled in the moment of the deadline is cancelled all the same."""

    async def step() -> None:
        async with Deadline.after(0.02).scope("step"):
            try:
                await asyncio.sleep(NEVER_S)
            finally:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(step())
        await asyncio.wait([task])
    assert task.cancelled()
