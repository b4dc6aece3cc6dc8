"""What this worker counts for the gates, and brings to the counts of the whole fleet every few seconds."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from adapters.ports.tally import Count, Counted, Tallies
from proxy.metrics.labels import DualReadResult, DualWriteOutcome

KEPT_MAX: Final = 20_000
"""Numbers kept while they cannot be brought: some hours of them, then the oldest go."""


def _now() -> datetime:
    return datetime.now(UTC)


class Tally:
    """Counts in memory. What could not be brought is kept with its minute, and brought later."""

    def __init__(self, tallies: Tallies, *, now: Callable[[], datetime] = _now) -> None:
        self._tallies = tallies
        self._now = now
        self._counted: dict[tuple[Counted, str, str], int] = defaultdict(int)
        self._kept: dict[Count, int] = {}

    def read(self, operation: str, result: DualReadResult) -> None:
        """A dual read was compared, or was not."""
        self._counted[Counted.READ, operation, result] += 1

    def written(self, operation: str, outcome: DualWriteOutcome) -> None:
        """A dual write ended."""
        self._counted[Counted.WRITE, operation, outcome] += 1

    async def run_once(self) -> int:
        """Bring what there is: how many numbers. Raises Unavailable, DeadlineExceeded, and then keeps them."""
        self._take_stock()
        bringing = self._kept
        if not bringing:
            return 0
        await self._tallies.add(bringing)
        self._kept = {}
        return len(bringing)

    def _take_stock(self) -> None:
        minute = self._now().replace(second=0, microsecond=0)
        counted, self._counted = self._counted, defaultdict(int)
        for (kind, operation, result), number in counted.items():
            count = Count(kind, minute, operation.partition(".")[0], str(result))
            self._kept[count] = self._kept.get(count, 0) + number
        for count in list(self._kept)[: max(0, len(self._kept) - KEPT_MAX)]:
            del self._kept[count]
