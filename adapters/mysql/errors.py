"""MySQL's errors as ours: one table of error numbers, one context manager.

A server's *refusal* came as an answer and leaves the connection usable; anything else leaves the stream in an unknown
place, so that the connection must be closed. No message of the server is passed on where it may hold a value.
"""

import re
from collections.abc import Callable
from types import TracebackType

from asyncmy.errors import InterfaceError, InternalError, MySQLError

from adapters.errors import (
    Conflict,
    CrossfadeError,
    DeadlineExceeded,
    Fault,
    InvalidArgument,
    NotFound,
    PayloadTooLarge,
    Reason,
    Subject,
    Unavailable,
)
from adapters.ports.store import Restart, RestartCause

PREPARE_HINT = "run `crossfade db prepare`"

ENTITIES = {
    "users": "user",
    "products": "product",
    "categories": "category",
    "shopping_carts": "cart",
    "orders": "order",
    "order_items": "order",
}
"""The shop's tables and the entities that they hold."""

_UNIQUE_FIELDS = {"users": ("username", "email"), "shopping_carts": ("user_id", "product_id")}
_RANGED_COLUMNS = {
    "quantity": "cart",
    "total_amount": "order",
    "price_at_time": "order",
    "price": "product",
    "inventory_quantity": "product",
}
_KEY = re.compile(r"for key '(?:([^'.]*)\.)?([^']*)'$")
_FOREIGN_KEY = re.compile(
    r"\(`(?:[^`]*`\.`)?(?P<child>[^`]*)`, CONSTRAINT .* "
    r"FOREIGN KEY \(`(?P<column>[^`]*)`\) REFERENCES `(?:[^`]*`\.`)?(?P<parent>[^`]*)`"
)
_COLUMN = re.compile(r"column '(?:[^'.]*\.)*([^'.]*)'")
_TABLE = re.compile(r"Table '(?:[^'.]*\.)?([^'.]*)' doesn't exist")


class ConnectionLost(Unavailable):
    """The connection broke while a statement was under way: whether the server carried it out is not known."""


class NotPrepared(Unavailable):
    """A table or column that `crossfade db prepare` makes is missing."""


