"""Changing the flags: one rule for every way in, whoever asks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.errors import Conflict, CrossfadeError, Fault, InvalidArgument, Reason, Subject, Unavailable
from adapters.flags import ControlState, Flags
from adapters.ports.store import Control, ControlMirror
from proxy.flags.model import refusals, with_changes, with_phase
from proxy.logs import EventLog

CONFIRM_LIMIT_S: Final = 12.0
"""Longer than a silent worker counts as alive, so that waiting for the fleet always ends."""
SILENT_AFTER_S: Final = 10.0
ASK_EVERY_S: Final = 0.2

log = EventLog(__name__)


async def _nothing_to_prove() -> None:
    """Any target may answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who changes the flags, from where and why; `is_forced` passes over what could not be confirmed.

    `gate` is what the gate said of it, for the record.
    """

    who: str
    address: str
    reason: str
    is_forced: bool = False
    gate: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Switched:
    """The states before and after, and the workers that did not confirm an intermediate step."""

    before: ControlState
    after: ControlState
    unconfirmed: tuple[str, ...] = ()


class Switch:
    """The moves between flags. `refuse` says why a set of flags cannot be served here, None when it can.

    `prove_target` raises Conflict where the target could not answer all reads; asked before it is to, unless forced.
    """

    def __init__(
        self,
        control: Control,
        mirror: ControlMirror,
        *,
        refuse: Callable[[Flags], str | None],
        prove_target: Callable[[], Awaitable[None]] = _nothing_to_prove,
    ) -> None:
        self._control = control
        self._mirror = mirror
        self._refuse = refuse
        self._prove_target = prove_target

    async def to(self, flags: Flags, request: Request, *, version: int) -> Switched:
        """Set all flags, when `version` is the one in force. Raises like `change`."""
        if faults := refusals(flags):
            raise InvalidArgument("the flags were not changed", faults=[Fault("flags", each) for each in faults])
        return await self._move(await self._read(version), flags, request)

    async def change(self, changes: Mapping[str, object], request: Request, *, version: int | None = None) -> Switched:
        """Change flags, all of them or none.

        Raises InvalidArgument for flags that must not be set, Conflict when `version` (the epoch) is not the present
        one or this proxy cannot serve the flags, Unavailable when writes in flight do not end or the fleet does not
        confirm.
        """
        before = await self._read(version)
        return await self._move(before, with_changes(before.flags, changes), request)

    async def _read(self, version: int | None) -> ControlState:
        state = await self._control.read()
        if version is not None and version != state.epoch:
            raise Conflict(
                f"the flags were changed meanwhile: version {state.epoch} now, by {state.changed_by}",
                reason=Reason.STALE_VERSION,
                subject=Subject("flags"),
            )
        return state

    async def _move(self, before: ControlState, flags: Flags, request: Request) -> Switched:
        refusal = self._refuse(flags)
        if refusal is not None:
            raise Conflict(refusal, reason=Reason.UNSERVED_PHASE, subject=Subject("flags"))
        if before.flags.read_from_dynamodb and not flags.dual_write:
            return await self._leave_target(before, flags, request)
        if before.flags.read_from_dynamodb and not flags.read_from_dynamodb and not flags.dual_read:
            return await self._leave_target(before, flags, request)
        is_to_be_proved = flags.read_from_dynamodb and not before.flags.read_from_dynamodb and not request.is_forced
        if is_to_be_proved:
            await self._prove_target()
        after = await self._step(before, flags, request, is_settled_demanded=is_to_be_proved)
        await self._mirror_after(after)
        return Switched(before, after)

    async def _leave_target(self, before: ControlState, flags: Flags, request: Request) -> Switched:
        """Down from phase 4 through 3: reads must have left the target everywhere before it misses a write."""
        intermediate = with_phase(before.flags, 3)
        try:
            await self._mirror.write(_ahead(before, intermediate, request))
        except CrossfadeError as error:
            if not request.is_forced:
                msg = f"the workers that go by the other copy cannot be told ({error}); force moves on without them"
                raise Unavailable(msg) from error
        between = await self._step(before, intermediate, request, is_settled_demanded=False)
        unconfirmed = await self._await_fleet(between.epoch)
        after = await self._step(between, flags, request, is_settled_demanded=False)
        await self._mirror_after(after)
        return Switched(before, after, unconfirmed)

    async def _step(
        self, before: ControlState, flags: Flags, request: Request, *, is_settled_demanded: bool
    ) -> ControlState:
        after = await self._control.switch(
            flags,
            expected_epoch=before.epoch,
            who=request.who,
            address=request.address,
            reason=request.reason,
            gate=request.gate,
            is_settled_demanded=is_settled_demanded,
        )
        log.info("flags_changed", epoch=after.epoch, who=request.who, reason=request.reason)
        return after

    async def _mirror_after(self, state: ControlState) -> None:
        """The mirror follows; a worker's poll brings it up when it cannot be reached now."""
        try:
            await self._mirror.write(state)
        except CrossfadeError as error:
            log.warning("control_mirror_behind", epoch=state.epoch, error=error)

    async def _await_fleet(self, epoch: int) -> tuple[str, ...]:
        """Wait until every worker that is alive serves this epoch; those that did not say so in time."""
        waited_s = 0.0
        behind: tuple[str, ...] = ()
        while waited_s < CONFIRM_LIMIT_S:
            fleet = await self._control.fleet()
            behind = tuple(h.instance for h in fleet if h.epoch < epoch and h.age_s < SILENT_AFTER_S)
            if not behind:
                return tuple(h.instance for h in fleet if h.epoch < epoch)
            await asyncio.sleep(ASK_EVERY_S)
            waited_s += ASK_EVERY_S
        return behind


def _ahead(before: ControlState, flags: Flags, request: Request) -> ControlState:
    """The state that the row is about to get, for the mirror to have first."""
    return ControlState(flags, before.epoch + 1, request.who, before.changed_at, request.reason)
