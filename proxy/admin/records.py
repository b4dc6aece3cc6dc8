"""What the control plane says: the values of the admin API, the flag page and the command line. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from adapters.flags import ControlState


class Verdict(StrEnum):
    """What became of a check. One that was not measured holds its gate shut like one that failed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MEASURED = "not yet measured"


class JobState(StrEnum):
    """How far a job has come."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class LogKind(StrEnum):
    """What an entry of the log is about."""

    AUDIT = "audit"
    MISMATCH = "mismatch"
    WRITE_FAILURE = "write_failure"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and from where; `user_id` for a user of the shop, None for the command line."""

    who: str
    address: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a gate with its evidence: what was found, what is asked for, when it was measured."""

    name: str
    sentence: str
    verdict: Verdict
    figure: str
    threshold: str
    measured_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The checks before a move, and in sentences what the move does. A move that needs none has no checks."""

    target: int
    effects: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def is_open(self) -> bool:
        """Whether every check passed."""
        return not self.closed_by

    @property
    def closed_by(self) -> tuple[Check, ...]:
        """The checks that hold it shut."""
        return tuple(check for check in self.checks if check.verdict is not Verdict.PASSED)


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """A database by its name on the wire; `fault` says why it cannot be reached."""

    name: str
    is_in_use: bool
    is_reachable: bool
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class EntityStatistics:
    """Dual reads of an entity over the whole fleet since reads began to be compared.

    `rate` is mismatched / compared, `bound` its upper 95 % bound; both None before anything was compared.
    """

    entity: str
    compared: int
    matched: int
    transient: int
    mismatched: int
    errors: int
    skipped: int
    rate: float | None
    bound: float | None


@dataclass(frozen=True, slots=True)
class Proxy:
    """A worker of the fleet; `is_behind` when it serves another version than the one in force, or fell silent."""

    instance: str
    epoch: int
    age_s: float
    is_behind: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A comparison or copy, under way or ended. `is_equal` is None until it has ended whole.

    `differences` are the first so many, with secrets masked; `difference_count` counts all.
    """

    id: int
    kind: str
    entities: tuple[str, ...]
    state: JobState
    done: int
    total: int
    difference_count: int
    differences: tuple[Mapping[str, object], ...]
    is_equal: bool | None
    started_by: str
    started_at: datetime
    updated_at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the log; `data` is ready for JSON, with secrets masked."""

    kind: LogKind
    id: int
    at: datetime
    summary: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries, the newest first; `next_cursor` leads to older ones, None when there are none."""

    entries: tuple[LogEntry, ...]
    total_count: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that an admin looks at before a move.

    What could not be read is None, and `faults` says why: a page that shows less is better than none in an outage.
    """

    state: ControlState
    phase: int | None
    description: str
    flags: Mapping[str, object]
    routes: Mapping[str, bool]
    copy_age_s: float
    is_copy_stale: bool
    databases: tuple[DatabaseStatus, ...]
    statistics: tuple[EntityStatistics, ...] | None
    pending_intents: int | None
    oldest_intent_age_s: float | None
    jobs: tuple[Job, ...]
    proxies: tuple[Proxy, ...] | None
    faults: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of flags: the states around it, what is different by name, and the workers that did not confirm it."""

    before: ControlState
    after: ControlState
    updated: Mapping[str, object]
    unconfirmed: tuple[str, ...] = ()
