"""What a worker keeps is as new as the fence that a call has seen."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import pytest

from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.fenced import NEVER_RAISED, Fenced, Kept, Stamp, stamp_of
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.reading import ItemReader
from adapters.errors import DeadlineExceeded, Unavailable

KEYS: Final = Keys(load_contract())


@dataclass(slots=True)
class Source:
    """The fence as it is now; renewals wait for `gate` and are counted."""

    stamp: Stamp
    renewals: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    async def renew(self, _items: ItemReader, _kept: Kept[int] | None, _seen: Stamp) -> Kept[int]:
        """The version as value."""
        self.renewals += 1
        stamp = self.stamp
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return Kept(stamp, stamp.version)


def reader(allowed_s: float = 5.0) -> ItemReader:
    """A reader that is asked for nothing but its deadline."""
    client = DynamoDBClient(DynamoDBEndpoint("us-east-1"))
    return ItemReader(client, KEYS, deadline=Deadline.after(allowed_s), operation="")


def source(version: int, op: str = "a", *, is_open: bool = True) -> tuple[Source, Fenced[int]]:
    """A source and a cache of it, empty."""
    made = Source(Stamp(version, op))
    if is_open:
        made.gate.set()
    return made, Fenced("test", made.renew)


@pytest.mark.parametrize(
    ("fence", "expected"),
    [
        (None, NEVER_RAISED),
        ({"PK": {"S": "tree#1"}}, NEVER_RAISED),
        ({"v": {"N": "7"}, "op": {"S": "x"}}, Stamp(7, "x")),
        ({"v": {"N": "7"}}, Stamp(7, "")),
    ],
)
def test_stamp_of_reads_a_fence(fence: dict[str, dict[str, object]] | None, expected: Stamp) -> None:
    """One that is not there was never raised."""
    assert expected == stamp_of(fence)


async def test_at_renews_when_the_fence_moved() -> None:
    """Once for each stamp, not for each call."""
    origin, fenced = source(1)
    for version in (1, 1, 2, 2, 2):
        origin.stamp = Stamp(version, "a")
        assert version == await fenced.at(origin.stamp, reader())
    assert 2 == origin.renewals


async def test_at_tells_two_histories_apart() -> None:
    """An equal version of another operation, or a lower one, is no older state but another one."""
    origin, fenced = source(5)
    await fenced.at(origin.stamp, reader())
    for stamp in (Stamp(5, "b"), Stamp(2, "c")):
        origin.stamp = stamp
        assert stamp.version == await fenced.at(stamp, reader())
    assert 3 == origin.renewals


async def test_at_lets_one_call_renew_for_all() -> None:
    """The others wait and share, also those that saw a stamp which was passed meanwhile."""
    origin, fenced = source(3, is_open=False)
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(fenced.at(Stamp(seen, "a"), reader())) for seen in (3, 3, 3, 2, 3)]
        await asyncio.sleep(0)
        origin.gate.set()
    assert [3, 3, 3, 3, 3] == [call.result() for call in calls]
    assert 2 >= origin.renewals


async def test_at_does_not_share_a_renewal_begun_before_the_fence_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have read the fence before the write that this call must see, and in the same tick of a coarse clock."""
    origin, fenced = source(1, is_open=False)
    now_s = asyncio.get_running_loop().time()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now_s)
    async with asyncio.TaskGroup() as tasks:
        early = tasks.create_task(fenced.at(Stamp(1, "a"), reader()))
        await asyncio.sleep(0)
        origin.stamp = Stamp(2, "b")
        late = tasks.create_task(fenced.at(Stamp(2, "b"), reader()))
        await asyncio.sleep(0)
        origin.gate.set()
    assert (1, 2) == (early.result(), late.result())


async def test_at_goes_on_after_a_renewal_was_cut_short() -> None:
    """By a deadline or by a failure: the next call renews, and what was kept still serves those whom it suits."""
    origin, fenced = source(1)
    await fenced.at(origin.stamp, reader())
    origin.gate.clear()
    with pytest.raises(DeadlineExceeded, match=r"dynamodb\.test"):
        await fenced.at(Stamp(2, "b"), reader(0.01))
    assert 1 == await fenced.at(Stamp(1, "a"), reader())
    origin.gate.set()
    origin.failure = Unavailable("down")
    with pytest.raises(Unavailable):
        await fenced.at(Stamp(2, "b"), reader())
    origin.failure, origin.stamp = None, Stamp(2, "b")
    assert 2 == await fenced.at(Stamp(2, "b"), reader())


async def test_at_gives_up_waiting_with_the_call() -> None:
    """A call with little time does not wait for another's renewal, and does not end it."""
    origin, fenced = source(1, is_open=False)
    async with asyncio.TaskGroup() as tasks:
        patient = tasks.create_task(fenced.at(origin.stamp, reader()))
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded):
            await fenced.at(origin.stamp, reader(0.01))
        origin.gate.set()
    assert 1 == patient.result()
    assert 1 == origin.renewals
