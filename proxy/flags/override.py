"""Flags that one browser reads by, beside those of all: only how reads are answered, never where writes go. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from adapters.errors import Conflict, Fault, InvalidArgument, Reason, Subject
from adapters.flags import ControlState, Flags, MismatchPolicy
from proxy.flags.model import FLAGS, PHASE, refusals, shown, with_changes

READING: Final = (
    "dual_read_enabled",
    "read_from_dynamodb",
    "validation_enabled",
    "mismatch_policy",
    "compare_percent",
)
"""The flags that only say how reads are answered."""
SETTABLE: Final = (PHASE, "READ_MYSQL", "READ_DDB", *READING)


@dataclass(frozen=True, slots=True)
class Reading:
    """How reads are answered, beside the flags of the version `epoch` and no others."""

    epoch: int
    dual_read: bool
    read_from_dynamodb: bool
    validation: bool
    mismatch_policy: MismatchPolicy
    compare_percent: int

    def beside(self, flags: Flags) -> Flags:
        """The flags with these reads; where writes go is not touched."""
        return replace(
            flags,
            dual_read=self.dual_read,
            read_from_dynamodb=self.read_from_dynamodb,
            validation=self.validation,
            mismatch_policy=self.mismatch_policy,
            compare_percent=self.compare_percent,
        )


def reading_of(state: ControlState, changes: Mapping[str, object]) -> Reading:
    """The flags in force with some changed for one browser, by names of SETTABLE.

    Raises InvalidArgument for other names and wrong values, and for what would send writes elsewhere; Conflict where
    not every write goes to both databases, so that only one of them may be read.
    """
    faults = [Fault(name, "cannot be set for one browser") for name in changes if name not in SETTABLE]
    if faults:
        raise InvalidArgument("only reads can be overridden", faults=faults)
    if not state.flags.dual_write:
        raise _unsafe("only one database gets every write now, and it must answer all reads")
    changed = with_changes(state.flags, changes)
    if changed.dual_write != state.flags.dual_write:
        raise InvalidArgument(
            "only reads can be overridden", faults=[Fault(PHASE, "must be 2, 3 or 4: others send writes elsewhere")]
        )
    reading = _of_flags(state.epoch, changed)
    if sentences := refusals(reading.beside(state.flags)):
        raise _unsafe(sentences[0])
    return reading


def to_claims(reading: Reading) -> dict[str, object]:
    """What a cookie says of it."""
    flags = reading.beside(Flags(dual_write=True))
    return {"epoch": reading.epoch, "flags": {name: getattr(flags, FLAGS[name].field) for name in READING}}


def from_claims(claims: Mapping[str, object]) -> Reading | None:
    """What `to_claims` made a cookie say; None for anything else, such as the cookie of another version."""
    epoch, flags = claims.get("epoch"), claims.get("flags")
    if type(epoch) is not int or not isinstance(flags, dict) or flags.keys() != set(READING):
        return None
    try:
        return _of_flags(epoch, with_changes(Flags(dual_write=True), flags))
    except InvalidArgument:
        return None


def shown_reading(reading: Reading) -> dict[str, object]:
    """The flags by their names on the wire, the phase that they amount to first."""
    flags = shown(reading.beside(Flags(dual_write=True)))
    return {name: flags[name] for name in (PHASE, *READING)}


def _of_flags(epoch: int, flags: Flags) -> Reading:
    return Reading(
        epoch=epoch,
        dual_read=flags.dual_read,
        read_from_dynamodb=flags.read_from_dynamodb,
        validation=flags.validation,
        mismatch_policy=flags.mismatch_policy,
        compare_percent=flags.compare_percent,
    )


def _unsafe(sentence: str) -> Conflict:
    return Conflict(sentence, reason=Reason.UNSAFE_OVERRIDE, subject=Subject("flags"))
