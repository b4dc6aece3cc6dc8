"""What sweeps lock, how they wait, and how they work side by side."""

import asyncio

import pytest

from adapters.changes import ADMINS, TREE, category_aggregate, user_aggregate
from adapters.errors import Unavailable
from proxy.sync.locked import PAUSE_MAX_S, PAUSE_S, locks_of, pause_s, side_by_side


def test_category_is_locked_with_the_tree() -> None:
    """The tree owns its items; other aggregates are enough by themselves."""
    assert {category_aggregate(1), TREE} == locks_of([category_aggregate(1)])
    assert {user_aggregate(1), user_aggregate(2)} == locks_of([user_aggregate(1), user_aggregate(2)])
    assert {ADMINS} == locks_of([ADMINS])


def test_pauses_double_to_a_bound() -> None:
    """With jitter of up to half."""
    assert all(PAUSE_S / 2 <= pause_s(0) <= PAUSE_S for _ in range(100))
    assert all(PAUSE_S * 2 <= pause_s(2) <= PAUSE_S * 4 for _ in range(100))
    assert all(PAUSE_MAX_S / 2 <= pause_s(10_000) <= PAUSE_MAX_S for _ in range(100))


async def test_side_by_side_works_on_so_many_at_once() -> None:
    """No more, and on all in the end."""
    running = 0
    most = 0
    done: list[int] = []

    async def work(item: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(item)

    await side_by_side(range(10), work, at_once=3)
    assert (3, list(range(10))) == (most, sorted(done))


async def test_side_by_side_raises_the_first_error() -> None:
    """As it is, not in a group; the others are cancelled."""
    cancelled: list[int] = []

    async def work(item: int) -> None:
        if item == 1:
            raise Unavailable("gone")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    with pytest.raises(Unavailable, match="gone"):
        await side_by_side([0, 1, 2, 3], work, at_once=3)
    assert {0} <= set(cancelled)
