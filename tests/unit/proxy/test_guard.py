"""The guard of a database: what it counts, and what opens its breaker."""

import asyncio

import pytest

from adapters.deadline import Deadline
from adapters.errors import CrossfadeError, DeadlineExceeded, NotFound, Unavailable, Unreadable
from adapters.operations import Operation, catalogue
from adapters.ports.store import Arguments
from proxy.breaker import THRESHOLD, Breaker
from proxy.guard import FAIR_S, Guard, GuardedReader
from proxy.metrics import Metrics, Values

READ = catalogue()["user.find_by_id"]
NAME = "here"


class Database:
    """A reader that answers with its number, or fails as it is told to."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
        self.asked = 0

    async def read(self, operation: Operation, arguments: Arguments, deadline: Deadline) -> object:
        """See Reader."""
        assert (READ, {"id": 1}) == (operation, arguments)
        assert deadline.remaining_s > 0
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.asked


class Scene:
    """A guarded database."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.metrics = Metrics(Values(), catalogue(), databases=[NAME], tables=[], version="1")
        self.guard = Guard(NAME, Breaker(NAME), self.metrics)
        self.database = Database(error)
        self._reader = GuardedReader(self.database, self.guard)

    async def read(self) -> object:
        """Read through the guard."""
        return await self._reader.read(READ, {"id": 1}, Deadline.after(1))

    async def fail(self) -> None:
        """Read, whatever comes of it."""
        with pytest.raises((CrossfadeError, asyncio.CancelledError)):
            await self.read()

    def counted(self, result: str) -> bool:
        """Whether exactly one part of a call ended so."""
        labels = f'database="{NAME}",entity="user",operation="find_by_id",result="{result}"'
        return f"crossfade_database_calls_total{{{labels}}} 1.0\n" in self.metrics.values.render().decode()


async def test_guard_counts_an_answer() -> None:
    """An answer is passed on and counted."""
    scene = Scene()
    assert 1 == await scene.read()
    assert scene.counted("ok")


@pytest.mark.parametrize(
    ("error", "result"),
    [(Unavailable("away"), "failed"), (DeadlineExceeded("late"), "timed_out"), (NotFound("no such user"), "refused")],
)
async def test_guard_counts_a_failure_by_its_kind(error: CrossfadeError, result: str) -> None:
    """What failed is told apart from what was late and from a refusal."""
    scene = Scene(error)
    await scene.fail()
    assert scene.counted(result)


async def test_guard_holds_calls_back_after_failures_in_a_row() -> None:
    """Once the breaker is open the database is not asked, and the caller hears when to come again."""
    scene = Scene(Unavailable("away"))
    for _ in range(THRESHOLD):
        await scene.fail()
    with pytest.raises(Unavailable, match="failed too often") as refused:
        await scene.read()
    assert THRESHOLD == scene.database.asked
    assert refused.value.retry_after_s >= 1


async def test_guard_takes_a_refusal_as_a_sign_of_life() -> None:
    """A database that refuses is there: its breaker stays closed."""
    scene = Scene(NotFound("no such user"))
    for _ in range(THRESHOLD + 1):
        await scene.fail()
    assert THRESHOLD + 1 == scene.database.asked


async def test_guard_learns_nothing_from_a_caller_that_left() -> None:
    """Callers that leave a silent database before it fails do not keep its breaker closed, nor do they open it."""
    scene = Scene()
    for _ in range(THRESHOLD - 1):
        scene.database.error = Unavailable("away")
        await scene.fail()
        scene.database.error = asyncio.CancelledError()
        await scene.fail()
    assert not scene.guard.breaker.is_open
    scene.database.error = Unavailable("away")
    await scene.fail()
    assert scene.guard.breaker.is_open


@pytest.mark.parametrize(("duration_s", "is_open"), [(FAIR_S, True), (0.0001, False)])
async def test_guard_takes_silence_amiss_only_after_a_fair_time(duration_s: float, *, is_open: bool) -> None:
    """A caller with a deadline that nobody could keep does not hold everybody back from a database that is well."""
    guard = Scene().guard
    for _ in range(THRESHOLD):
        guard.ended(READ, DeadlineExceeded("late"), duration_s)
    assert is_open == guard.breaker.is_open


async def test_guard_takes_no_deadline_for_a_sign_of_life() -> None:
    """Nor does such a caller keep the breaker of a silent one closed."""
    guard = Scene().guard
    for _ in range(THRESHOLD):
        guard.ended(READ, DeadlineExceeded("late"), 0.0001)
        guard.ended(READ, Unavailable("away"), 0.0001)
    assert guard.breaker.is_open


async def test_guard_does_not_hold_bad_data_against_the_database() -> None:
    """One item that nobody can read must not cut off all others."""
    guard = Scene().guard
    for _ in range(THRESHOLD):
        guard.ended(READ, Unreadable("no price"), 0.0001)
    assert not guard.breaker.is_open
