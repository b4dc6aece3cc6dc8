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
    """How one call is served: who answers, whether the other side is compared, what a mismatch does, who is written."""

    authority: Side
    is_compared: bool
    is_raising: bool
    write_mode: WriteMode


def plan_of(flags: Flags, *, sample: float) -> Plan:
    """The plan of a call; `sample` in [0, 1) decides whether it is among the compared percentage."""
    authority = Side.TARGET if flags.read_from_dynamodb else Side.SOURCE
    is_compared = flags.dual_read and flags.validation and sample * FULL_PERCENT < flags.compare_percent
    return Plan(
        authority=authority,
        is_compared=is_compared,
        is_raising=flags.mismatch_policy is MismatchPolicy.RAISE,
        write_mode=_write_mode(flags),
    )


def _write_mode(flags: Flags) -> WriteMode:
    if flags.dual_write:
        return WriteMode.DUAL
    return WriteMode.TARGET_ONLY if flags.read_from_dynamodb else WriteMode.SOURCE_ONLY
