"""What a request says beside its arguments: who calls, under which id, in which time, and how its body comes."""

import hmac
import random
import re
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import istr

from adapters.deadline import Deadline
from adapters.errors import Fault, Forbidden, InvalidArgument, PayloadTooLarge, Unauthenticated
from proxy.rpc.parts import RpcRules
from proxy.settings import CALL_DEADLINE_MAX_S

CORRELATION_HEADER: Final = "X-Correlation-Id"
TIMEOUT_HEADER: Final = "X-Request-Timeout"
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
CORRELATION_MAX: Final = 128
ID_BITS: Final = 128
JSON: Final = "application/json"

# Looked up with each call, and found faster when their case is settled once.
_CORRELATION: Final = istr(CORRELATION_HEADER)
_TIMEOUT: Final = istr(TIMEOUT_HEADER)
_IDEMPOTENCY: Final = istr(IDEMPOTENCY_HEADER)
_FETCH_SITE: Final = istr("Sec-Fetch-Site")
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def correlation_of(request: web.BaseRequest) -> str:
    """The caller's correlation id, a new one where there is none or one that no log line should hold."""
    given = request.headers.get(_CORRELATION)
    if given and len(given) <= CORRELATION_MAX and given.isascii() and given.isprintable():
        return given
    return f"{random.getrandbits(ID_BITS):032x}"  # A name, no secret.


def check_origin(request: web.BaseRequest, allowed_hosts: frozenset[str]) -> None:
    """Refuse what a browser was lured into sending: a name rebound to this address, or a page of another origin.

    Raises Forbidden.
    """
    headers = request.headers
    host = headers.get(hdrs.HOST, "").lower()
    if host_name(host) not in allowed_hosts:
        raise Forbidden("the Host header names none of the allowed hosts")
    origin = headers.get(hdrs.ORIGIN)
    if origin is not None and origin.lower().partition("://")[2] != host:
        raise Forbidden("the Origin is another one")
    site = headers.get(_FETCH_SITE)
    if site is not None and site.lower() not in _OWN_SITES:
        raise Forbidden("the request comes from another site")


def host_name(host: str) -> str:
    """The name of a Host header: without its port, and an IPv6 address without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def check_token(request: web.BaseRequest, token: str) -> None:
    """Compare the bearer token, in a time that tells nothing of it. Raises Unauthenticated."""
    scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("the call needs an Authorization header with a bearer token")
    if not hmac.compare_digest(given.strip().encode(errors="surrogateescape"), token.encode()):
        raise Unauthenticated("the bearer token is wrong")


def time_allowed_s(request: web.BaseRequest, default_s: float) -> float:
    """The seconds that the caller grants the call. Raises InvalidArgument unless above 0 and at most 60."""
    given = request.headers.get(_TIMEOUT)
    if given is None:
        return default_s
    seconds_s = float(given) if _NUMBER.fullmatch(given) else 0.0
    if 0 < seconds_s <= CALL_DEADLINE_MAX_S:
        return seconds_s
    raise _refused(TIMEOUT_HEADER, f"must be a number of seconds above 0 and at most {CALL_DEADLINE_MAX_S:g}")


def refuse_idempotency_key(request: web.BaseRequest) -> None:
    """Raise InvalidArgument for a key: silence would promise what is not done."""
    if _IDEMPOTENCY in request.headers:
        raise _refused(IDEMPOTENCY_HEADER, "is not supported by this version")


async def read_body(request: web.BaseRequest, rules: RpcRules, deadline: Deadline) -> bytes:
    """The whole body, decompressed, "" when there is none.

    Raises PayloadTooLarge, before anything is read where the length is announced; InvalidArgument for a body that is
    broken or not declared as JSON, DeadlineExceeded for one that is too slow.
    """
    if not request.body_exists:
        return b""
    try:
        body = _body_at_hand(request, rules) or await _read(request, rules, deadline)
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large(rules) from error
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise _refused("body", "could not be read") from error
    if body and request.headers.get(hdrs.CONTENT_TYPE) != JSON and request.content_type != JSON:
        raise _refused("Content-Type", f"must be {JSON} for a call with a body")
    return body


def _body_at_hand(request: web.BaseRequest, rules: RpcRules) -> bytes:
    """A body that came with its head, as nearly all do; aiohttp's own way of reading looks twice for more."""
    if not request.content.is_eof():
        return b""
    body = request.content.read_nowait()
    if len(body) > rules.body_max_bytes:
        raise _too_large(rules)
    return body


async def _read(request: web.BaseRequest, rules: RpcRules, deadline: Deadline) -> bytes:
    if (request.content_length or 0) > rules.body_max_bytes:
        raise _too_large(rules)
    async with deadline.scope("reading the body"):
        if hdrs.EXPECT in request.headers:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # The answer has not begun.
        return await request.read()


def _refused(path: str, message: str) -> InvalidArgument:
    return InvalidArgument(f"{path} {message}", faults=[Fault(path, message)])


def _too_large(rules: RpcRules) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body has more than {rules.body_max_bytes} bytes")
