"""What `proxy.shedding` promises: never more calls than slots, a short queue in order, and the rest refused at once."""

import asyncio

import pytest

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Outcome, Unavailable
from proxy.shedding import Limiter

FAR_S = 60.0


class Shed:
    """Counts what was refused."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self) -> None:
        """Count one."""
        self.total += 1


def limiter(shed: Shed, *, slots: int = 1, queue: int = 2, wait_s: float = FAR_S) -> Limiter:
    """A limiter of one slot and a queue of two."""
    return Limiter("the proxy", slots=slots, queue=queue, wait_s=wait_s, on_shed=shed)


async def until_waiting(limiter: Limiter, number: int) -> None:
    """Let the tasks just made take their first step, which ends in the queue."""
    await asyncio.sleep(0)
    assert number == limiter.waiting


async def test_enter_takes_free_slots_without_waiting() -> None:
    """As many calls as there are slots are under way at once."""
    two = limiter(Shed(), slots=2)
    await two.enter(Deadline.after(FAR_S))
    await two.enter(Deadline.after(FAR_S))
    assert (2, 0) == (two.in_use, two.waiting)
    two.leave()
    two.leave()
    assert two.in_use == 0


async def test_leave_gives_the_slot_to_the_first_in_the_queue() -> None:
    """Calls wait in order of arrival, and the number under way stays the same."""
    one = limiter(Shed())
    order: list[str] = []

    async def call(name: str) -> None:
        await one.enter(Deadline.after(FAR_S))
        order.append(name)

    await one.enter(Deadline.after(FAR_S))
    async with asyncio.TaskGroup() as calls:
        first = calls.create_task(call("first"))
        await until_waiting(one, 1)
        second = calls.create_task(call("second"))
        await until_waiting(one, 2)
        one.leave()
        await first
        assert (1, 1) == (one.in_use, one.waiting)
        one.leave()
        await second
    assert ["first", "second"] == order
    one.leave()
    assert one.in_use == 0


async def test_enter_sheds_what_finds_the_queue_full() -> None:
    """One call more is refused at once, worth another try, and counted; those that wait are not disturbed."""
    shed = Shed()
    one = limiter(shed, queue=1)
    await one.enter(Deadline.after(FAR_S))
    async with asyncio.TaskGroup() as calls:
        waiting = calls.create_task(one.enter(Deadline.after(FAR_S)))
        await until_waiting(one, 1)
        with pytest.raises(Unavailable, match="the proxy is at its limit: its queue is full") as caught:
            await one.enter(Deadline.after(FAR_S))
        one.leave()
        await waiting
    assert (1, 1, Outcome.NOT_APPLIED) == (shed.total, caught.value.retry_after_s, caught.value.outcome)
    assert one.in_use == 1


async def test_enter_sheds_what_waited_too_long() -> None:
    """A call that gets no slot in time is refused and leaves the queue."""
    shed = Shed()
    one = limiter(shed, wait_s=0.001)
    await one.enter(Deadline.after(FAR_S))
    with pytest.raises(Unavailable, match=r"no place came free within 0\.001 s"):
        await one.enter(Deadline.after(FAR_S))
    assert (1, 1, 0) == (shed.total, one.in_use, one.waiting)


async def test_enter_ends_with_the_deadline_when_that_comes_first() -> None:
    """The call's own deadline is told as such, and is no shedding."""
    shed = Shed()
    one = limiter(shed)
    await one.enter(Deadline.after(FAR_S))
    with pytest.raises(DeadlineExceeded, match="in the queue of the proxy") as caught:
        await one.enter(Deadline.after(0.001))
    assert (0, 0, Outcome.NOT_APPLIED) == (shed.total, one.waiting, caught.value.outcome)


async def test_a_cancelled_call_leaves_the_queue() -> None:
    """A caller that went away holds no place."""
    one = limiter(Shed())
    await one.enter(Deadline.after(FAR_S))
    async with asyncio.TaskGroup() as calls:
        waiting = calls.create_task(one.enter(Deadline.after(FAR_S)))
        await until_waiting(one, 1)
        waiting.cancel()
    assert waiting.cancelled()
    assert (1, 0) == (one.in_use, one.waiting)


async def test_a_slot_handed_to_a_cancelled_call_goes_on_to_the_next() -> None:
    """Whether the cancellation comes before the slot or after it, in the same turn of the loop, no slot is lost."""
    one = limiter(Shed())
    await one.enter(Deadline.after(FAR_S))
    async with asyncio.TaskGroup() as calls:
        first = calls.create_task(one.enter(Deadline.after(FAR_S)))
        await until_waiting(one, 1)
        second = calls.create_task(one.enter(Deadline.after(FAR_S)))
        await until_waiting(one, 2)
        one.leave()
        first.cancel()
        await second
    assert first.cancelled()
    assert (1, 0) == (one.in_use, one.waiting)
    async with asyncio.TaskGroup() as calls:
        third = calls.create_task(one.enter(Deadline.after(FAR_S)))
        await until_waiting(one, 1)
        third.cancel()
        one.leave()
    assert (0, 0) == (one.in_use, one.waiting)
