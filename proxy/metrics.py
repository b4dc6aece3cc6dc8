"""All metrics of the proxy, declared in one place; METRICS.md tells an operator what they mean.

Label values come from the catalogue and from the enums below, so their number is bounded, and every series is made at
the start: counting costs two look-ups and an addition. Gauges are set by callbacks, which run once a second and before
each page.
"""

import asyncio
import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.errors import (
    Conflict,
    CrossfadeError,
    DataMismatch,
    DeadlineExceeded,
    Forbidden,
    InvalidArgument,
    NotFound,
    PayloadTooLarge,
    Unauthenticated,
    Unavailable,
)
from adapters.flags import Flags, MismatchPolicy, WriteFailurePolicy
from adapters.operations import Operation
from proxy.meters import Counter, Gauge, Histogram, Merge, Meters

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OK: Final = "ok"
INTERNAL: Final = CrossfadeError.code
OTHER: Final = "other"
"""What stands for a label value that is not of the bounded set."""
WHOLE_RECORD: Final = "record"
"""The attribute of a mismatch that is about a whole record or a single value."""
ERRORS: Final = (
    InvalidArgument,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    PayloadTooLarge,
    DataMismatch,
    Unavailable,
    DeadlineExceeded,
)
CODES: Final = (OK, *(error.code for error in ERRORS), INTERNAL)
BOUNDS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
CAPACITY_KINDS: Final = ("read", "write")


