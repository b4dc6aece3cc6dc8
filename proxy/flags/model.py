"""The flags' rules: phases as a view of them, which combinations are safe, and the names of the wire. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from adapters.errors import Fault, InvalidArgument
from adapters.flags import Flags, MismatchPolicy, WriteFailurePolicy

CUSTOM: Final = "custom"

T = TypeVar("T")

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
    parse: Callable[[object], object]


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    values = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
    if not isinstance(value, str) or value.lower() not in values:
        raise ValueError("is true or false")
    return values[value.lower()]


def _whole(value: object) -> int:
    text = value if isinstance(value, str) else repr(value)
    try:
        return int(text)
    except ValueError:
        raise ValueError("is a whole number") from None


def _one_of(kind: type[MismatchPolicy] | type[WriteFailurePolicy]) -> Callable[[object], object]:
    def parse(value: object) -> object:
        if value not in list(kind):
            raise ValueError(f"is {' or '.join(kind)}")
        return kind(str(value))

    return parse


FLAGS: Final[Mapping[str, _Flag]] = {
    "dual_write_enabled": _Flag("dual_write", _boolean),
    "dual_read_enabled": _Flag("dual_read", _boolean),
    "read_from_dynamodb": _Flag("read_from_dynamodb", _boolean),
    "validation_enabled": _Flag("validation", _boolean),
    "mismatch_policy": _Flag("mismatch_policy", _one_of(MismatchPolicy)),
    "write_failure_policy": _Flag("write_failure_policy", _one_of(WriteFailurePolicy)),
    "compare_percent": _Flag("compare_percent", _whole),
}
"""The flags by their names on the wire; PHASE and ROUTES besides set several of the booleans at once."""

PHASE: Final = "migration_phase"
ROUTES: Final = ("READ_MYSQL", "READ_DDB", "WRITE_MYSQL", "WRITE_DDB")
"""The second view: which database is read, and which is written."""


def routes(flags: Flags) -> dict[str, bool]:
    """The flags by the names of ROUTES."""
    reads = (not flags.read_from_dynamodb or flags.dual_read, flags.read_from_dynamodb or flags.dual_read)
    writes = (not flags.read_from_dynamodb or flags.dual_write, flags.read_from_dynamodb or flags.dual_write)
    return dict(zip(ROUTES, (*reads, *writes), strict=True))


def with_changes(flags: Flags, changes: Mapping[str, object]) -> Flags:
    """The flags with several changed at once, by values of JSON or as texts.

    The phase is set first, then the routes, then single flags. Raises InvalidArgument naming every unknown flag and
    wrong value, and why the combination is refused: also where a single flag contradicts a view set along with it.
    """
    faults: list[Fault] = []
    changed, asked = _with_views(flags, changes, faults)
    for name in changes.keys() & FLAGS.keys():
        flag = FLAGS[name]
        if (value := _parsed(name, flag.parse, changes, faults)) is not None:
            changed = replace(changed, **{flag.field: value})  # type: ignore[arg-type]  # parse gives the field's type
    faults += [Fault(name, "is no flag") for name in changes if name not in (*FLAGS, *ROUTES, PHASE)]
    views = {PHASE: phase_of(changed), **routes(changed)}
    faults += [
        Fault(name, "is contradicted by another flag of this change")
        for name, value in asked.items()
        if views[name] != value
    ]
    faults += [Fault("flags", sentence) for sentence in refusals(changed)]
    if faults:
        raise InvalidArgument("the flags were not changed", faults=sorted(faults, key=lambda fault: fault.path))
    return changed


def _with_views(
    flags: Flags, changes: Mapping[str, object], faults: list[Fault]
) -> tuple[Flags, Mapping[str, bool | int]]:
    """The flags with the phase and the routes that are asked for, and those by their names."""
    asked: dict[str, bool | int] = {}
    if PHASE in changes and (phase := _parsed(PHASE, _phase, changes, faults)) is not None:
        flags = with_phase(flags, phase)
        asked[PHASE] = phase
    given = {name: _parsed(name, _boolean, changes, faults) for name in ROUTES if name in changes}
    wanted = {name: value for name, value in given.items() if value is not None}
    if wanted:
        flags = _with_routes(flags, {**routes(flags), **wanted}, faults)
    return flags, {**asked, **wanted}


def _phase(value: object) -> int:
    phase = _whole(value)
    if phase not in PHASES:
        raise ValueError("lies between 1 and 5")
    return phase


def _parsed(name: str, parse: Callable[[object], T], changes: Mapping[str, object], faults: list[Fault]) -> T | None:
    try:
        return parse(changes[name])
    except ValueError as error:
        faults.append(Fault(name, str(error)))
        return None


def _with_routes(flags: Flags, wanted: Mapping[str, bool], faults: list[Fault]) -> Flags:
    """The flags that route so. Both read: the present one goes on answering, and the other is compared."""
    reads_source, reads_target, writes_source, writes_target = (wanted[name] for name in ROUTES)
    if not (reads_source or reads_target) or not (writes_source or writes_target):
        faults.append(Fault("flags", "reads and writes need at least one database each"))
        return flags
    if (reads_source and not writes_source) or (reads_target and not writes_target):
        faults.append(Fault("flags", "a database that does not get every write must not be read"))
        return flags
    is_both = reads_source and reads_target
    return replace(
        flags,
        dual_write=writes_source and writes_target,
        dual_read=is_both,
        read_from_dynamodb=flags.read_from_dynamodb if is_both else reads_target,
        validation=is_both,
    )


def shown(flags: Flags) -> dict[str, object]:
    """The flags by their names on the wire, the phase first."""
    phase = phase_of(flags)
    values = {name: getattr(flags, flag.field) for name, flag in FLAGS.items()}
    return {PHASE: CUSTOM if phase is None else phase, **values}
