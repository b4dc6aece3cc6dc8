"""JSON in and out: the bytes of a body and the objects they stand for."""

import json
import re
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn

import orjson

from adapters.errors import Fault, InvalidArgument

_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
_BEYOND_64_BITS: Final = re.compile(rb"\d{19}|[eE]\+?\d{3}")
_DIGITS_MAX: Final = 400
_HUGE: Final[int] = 10**_DIGITS_MAX


def decode(body: bytes) -> dict[str, object]:
    """The object in a body; an empty body is an empty object.

    Integers beyond 64 bits come out as floats: `decode_exactly` reads them. Raises InvalidArgument.
    """
    if not body:
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refused(f"must be JSON: {error}") from error
    return _object(document)


def may_have_wide_numbers(body: bytes) -> bool:
    """Whether there may be a number that `decode` does not read exactly, or not at all."""
    return _BEYOND_64_BITS.search(body) is not None


def decode_exactly(body: bytes) -> dict[str, object]:
    """Like `decode`, but with integers of any size as integers, and many times slower.

    Those of more than 400 digits become 10 to the 400th, floats beyond the largest double become that one, with their
    signs: no range reaches so far.
    """
    try:
        document = json.loads(
            body.decode(), parse_int=_integer, parse_float=_bounded_float, parse_constant=_refuse_constant
        )
        json.dumps(document, ensure_ascii=False).encode()  # Raises for the lone surrogates that json lets pass.
    except (ValueError, RecursionError) as error:
        raise _refused("must be JSON") from error
    return _object(document)


def encode(document: object) -> bytes:
    """The JSON of records and plain values: all fields, times to the second with a Z, money with two places.

    Raises TypeError for anything else.
    """
    return orjson.dumps(document, default=_fragment, option=_OPTIONS)


def _fragment(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, ".2f"))
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def _object(document: object) -> dict[str, object]:
    if isinstance(document, dict):
        return document
    raise _refused("must be a JSON object of named arguments")


def _refused(message: str) -> InvalidArgument:
    return InvalidArgument(f"the body {message}", faults=[Fault("body", message)])


def _integer(text: str) -> int:
    if len(text) <= _DIGITS_MAX:
        return int(text)
    return -_HUGE if text.startswith("-") else _HUGE


def _bounded_float(text: str) -> float:
    return max(-sys.float_info.max, min(sys.float_info.max, float(text)))


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError
