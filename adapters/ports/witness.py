"""What tells a lasting difference of the two databases from one that a write under way explains."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from adapters.changes import Aggregate
from adapters.deadline import Deadline


class Stillness(Protocol):
    """Aggregates that nobody writes for the moment."""

    async def is_unsettled(self) -> bool:
        """Whether an unsettled intent names one of them: the shadow may lag behind, and will be brought up."""


class Witness(Protocol):
    """The authority of writes, as far as it can hold writers up."""

    def hold(
        self, aggregates: Collection[Aggregate], *, epoch: int, deadline: Deadline
    ) -> AbstractAsyncContextManager[Stillness]:
        """Keep writers of the aggregates, and a switch of the phase, out while entered; readers are not kept out.

        A short wait for writers under way is part of it. Raises Restart `epoch_moved` when the epoch is another,
        `lock_conflict` when a writer did not end in time, Unavailable, DeadlineExceeded.
        """
