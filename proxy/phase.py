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
    """How calls are served: who answers, what a mismatch does, who is written.

    `compare_share`, from 0 to 1, is how many of the reads ask the other side too and compare.
    """

    authority: Side
    compare_share: float
    is_raising: bool
    write_mode: WriteMode


def plan_of(flags: Flags) -> Plan:
    """The plan under these flags."""
    return Plan(
        authority=Side.TARGET if flags.read_from_dynamodb else Side.SOURCE,
        compare_share=flags.compare_percent / FULL_PERCENT if flags.dual_read and flags.validation else 0.0,
        is_raising=flags.mismatch_policy is MismatchPolicy.RAISE,
        write_mode=_write_mode(flags),
    )


def _write_mode(flags: Flags) -> WriteMode:
    if flags.dual_write:
        return WriteMode.DUAL
    return WriteMode.TARGET_ONLY if flags.read_from_dynamodb else WriteMode.SOURCE_ONLY
