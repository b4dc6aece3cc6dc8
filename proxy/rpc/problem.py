"""Errors on the wire: RFC 9457 problems. The only place that knows HTTP statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from adapters.errors import (
    Conflict,
    CrossfadeError,
    DataMismatch,
    Fault,
    InvalidArgument,
    NotFound,
    Outcome,
    Subject,
    TooManyAttempts,
    Unauthenticated,
    Unavailable,
)
from proxy.rpc.codec import encode

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
INTERNAL: Final = "internal"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code says in HTTP."""

    status: HTTPStatus
    title: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "invalid_argument": Kind(HTTPStatus.BAD_REQUEST, "The call is wrong"),
        "unauthenticated": Kind(HTTPStatus.UNAUTHORIZED, "No credentials, or bad ones"),
        "forbidden": Kind(HTTPStatus.FORBIDDEN, "Not allowed to this caller"),
        "not_found": Kind(HTTPStatus.NOT_FOUND, "No such operation or record"),
        "conflict": Kind(HTTPStatus.CONFLICT, "A rule stands against the write"),
        "payload_too_large": Kind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Larger than the limit"),
        "data_mismatch": Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "The two databases differ"),
        INTERNAL: Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "Unexpected error"),
        "unavailable": Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later"),
        "deadline_exceeded": Kind(HTTPStatus.GATEWAY_TIMEOUT, "The deadline passed"),
    }
)
"""Every code of the wire."""

_METHOD_NOT_ALLOWED: Final = Kind(HTTPStatus.METHOD_NOT_ALLOWED, "Another method is asked for")
_TOO_MANY_REQUESTS: Final = Kind(HTTPStatus.TOO_MANY_REQUESTS, "Try again much later")


class MethodNotAllowed(InvalidArgument):
    """The path exists, under other methods: to the shop an `invalid_argument` like others, to HTTP its own status."""

    def __init__(self, method: str, *, allowed: Sequence[str]) -> None:
        message = f"must be {' or '.join(allowed)} here"
        super().__init__(f"the method {message}, not {method}", faults=[Fault("method", message)])
        self.allowed = tuple(allowed)


def code_of(error: Exception) -> str:
    """The code of an error; `internal` for one that is none of the wire's."""
    return error.code if isinstance(error, CrossfadeError) else INTERNAL


def problem_response(error: Exception, *, correlation_id: str, is_write: bool) -> web.Response:
    """The answer that tells of an error."""
    return web.Response(
        status=_kind(error).status,
        body=encode(problem_members(error, correlation_id=correlation_id, is_write=is_write)),
        headers={hdrs.CONTENT_TYPE: PROBLEM_CONTENT_TYPE, **_headers(error)},
    )


def problem_members(error: Exception, *, correlation_id: str, is_write: bool) -> dict[str, object]:
    """The members of the problem. Nothing of an unexpected error is told but that there was one."""
    code = code_of(error)
    kind = _kind(error)
    members: dict[str, object] = {
        "type": f"urn:crossfade:error:{code}",
        "title": kind.title,
        "status": kind.status.value,
        "detail": "Unexpected error; the log tells more under this correlation id." if code == INTERNAL else str(error),
        "code": code,
        "correlation_id": correlation_id,
    }
    if is_write:
        members["outcome"] = _outcome(error)
    return members | _special_members(error) | members  # The common ones stand first, and win.


def _kind(error: Exception) -> Kind:
    match error:
        case MethodNotAllowed():
            return _METHOD_NOT_ALLOWED
        case TooManyAttempts():
            return _TOO_MANY_REQUESTS
        case _:
            return KINDS[code_of(error)]


def _outcome(error: Exception) -> Outcome:
    """What became of the write: an error of the wire that does not say was raised before anything was sent."""
    if isinstance(error, CrossfadeError) and error.outcome is not None:
        return error.outcome
    return Outcome.UNKNOWN if code_of(error) == INTERNAL else Outcome.NOT_APPLIED


def _special_members(error: Exception) -> dict[str, object]:
    match error:
        case InvalidArgument():
            return {"errors": error.faults}
        case Conflict():
            return {**error.members, "reason": error.reason, **_subject(error.subject)}
        case NotFound():
            return {"reason": error.reason, **_subject(error.subject)}
        case DataMismatch():
            return {"report": error.report}
        case _:
            return {}


def _subject(subject: Subject | None) -> dict[str, object]:
    if subject is None:
        return {}
    members: dict[str, object] = {"entity": subject.entity}
    if subject.id is not None:
        members["id"] = subject.id
    if subject.fields:
        members["fields"] = subject.fields
    return {"subject": members}


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case Unavailable():
            return {hdrs.RETRY_AFTER: str(error.retry_after_s)}
        case Unauthenticated():
            return {hdrs.WWW_AUTHENTICATE: 'Bearer realm="crossfade"'}
        case MethodNotAllowed():
            return {hdrs.ALLOW: ", ".join(error.allowed)}
        case _:
            return {}
