"""The flags and the control state: values that both databases keep and every worker reads."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MismatchPolicy(StrEnum):
    """What a confirmed mismatch does to the caller."""

    RAISE = "raise"
    REPORT = "report"


class WriteFailurePolicy(StrEnum):
    """What a failure of the shadow does to a dual write."""

    ROLLBACK = "rollback"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Flags:
    """One consistent set of flags; the migration phase is a view of the four booleans."""

    dual_write: bool = False
    dual_read: bool = False
    read_from_dynamodb: bool = False
    validation: bool = False
    mismatch_policy: MismatchPolicy = MismatchPolicy.RAISE
    write_failure_policy: WriteFailurePolicy = WriteFailurePolicy.ROLLBACK
    compare_percent: int = 100


@dataclass(frozen=True, slots=True)
class ControlState:
    """The flags in force, the epoch that grows with each change, and who changed them last."""

    flags: Flags
    epoch: int
    changed_by: str
    changed_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker of the fleet: the epoch it serves and how long ago it said so, in seconds."""

    instance: str
    epoch: int
    age_s: float