class DatabaseResult(StrEnum):
    """What a database made of a call: done, refused by one of its rules, failed, or not answered in time."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


class DualReadResult(StrEnum):
    """What the comparison of a dual read found."""

    MATCH = "match"
    TRANSIENT = "transient"
    MISMATCH = "mismatch"
    ERROR = "error"
    SKIPPED = "skipped"


class DualWriteOutcome(StrEnum):
    """How a dual write ended."""

    APPLIED = "applied"
    ROLLED_BACK = "rolled_back"
    JOURNALLED = "journalled"
    UNKNOWN = "unknown"


class RepairResult(StrEnum):
    """What became of an intent in a run of the repairer."""

    REPAIRED = "repaired"
    SETTLED_BEFORE = "settled_before"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class _Timed:
    """The series of one operation: how often by result, and how long."""

    counters: Mapping[str, Counter]
    duration: Histogram

    def finished(self, result: str, duration_s: float) -> None:
        """Count a call, and its duration in seconds."""
        self.counters[result].add()
        self.duration.observe(duration_s)


class Metrics:
    """What the proxy counts, on the event loop's thread. Operations are given by full name, durations in seconds.

    `databases` and `tables` are the label values of those names. Make it before the workers are forked.
    """

    def __init__(
        self,
        meters: Meters,
        catalogue: Mapping[str, Operation],
        *,
        databases: Sequence[str],
        tables: Sequence[str],
        version: str,
    ) -> None:
        self.meters = meters
        self._callbacks: list[Callable[[], None]] = []
        self._calls = _Calls(meters, catalogue, databases)
        self._migration = _Migration(meters, catalogue)
        self._gauges = _Gauges(meters, databases)
        self._shed = meters.counter("crossfade_shed_calls_total", "Calls refused because the proxy had too much to do.")
        self._capacity = {
            (table, kind): meters.counter(
                "crossfade_dynamodb_capacity_units_total", "Capacity units used.", table=table, kind=kind
            )
            for table in (*tables, OTHER)
            for kind in CAPACITY_KINDS
        }
        build = meters.gauge("crossfade_build_info", "The version that runs.", merge=Merge.MAX, version=version)
        self.watch(lambda: build.set(1))

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
        return await asyncio.to_thread(self.meters.render)

    def rpc_finished(self, operation: str, code: str, duration_s: float) -> None:
        """A call was answered; operations and codes that do not exist are counted together."""
        calls = self._calls.rpc.get(operation, self._calls.rpc_other)
        calls.finished(code if code in calls.counters else INTERNAL, duration_s)

    def database_called(self, database: str, operation: str, result: DatabaseResult, duration_s: float) -> None:
        """A database did its part of an operation, all of its requests together."""
        self._calls.database[database, operation].finished(result, duration_s)

    def call_shed(self) -> None:
        """A call was refused for lack of room."""
        self._shed.add()

    def dual_read_finished(self, operation: str, result: DualReadResult) -> None:
        """A dual read was compared, or was not."""
        self._migration.reads[operation, result].add()

    def attribute_mismatched(self, entity: str, attribute: str) -> None:
        """An attribute, by its last name, differed in a confirmed mismatch; WHOLE_RECORD where there is none."""
        counters = self._migration.attributes
        (counters.get((entity, attribute)) or counters[entity, OTHER]).add()

    def dual_write_finished(self, operation: str, outcome: DualWriteOutcome) -> None:
        """A dual write ended."""
        self._migration.writes[operation, outcome].add()

    def repair_finished(self, result: RepairResult, *, intents: int = 1) -> None:
        """The repairer was done with that many intents."""
        self._migration.repairs[result].add(intents)

    def capacity_used(self, table: str, kind: str, units: float) -> None:
        """Requests to a table used that many units, of kind `read` or `write`."""
        (self._capacity.get((table, kind)) or self._capacity[OTHER, kind]).add(units)

    def backlog_seen(self, intents: int | None, oldest_age_s: float | None) -> None:
        """The unsettled intents of the whole fleet; None while they cannot be counted."""
        self._gauges.intents.set(intents)
        self._gauges.oldest_intent_s.set(oldest_age_s)

    def control_seen(self, flags: Flags, *, phase: int | None, epoch: int) -> None:
        """The control state that this worker serves; `phase` None is a combination of flags that is no phase."""
        self._gauges.phase.set(phase or 0)
        self._gauges.epoch.set(epoch)
        for name, value in _flag_values(flags).items():
            self._gauges.flags[name].set(value)

    def control_age_seen(self, age_s: float) -> None:
        """How long ago this worker last read the control state."""
        self._gauges.control_age_s.set(age_s)

    def pool_seen(self, database: str, *, busy: int, idle: int) -> None:
        """The connections to a database, of all its pools."""
        self._gauges.pools[database, "busy"].set(busy)
        self._gauges.pools[database, "idle"].set(idle)

    def inflight_seen(self, calls: int) -> None:
        """The calls that this worker is at."""
        self._gauges.inflight.set(calls)

    def breaker_seen(self, database: str, *, is_open: bool) -> None:
        """Whether this worker holds calls to a database back."""
        self._gauges.breakers[database].set(is_open)


class _Calls:
    """The series of calls and of what the databases had to do for them."""

    def __init__(self, meters: Meters, catalogue: Mapping[str, Operation], databases: Sequence[str]) -> None:
        self._meters = meters
        self.rpc = {name: self._rpc(operation.entity, operation.name) for name, operation in catalogue.items()}
        self.rpc_other = self._rpc(OTHER, OTHER)
        self.database = {
            (database, name): self._database(database, operation)
            for database in databases
            for name, operation in catalogue.items()
        }

    def _rpc(self, entity: str, operation: str) -> _Timed:
        labels = {"entity": entity, "operation": operation}
        total = "crossfade_rpc_requests_total"
        counters = {code: self._meters.counter(total, "Calls answered.", **labels, code=code) for code in CODES}
        name, meaning = "crossfade_rpc_duration_seconds", "Time from a call's arrival to its answer."
        return _Timed(counters, self._meters.histogram(name, meaning, bounds=BOUNDS_S, **labels))

    def _database(self, database: str, operation: Operation) -> _Timed:
        labels = {"database": database, "entity": operation.entity, "operation": operation.name}
        total = "crossfade_database_calls_total"
        counters = {
            str(result): self._meters.counter(total, "Operations run by a database.", **labels, result=result)
            for result in DatabaseResult
        }
        name, meaning = "crossfade_database_duration_seconds", "Time a database took for its part of an operation."
        return _Timed(counters, self._meters.histogram(name, meaning, bounds=BOUNDS_S, **labels))


class _Migration:
    """The series of dual reads, dual writes and repairs."""

    def __init__(self, meters: Meters, catalogue: Mapping[str, Operation]) -> None:
        self.reads = {
            (name, result): meters.counter(
                "crossfade_dual_reads_total",
                "Dual reads by what their comparison found.",
                entity=operation.entity,
                operation=operation.name,
                result=result,
            )
            for name, operation in catalogue.items()
            if not operation.is_write
            for result in DualReadResult
        }
        self.writes = {
            (name, outcome): meters.counter(
                "crossfade_dual_writes_total",
                "Dual writes by their outcome.",
                entity=operation.entity,
                operation=operation.name,
                outcome=outcome,
            )
            for name, operation in catalogue.items()
            if operation.is_write
            for outcome in DualWriteOutcome
        }
        self.attributes = {
            (entity, attribute): meters.counter(
                "crossfade_mismatched_attributes_total",
                "Attributes that differed in confirmed mismatches.",
                entity=entity,
                attribute=attribute,
            )
            for entity, attributes in compared_attributes(catalogue).items()
            for attribute in attributes
        }
        self.repairs = {
            result: meters.counter(
                "crossfade_repairs_total", "Intents by what the repairer made of them.", result=result
            )
            for result in RepairResult
        }


class _Gauges:
    """The gauges. Those of the fleet's state are seen by each worker for itself, hence no sums."""

    def __init__(self, meters: Meters, databases: Sequence[str]) -> None:
        def seen(name: str, meaning: str, merge: Merge = Merge.MAX, **labels: str) -> Gauge:
            return meters.gauge(f"crossfade_{name}", meaning, merge=merge, **labels)

        self.intents = seen("intents_open", "Unsettled intents of the whole fleet.")
        self.oldest_intent_s = seen("intent_oldest_age_seconds", "Age of the oldest unsettled intent.")
        self.phase = seen("phase", "Migration phase in force, 0 for flags that are no phase.")
        self.flags = {name: seen("flag", "Flags in force.", flag=name) for name in _flag_values(Flags())}
        self.control_age_s = seen(
            "control_age_seconds", "Time since the control state was read, of the slowest worker."
        )
        self.epoch = seen("control_epoch", "Epoch of the flags in force, of the slowest worker.", Merge.MIN)
        self.pools = {
            (database, state): seen(
                "pool_connections", "Connections to a database.", Merge.SUM, database=database, state=state
            )
            for database in databases
            for state in ("busy", "idle")
        }
        self.inflight = seen("inflight_calls", "Calls under way.", Merge.SUM)
        self.breakers = {
            database: seen("breaker_open", "Whether a worker holds back calls to a database.", database=database)
            for database in databases
        }


