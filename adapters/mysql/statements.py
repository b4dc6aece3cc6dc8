"""Statements that travel together: several make one round trip."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its parameters; a tuple among them becomes a parenthesised list."""

    text: str
    parameters: tuple[object, ...] = ()


def joined(statements: Iterable[Statement]) -> tuple[str, tuple[object, ...]]:
    """The text and the parameters of one round trip that runs the statements in order."""
    listed = list(statements)
    return ";\n".join(s.text for s in listed), tuple(p for s in listed for p in s.parameters)


def for_created(statement: str) -> Statement:
    """A statement written for `IN %s`, for the one row just inserted, whose id is in @created."""
    return Statement(statement.replace("IN %s", "IN (@created)"))
