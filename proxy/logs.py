"""The log: one line an event, JSON on stdout, readable on a terminal; the standard library's logging underneath.

    log = EventLog(__name__)
    log.info("dual_write_committed", operation="cart.add_item", duration_ms=7.1)

Lines of libraries come out in the same form, from warnings upwards: below that they would show headers and payloads.
Secrets are masked here, whoever logs them.
"""

import json
import logging
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Final, TextIO

import orjson

MASK: Final = "***"
SECRET_NAMES: Final = frozenset({"authorization", "cookie", "jwt", "password", "secret", "token"})
SECRET_ENDINGS: Final = ("_cookie", "_jwt", "_password", "_secret", "_token", "password_hash", "secret_access_key")
SECRET_SIGNS: Final = ("$2", "eyJ", "earer ")
SECRET_TEXT: Final = re.compile(
    r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{20,}|eyJ[\w-]{5,}\.[\w-]+\.[\w-]*|(?<=\b[Bb]earer )[\w.~+/=-]{8,}"
)
"""A bcrypt hash, a JWT, a bearer token: what may stand inside a text, such as a driver's message."""
OWN_LOGGERS: Final = ("proxy", "adapters", "control_ui")
FIELDS: Final = "event_fields"
LIBRARY_EVENT: Final = "library_spoke"
SERVER_ERROR_STATUS: Final = 500

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
"""The id of the call that the running task works for; empty outside of calls."""


class EventLog:
    """The log of one module. Events are named in the past tense; fields are what JSON can hold, records too."""

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def is_enabled_for_debug(self) -> bool:
        """Whether fields of a debug event are worth working out."""
        return self._logger.isEnabledFor(logging.DEBUG)

    def debug(self, event: str, /, **fields: object) -> None:
        """What only someone looking for a fault wants to know."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """What happened."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, /, *, error: BaseException | None = None, **fields: object) -> None:
        """What somebody should look at; an error comes with its stack."""
        self._write(logging.WARNING, event, fields, error)

    def error(self, event: str, /, *, error: BaseException | None = None, **fields: object) -> None:
        """What failed; an error comes with its stack."""
        self._write(logging.ERROR, event, fields, error)

    def exception(self, event: str, /, **fields: object) -> None:
        """What failed with the exception being handled, which comes with its stack."""
        self._write(logging.ERROR, event, fields, sys.exception())

    def _write(self, level: int, event: str, given: dict[str, object], error: BaseException | None = None) -> None:
        logger = self._logger
        if logger.isEnabledFor(level):
            exc_info = None if error is None else (type(error), error, error.__traceback__)
            # Logger.log would look up the caller's line first, which costs as much as all the rest.
            logger.handle(logger.makeRecord(logger.name, level, "", 0, event, (), exc_info, extra={FIELDS: given}))


class AccessLog:
    """One line for a sample of the calls, and for every call that the proxy failed."""

    __slots__ = ("_log", "_random", "_share")

    def __init__(self, log: EventLog, *, sample_percent: float, draw: Callable[[], float] = random.random) -> None:
        self._log = log
        self._share = sample_percent / 100
        self._random = draw

    def call_finished(self, *, operation: str, status: int, duration_s: float, **fields: object) -> None:
        """Write the line if this call is in the sample or its status is a server's error."""
        if status >= SERVER_ERROR_STATUS or self._random() < self._share:
            self._log.info(
                "call_finished", operation=operation, status=status, duration_ms=round(duration_s * 1000, 3), **fields
            )


def setup_logging(level: str, stream: TextIO) -> None:
    """Send all logging of this process to `stream`, as JSON lines, or readable when it is a terminal.

    `level` holds for this program; libraries speak from warnings upwards.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ReadableFormatter() if stream.isatty() else JsonFormatter())
    root = logging.getLogger()
    for former in root.handlers[:]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; what JSON cannot hold is written as its text."""
        return scrubbed(_json(describe(record)))


class ReadableFormatter(logging.Formatter):
    """A record as a line for a person, followed by the stack if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time, level, event, then the fields."""
        line = describe(record)
        stack = f"\n{line.pop('stack')}" if "stack" in line else ""
        moment, level, event = str(line.pop("time"))[11:23], line.pop("level"), line.pop("event")
        given = "".join(f" {name}={_readable(value)}" for name, value in line.items() if name != "logger")
        return scrubbed(f"{moment} {level!s:<7} {event}{given}{stack}")


def describe(record: logging.LogRecord) -> dict[str, object]:
    """What a record's line holds: time, level, event, logger, correlation id, then the event's fields, masked."""
    own: Mapping[str, object] | None = getattr(record, FIELDS, None)
    line: dict[str, object] = {
        "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
        "level": record.levelname.lower(),
        "event": LIBRARY_EVENT if own is None else record.msg,
        "logger": record.name,
    }
    if call := correlation_id.get():
        line["correlation_id"] = call
    for name, value in ({"message": record.getMessage()} if own is None else own).items():
        line.setdefault(name, MASK if is_secret(name) else masked(value))
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        line["error"] = type(error).__name__
        line["error_message"] = str(error)
        line["stack"] = "".join(traceback.format_exception(error)).rstrip()
    return line


def masked(value: object) -> object:
    """A value as a log, a report or a page may show it: records become dicts, and what a secret's name holds `***`."""
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {name: MASK if is_secret(str(name)) else masked(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return masked({field.name: getattr(value, field.name) for field in fields(value)})
    return value


def scrubbed(text: str) -> str:
    """A text without the hashes and tokens that stood in it."""
    # Looking for the signs first is ten times as fast as the expression, which hardly ever finds anything.
    return SECRET_TEXT.sub(MASK, text) if any(sign in text for sign in SECRET_SIGNS) else text


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether values of that name are never shown."""
    lowered = name.lower().replace("-", "_")
    return lowered in SECRET_NAMES or lowered.endswith(SECRET_ENDINGS)


def _json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        # An integer beyond 64 bits, or a lone surrogate out of a header.
        return json.dumps(value, default=str)


def _readable(value: object) -> str:
    if not isinstance(value, str):
        return _json(value)
    is_plain = value.isprintable() and " " not in value and value
    return value if is_plain else repr(value)