def compared_attributes(catalogue: Mapping[str, Operation]) -> dict[str, tuple[str, ...]]:
    """Per entity the attributes in which two of its answers can differ, sorted, WHOLE_RECORD and OTHER last."""
    names: dict[str, set[str]] = {}
    for operation in catalogue.values():
        names.setdefault(operation.entity, set()).update(_field_names(operation.result))
    return {entity: (*sorted(found), WHOLE_RECORD, OTHER) for entity, found in names.items()}


def _field_names(annotation: object) -> set[str]:
    if isinstance(annotation, types.UnionType | types.GenericAlias):
        return {name for part in typing.get_args(annotation) for name in _field_names(part)}
    if not dataclasses.is_dataclass(annotation) or not isinstance(annotation, type):
        return set()
    hints = typing.get_type_hints(annotation)
    return set(hints).union(*(_field_names(hint) for hint in hints.values()))


def _flag_values(flags: Flags) -> dict[str, float]:
    return {
        "dual_write_enabled": flags.dual_write,
        "dual_read_enabled": flags.dual_read,
        "read_from_dynamodb": flags.read_from_dynamodb,
        "validation_enabled": flags.validation,
        "mismatch_raises": flags.mismatch_policy is MismatchPolicy.RAISE,
        "write_failure_journals": flags.write_failure_policy is WriteFailurePolicy.JOURNAL,
        "compare_percent": flags.compare_percent,
    }
