"""From flags to a plan: who answers, who is compared, who is written to. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.flags import Flags, MismatchPolicy

FULL_PERCENT: Final = 100


class Side(StrEnum):
    """The two databases by their part in the migration."""

    SOURCE = "source"
    TARGET = "target"

    @property
    def other(self) -> "Side":
        """The other side."""
        return Side.TARGET if self is Side.SOURCE else Side.SOURCE


class WriteMode(StrEnum):
    """Where writes go."""

    SOURCE_ONLY = "source_only"
    DUAL = "dual"
    TARGET_ONLY = "target_only"


@dataclass(frozen=True, slots=True)
class Plan:
    """How calls are served: who answers reads, whether the other side is asked too, who is written.

    `sample`, from 0 to 1, is the share of dual reads that do ask the other side, and compare if `is_compared`.
    """

    authority: Side
    is_dual_read: bool
    sample: float
    is_compared: bool
    is_raising: bool
    write_mode: WriteMode


def plan_of(flags: Flags) -> Plan:
    """The plan under these flags."""
    return Plan(
        authority=Side.TARGET if flags.read_from_dynamodb else Side.SOURCE,
        is_dual_read=flags.dual_read,
        sample=flags.compare_percent / FULL_PERCENT,
        is_compared=flags.validation,
        is_raising=flags.mismatch_policy is MismatchPolicy.RAISE,
        write_mode=_write_mode(flags),
    )


def _write_mode(flags: Flags) -> WriteMode:
    if flags.dual_write:
        return WriteMode.DUAL
    return WriteMode.TARGET_ONLY if flags.read_from_dynamodb else WriteMode.SOURCE_ONLY
