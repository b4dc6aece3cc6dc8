"""The log: one form for all lines, secrets masked, cheap where nobody listens."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from proxy.logs import (
    OWN_LOGGERS,
    AccessLog,
    EventLog,
    correlation_id,
    is_secret,
    masked,
    scrubbed,
    setup_logging,
)

BCRYPT = "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOjF9.c2lnbmF0dXJl"


@dataclass(frozen=True, slots=True)
class Person:
    """A record with a secret."""

    id: int
    password_hash: str


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where all logging of the process goes during a test, at level `info`."""
    root, own = logging.getLogger(), [logging.getLogger(name) for name in OWN_LOGGERS]
    handlers, level, own_levels = root.handlers[:], root.level, [logger.level for logger in own]
    stream = io.StringIO()
    setup_logging("info", stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger, own_level in zip(own, own_levels, strict=True):
        logger.setLevel(own_level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """The lines written so far."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def failure() -> ValueError:
    """An error that was raised, so that it has a stack."""

    def check(text: str) -> None:
        raise ValueError(f"bad hash {text}")

    try:
        check(BCRYPT)
    except ValueError as error:
        return error
    return ValueError("was not raised")


def test_info_writes_event_and_fields_as_one_line(stream: io.StringIO) -> None:
    """A line holds time, level, event and logger, then the fields in the types of JSON."""
    EventLog("proxy.dual_write").info("dual_write_started", operation="cart.add_item", phase=2, is_retry=False)
    (line,) = lines(stream)
    assert datetime.fromisoformat(str(line.pop("time"))).tzinfo is not None
    assert line == {
        "level": "info",
        "event": "dual_write_started",
        "logger": "proxy.dual_write",
        "operation": "cart.add_item",
        "phase": 2,
        "is_retry": False,
    }


def test_info_keeps_the_time_and_event_of_the_line(stream: io.StringIO) -> None:
    """A field of the same name does not replace what every line has."""
    EventLog("proxy").info("sale_ended", level="high", logger="x")
    (line,) = lines(stream)
    assert (line["level"], line["event"], line["logger"]) == ("info", "sale_ended", "proxy")


async def test_lines_carry_the_correlation_id_of_their_task(stream: io.StringIO) -> None:
    """Two calls at once keep their ids apart, and a line outside of calls has none."""
    log = EventLog("proxy")

    async def call(name: str) -> None:
        correlation_id.set(name)
        await asyncio.sleep(0)
        log.info("call_seen", name=name)

    async with asyncio.TaskGroup() as group:
        group.create_task(call("a"))
        group.create_task(call("b"))
    log.info("service_ran")
    assert [line.get("correlation_id") for line in lines(stream)] == ["a", "b", None]


def test_error_writes_class_message_and_stack(stream: io.StringIO) -> None:
    """An error given to the line is described by it, stack included, in one line."""
    EventLog("proxy").error("write_failed", error=failure(), id=4)
    (line,) = lines(stream)
    assert (line["level"], line["error"], line["id"]) == ("error", "ValueError", 4)
    assert "test_logs.py" in str(line["stack"])
    assert "raise ValueError" in str(line["stack"])


def test_exception_writes_the_error_being_handled(stream: io.StringIO) -> None:
    """Inside an except clause the error need not be named, and an error line can do without one."""
    try:
        raise failure()
    except ValueError:
        EventLog("proxy").exception("write_failed")
    EventLog("proxy").error("write_failed")
    first, second = lines(stream)
    assert (first["level"], first["error"]) == ("error", "ValueError")
    assert "error" not in second


def test_debug_writes_nothing_below_the_level(stream: io.StringIO) -> None:
    """A level that is off writes nothing and says so."""
    log = EventLog("proxy.dispatch")
    log.debug("read_compared")
    assert log.is_enabled_for_debug() is False
    assert stream.getvalue() == ""


def test_setup_logging_opens_debug_for_this_program_alone(stream: io.StringIO) -> None:
    """At level debug libraries still say only what is a warning: their debug lines hold headers."""
    setup_logging("debug", stream)
    EventLog("adapters.x").debug("key_built")
    logging.getLogger("botocore.auth").debug("Authorization: secret")
    logging.getLogger("botocore.auth").info("also quiet")
    assert ["key_built"] == [line["event"] for line in lines(stream)]


def test_library_lines_come_in_the_same_form(stream: io.StringIO) -> None:
    """A library's message and Python's own warnings are lines like ours, written once."""
    logging.getLogger("aiohttp.server").warning("took %d s", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        setup_logging("info", stream)
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    first, second = lines(stream)
    assert (first["event"], first["message"], first["logger"]) == ("library_spoke", "took 3 s", "aiohttp.server")
    assert "old thing" in str(second["message"])


def test_lines_hold_values_of_every_kind(stream: io.StringIO) -> None:
    """Decimals, times, ids, huge integers, bytes and lone surrogates never lose a line."""
    EventLog("proxy").info(
        "row_seen",
        price=Decimal("12.50"),
        at=datetime(2026, 1, 31, 9, 15, tzinfo=UTC),
        op_id=UUID(int=7),
        raw=b"x",
        items=(1, None),
    )
    EventLog("proxy").info("row_seen", id=10**30, name="\udcff")
    first, second = lines(stream)
    assert first["price"] == "12.50"
    assert first["at"] == "2026-01-31T09:15:00+00:00"
    assert first["op_id"] == "00000000-0000-0000-0000-000000000007"
    assert first["items"] == [1, None]
    assert second["id"] == 10**30


def test_lines_mask_secrets_by_name_at_any_depth(stream: io.StringIO) -> None:
    """Records, mappings and lists are searched for names of secrets."""
    EventLog("proxy").warning(
        "write_undone",
        data=Person(id=1, password_hash="plain"),
        headers={"Authorization": "Basic plain", "Set-Cookie": "plain", "Accept": "json"},
        many=[{"session_token": "plain"}],
        rpc_token="plain",
    )
    assert "plain" not in stream.getvalue()
    (line,) = lines(stream)
    assert line["data"] == {"id": 1, "password_hash": "***"}
    assert line["headers"] == {"Authorization": "***", "Set-Cookie": "***", "Accept": "json"}
    assert line["many"] == [{"session_token": "***"}]


@pytest.mark.parametrize("secret", [BCRYPT, JWT, "Bearer abc.def=="])
def test_lines_mask_secrets_inside_texts(stream: io.StringIO, secret: str) -> None:
    """A hash or token inside a driver's message, a stack or a field does not get through."""
    EventLog("proxy").error("write_failed", error=ValueError(f"near '{secret}' at line 1"), hint=f"see {secret}")
    logging.getLogger("library").warning("header %s", secret)
    assert secret.removeprefix("Bearer ") not in stream.getvalue()
    assert lines(stream)[0]["error_message"] in {"near '***' at line 1", "near 'Bearer ***' at line 1"}


def test_scrubbed_leaves_harmless_text_alone() -> None:
    """A price, a word and a short text that only begins like a token stay."""
    text = "costs $2.50, eyJ begins a token, the bearer of news"
    assert text == scrubbed(text)


def test_masked_keeps_what_is_no_secret() -> None:
    """Names and values of plain data stay as they are."""
    assert masked({"username": "ada", "ids": {3}, "flag": True}) == {"username": "ada", "ids": [3], "flag": True}
    assert not is_secret("tokens_total")
    assert is_secret("secret_access_key")


def test_readable_lines_show_fields_and_stack(stream: io.StringIO) -> None:
    """On a terminal a line is for a person: quoted only where a text needs it, the stack below."""
    terminal = Terminal()
    setup_logging("info", terminal)
    EventLog("proxy").info("call_finished", operation="cart.add_item", name="two words", ids=[1, 2], none="")
    EventLog("proxy").error("write_failed", error=failure(), injected="\x1b[31m")
    first, second, *stack = terminal.getvalue().splitlines()
    assert first[12:] == " info    call_finished operation=cart.add_item name='two words' ids=[1,2] none=''"
    assert "error=ValueError error_message='bad hash ***'" in second
    assert "\x1b" not in second
    assert stack[-1] == "ValueError: bad hash ***"
    assert stream.getvalue() == ""


def test_access_log_writes_its_sample(stream: io.StringIO) -> None:
    """A call in the sample has a line with its duration in milliseconds; the others have none."""
    draws = iter([0.009, 0.011])
    access = AccessLog(EventLog("proxy.access"), sample_percent=1.0, draw=lambda: next(draws))
    access.call_finished(operation="cart.add_item", status=200, duration_s=0.0071234, phase=1)
    access.call_finished(operation="cart.add_item", status=409, duration_s=0.1)
    (line,) = lines(stream)
    assert (line["event"], line["status"], line["duration_ms"], line["phase"]) == ("call_finished", 200, 7.123, 1)


def test_access_log_never_drops_a_call_the_proxy_failed(stream: io.StringIO) -> None:
    """Statuses from 500 are written whatever the sample, and a sample of 0 % is none."""
    access = AccessLog(EventLog("proxy.access"), sample_percent=0)
    for status in (200, 404, 500, 503):
        access.call_finished(operation="cart.add_item", status=status, duration_s=0.001)
    assert [500, 503] == [line["status"] for line in lines(stream)]
