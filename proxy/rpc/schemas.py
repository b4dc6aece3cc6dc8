"""JSON Schemas of arguments and records, derived from their types and checks; pure."""

import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeGuard, assert_never

from adapters.operations import Argument, fields_of
from adapters.values import Amount, Check, Choice, Identifier, Lookup, Text, WholeNumber

Schema = dict[str, Any]
"""A JSON Schema is JSON: its shape is in its keywords, not in a type."""

_PLAIN: Final[Mapping[object, Schema]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    Decimal: {"type": "number", "description": "Written with two places."},
    datetime: {"type": "string", "format": "date-time", "description": "UTC, to the second."},
}
_WEIGHTLESS: Final = r"\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f"
"""The control characters that count for nothing when texts are compared; combining marks are among the others."""


def arguments_schema(arguments: Iterable[Argument]) -> Schema:
    """The object of named arguments that a call takes."""
    described = tuple(arguments)
    schema: Schema = {
        "type": "object",
        "properties": {argument.name: argument_schema(argument) for argument in described},
        "additionalProperties": False,
    }
    if required := [argument.name for argument in described if argument.is_required]:
        schema["required"] = required
    return schema


def argument_schema(argument: Argument) -> Schema:
    """What one argument may be."""
    if argument.check is not None:
        schema = check_schema(argument.check)
    elif argument.base is bool:
        schema = dict(_PLAIN[bool])
    else:
        schema = arguments_schema(fields_of(argument.base))
    if argument.is_nullable:
        schema = _nullable_schema(schema)
    if isinstance(argument.default, bool | int | str) and not argument.is_required:
        schema["default"] = argument.default
    return schema


def check_schema(check: Check) -> Schema:
    """What passes a check."""
    match check:
        case Identifier():
            return {"type": "integer", "description": "An id; outside 1..2147483647 it names no record."}
        case WholeNumber():
            maximum = {} if check.maximum is None else {"maximum": check.maximum}
            return {"type": "integer", "minimum": check.minimum, **maximum}
        case Text():
            return _text_schema(check)
        case Lookup():
            return {"type": "string", "description": f"With more than {check.maximum} characters it finds nothing."}
        case Choice():
            return {"type": "string", "enum": list(check.values)}
        case Amount():
            return _amount_schema(check)
        case _:
            assert_never(check)


def type_schema(annotation: object) -> Schema:
    """What a value of an answer is, records by reference."""
    members = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return check_schema(members[1])
    if isinstance(annotation, types.UnionType):
        return _nullable_schema(type_schema(next(member for member in members if member is not types.NoneType)))
    if typing.get_origin(annotation) is list:
        return {"type": "array", "items": type_schema(members[0])}
    if _is_record(annotation):
        return {"$ref": f"#/components/schemas/{annotation.__name__}"}
    return dict(_PLAIN[annotation])


def record_schemas(annotations: Iterable[object]) -> dict[str, Schema]:
    """The schemas of all records that these answers are made of, by name."""
    found: dict[str, Schema] = {}
    waiting = [record for annotation in annotations for record in _records_in(annotation)]
    while waiting:
        record = waiting.pop()
        hints = typing.get_type_hints(record, include_extras=True)
        properties = {name: type_schema(hint) for name, hint in hints.items()}
        found[record.__name__] = {
            "type": "object",
            "description": inspect.getdoc(record),
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        inner = [record for hint in hints.values() for record in _records_in(hint)]
        waiting += [record for record in inner if record.__name__ not in found]
    return dict(sorted(found.items()))


def _records_in(annotation: object) -> list[type]:
    if _is_record(annotation):
        return [annotation]
    return [record for member in typing.get_args(annotation) for record in _records_in(member)]


def _is_record(annotation: object) -> TypeGuard[type]:
    return isinstance(annotation, type) and is_dataclass(annotation)


def _nullable_schema(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _text_schema(check: Text) -> Schema:
    schema: Schema = {"type": "string", "maxLength": check.maximum}
    if check.minimum:
        schema["minLength"] = check.minimum
    if check.maximum_bytes is not None:
        schema["description"] = f"At most {check.maximum_bytes} bytes of UTF-8."
    if check.has_key:
        schema["pattern"] = f"[^{_WEIGHTLESS}]"
        schema["description"] = "With at least one character that counts when texts are compared."
    return schema


def _amount_schema(check: Amount) -> Schema:
    schema: Schema = {"type": "number", "exclusiveMinimum" if check.is_exclusive else "minimum": int(check.minimum)}
    if check.maximum is not None:
        schema |= {"maximum": float(check.maximum), "multipleOf": 0.01}
    return schema
