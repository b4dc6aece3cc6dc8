"""All expression text: conditions, updates and key conditions, as the parameters of an action or a request.

Placeholders come from one allocator, so that no attribute name can meet a reserved word and no value is pasted into
text. Each function gives what is merged into the action; the action's keys and item are its caller's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from adapters.dynamodb.shapes import OWNER
from adapters.dynamodb.typed_json import AttributeValue, number_value, text_value

Parameters = Mapping[str, object]

VERSION: Final = "v"
OP: Final = "op"
IN_MAX: Final = 100
"""Values that one IN takes."""


class _Expressions:
    """Allocates placeholders; one for each request."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, AttributeValue] = {}

    def name(self, attribute: str) -> str:
        """The placeholder of an attribute, the same each time."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, value: AttributeValue) -> str:
        """A placeholder for a value, a new one each time."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def equals(self, attribute: str, value: AttributeValue) -> str:
        return f"{self.name(attribute)} = {self.value(value)}"

    def one_of(self, attribute: str, values: Sequence[AttributeValue]) -> str:
        parts = [values[start : start + IN_MAX] for start in range(0, len(values), IN_MAX)]
        texts = [f"{self.name(attribute)} IN ({', '.join(self.value(value) for value in part)})" for part in parts]
        return texts[0] if len(texts) == 1 else f"({' OR '.join(texts)})"

    def absent(self, attribute: str) -> str:
        return f"attribute_not_exists({self.name(attribute)})"

    def absent_or_below(self, attribute: str, value: AttributeValue) -> str:
        return f"{self.absent(attribute)} OR {self.name(attribute)} < {self.value(value)}"

    def parameters(self, **texts: str) -> Parameters:
        """The expressions with what their placeholders stand for."""
        names = {placeholder: attribute for attribute, placeholder in self._names.items()}
        return {**texts, "ExpressionAttributeNames": names, "ExpressionAttributeValues": self._values}


def absent_or_owned(
    partition_key: str, owners: Iterable[str], *, showing: Mapping[str, Sequence[AttributeValue]]
) -> Parameters:
    """The condition that nothing lies under the key, or an item of one of the owners.

    Each attribute of `showing` must have one of its values besides.
    """
    e = _Expressions()
    held = [
        e.one_of(OWNER, [text_value(owner) for owner in owners]),
        *(e.one_of(name, values) for name, values in showing.items()),
    ]
    return e.parameters(ConditionExpression=f"{e.absent(partition_key)} OR {' AND '.join(held)}")


def says_owner(owner: str | None) -> Parameters:
    """The condition that an item names this owner, for None that it names none."""
    e = _Expressions()
    if owner is None:
        condition = e.absent(OWNER)
        # The service refuses values without any.
        return {name: value for name, value in e.parameters(ConditionExpression=condition).items() if value}
    return e.parameters(ConditionExpression=e.equals(OWNER, text_value(owner)))


def raise_fence(version: int, op: str, *, counts: Mapping[str, int]) -> Parameters:
    """The update that takes a fence to a version above its own and sets its counts."""
    e = _Expressions()
    new = number_value(version)
    assigned = {VERSION: new, OP: text_value(op), **{name: number_value(count) for name, count in counts.items()}}
    update = "SET " + ", ".join(e.equals(name, value) for name, value in assigned.items())
    return e.parameters(UpdateExpression=update, ConditionExpression=e.absent_or_below(VERSION, new))


def holds_fence(version: int, op: str) -> Parameters:
    """The condition that a fence still is where this operation took it."""
    e = _Expressions()
    held = f"{e.equals(VERSION, number_value(version))} AND {e.equals(OP, text_value(op))}"
    return e.parameters(ConditionExpression=held)


def absent_or_older(attribute: str, value: int) -> Parameters:
    """The condition that the item has no such number, or a smaller one."""
    e = _Expressions()
    return e.parameters(ConditionExpression=e.absent_or_below(attribute, number_value(value)))


def within(key_names: tuple[str, ...], partition: str, sort_prefix: str) -> Parameters:
    """The key condition for the items of a partition whose sort keys begin with a prefix, which may be empty."""
    e = _Expressions()
    condition = e.equals(key_names[0], text_value(partition))
    if sort_prefix:
        condition += f" AND begins_with({e.name(key_names[1])}, {e.value(text_value(sort_prefix))})"
    return e.parameters(KeyConditionExpression=condition)
