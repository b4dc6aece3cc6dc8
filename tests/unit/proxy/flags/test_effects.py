"""What changes of flags bring about."""

import itertools

import pytest

from adapters.flags import Flags
from proxy.flags.effects import Effect, effects, phase_within
from proxy.flags.model import PHASES, refusals, with_phase

WRITTEN, COMPARED, ANSWERS, ALONE = Effect
FORWARD = {(1, 2): [WRITTEN], (2, 3): [COMPARED], (3, 4): [ANSWERS], (4, 5): [ALONE]}
EVERY = [Flags(a, b, c, d) for a, b, c, d in itertools.product((False, True), repeat=4)]
ALLOWED = [flags for flags in EVERY if not refusals(flags)]


@pytest.mark.parametrize(("before", "after"), list(itertools.product(PHASES, PHASES)))
def test_moves_have_the_effects_of_their_steps(before: int, after: int) -> None:
    """Each step forward begins one thing; a way back begins nothing."""
    found = effects(with_phase(Flags(), before), with_phase(Flags(), after))
    steps = [effect for (start, _), begun in FORWARD.items() if before <= start < after for effect in begun]
    if 3 in range(before + 1, after):
        steps.remove(COMPARED)  # Passed over, reads are not compared on the way.
    assert steps == list(found)


def test_comparing_behind_the_target_begins_nothing() -> None:
    """In phase 4 the source may be compared without a gate."""
    compared = Flags(dual_write=True, dual_read=True, read_from_dynamodb=True, validation=True)
    assert () == effects(with_phase(Flags(), 4), compared)


@pytest.mark.parametrize("flags", ALLOWED)
def test_phase_within_begins_nothing(flags: Flags) -> None:
    """From any flags there is a phase that needs no gate."""
    assert () == effects(flags, with_phase(flags, phase_within(flags)))
