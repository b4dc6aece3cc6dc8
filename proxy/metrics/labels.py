"""Label values: from the catalogue and the enums below, so that their number is bounded."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from adapters.errors import (
    Conflict,
    CrossfadeError,
    DataMismatch,
    DeadlineExceeded,
    Forbidden,
    InvalidArgument,
    NotFound,
    PayloadTooLarge,
    Unauthenticated,
    Unavailable,
)
from adapters.operations import Operation

OK: Final = "ok"
INTERNAL: Final = CrossfadeError.code
OTHER: Final = "other"
"""What stands for a label value that is not of the bounded set."""
WHOLE_RECORD: Final = "record"
"""The attribute of a mismatch that is about a whole record or a single value."""
ERRORS: Final = (
    InvalidArgument,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    PayloadTooLarge,
    DataMismatch,
    Unavailable,
    DeadlineExceeded,
)
CODES: Final = (OK, *(error.code for error in ERRORS), INTERNAL)
CAPACITY_KINDS: Final = ("read", "write")
POOL_STATES: Final = ("busy", "idle")


class DatabaseResult(StrEnum):
    """What a database made of a call: done, refused by one of its rules, failed, or not answered in time."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


class DualReadResult(StrEnum):
    """What the comparison of a dual read found."""

    MATCH = "match"
    TRANSIENT = "transient"
    MISMATCH = "mismatch"
    ERROR = "error"
    SKIPPED = "skipped"


class DualWriteOutcome(StrEnum):
    """How a dual write ended."""

    APPLIED = "applied"
    ROLLED_BACK = "rolled_back"
    JOURNALLED = "journalled"
    UNKNOWN = "unknown"


class RepairResult(StrEnum):
    """What became of an intent in a run of the repairer."""

    REPAIRED = "repaired"
    BUSY = "busy"
    FAILED = "failed"


def compared_attributes(catalogue: Mapping[str, Operation]) -> dict[str, tuple[str, ...]]:
    """Per entity the attributes in which two of its answers can differ, sorted, WHOLE_RECORD and OTHER last."""
    names: dict[str, set[str]] = {}
    for operation in catalogue.values():
        names.setdefault(operation.entity, set()).update(_field_names(operation.result))
    return {entity: (*sorted(found), WHOLE_RECORD, OTHER) for entity, found in names.items()}


def _field_names(annotation: object) -> set[str]:
    if isinstance(annotation, types.UnionType | types.GenericAlias):
        return {name for part in typing.get_args(annotation) for name in _field_names(part)}
    if not dataclasses.is_dataclass(annotation) or not isinstance(annotation, type):
        return set()
    hints = typing.get_type_hints(annotation)
    return set(hints).union(*(_field_names(hint) for hint in hints.values()))
