"""How an item differs from what it should be, attribute by attribute, as texts that a report can show. Pure."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from adapters.dynamodb.typed_json import Attributes, AttributeValue
from adapters.ports.sweep import DifferenceKind

SECRETS: Final = frozenset({"password_hash"})
MASK: Final = "***"
SHOWN_CHARACTERS: Final = 200
"""How much of a value is shown."""


@dataclass(frozen=True, slots=True)
class AttributeDifference:
    """One attribute, or place inside one, that is not as it should be; values as texts, None where there is none."""

    path: str
    kind: DifferenceKind
    source: str | None
    target: str | None


def attribute_differences(
    expected: Attributes, found: Attributes, *, ignored: Collection[str] = ()
) -> Iterator[AttributeDifference]:
    """Every difference, by name; maps are entered, lists are compared place by place, types count."""
    for name in sorted((expected.keys() | found.keys()) - set(ignored)):
        yield from _differences(name, expected.get(name), found.get(name))


def _differences(
    path: str, expected: AttributeValue | None, found: AttributeValue | None
) -> Iterator[AttributeDifference]:
    if expected == found:
        return
    if expected is not None and found is not None:
        if "M" in expected and "M" in found:
            for name in sorted(_map(expected).keys() | _map(found).keys()):
                yield from _differences(f"{path}.{name}", _map(expected).get(name), _map(found).get(name))
            return
        if "L" in expected and "L" in found:
            ours, theirs = _list(expected), _list(found)
            for place in range(max(len(ours), len(theirs))):
                yield from _differences(f"{path}[{place}]", _at(ours, place), _at(theirs, place))
            return
    kind = DifferenceKind.DIFFERS
    if expected is None or found is None:
        kind = DifferenceKind.EXTRA if expected is None else DifferenceKind.MISSING
    yield AttributeDifference(path, kind, _shown(path, expected), _shown(path, found))


def _map(value: AttributeValue) -> Attributes:
    return cast("Attributes", value["M"])


def _list(value: AttributeValue) -> Sequence[AttributeValue]:
    return cast("Sequence[AttributeValue]", value["L"])


def _at(values: Sequence[AttributeValue], place: int) -> AttributeValue | None:
    return values[place] if place < len(values) else None


def _shown(path: str, value: AttributeValue | None) -> str | None:
    if value is None:
        return None
    if path.rpartition(".")[2] in SECRETS:
        return MASK
    text = _text(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def _text(value: AttributeValue) -> str:
    """The value as JSON: a string quoted, a number as it stands; what has no such form with its type."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return str(content)
        case "M":
            return f"{{{', '.join(f'{json.dumps(name)}: {_text(each)}' for name, each in _map(value).items())}}}"
        case "L":
            return f"[{', '.join(map(_text, _list(value)))}]"
        case "S" | "BOOL":
            return json.dumps(content, ensure_ascii=False)
        case _:
            return json.dumps(value, default=str)
