"""The difference of two answers: by attribute name, on typed values, lists aligned by id and then by order. Pure.

Secrets are compared like anything else and shown as `***`.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Final

from adapters.errors import Difference

SECRET_FIELDS: Final = frozenset({"password_hash"})
MASK: Final = "***"


def differences(authority: object, shadow: object) -> list[Difference]:
    """Every difference, in the order of the answer; empty when the answers are the same."""
    return list(_differences("", authority, shadow))


def _differences(path: str, authority: object, shadow: object) -> Iterator[Difference]:
    if authority is None or shadow is None:
        yield from _null(path, authority, shadow)
    elif isinstance(authority, list) and isinstance(shadow, list):
        yield from _lists(path, authority, shadow)
    elif is_dataclass(authority) and type(authority) is type(shadow):
        for field in fields(authority):
            below = f"{path}.{field.name}" if path else field.name
            yield from _differences(below, getattr(authority, field.name), getattr(shadow, field.name))
    elif type(authority) is not type(shadow) or authority != shadow:
        yield _difference(path, authority, shadow)


def _null(path: str, authority: object, shadow: object) -> Iterator[Difference]:
    if authority is None and shadow is None:
        return
    if path:
        yield _difference(path, authority, shadow)
        return
    is_missing = authority is not None
    words = ("not null", "null") if is_missing else ("null", "not null")
    message = "authority result is {} but shadow result is {}".format(*words)
    yield Difference("", _shown("", authority), _shown("", shadow), message)


def _lists(path: str, authority: list[object], shadow: list[object]) -> Iterator[Difference]:
    """Records by their ids, anything else by position; then the order of what both have."""
    if not all(hasattr(item, "id") for item in [*authority, *shadow]):
        yield from _by_position(path, authority, shadow)
        return
    ours = {item.id: item for item in authority}  # type: ignore[attr-defined]  # asked just above
    theirs = {item.id: item for item in shadow}  # type: ignore[attr-defined]  # asked just above
    for key, item in ours.items():
        if key in theirs:
            yield from _differences(f"{path}[{key}]", item, theirs[key])
        else:
            yield Difference(f"{path}[{key}]", "present", "missing", f"{path}[{key}] is missing from the shadow")
    for key in theirs.keys() - ours.keys():
        yield Difference(f"{path}[{key}]", "missing", "present", f"{path}[{key}] is only in the shadow")
    order, other = [k for k in ours if k in theirs], [k for k in theirs if k in ours]
    if order != other:
        yield Difference(f"{path}[]", order, other, f"{path or 'the list'} is in another order")
    if len(authority) != len(shadow) and len(ours) == len(theirs):
        yield Difference(f"{path}[]", len(authority), len(shadow), f"{path or 'the list'} has doubles")


def _by_position(path: str, authority: list[object], shadow: list[object]) -> Iterator[Difference]:
    if len(authority) != len(shadow):
        yield Difference(f"{path}[]", len(authority), len(shadow), f"{path or 'the list'} has another length")
    for position, (ours, theirs) in enumerate(zip(authority, shadow, strict=False)):
        yield from _differences(f"{path}[{position}]", ours, theirs)


def _difference(path: str, authority: object, shadow: object) -> Difference:
    ours, theirs = _shown(path, authority), _shown(path, shadow)
    return Difference(path, ours, theirs, f"{path or 'result'} mismatch: authority={ours!r}, shadow={theirs!r}")


def _shown(path: str, value: object) -> object:
    if path.rpartition(".")[2] in SECRET_FIELDS and value is not None:
        return MASK
    if is_dataclass(value):
        return "a record"
    return value
