"""All metrics, declared in one place; METRICS.md tells an operator what they mean. All series are made at the start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from adapters.flags import Flags, MismatchPolicy, WriteFailurePolicy
from adapters.operations import Operation
from proxy.metrics.labels import (
    CAPACITY_KINDS,
    CODES,
    OTHER,
    POOL_STATES,
    DatabaseResult,
    DualReadResult,
    DualWriteOutcome,
    RepairResult,
    compared_attributes,
)
from proxy.metrics.values import Merge, Sights

BOUNDS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Timed:
    """The series of one operation: how often by result, and how long."""

    counters: Mapping[str, Counter]
    duration: Histogram

    def finished(self, result: str, duration_s: float) -> None:
        """Count a call, and its duration in seconds."""
        self.counters[result].inc()
        self.duration.observe(duration_s)


class Calls:
    """The series of calls, and of those that were refused."""

    def __init__(self, registry: CollectorRegistry, catalogue: Mapping[str, Operation]) -> None:
        self._total = Counter(
            "crossfade_rpc_requests_total", "Calls answered.", ("entity", "operation", "code"), registry=registry
        )
        self._duration = Histogram(
            "crossfade_rpc_duration_seconds",
            "Time from a call's arrival to its answer.",
            ("entity", "operation"),
            buckets=BOUNDS_S,
            registry=registry,
        )
        self.known = {name: self._of(operation.entity, operation.name) for name, operation in catalogue.items()}
        self.other = self._of(OTHER, OTHER)
        self.shed = Counter(
            "crossfade_shed_calls_total", "Calls refused because the proxy had too much to do.", registry=registry
        )

    def _of(self, *labels: str) -> Timed:
        return Timed({code: self._total.labels(*labels, code) for code in CODES}, self._duration.labels(*labels))


class Databases:
    """The series of what the databases had to do for the calls."""

    def __init__(
        self,
        registry: CollectorRegistry,
        catalogue: Mapping[str, Operation],
        *,
        databases: Sequence[str],
        tables: Sequence[str],
    ) -> None:
        labels = ("database", "entity", "operation")
        self._total = Counter(
            "crossfade_database_calls_total", "Operations run by a database.", (*labels, "result"), registry=registry
        )
        self._duration = Histogram(
            "crossfade_database_duration_seconds",
            "Time a database took for its part of an operation.",
            labels,
            buckets=BOUNDS_S,
            registry=registry,
        )
        self.calls = {
            (database, name): self._of(database, operation.entity, operation.name)
            for database in databases
            for name, operation in catalogue.items()
        }
        units = Counter(
            "crossfade_dynamodb_capacity_units_total", "Capacity units used.", ("table", "kind"), registry=registry
        )
        self.capacity = {
            (table, kind): units.labels(table, kind) for table in (*tables, OTHER) for kind in CAPACITY_KINDS
        }

    def _of(self, *labels: str) -> Timed:
        counters = {str(result): self._total.labels(*labels, result) for result in DatabaseResult}
        return Timed(counters, self._duration.labels(*labels))


class Migration:
    """The series of dual reads, dual writes and repairs."""

    def __init__(self, registry: CollectorRegistry, catalogue: Mapping[str, Operation]) -> None:
        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"crossfade_{name}", meaning, labels, registry=registry)

        labels = ("entity", "operation")
        reads = counter("dual_reads_total", "Dual reads by what their comparison found.", *labels, "result")
        writes = counter("dual_writes_total", "Dual writes by their outcome.", *labels, "outcome")
        attributes = counter(
            "mismatched_attributes_total", "Attributes that differed in confirmed mismatches.", "entity", "attribute"
        )
        repairs = counter("repairs_total", "Intents by what the repairer made of them.", "result")
        self.reads = {
            (name, result): reads.labels(operation.entity, operation.name, result)
            for name, operation in catalogue.items()
            if not operation.is_write
            for result in DualReadResult
        }
        self.writes = {
            (name, outcome): writes.labels(operation.entity, operation.name, outcome)
            for name, operation in catalogue.items()
            if operation.is_write
            for outcome in DualWriteOutcome
        }
        self.attributes = {
            (entity, attribute): attributes.labels(entity, attribute)
            for entity, names in compared_attributes(catalogue).items()
            for attribute in names
        }
        self.repairs = {result: repairs.labels(result) for result in RepairResult}


class State:
    """The gauges. Those of the fleet's state are seen by each worker for itself, hence no sums."""

    def __init__(self, registry: CollectorRegistry, *, databases: Sequence[str], version: str) -> None:
        def seen(name: str, meaning: str, *labels: str, merge: Merge = "livemax") -> Sights:
            return Sights(registry, f"crossfade_{name}", meaning, labels, merge=merge)

        flags = seen("flag", "Flags in force.", "flag")
        pools = seen("pool_connections", "Connections to a database.", "database", "state", merge="livesum")
        breakers = seen("breaker_open", "Whether a worker holds back calls to a database.", "database")
        self.intents = seen("intents_open", "Unsettled intents of the whole fleet.").of()
        self.oldest_intent_s = seen("intent_oldest_age_seconds", "Age of the oldest unsettled intent.").of()
        self.phase = seen("phase", "Migration phase in force, 0 for flags that are no phase.").of()
        self.flags = {name: flags.of(name) for name in flag_values(Flags())}
        self.control_age_s = seen(
            "control_age_seconds", "Time since the control state was read, of the slowest worker."
        ).of()
        self.epoch = seen("control_epoch", "Epoch of the flags in force, of the slowest worker.", merge="livemin").of()
        self.pools = {(name, state): pools.of(name, state) for name in databases for state in POOL_STATES}
        self.inflight = seen("inflight_calls", "Calls under way.", merge="livesum").of()
        self.listing = seen(
            "listing_fill_ratio", "Share of its bound that the listing of products takes, in the fullest worker."
        ).of()
        self.breakers = {name: breakers.of(name) for name in databases}
        self.build = seen("build_info", "The version that runs.", "version").of(version)


def flag_values(flags: Flags) -> dict[str, float]:
    """The flags as numbers, by their label value."""
    return {
        "dual_write_enabled": flags.dual_write,
        "dual_read_enabled": flags.dual_read,
        "read_from_dynamodb": flags.read_from_dynamodb,
        "validation_enabled": flags.validation,
        "mismatch_raises": flags.mismatch_policy is MismatchPolicy.RAISE,
        "write_failure_journals": flags.write_failure_policy is WriteFailurePolicy.JOURNAL,
        "compare_percent": flags.compare_percent,
    }
