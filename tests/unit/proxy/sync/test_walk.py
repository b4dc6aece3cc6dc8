"""Groups of aggregates, and items in their places."""

import pytest

from adapters.changes import Aggregate, AggregateKind, ItemKey, Ref, RowKind, user_aggregate
from adapters.ports.sweep import Extent, FoundItem
from proxy.sync.walk import chunks, grouped, is_in_place, is_needed

ROW = Ref(RowKind.USER, 1)
OWNER = user_aggregate(1)
NEEDED = {ItemKey("T", "p", "s", ROW): OWNER}


def groups(*items: int, limit: int = 10) -> list[list[int]]:
    """The groups of aggregates of so many items, by their place in the page."""
    page = [Extent(Aggregate(AggregateKind.USER, number), count) for number, count in enumerate(items)]
    return [[each.id for each in group] for group in grouped(page, limit=limit)]


def test_neighbours_share_a_group_up_to_the_limit() -> None:
    """Each counts for its items and one fence."""
    assert [[0, 1], [2]] == groups(4, 4, 4)
    assert [[0, 1, 2, 3, 4], [5]] == groups(1, 1, 1, 1, 1, 1)


def test_large_aggregate_is_alone() -> None:
    """However large it is, it is a group; its neighbours share others."""
    assert [[0], [1], [2, 3]] == groups(1, 5000, 1, 1)
    assert [] == groups()


def test_chunks_keep_order() -> None:
    """The last may be smaller."""
    assert [[1, 2], [3, 4], [5]] == list(chunks([1, 2, 3, 4, 5], 2))
    assert [] == list(chunks([], 2))


def item(ref: Ref | None = ROW, owner: Aggregate | None = OWNER, sort: str = "s") -> FoundItem:
    """An item that shows a row."""
    return FoundItem("T", "p", sort, ref, owner, None)


@pytest.mark.parametrize(
    ("found", "needed", "in_place"),
    [
        (item(), True, True),
        (item(owner=user_aggregate(2)), True, False),
        (item(owner=None), True, False),
        (item(sort="old"), False, False),
        (item(ref=Ref(RowKind.USER, 2)), False, False),
        (item(ref=None), False, False),
    ],
)
def test_item_is_in_place_where_its_row_needs_it(found: FoundItem, *, needed: bool, in_place: bool) -> None:
    """Under its key, for its row, with its owner."""
    assert (needed, in_place) == (is_needed(found, NEEDED), is_in_place(found, NEEDED))
