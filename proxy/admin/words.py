"""What an admin reads of phases and moves, with the databases by their names. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from adapters.flags import Flags
from proxy.admin.records import Check, Gate
from proxy.flags.effects import Effect, effects
from proxy.flags.model import CUSTOM, PHASE_NAMES, phase_of
from proxy.phase import Side

Names = Mapping[Side, str]
"""What the databases are called."""

_BEGINNINGS: Final[Mapping[Effect, str]] = {
    Effect.WRITTEN: "Every write goes to both databases from then on; the target lacks what was written before, "
    "until a backfill has copied it.",
    Effect.COMPARED: "Every read asks both databases and compares them; the source answers. Where the mismatch policy "
    "is raise, a difference fails the call.",
    Effect.ANSWERS: "The target answers all reads; the source still decides writes and stays complete.",
    Effect.ALONE: "The target alone is written and read; the source goes stale but for what is synchronised back.",
}
_SIDE: Final = re.compile(r"\b(?:[Tt]he )?(source|target)\b")


def words_of(before: Flags, after: Flags) -> list[str]:
    """What a change of flags does, a sentence each; empty when it moves nothing."""
    begun = effects(before, after)
    found = [_BEGINNINGS[effect] for effect in begun]
    if before.read_from_dynamodb and not after.read_from_dynamodb:
        found.append("The source answers all reads again.")
    if after.validation and not before.validation and Effect.COMPARED not in begun:
        found.append("Every read asks both databases and compares them.")
    if before.validation and not after.validation:
        found.append("Reads are no longer compared.")
    if before.dual_write and not (after.dual_write or after.read_from_dynamodb):
        found.append("The target gets no more writes and goes stale: the way forward begins with a new backfill.")
    return found


def description(flags: Flags) -> str:
    """The phase's name, or that it is none."""
    phase = phase_of(flags)
    return CUSTOM if phase is None else PHASE_NAMES[phase]


def named(text: str, names: Names) -> str:
    """The text with the databases called by their names."""
    return _SIDE.sub(lambda found: names[Side(found[1])], text)


def named_gate(gate: Gate, names: Names) -> Gate:
    """The gate with the databases called by their names."""
    checks = [
        Check(
            each.name,
            named(each.sentence, names),
            each.verdict,
            named(each.figure, names),
            named(each.threshold, names),
            each.measured_at,
        )
        for each in gate.checks
    ]
    return Gate(gate.target, tuple(named(each, names) for each in gate.effects), tuple(checks))
