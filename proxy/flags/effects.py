"""What a change of flags brings about, whichever call asks for it: gates belong to effects. Pure."""

from enum import StrEnum
from typing import Final

from adapters.flags import Flags
from proxy.flags.model import PHASES, phase_of, with_phase


class Effect(StrEnum):
    """Something that begins with a change, in the order of the phases, and must not begin too early."""

    WRITTEN = "the target begins to be written"
    COMPARED = "reads begin to be compared"
    ANSWERS = "the target begins to answer reads"
    ALONE = "the source is no longer written"


LEAST_PHASE: Final = min(PHASES)


def effects(before: Flags, after: Flags) -> tuple[Effect, ...]:
    """What begins. Empty for a way back: what is the authority of writes is complete."""
    begins = {
        Effect.WRITTEN: _is_written(after) and not _is_written(before),
        # Where the target answers already, to compare the source behind it can only find out more.
        Effect.COMPARED: after.validation and not before.validation and not before.read_from_dynamodb,
        Effect.ANSWERS: after.read_from_dynamodb and not before.read_from_dynamodb,
        Effect.ALONE: _is_alone(after) and not _is_alone(before),
    }
    return tuple(effect for effect, is_new in begins.items() if is_new)


def phase_within(flags: Flags) -> int:
    """The phase of these flags; of those that are none the highest that begins nothing."""
    phase = phase_of(flags)
    if phase is not None:
        return phase
    return max((each for each in PHASES if not effects(flags, with_phase(flags, each))), default=LEAST_PHASE)


def _is_written(flags: Flags) -> bool:
    return flags.dual_write or flags.read_from_dynamodb


def _is_alone(flags: Flags) -> bool:
    return flags.read_from_dynamodb and not flags.dual_write