class ServerError(CrossfadeError):
    """A refusal that no caller can cause, with its `number`: a defect of the proxy, unless its raiser expects it."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(f"MySQL error {number}: {message}")
        self.number = number


class SubqueryOfTwoRows(ServerError):
    """Error 1242, which the write protocol provokes on purpose to stop the statements behind a failed check."""


class translated:  # noqa: N801  # used like a function
    """Turn errors of the driver into ours, chained; `on_broken` is called first unless the server merely refused.

    Holds no state of its own, so that one may be used again and again.
    """

    __slots__ = ("_on_broken", "_server")

    def __init__(self, server: str, *, on_broken: Callable[[], None]) -> None:
        self._server = server
        self._on_broken = on_broken

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        if not _is_refusal(error):
            self._on_broken()
        ours = _translate(error, self._server)
        if ours is not None:
            raise ours from error


def _number(error: BaseException) -> int | None:
    is_numbered = isinstance(error, MySQLError) and error.args and isinstance(error.args[0], int)
    return error.args[0] if is_numbered else None


def _is_refusal(error: BaseException) -> bool:
    number = _number(error)
    return number is not None and number not in _LOST and (1000 <= number < 2000 or number >= 3000)  # noqa: PLR2004  # 2000 to 2999 are the client's


def _translate(error: BaseException, server: str) -> Exception | None:
    if isinstance(error, OSError | EOFError | InterfaceError):
        return ConnectionLost(f"the connection to MySQL at {server} broke")
    number = _number(error)
    if number is None:
        is_out_of_step = isinstance(error, InternalError)
        return ConnectionLost(f"MySQL at {server} answered out of step") if is_out_of_step else None
    if number in _LOST:
        return ConnectionLost(f"the connection to MySQL at {server} broke (error {number})")
    if number in _UNAVAILABLE:
        return Unavailable(f"MySQL at {server} {_UNAVAILABLE[number]} (error {number})")
    message = str(error.args[1]) if len(error.args) > 1 else ""
    build = _BUILDERS.get(number)
    return ServerError(number, message) if build is None else build(number, message)


def _duplicate(number: int, message: str) -> Exception:
    found = _KEY.search(message)
    table, key = (found[1] or "", found[2]) if found else ("", "")
    if table not in ENTITIES:
        return ServerError(number, "duplicate key")
    fields = tuple(field for field in _UNIQUE_FIELDS.get(table, ()) if field in key)
    entity = ENTITIES[table]
    return Conflict(
        f"another {entity} has the same {' and '.join(fields) or 'key'}",
        reason=Reason.UNIQUE,
        subject=Subject(entity, fields=fields),
    )


def _still_referred_to(number: int, message: str) -> Exception:
    found = _FOREIGN_KEY.search(message)
    if found is None or found["parent"] not in ENTITIES:
        return ServerError(number, "a foreign key stands against it")
    entity = ENTITIES[found["parent"]]
    return Conflict(f"{found['child']} still refer to the {entity}", reason=Reason.RESTRICT, subject=Subject(entity))


def _not_there(number: int, message: str) -> Exception:
    found = _FOREIGN_KEY.search(message)
    if found is None or found["parent"] not in ENTITIES:
        return ServerError(number, "a foreign key stands against it")
    entity = ENTITIES[found["parent"]]
    return NotFound(f"there is no such {entity}", subject=Subject(entity, fields=(found["column"],)))


def _out_of_range(number: int, message: str) -> Exception:
    found = _COLUMN.search(message)
    column = found[1] if found else ""
    entity = _RANGED_COLUMNS.get(column)
    if entity is None:
        return ServerError(number, "a value is out of its column's range")
    return Conflict(
        f"{column} would pass its column's range",
        reason=Reason.OUT_OF_RANGE,
        subject=Subject(entity, fields=(column,)),
    )


def _too_long(number: int, message: str) -> Exception:
    found = _COLUMN.search(message)
    column = found[1] if found else ""
    if not column:
        return ServerError(number, "a value is too long for its column")
    return InvalidArgument(f"{column} is too long", faults=[Fault(column, "is too long")])


def _lock_conflict(_number: int, _message: str) -> Exception:
    return Restart(RestartCause.LOCK_CONFLICT)


def _too_slow(_number: int, _message: str) -> Exception:
    return DeadlineExceeded("MySQL stopped a query that took too long")


def _packet_too_large(_number: int, _message: str) -> Exception:
    return PayloadTooLarge("a statement passes MySQL's max_allowed_packet")


def _subquery_of_two_rows(number: int, message: str) -> Exception:
    return SubqueryOfTwoRows(number, message)


def _missing_table(_number: int, message: str) -> Exception:
    found = _TABLE.search(message)
    table = found[1] if found else "a table"
    return NotPrepared(f"MySQL lacks {table}; {PREPARE_HINT}")


def _missing_column(number: int, message: str) -> Exception:
    found = _COLUMN.search(message)
    if found is None or found[1] != "super_admin":
        return ServerError(number, message)
    return NotPrepared(f"MySQL lacks the column users.super_admin; {PREPARE_HINT}")


_LOST = frozenset({1053, 1152, 1158, 1159, 1160, 1161, 2006, 2013, 2014, 2055, 3169, 4031})
"""The connection broke, was killed or timed out by the server, or the server shuts down."""

_UNREACHABLE = "cannot be reached; check that it runs, and its host and port in the settings"
_LOGIN = "refused the login; check its user, password and allowed hosts in the settings and on the server"
_RIGHTS = (
    "refused its user a right; it needs SELECT, INSERT, UPDATE and DELETE on the schema, and for "
    "`crossfade db prepare` CREATE, ALTER, INDEX and REFERENCES"
)
_READ_ONLY = "is read-only; point the settings at the primary"
_FULL = "is out of memory or disk space"
_UNAVAILABLE = {
    1040: "has no connection left; compare max_connections with the sum of the pools",
    1203: "has no connection left for this user; compare max_user_connections with the sum of the pools",
    1226: "has reached a limit of this user; see its max_user_connections and its limits an hour",
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    2005: _UNREACHABLE,
    1045: _LOGIN,
    1130: _LOGIN,
    1698: _LOGIN,
    1044: "refused the schema; check its name and the user's rights",
    1049: "has no such schema; check its name in the settings, or create it",
    1142: _RIGHTS,
    1143: _RIGHTS,
    1227: _RIGHTS,
    1290: _READ_ONLY,
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    1021: _FULL,
    1037: _FULL,
    1038: _FULL,
    1041: _FULL,
    1114: _FULL,
    1135: _FULL,
    1317: "was told to stop the statement",
}
"""Error number -> what the server at fault does; all worth trying again once someone has acted."""

_BUILDERS: dict[int, Callable[[int, str], Exception]] = {
    1054: _missing_column,
    1062: _duplicate,
    1146: _missing_table,
    1153: _packet_too_large,
    1205: _lock_conflict,
    1213: _lock_conflict,
    1242: _subquery_of_two_rows,
    1264: _out_of_range,
    1406: _too_long,
    1451: _still_referred_to,
    1452: _not_there,
    1690: _out_of_range,
    3024: _too_slow,
    3572: _lock_conflict,
}
