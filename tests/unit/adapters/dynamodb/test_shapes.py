"""Owners as items name them."""

import pytest

from adapters.changes import TREE, user_aggregate
from adapters.dynamodb.shapes import owner_named


def test_owner_named_reads_aggregates() -> None:
    """As they are written."""
    assert (user_aggregate(42), TREE) == (owner_named("user#42"), owner_named("tree#1"))


@pytest.mark.parametrize("text", ["", "nobody", "user", "user#", "user#x", "shop#1"])
def test_owner_named_is_none_for_other_texts(text: str) -> None:
    """Another program may have written anything."""
    assert owner_named(text) is None
