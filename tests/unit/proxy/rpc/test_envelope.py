"""What `proxy.rpc.envelope` promises of headers; bodies are read in `tests/integration/test_rpc_http.py`."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from adapters.errors import Forbidden, InvalidArgument, Unauthenticated
from proxy.rpc.envelope import (
    check_origin,
    check_token,
    correlation_of,
    host_name,
    refuse_idempotency_key,
    time_allowed_s,
)

HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
TOKEN = "tok\u00e9n"


def request(**headers: str) -> web.Request:
    """A request with these headers, their names with underscores."""
    return make_mocked_request("POST", "/", headers={name.replace("_", "-"): text for name, text in headers.items()})


@pytest.mark.parametrize("given", ["a", "x" * 128, "req 7 (retry)", "~!"])
def test_correlation_of_takes_a_printable_id(given: str) -> None:
    """The caller's own id is the best one."""
    assert given == correlation_of(request(X_Correlation_Id=given))


@pytest.mark.parametrize("given", ["", "x" * 129, "a\tb", "\u00e9", "a\x7f"])
def test_correlation_of_replaces_what_no_log_should_hold(given: str) -> None:
    """An id that is empty, too long or not printable ASCII is replaced by a new one, never refused."""
    first, second = (correlation_of(request(X_Correlation_Id=given)) for _ in range(2))
    assert first != second
    assert given != first
    assert (32, True) == (len(first), first.isalnum())


def test_correlation_of_makes_an_id_where_none_is_given() -> None:
    """Every call has one."""
    assert correlation_of(request()) != correlation_of(request())


@pytest.mark.parametrize(
    ("expected", "host"),
    [("localhost", "localhost:8080"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]:80"), ("::1", "[::1]"), ("", "")],
)
def test_host_name_leaves_the_port_out(expected: str, host: str) -> None:
    """Names are allowed whatever the port is."""
    assert expected == host_name(host)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:8080"},
        {"Host": "LOCALHOST"},
        {"Host": "[::1]:8080"},
        {"Host": "localhost:8080", "Origin": "http://localhost:8080", "Sec_Fetch_Site": "same-origin"},
        {"Host": "localhost", "Origin": "https://LOCALHOST"},
        {"Host": "127.0.0.1", "Sec_Fetch_Site": "none"},
    ],
)
def test_check_origin_lets_own_requests_in(headers: dict[str, str]) -> None:
    """Programs, and pages of the listener's own origin."""
    check_origin(request(**headers), HOSTS)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "evil.test"},
        {"Host": "localhost.evil.test:8080"},
        {"Host": "localhost:8080", "Origin": "http://evil.test"},
        {"Host": "localhost:8080", "Origin": "http://localhost:3000"},
        {"Host": "localhost:8080", "Origin": "http://localhost:8080.evil.test"},
        {"Host": "localhost:8080", "Origin": "null"},
        {"Host": "localhost:8080", "Origin": ""},
        {"Host": "localhost:8080", "Sec_Fetch_Site": "cross-site"},
        {"Host": "localhost:8080", "Sec_Fetch_Site": "same-site"},
    ],
)
def test_check_origin_refuses_what_a_browser_was_lured_into(headers: dict[str, str]) -> None:
    """A name that was rebound, or a page of another origin."""
    with pytest.raises(Forbidden):
        check_origin(request(**headers), HOSTS)


@pytest.mark.parametrize("given", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN}"])
def test_check_token_takes_the_token(given: str) -> None:
    """The scheme may be spelled as one likes, the token may not."""
    check_token(request(Authorization=given), TOKEN)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer tok", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN])
def test_check_token_refuses_any_other(given: str) -> None:
    """No token, another one, or another scheme; the error holds neither."""
    with pytest.raises(Unauthenticated) as caught:
        check_token(request(Authorization=given), TOKEN)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(("expected_s", "given"), [(1.0, "1"), (0.25, "0.25"), (60.0, "60"), (0.001, "1e-3")])
def test_time_allowed_s_is_what_the_caller_grants(expected_s: float, given: str) -> None:
    """Seconds, with a fraction if need be."""
    assert expected_s == time_allowed_s(request(X_Request_Timeout=given), 5.0)


def test_time_allowed_s_has_a_default() -> None:
    """A caller that says nothing has the time of the settings."""
    assert time_allowed_s(request(), 5.0) == 5.0


@pytest.mark.parametrize(
    "given", ["", "0", "-1", "60.1", "61", "nan", "inf", "1e400", "1_0", "five", "\u0665", "5s", "0x5", "1e-400", "1 2"]
)
def test_time_allowed_s_refuses_what_is_no_time(given: str) -> None:
    """Above 0 and at most 60, in plain digits."""
    with pytest.raises(InvalidArgument) as caught:
        time_allowed_s(request(X_Request_Timeout=given), 5.0)
    assert ["X-Request-Timeout"] == [fault.path for fault in caught.value.faults]


def test_refuse_idempotency_key_refuses_rather_than_ignore_it() -> None:
    """A caller that counts on a key learns at once that it cannot."""
    refuse_idempotency_key(request())
    with pytest.raises(InvalidArgument, match="not supported by this version") as caught:
        refuse_idempotency_key(request(Idempotency_Key=""))
    assert ["Idempotency-Key"] == [fault.path for fault in caught.value.faults]
