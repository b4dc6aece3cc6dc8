"""A shop and the reference side by side: the same calls to both, and answers that must say the same.

Ids differ between the two. Calls name records by a `Pick` of those made so far; in answers each id becomes the number
of its first appearance, which is the same on both sides if the answers say the same.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.values import INT_MAX, parse_time
from tests.conformance.shop import CallFailed, Json, Shop

CLOCKS_APART = timedelta(seconds=2)
MADE_BY = {
    "user.create": "user",
    "product.create_product": "product",
    "category.create": "category",
    "order.create_order": "order",
    "order.checkout": "order",
}
"""The operations whose answer holds the id of a new record that later calls may name."""

DELETED_BY = {"user.delete": "id", "product.delete_product": "product_id", "category.delete": "id"}
"""The operations that remove a record, and the argument that names it."""

NOBODY = -1

ENTITY_OF_FIELD = {
    "user_id": "user",
    "seller_id": "user",
    "product_id": "product",
    "category_id": "category",
    "parent_id": "category",
    "order_id": "order",
}
ENTITY_BY_MARK = {
    "username": "user",
    "price_at_time": "item",
    "total_amount": "order",
    "price": "product",
    "quantity": "line",
    "parent_id": "category",
}
"""A field that only the records of one kind have, to tell what an `id` beside it is the id of; the first one counts."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A record of an entity, the newest at place 0 and round again behind the oldest; NOBODY is one that is not there.

    The `seller` at a place is the seller of the product there.
    """

    entity: str
    place: int


@dataclass(slots=True)
class Side:
    """One shop, with the ids of its records in the order in which they were made, and as they appeared in answers."""

    shop: Shop
    made: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[tuple[str, int], str] = field(default_factory=dict)

    async def answer(self, name: str, arguments: dict[str, object]) -> Json:
        """What a call is answered, ids as numbers; an error as its interface with the members that tell more."""
        try:
            result = await self.shop.call(name, **self._resolved(arguments))
        except CallFailed as failure:
            more = {key: failure.problem.get(key) for key in ("issues", "total")}
            paths = sorted(fault["path"] for fault in failure.problem.get("errors", []))
            subject = dict(failure.subject or {})
            if failure.reason == "key_collision":
                subject.pop("id")  # Where several are in the way, any of them may be named.
            entity = subject.get("entity")
            if "id" in subject:
                subject["id"] = self._number(str(entity), int(str(subject["id"])))
            return {"code": failure.code, "reason": failure.reason, "subject": subject, "paths": paths, **more}
        self._remember(name, arguments, result)
        return self._numbered(result)

    def _remember(self, name: str, arguments: dict[str, object], result: Json) -> None:
        if name in MADE_BY:
            self.made[MADE_BY[name]].insert(0, result["id"])
        if name == "product.create_product":
            self.made["seller"].insert(0, result["seller_id"])
        if name in DELETED_BY and result is True:
            entity = name.split(".", maxsplit=1)[0]
            place = self.made[entity].index(self._resolved(arguments[DELETED_BY[name]]))
            del self.made[entity][place]
            if entity == "product":
                del self.made["seller"][place]

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401  # a part of a call, of any type
        match value:
            case Pick(entity, place):
                ids = self.made[entity]
                return ids[place % len(ids)] if ids and place != NOBODY else INT_MAX
            case dict():
                return {name: self._resolved(member) for name, member in value.items()}
            case _:
                return value

    def _numbered(self, value: Json) -> Json:
        match value:
            case list():
                return [self._numbered(member) for member in value]
            case dict():
                marks = (entity for mark, entity in ENTITY_BY_MARK.items() if mark in value)
                entities = {**ENTITY_OF_FIELD, "id": next(marks, "")}
                return {
                    name: self._number(entities[name], member)
                    if name in entities and member is not None
                    else self._numbered(member)
                    for name, member in value.items()
                }
            case _:
                return value

    def _number(self, entity: str, record_id: int) -> str:
        return self.numbers.setdefault((entity, record_id), f"{entity} {len(self.numbers)}")


def differences(expected: Json, found: Json, path: str = "answer") -> list[str]:
    """Where two answers differ, one sentence each; times may be two seconds apart."""
    match expected, found:
        case dict(), dict() if expected.keys() == found.keys():
            return [text for key in expected for text in differences(expected[key], found[key], f"{path}.{key}")]
        case list(), list() if len(expected) == len(found):
            pairs = enumerate(zip(expected, found, strict=True))
            return [text for place, (one, other) in pairs for text in differences(one, other, f"{path}[{place}]")]
        case str(), str() if path.endswith("_at"):
            is_near = abs(parse_time(expected) - parse_time(found)) <= CLOCKS_APART
            return [] if is_near else [f"{path}: expected about {expected}, found {found}"]
        case _:
            is_same = expected == found and isinstance(expected, bool) is isinstance(found, bool)
            return [] if is_same else [f"{path}: expected {expected!r}, found {found!r}"]
