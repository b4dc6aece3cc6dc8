"""Values in DynamoDB's typed JSON: writing, reading, and what they weigh.

Written in the form in which DynamoDB gives them back (a number without trailing zeros), so that items compare by `==`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, cast

from adapters.values import format_time, parse_optional_time

AttributeValue = Mapping[str, object]
"""A value in typed JSON, `{"S": "text"}`."""
Attributes = Mapping[str, AttributeValue]
"""Named values: an item, or a map inside one."""

ITEM_MAX_BYTES: Final = 400 * 1024
"""The largest item that DynamoDB holds."""
_CENTS: Final = Decimal("0.01")
_CONTAINER_BYTES: Final = 3
_ELEMENT_BYTES: Final = 1


def text_value(value: str | int | datetime) -> AttributeValue:
    """A string: text, an id in decimal, a time as on the wire."""
    return {"S": format_time(value) if isinstance(value, datetime) else str(value)}


def number_value(value: int | Decimal) -> AttributeValue:
    """A number, without exponent and trailing zeros."""
    return {"N": str(value) if isinstance(value, int) else f"{value.normalize():f}"}


def optional_texts(values: Mapping[str, str | None]) -> Attributes:
    """Strings by name; NULLs are left out."""
    return {name: {"S": value} for name, value in values.items() if value is not None}


def read_text(attributes: Attributes, name: str) -> str:
    """A string that must be there. Raises KeyError."""
    return cast("str", attributes[name]["S"])


def read_optional_text(attributes: Attributes, name: str) -> str | None:
    """A string, None where it is absent."""
    return read_text(attributes, name) if name in attributes else None


def read_id(attributes: Attributes, name: str) -> int:
    """An id that must be there. Raises KeyError."""
    return int(read_text(attributes, name))


def read_optional_id(attributes: Attributes, name: str) -> int | None:
    """An id, None where it is absent."""
    return read_id(attributes, name) if name in attributes else None


def read_count(attributes: Attributes, name: str) -> int:
    """A whole number that must be there. Raises KeyError."""
    return int(cast("str", attributes[name]["N"]))


def read_money(attributes: Attributes, name: str) -> Decimal:
    """An amount that must be there, with its two places. Raises KeyError."""
    return Decimal(cast("str", attributes[name]["N"])).quantize(_CENTS)


def read_flag(attributes: Attributes, name: str) -> bool:
    """A boolean, false where it is absent."""
    return name in attributes and attributes[name]["BOOL"] is True


def read_time(attributes: Attributes, name: str) -> datetime | None:
    """A time, None where it is absent."""
    return parse_optional_time(read_optional_text(attributes, name))


def read_map(attributes: Attributes, name: str) -> Attributes:
    """The values of a map that must be there. Raises KeyError."""
    return cast("Attributes", attributes[name]["M"])


def read_maps(attributes: Attributes, name: str) -> Sequence[Attributes]:
    """The maps of a list that must be there. Raises KeyError."""
    return [cast("Attributes", value["M"]) for value in cast("Sequence[AttributeValue]", attributes[name]["L"])]


def item_size_bytes(attributes: Attributes) -> int:
    """What an item weighs against ITEM_MAX_BYTES.

    By the rules of "DynamoDB item sizes and formats"
    (docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html): names and strings by their
    UTF-8, a number a byte for two digits and one more, a boolean one, a list or map three and one for each element.
    Where the page is approximate (numbers) or silent (sets) this rounds up, so that no item is heavier than said.
    """
    return sum(len(name.encode()) + _value_size_bytes(value) for name, value in attributes.items())


def _value_size_bytes(value: AttributeValue) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(cast("str", content).encode())
        case "N":
            return _number_size_bytes(cast("str", content))
        case "SS":
            return _CONTAINER_BYTES + sum(
                _ELEMENT_BYTES + len(text.encode()) for text in cast("Sequence[str]", content)
            )
        case "M":
            attributes = cast("Attributes", content)
            return _CONTAINER_BYTES + _ELEMENT_BYTES * len(attributes) + item_size_bytes(attributes)
        case "L":
            values = cast("Sequence[AttributeValue]", content)
            return _CONTAINER_BYTES + sum(_ELEMENT_BYTES + _value_size_bytes(element) for element in values)
        case "BOOL":
            return 1
        case _:
            raise ValueError(f"no item of the shop holds a value of type {kind}")


def _number_size_bytes(text: str) -> int:
    digits = sum(character.isdigit() for character in text)
    # Digits are counted in pairs from the point, so that "1.25" has two pairs, and "12.5".
    return digits // 2 + 2 + text.startswith("-")
