"""The flags' rules: phases as a view of them, which combinations are safe, and the names of the wire. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from adapters.errors import Fault, InvalidArgument
from adapters.flags import Flags, MismatchPolicy, WriteFailurePolicy

CUSTOM: Final = "custom"

PHASES: Final[Mapping[int, tuple[bool, bool, bool, bool]]] = {
    1: (False, False, False, False),
    2: (True, False, False, False),
    3: (True, True, False, True),
    4: (True, False, True, False),
    5: (False, False, True, False),
}
"""Phase -> dual_write, dual_read, read_from_dynamodb, validation."""

PHASE_NAMES: Final[Mapping[int, str]] = {
    1: "source only",
    2: "dual write, source read",
    3: "dual write, dual read, compared",
    4: "dual write, target read",
    5: "target only",
}

_COMPARED_BEHIND: Final = (True, True, True, True)
"""Phase 4 with the other database compared behind the answer."""


def phase_of(flags: Flags) -> int | None:
    """The phase that the flags amount to; None for a combination that is none."""
    booleans = (flags.dual_write, flags.dual_read, flags.read_from_dynamodb, flags.validation)
    if booleans == _COMPARED_BEHIND:
        return 4
    return next((phase for phase, values in PHASES.items() if values == booleans), None)


def phase_label(flags: Flags) -> str:
    """The phase as it is shown: its number, or `custom`."""
    phase = phase_of(flags)
    return CUSTOM if phase is None else str(phase)


def with_phase(flags: Flags, phase: int) -> Flags:
    """The flags with the four booleans of a phase; policies and percentage stay, journalling only where it may."""
    dual_write, dual_read, read_from_dynamodb, validation = PHASES[phase]
    policy = WriteFailurePolicy.ROLLBACK if read_from_dynamodb else flags.write_failure_policy
    return replace(
        flags,
        dual_write=dual_write,
        dual_read=dual_read,
        read_from_dynamodb=read_from_dynamodb,
        validation=validation,
        write_failure_policy=policy,
    )


def refusals(flags: Flags) -> list[str]:
    """Why these flags must not be set together; empty when they may."""
    found = []
    if flags.dual_read and not flags.dual_write:
        found.append("dual reads without dual writes would compare with a database that does not get every write")
    if flags.validation and not flags.dual_read:
        found.append("validation needs dual reads: there is nothing else to compare")
    if flags.write_failure_policy is WriteFailurePolicy.JOURNAL and flags.read_from_dynamodb:
        found.append("the policy journal would let the database that answers reads lag behind acknowledged writes")
    if not 0 <= flags.compare_percent <= 100:  # noqa: PLR2004  # percent
        found.append("compare_percent lies between 0 and 100")
    return found


@dataclass(frozen=True, slots=True)
class _Flag:
    field: str
    parse: Callable[[str], object]


def _boolean(text: str) -> bool:
    values = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
    if text.lower() not in values:
        msg = "is true or false"
        raise ValueError(msg)
    return values[text.lower()]


FLAGS: Final[Mapping[str, _Flag]] = {
    "dual_write_enabled": _Flag("dual_write", _boolean),
    "dual_read_enabled": _Flag("dual_read", _boolean),
    "read_from_dynamodb": _Flag("read_from_dynamodb", _boolean),
    "validation_enabled": _Flag("validation", _boolean),
    "mismatch_policy": _Flag("mismatch_policy", MismatchPolicy),
    "write_failure_policy": _Flag("write_failure_policy", WriteFailurePolicy),
    "compare_percent": _Flag("compare_percent", int),
}
"""The flags by their names on the wire; `migration_phase` besides sets the four booleans at once."""


def with_changes(flags: Flags, changes: Mapping[str, str]) -> Flags:
    """The flags with several changed at once, as texts.

    Raises InvalidArgument naming every unknown flag and wrong value, and why the combination is refused.
    """
    faults: list[Fault] = []
    changed = flags
    for name, text in changes.items():
        try:
            changed = _changed(changed, name, text)
        except (KeyError, ValueError):
            faults.append(Fault(name, "is no flag" if name not in (*FLAGS, "migration_phase") else "is no valid value"))
    faults += [Fault("flags", sentence) for sentence in refusals(changed)]
    if faults:
        raise InvalidArgument("the flags were not changed", faults=faults)
    return changed


def _changed(flags: Flags, name: str, text: str) -> Flags:
    if name == "migration_phase":
        return with_phase(flags, int(text))
    flag = FLAGS[name]
    return replace(flags, **{flag.field: flag.parse(text)})  # type: ignore[arg-type]  # parse gives the field's type


def shown(flags: Flags) -> dict[str, object]:
    """The flags by their names on the wire, the phase first."""
    phase = phase_of(flags)
    values = {name: getattr(flags, flag.field) for name, flag in FLAGS.items()}
    return {"migration_phase": CUSTOM if phase is None else phase, **values}
