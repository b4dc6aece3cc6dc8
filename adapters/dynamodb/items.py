"""The shop's rows as items: what every row looks like in every table, and the way back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.changes import Aggregate, Ref

AttributeValue = Mapping[str, object]
"""A value in DynamoDB's typed JSON, `{"S": "text"}`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item, complete, as it is put.

    `table` is the contract's name, without prefix. `owner` None: the item is written unconditionally; else it carries
    the attribute `owner`, the aggregate that must own whatever lies under the key. `is_pointer`: the item only says
    where another lies, so it changes with that one's key alone. `attributes` has the keys; a NULL is absent.
    """

    table: str
    partition: str
    sort: str
    ref: Ref
    owner: Aggregate | None
    is_pointer: bool
    attributes: Mapping[str, AttributeValue]
