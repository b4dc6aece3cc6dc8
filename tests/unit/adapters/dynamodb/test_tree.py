"""The categories as one forest."""

from typing import Final

import pytest

from adapters.dynamodb.tree import Tree
from adapters.records import Category


def category(number: int, name: str, parent_id: int | None = None) -> Category:
    """A category."""
    return Category(number, name, parent_id, created_at=None)


DRINKS: Final = category(5, "drinks")
TEA: Final = category(2, "Tea", 5)
GREEN: Final = category(1, "Grün", 2)
OTHER_TEA: Final = category(7, "téa")
TREE: Final = Tree([TEA, OTHER_TEA, GREEN, DRINKS])


def test_all_is_in_the_order_of_names() -> None:
    """By the collation; equal names by id."""
    assert [DRINKS, GREEN, TEA, OTHER_TEA] == list(TREE.all)


@pytest.mark.parametrize(
    ("parent_id", "expected"), [(None, [DRINKS, OTHER_TEA]), (5, [TEA]), (2, [GREEN]), (1, []), (99, [])]
)
def test_children_gives_those_right_below(parent_id: int | None, expected: list[Category]) -> None:
    """Roots for None; none for a leaf and for an unknown category."""
    assert expected == list(TREE.children(parent_id))


@pytest.mark.parametrize(("name", "expected"), [("TEA", [2, 7]), ("GRUN", [1]), ("te", []), ("", [])])
def test_ids_named_goes_by_the_collation(name: str, expected: list[int]) -> None:
    """Every spelling that it holds equal."""
    assert expected == list(TREE.ids_named(name))


def test_upwards_leads_to_the_root() -> None:
    """From the category itself; nothing for an unknown one."""
    assert [GREEN, TEA, DRINKS] == TREE.upwards(1)
    assert [] == TREE.upwards(99)
    assert [] == TREE.upwards(None)


def test_upwards_ends_where_a_circle_closes() -> None:
    """Old data may hold one."""
    circle = Tree([category(1, "a", 3), category(2, "b", 1), category(3, "c", 2)])
    assert [2, 1, 3] == [each.id for each in circle.upwards(2)]


@pytest.mark.parametrize(("category_id", "expected"), [(5, {5, 2}), (2, {2, 1}), (7, {7}), (99, set())])
def test_with_children_goes_one_level_down(category_id: int, expected: set[int]) -> None:
    """As lists of a category do."""
    assert expected == TREE.with_children(category_id)
