"""The errors of the wire, one class per code.

    CrossfadeError
      InvalidArgument      400  the call itself is wrong
      Unauthenticated      401  no or bad credentials
      Forbidden            403  not the owner of the record
      NotFound             404  the operation, or a record that a write refers to, does not exist
      Conflict             409  a rule of the shop or of its storage stands against the write
      PayloadTooLarge      413  a body or an item over its limit
      DataMismatch         500  a dual read found different data and the policy is `raise`
      Unavailable          503  a needed database is down, or the proxy sheds load; worth trying again
        Unreadable         503  its data make no record; says nothing against the database itself
        TooManyAttempts    429  to log in; worth trying again much later
      DeadlineExceeded     504  the call's deadline passed

`code`, `reason` and `subject` are interface, the message is prose. A failed write always carries `outcome`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a failed write, as far as the proxy can know."""

    NOT_APPLIED = "not_applied"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a call was refused; the reasons of `conflict` and `not_found`."""

    OPERATION = "operation"
    RECORD = "record"
    UNIQUE = "unique"
    KEY_COLLISION = "key_collision"
    RESERVED_NAME = "reserved_name"
    RESTRICT = "restrict"
    CYCLE = "cycle"
    EMPTY_CART = "empty_cart"
    INSUFFICIENT_INVENTORY = "insufficient_inventory"
    CART_CHANGED = "cart_changed"
    CART_TOO_LARGE = "cart_too_large"
    OUT_OF_RANGE = "out_of_range"
    LAST_SUPER_ADMIN = "last_super_admin"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    STALE_VERSION = "stale_version"
    UNSETTLED = "unsettled"
    UNSERVED_PHASE = "unserved_phase"
    GATE_CLOSED = "gate_closed"
    ALREADY_SO = "already_so"
    ALREADY_RUNNING = "already_running"
    UNSAFE_OVERRIDE = "unsafe_override"


@dataclass(frozen=True, slots=True)
class Subject:
    """The record that an error is about. `id` is absent where no record has one, `fields` where none is named."""

    entity: str
    id: int | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong argument: its path in the call and what is wrong with it, never its value."""

    path: str
    message: str


class CrossfadeError(Exception):
    """An error with a code of the wire. `outcome` is set on the way out of a failed write, and only there."""

    code = "internal"

    def __init__(self, message: str, *, outcome: Outcome | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome


class InvalidArgument(CrossfadeError):
    """The call is wrong; `faults` names every wrong argument at once."""

    code = "invalid_argument"

    def __init__(self, message: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class Unauthenticated(CrossfadeError):
    """No credentials, or bad ones."""

    code = "unauthenticated"


class Forbidden(CrossfadeError):
    """The caller may not do this to this record."""

    code = "forbidden"


class NotFound(CrossfadeError):
    """The operation or a record referred to does not exist."""

    code = "not_found"

    def __init__(self, message: str, *, reason: Reason = Reason.RECORD, subject: Subject | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.subject = subject


class Conflict(CrossfadeError):
    """The write would break a rule; `members` are extra problem members (`issues`, `total`)."""

    code = "conflict"

    def __init__(
        self,
        message: str,
        *,
        reason: Reason,
        subject: Subject | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.subject = subject
        self.members = dict(members or {})


class PayloadTooLarge(CrossfadeError):
    """A body above the limit, or an item that would pass its storage's limit."""

    code = "payload_too_large"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of two answers: where, both values (secrets masked) and a sentence."""

    path: str
    authority: object
    shadow: object
    message: str


class DataMismatch(CrossfadeError):
    """A dual read found different data; `report` is the full account, `suggested_actions` included."""

    code = "data_mismatch"

    def __init__(self, message: str, *, report: Mapping[str, object]) -> None:
        super().__init__(message)
        self.report = dict(report)


class Unavailable(CrossfadeError):
    """A needed database is down or busy, or the proxy sheds load. `retry_after_s` goes to the caller, in seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: int = 1, outcome: Outcome | None = None) -> None:
        super().__init__(message, outcome=outcome)
        self.retry_after_s = retry_after_s


class Unreadable(Unavailable):
    """A database answered, but with data that make no record: it is well, and its data are not."""


class TooManyAttempts(Unavailable):
    """Too many tries to log in with one name or from one address."""


class DeadlineExceeded(CrossfadeError):
    """The call's deadline passed in the step named by the message."""

    code = "deadline_exceeded"
