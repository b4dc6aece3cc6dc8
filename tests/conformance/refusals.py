"""The errors that the suite expects, each spelled out in one place."""

from collections.abc import Awaitable

import pytest

from tests.conformance.shop import CallFailed, Refusal

INVALID = Refusal("invalid_argument")
FORBIDDEN = Refusal("forbidden")
EMPTY_CART = Refusal("conflict", "empty_cart", {"entity": "cart"})
INSUFFICIENT_INVENTORY = Refusal("conflict", "insufficient_inventory", {"entity": "cart"})
CART_CHANGED = Refusal("conflict", "cart_changed", {"entity": "cart"})
CART_TOO_LARGE = Refusal("conflict", "cart_too_large", {"entity": "cart"})
RESERVED_NAME = Refusal("conflict", "reserved_name", {"entity": "category", "fields": ["name"]})


def missing(entity: str, record_id: int | None = None) -> Refusal:
    """A write refers to a record that does not exist; without an id, to one that cannot."""
    subject = {"entity": entity} if record_id is None else {"entity": entity, "id": record_id}
    return Refusal("not_found", "record", subject)


def taken(field: str) -> Refusal:
    """Another user has this username or email."""
    return Refusal("conflict", "unique", {"entity": "user", "fields": [field]})


def in_use(entity: str, record_id: int) -> Refusal:
    """Other records refer to this one."""
    return Refusal("conflict", "restrict", {"entity": entity, "id": record_id})


def cycle(category_id: int) -> Refusal:
    """The category would be its own ancestor."""
    return Refusal("conflict", "cycle", {"entity": "category", "id": category_id, "fields": ["parent_id"]})


def key_collision(category_id: int) -> Refusal:
    """The second database would not tell the category from this other one."""
    return Refusal("conflict", "key_collision", {"entity": "category", "id": category_id, "fields": ["name"]})


def last_super_admin(user_id: int) -> Refusal:
    """No super admin would be left."""
    return Refusal("conflict", "last_super_admin", {"entity": "user", "id": user_id})


def out_of_range(entity: str, field: str) -> Refusal:
    """A sum would pass its column."""
    return Refusal("conflict", "out_of_range", {"entity": entity, "fields": [field]})


async def failure_of(call: Awaitable[object]) -> CallFailed:
    """The error of a call that must fail."""
    with pytest.raises(CallFailed) as caught:
        await call
    return caught.value


async def refusal_of(call: Awaitable[object]) -> Refusal:
    """The interface of the error of a call that must fail."""
    return (await failure_of(call)).refusal


async def faults_of(call: Awaitable[object]) -> list[str]:
    """The paths of the wrong arguments of a call that must fail for them."""
    failure = await failure_of(call)
    assert INVALID == failure.refusal
    return sorted(error["path"] for error in failure.problem["errors"])
