"""Which copy of the control state a worker goes by, and for how long."""

import pytest

from adapters.errors import Unavailable
from adapters.flags import ControlState, Flags
from proxy.background import delay_s
from proxy.flags.snapshot import LEASE_S, POLL_LIMIT_S, Snapshot
from proxy.wiring.worker import POLL_S

MIRROR_S = 0.3
"""What reading the mirror may take where it is well."""


def state(epoch: int) -> ControlState:
    """A state of that epoch."""
    return ControlState(Flags(), epoch, "test", None, "")


def test_snapshot_without_a_copy_serves_nothing() -> None:
    """Before the first poll no phase is known."""
    with pytest.raises(Unavailable, match="phase is not known"):
        Snapshot().current()


def test_snapshot_takes_the_mirror_only_where_it_is_not_older() -> None:
    """The copy that decides is always taken, be it the older one."""
    snapshot = Snapshot()
    assert snapshot.adopt(state(7), is_deciding=False)
    assert not snapshot.adopt(state(6), is_deciding=False)
    assert 7 == snapshot.current().epoch
    assert snapshot.adopt(state(6), is_deciding=True)
    assert 6 == snapshot.current().epoch


def test_silent_authority_leaves_time_for_the_mirror() -> None:
    """A heartbeat and a read that both wait in vain, with the longest pause between them, end before the lease."""
    longest_pause_s = delay_s(POLL_S, 0, cap_s=POLL_S, drawn=1.0)
    assert POLL_LIMIT_S + longest_pause_s + POLL_LIMIT_S + MIRROR_S < LEASE_S
