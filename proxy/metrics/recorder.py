"""Whoever has something to count, or sees what a gauge shows, tells it here.

Counting takes two look-ups and the library's additions. Gauges are set by callbacks, which run once a second and before
each page.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from adapters.flags import Flags
from adapters.operations import Operation
from proxy.metrics.labels import INTERNAL, OTHER, DatabaseResult, DualReadResult, DualWriteOutcome, RepairResult
from proxy.metrics.series import Calls, Databases, Migration, State, flag_values
from proxy.metrics.values import Values


class Metrics:
    """What the proxy counts, on the event loop's thread. Operations are given by full name, durations in seconds.

    `databases` and `tables` are the label values of those names. Make it before the workers are forked.
    """

    def __init__(
        self,
        values: Values,
        catalogue: Mapping[str, Operation],
        *,
        databases: Sequence[str],
        tables: Sequence[str],
        version: str,
    ) -> None:
        self.values = values
        self._callbacks: list[Callable[[], None]] = []
        with values.declaring() as registry:
            self._calls = Calls(registry, catalogue)
            self._databases = Databases(registry, catalogue, databases=databases, tables=tables)
            self._migration = Migration(registry, catalogue)
            self._state = State(registry, databases=databases, version=version)
        self.watch(lambda: self._state.build.set(1))

    def watch(self, callback: Callable[[], None]) -> None:
        """Have gauges set by `callback` once a second and before each page, on the event loop; it must not fail."""
        self._callbacks.append(callback)

    def refresh(self) -> None:
        """Let every callback set its gauges."""
        for callback in self._callbacks:
            callback()

    async def run_once(self) -> None:
        """Refresh; for the service loop that keeps this worker's gauges fresh on the pages of the others."""
        self.refresh()

    async def render(self) -> bytes:
        """The page for Prometheus, for all workers; made in a thread, so that no call waits for it."""
        self.refresh()
        return await asyncio.to_thread(self.values.render)

    def rpc_finished(self, operation: str, code: str, duration_s: float) -> None:
        """A call was answered; operations and codes that do not exist are counted together."""
        calls = self._calls.known.get(operation, self._calls.other)
        calls.finished(code if code in calls.counters else INTERNAL, duration_s)

    def database_called(self, database: str, operation: str, result: DatabaseResult, duration_s: float) -> None:
        """A database did its part of an operation, all of its requests together."""
        self._databases.calls[database, operation].finished(result, duration_s)

    def call_shed(self) -> None:
        """A call was refused for lack of room."""
        self._calls.shed.inc()

    def dual_read_finished(self, operation: str, result: DualReadResult) -> None:
        """A dual read was compared, or was not."""
        self._migration.reads[operation, result].inc()

    def attribute_mismatched(self, entity: str, attribute: str) -> None:
        """An attribute, by its last name, differed in a confirmed mismatch; WHOLE_RECORD where there is none."""
        counters = self._migration.attributes
        (counters.get((entity, attribute)) or counters[entity, OTHER]).inc()

    def dual_write_finished(self, operation: str, outcome: DualWriteOutcome) -> None:
        """A dual write ended."""
        self._migration.writes[operation, outcome].inc()

    def repair_finished(self, result: RepairResult, *, intents: int = 1) -> None:
        """The repairer was done with that many intents."""
        self._migration.repairs[result].inc(intents)

    def capacity_used(self, table: str, kind: str, units: float) -> None:
        """Requests to a table used that many units, of kind `read` or `write`."""
        (self._databases.capacity.get((table, kind)) or self._databases.capacity[OTHER, kind]).inc(units)

    def backlog_seen(self, intents: int | None, oldest_age_s: float | None) -> None:
        """The unsettled intents of the whole fleet; None while they cannot be counted."""
        self._state.intents.set(intents)
        self._state.oldest_intent_s.set(oldest_age_s)

    def control_seen(self, flags: Flags, *, phase: int | None, epoch: int) -> None:
        """The control state that this worker serves; `phase` None is a combination of flags that is no phase."""
        self._state.phase.set(phase or 0)
        self._state.epoch.set(epoch)
        for name, value in flag_values(flags).items():
            self._state.flags[name].set(value)

    def control_age_seen(self, age_s: float) -> None:
        """How long ago this worker last read the control state."""
        self._state.control_age_s.set(age_s)

    def pool_seen(self, database: str, *, busy: int, idle: int) -> None:
        """The connections to a database, of all its pools."""
        self._state.pools[database, "busy"].set(busy)
        self._state.pools[database, "idle"].set(idle)

    def inflight_seen(self, calls: int) -> None:
        """The calls that this worker is at."""
        self._state.inflight.set(calls)

    def listing_seen(self, ratio: float) -> None:
        """The share of the memory meant for it that this worker's listing of products takes."""
        self._state.listing.set(ratio)

    def breaker_seen(self, database: str, *, is_open: bool) -> None:
        """Whether this worker holds calls to a database back."""
        self._state.breakers[database].set(is_open)
