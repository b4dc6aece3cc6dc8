"""Changing the flags through the gates: one way for the admin API, the page and the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.errors import Conflict, CrossfadeError, Fault, InvalidArgument, Reason, Subject, Unavailable
from adapters.flags import ControlState, Flags
from adapters.ports.store import Control, ControlMirror
from proxy.admin.evidence import Desk
from proxy.admin.gates import gate as gate_of
from proxy.admin.records import Actor, Changed, Check, Gate
from proxy.admin.words import Names, named_gate, words_of
from proxy.flags.effects import LEAST_PHASE, effects, phase_within
from proxy.flags.model import PHASES, phase_of, shown, with_changes, with_phase
from proxy.flags.snapshot import Snapshot
from proxy.flags.switch import Request, Switch

REASON_MAX: Final = 1000

Wanted = Callable[[Flags], Flags]
"""From the flags in force to those asked for. Raises InvalidArgument, Conflict."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of the control state: the one that decides, its mirror, and what this process knows."""

    control: Control
    mirror: ControlMirror
    snapshot: Snapshot

    async def state(self) -> ControlState:
        """The deciding one, else the freshest that is known. Raises Unavailable where there is none."""
        try:
            return await self.control.read()
        except CrossfadeError as error:
            known = self.snapshot.latest or await self.mirror.read()
            if known is None:
                raise Unavailable("no copy of the flags in force can be read") from error
            return known


class Moves:
    """The moves between flags, each judged by what it begins."""

    def __init__(self, copies: Copies, switch: Switch, desk: Desk, names: Names) -> None:
        self._copies = copies
        self._switch = switch
        self._desk = desk
        self._names = names

    async def gate(self, target: int) -> Gate:
        """See ControlRoom."""
        if target not in PHASES:
            raise InvalidArgument("there is no such phase", faults=[Fault("target", "lies between 1 and 5")])
        before = (await self._copies.state()).flags
        return await self._gate(before, with_phase(before, target))

    async def set_flags(
        self, changes: Mapping[str, object], *, actor: Actor, reason: str, version: int | None, is_forced: bool
    ) -> Changed:
        """See ControlRoom."""
        if not changes:
            raise InvalidArgument("the flags were not changed", faults=[Fault("flags", "names no flag")])

        def wanted(flags: Flags) -> Flags:
            return with_changes(flags, changes)

        return await self._change(wanted, actor, reason, version=version, is_forced=is_forced)

    async def reset(self, *, actor: Actor, reason: str, version: int | None) -> Changed:
        """See ControlRoom."""

        def wanted(flags: Flags) -> Flags:
            return with_phase(Flags(), phase_within(flags))

        return await self._change(wanted, actor, reason, version=version, is_forced=False)

    async def roll_back(self, *, actor: Actor, reason: str, to: int | None, is_forced: bool) -> Changed:
        """See ControlRoom. Asks nobody but the database that has the control row."""

        def wanted(flags: Flags) -> Flags:
            return with_phase(flags, _lower(flags, to))

        return await self._change(wanted, actor, reason, version=None, is_forced=is_forced, needs_reason=False)

    async def _change(
        self,
        wanted: Wanted,
        actor: Actor,
        reason: str,
        *,
        version: int | None,
        is_forced: bool,
        needs_reason: bool = True,
    ) -> Changed:
        _check_reason(reason, is_needed=is_forced and needs_reason)
        before = await self._copies.control.read()
        if version is not None and version != before.epoch:
            raise Conflict(
                f"the flags were changed meanwhile: version {before.epoch} now, by {before.changed_by}",
                reason=Reason.STALE_VERSION,
                subject=Subject("flags"),
            )
        flags = wanted(before.flags)
        verdict = None
        if effects(before.flags, flags):
            found = await self._gate(before.flags, flags)
            if not found.is_open and not is_forced:
                raise _closed(found)
            verdict = _record(found, is_forced=is_forced)
        request = Request(actor.who, actor.address, reason, is_forced=is_forced, gate=verdict)
        # What was judged is what is changed: another change meanwhile has another epoch.
        switched = await self._switch.to(flags, request, version=before.epoch)
        old, new = shown(switched.before.flags), shown(switched.after.flags)
        updated = {name: value for name, value in new.items() if value != old[name]}
        return Changed(switched.before, switched.after, updated, switched.unconfirmed)

    async def _gate(self, before: Flags, after: Flags) -> Gate:
        words = words_of(before, after)
        target = phase_of(after) or 0
        if not effects(before, after):
            return named_gate(Gate(target, tuple(words), ()), self._names)
        evidence = await self._desk.gather(before, after)
        return named_gate(gate_of(before, after, evidence, target=target, words=words), self._names)


def _lower(flags: Flags, to: int | None) -> int:
    """The phase to go back to: the one asked for, or the next lower one."""
    phase = phase_of(flags)
    present = phase_within(flags) + 1 if phase is None else phase
    if present <= LEAST_PHASE:
        raise Conflict("there is no phase before the first", reason=Reason.ALREADY_SO, subject=Subject("flags"))
    if to is not None and not LEAST_PHASE <= to < present:
        message = f"lies between {LEAST_PHASE} and {present - 1}: a way back leads to a lower phase"
        raise InvalidArgument("this is no way back", faults=[Fault("to", message)])
    return present - 1 if to is None else to


def _check_reason(reason: str, *, is_needed: bool) -> None:
    if is_needed and not reason.strip():
        raise InvalidArgument("to force needs a reason", faults=[Fault("reason", "says why; it goes on record")])
    if len(reason) > REASON_MAX:
        raise InvalidArgument(
            "the reason is too long", faults=[Fault("reason", f"has at most {REASON_MAX} characters")]
        )


def _closed(found: Gate) -> Conflict:
    names = ", ".join(check.name for check in found.closed_by)
    return Conflict(
        f"the gate is closed: {names}",
        reason=Reason.GATE_CLOSED,
        subject=Subject("flags"),
        members={"errors": [_told(check) for check in found.closed_by]},
    )


def _told(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "figure": check.figure,
        "threshold": check.threshold,
        "sentence": check.sentence,
    }


def _record(found: Gate, *, is_forced: bool) -> dict[str, object]:
    checks = [{name: value for name, value in _told(check).items() if name != "sentence"} for check in found.checks]
    return {"is_open": found.is_open, "is_forced": is_forced, "checks": checks}
