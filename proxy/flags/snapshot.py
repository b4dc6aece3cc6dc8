"""The copy of the control state that a worker goes by, and the poll that keeps it fresh.

A call reads one immutable state at its start and never looks again. The copy may come from either database; once both
have been out of reach for the lease, calls are refused: no proxy serves an abandoned phase.
"""

import time
from typing import Final

from adapters.errors import CrossfadeError, Unavailable
from adapters.flags import ControlState
from adapters.ports.store import Control, ControlMirror
from proxy.logs import EventLog

LEASE_S: Final = 3.0
"""How old a copy may be to serve by, in seconds."""
POLL_LIMIT_S: Final = 0.6
"""How long a poll waits for the deciding copy, and to be heard of there.

Where it is silent, both limits and the pause between two polls pass before the mirror is read: less than the lease.
"""

log = EventLog(__name__)


class Snapshot:
    """The newest state seen and when it was read."""

    def __init__(self) -> None:
        self._state: ControlState | None = None
        self._read_at_s = -LEASE_S

    def current(self) -> ControlState:
        """The state to serve by. Raises Unavailable when no copy was read within the lease."""
        if self._state is None or self.age_s > LEASE_S:
            msg = f"the migration phase is not known: no copy of it could be read for {LEASE_S:.0f} s"
            raise Unavailable(msg)
        return self._state

    @property
    def latest(self) -> ControlState | None:
        """The newest state seen, however old."""
        return self._state

    @property
    def age_s(self) -> float:
        """Seconds since the state was last read."""
        return time.monotonic() - self._read_at_s

    def adopt(self, state: ControlState, *, is_deciding: bool) -> bool:
        """Take a state just read; whether it was taken.

        The copy that decides is always taken, the other one only when it is not older than what is known: after a
        switch that failed half way it may even be ahead.
        """
        known = self._state
        if known is not None and not is_deciding and state.epoch < known.epoch:
            return False
        if known is not None and state.epoch != known.epoch:
            log.info("control_state_changed", epoch=state.epoch, changed_by=state.changed_by)
        self._state = state
        self._read_at_s = time.monotonic()
        return True


class ControlPoll:
    """Reads the control state about every second, mirrors it, and says that this worker lives."""

    def __init__(self, snapshot: Snapshot, control: Control, mirror: ControlMirror, *, instance: str) -> None:
        self._snapshot = snapshot
        self._control = control
        self._mirror = mirror
        self._instance = instance
        self._mirrored_epoch = -1

    async def run_once(self) -> ControlState | None:
        """Adopt the state of the database that decides, else of its mirror; None when neither could be read."""
        try:
            state = await self._control.read(limit_s=POLL_LIMIT_S)
        except CrossfadeError as error:
            log.warning("control_row_unreadable", error=error)
            return await self._adopt_mirror()
        self._snapshot.adopt(state, is_deciding=True)
        await self._bring_up_mirror(state)
        await self._tell(state)
        return state

    async def reread(self) -> ControlState:
        """Adopt the deciding copy at once: for a write that found another epoch under its lock."""
        state = await self._control.read()
        self._snapshot.adopt(state, is_deciding=True)
        return state

    async def _tell(self, state: ControlState) -> None:
        """Say that this worker lives. Whoever is not heard of is waited for by switches, and then named."""
        try:
            await self._control.heartbeat(self._instance, epoch=state.epoch, limit_s=POLL_LIMIT_S)
        except CrossfadeError as error:
            log.warning("control_heartbeat_failed", epoch=state.epoch, error=error)

    async def _adopt_mirror(self) -> ControlState | None:
        try:
            state = await self._mirror.read()
        except CrossfadeError as error:
            log.warning("control_mirror_unreadable", error=error)
            return None
        if state is not None:
            self._snapshot.adopt(state, is_deciding=False)
        return state

    async def _bring_up_mirror(self, state: ControlState) -> None:
        if self._mirrored_epoch >= state.epoch:
            return
        try:
            await self._mirror.write(state)
        except CrossfadeError as error:
            log.warning("control_mirror_behind", epoch=state.epoch, error=error)
            return
        self._mirrored_epoch = state.epoch
