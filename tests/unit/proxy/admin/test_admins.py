"""What `proxy.admin.admins` promises: a user is read where the copy is complete, and nowhere else."""

import pytest

from adapters.flags import Flags
from proxy.admin.admins import sides
from proxy.flags.model import with_phase
from proxy.phase import Side

SOURCE, TARGET = Side.SOURCE, Side.TARGET


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(1, (SOURCE,)), (2, (SOURCE,)), (3, (SOURCE, TARGET)), (4, (TARGET, SOURCE)), (5, (TARGET,))],
)
def test_the_authority_is_asked_first_and_the_other_when_it_is_complete(phase: int, expected: tuple[Side, ...]) -> None:
    """In phase 2 the target may lack users, or hold a right that was taken away while it got no writes."""
    assert expected == sides(with_phase(Flags(), phase))
