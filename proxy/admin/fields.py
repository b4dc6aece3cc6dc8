"""The named values of an admin call, from its body, its query or its path: their schema and how they are read; pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.errors import Fault, InvalidArgument
from proxy.rpc.schemas import Schema

TEXT_MAX: Final = 1000
_DIGITS: Final = re.compile(r"[0-9]{1,18}")


class Place(StrEnum):
    """Where a value stands; outside of the body all of them are texts."""

    BODY = "body"
    QUERY = "query"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Field:
    """One value. `read` raises ValueError with what goes on after the name."""

    name: str
    schema: Schema
    read: Callable[[object], object]
    place: Place = Place.BODY
    is_required: bool = False


Given = Mapping[Place, Mapping[str, object]]


def read_fields(fields: Iterable[Field], given: Given) -> dict[str, object]:
    """The values by name; those that were not given are left out.

    Raises InvalidArgument with all faults: what is wrong, what is missing, and what is no field.
    """
    declared = {(field.place, field.name): field for field in fields}
    faults = [
        Fault(name, "is no argument of this call")
        for place, values in given.items()
        for name in values
        if (place, name) not in declared
    ]
    found: dict[str, object] = {}
    for (place, name), field in declared.items():
        values = given.get(place, {})
        if name in values:
            try:
                found[name] = field.read(values[name])
            except ValueError as error:
                faults.append(Fault(name, str(error)))
        elif field.is_required:
            faults.append(Fault(name, "is required"))
    if faults:
        raise InvalidArgument("; ".join(f"{fault.path} {fault.message}" for fault in faults[:5]), faults=faults)
    return found


def text(name: str, *, maximum: int = TEXT_MAX, place: Place = Place.BODY, is_required: bool = False) -> Field:
    """A string of so many characters at most."""

    def read(value: object) -> object:
        if not isinstance(value, str) or len(value) > maximum:
            raise ValueError(f"must be a string of at most {maximum} characters")
        return value

    return Field(name, {"type": "string", "maxLength": maximum}, read, place, is_required)


def whole(name: str, minimum: int, maximum: int, *, place: Place = Place.BODY, is_required: bool = False) -> Field:
    """An integer between two bounds, both included."""

    def read(value: object) -> object:
        number = value
        if place is not Place.BODY and isinstance(value, str) and _DIGITS.fullmatch(value):
            number = int(value)
        if type(number) is not int or not minimum <= number <= maximum:
            raise ValueError(f"must be an integer from {minimum} to {maximum}")
        return number

    return Field(name, {"type": "integer", "minimum": minimum, "maximum": maximum}, read, place, is_required)


def boolean(name: str) -> Field:
    """True or false."""

    def read(value: object) -> object:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")  # noqa: TRY004  # one kind of error for all readers
        return value

    return Field(name, {"type": "boolean"}, read)


def choice(name: str, values: Iterable[str], *, place: Place = Place.BODY) -> Field:
    """One of a few strings."""
    allowed = list(values)

    def read(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return Field(name, {"enum": allowed}, read, place)


def choices(name: str, values: Iterable[str]) -> Field:
    """A list of some of a few strings, at least one, each once."""
    allowed = list(values)

    def read(value: object) -> object:
        if not isinstance(value, list) or not value or any(item not in allowed for item in value):
            raise ValueError(f"must list some of {', '.join(allowed)}")
        return list(dict.fromkeys(value))

    schema = {"type": "array", "items": {"enum": allowed}, "minItems": 1}
    return Field(name, schema, read)


def mapping(name: str, properties: Mapping[str, Schema]) -> Field:
    """An object with at least one of these members; each member's value is for others to check."""

    def read(value: object) -> object:
        if not isinstance(value, dict) or not value:
            raise ValueError("must be an object with at least one member")
        return value

    schema = {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        "minProperties": 1,
    }
    return Field(name, schema, read, is_required=True)
