"""What lies under a user's email, which may change between two requests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from adapters.changes import Aggregate, user_aggregate
from adapters.dynamodb.keys import Key
from adapters.dynamodb.reading import ItemReader
from adapters.dynamodb.shapes import OWNER
from adapters.dynamodb.typed_json import Attributes, read_text, text_value
from adapters.errors import Unavailable

TRIES: Final = 5
"""How often a user may move under one call."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a user's items lie, as far as is known: `meta` is the user's own item there."""

    user_id: int
    email: str
    meta: Key

    def is_still(self, found: Attributes | None) -> bool:
        """Whether the item found under `meta` shows that the user lies there, so that the children did before."""
        return found is not None and found.get("id") == text_value(self.user_id)

    def is_own(self, item: Attributes) -> bool:
        """Whether an item under the email is the user's: one of another may be left there."""
        return owns(user_aggregate(self.user_id), item)


Settled = tuple[T, Attributes | None]
"""An answer and, read after the children, the item under `meta`."""


async def of_user(items: ItemReader, user_id: int, read: Callable[[Whereabouts], Awaitable[Settled[T]]]) -> T | None:
    """What `read` answers for a user; None where there is no such user. It is asked again when the user has moved.

    Raises Unavailable when the user never stays, or the item under its email is missing.
    """
    for _ in range(TRIES):
        uid = await items.one(items.keys.user_by_id(user_id))
        if uid is None:
            return None
        email = read_text(uid, "email")
        place = Whereabouts(user_id, email, items.keys.user(email))
        answer, meta = await read(place)
        if place.is_still(meta):
            return answer
    raise Unavailable(f"the items of user {user_id} were not found under one email")


def owns(aggregate: Aggregate, item: Attributes) -> bool:
    """Whether an item names this owner."""
    return item.get(OWNER) == text_value(str(aggregate))
