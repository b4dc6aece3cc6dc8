"""Grouping intents."""

from dataclasses import replace
from uuid import UUID

from adapters.changes import (
    Aggregate,
    Intent,
    IntentPart,
    ItemKey,
    Ref,
    RowKind,
    product_aggregate,
    user_aggregate,
)
from proxy.repairer import AGGREGATES_MAX, KEYS_MAX, TOGETHER_MAX, grouped, joined, parted


def intent(number: int, *aggregates: Aggregate) -> Intent:
    """An open intent of these aggregates."""
    return Intent(number, UUID(int=number), "user.update", IntentPart(aggregates, ()), "open", 0, 3.0)


def move(number: int, *, from_home: int, orders: int) -> Intent:
    """An intent of Ana, who took so many orders from one home to the next."""
    keys = [
        ItemKey("Users", f"HOME#{home}", f"ORDER#{order}", Ref(RowKind.ORDER, order))
        for home in (from_home, from_home + 1)
        for order in range(orders)
    ]
    return Intent(number, UUID(int=number), "user.update", IntentPart((ANA,), tuple(keys)), "journalled", 0, 3.0)


def ids(*intents: Intent) -> list[list[int]]:
    """The groups, by ids."""
    return sorted(sorted(each.id for each in group) for group in grouped(intents))


ANA, BOB, TEA, CUP = user_aggregate(1), user_aggregate(2), product_aggregate(1), product_aggregate(2)


def test_intents_of_one_aggregate_are_merged() -> None:
    """What concerns one aggregate is settled in one go."""
    assert [[1, 3], [2]] == ids(intent(1, ANA), intent(2, BOB), intent(3, ANA))


def test_groups_share_no_aggregate() -> None:
    """An intent that links two groups makes them one: groups may be settled side by side."""
    assert [[1, 2, 3]] == ids(intent(1, ANA, TEA), intent(2, BOB, CUP), intent(3, TEA, CUP))


def test_a_later_intent_joins_a_merged_group() -> None:
    """Every aggregate of a merged group leads to it."""
    assert [[1, 2, 3, 4]] == ids(intent(1, ANA), intent(2, BOB), intent(3, ANA, BOB), intent(4, ANA))


def test_nothing_is_grouped_into_nothing() -> None:
    """No intents, no groups."""
    assert [] == grouped([])


def test_large_groups_are_parted_by_aggregates() -> None:
    """However much hangs together, few aggregates are locked at once, and nothing is lost."""
    group = [intent(number, user_aggregate(number), ANA) for number in range(2, 3 * AGGREGATES_MAX)]
    parts = parted(group)
    assert group == [each for part in parts for each in part]
    assert all(len({a for each in part for a in each.part.aggregates}) <= AGGREGATES_MAX for part in parts)
    assert 4 == len(parts)


def test_intents_of_one_aggregate_are_parted_by_items() -> None:
    """However often a user with many orders moved, calls get the lock between two parts; shared items count once."""
    moves = [move(number, from_home=number, orders=KEYS_MAX // 4) for number in range(1, 6)]
    parts = parted(moves)
    assert moves == [each for part in parts for each in part]
    assert [3, 2] == [len(part) for part in parts]


def test_small_groups_are_joined() -> None:
    """Many new users are settled in few requests, and nobody is lost."""
    groups = [[intent(number, user_aggregate(number))] for number in range(1, 2 * TOGETHER_MAX + 2)]
    assert [groups[:TOGETHER_MAX], groups[TOGETHER_MAX : 2 * TOGETHER_MAX], groups[2 * TOGETHER_MAX :]] == joined(
        groups
    )


def test_a_group_that_failed_stays_alone() -> None:
    """What cannot be settled must not hold up its neighbours again and again."""
    failed = replace(intent(2, BOB), attempts=1)
    assert [[[intent(1, ANA)]], [[failed]], [[intent(3, TEA)]]] == joined(
        [[intent(1, ANA)], [failed], [intent(3, TEA)]]
    )


def test_one_large_intent_is_a_part_of_its_own() -> None:
    """An intent cannot be split, so it may pass the bound alone."""
    large = intent(1, *[user_aggregate(number) for number in range(1, AGGREGATES_MAX + 5)])
    assert [[large], [intent(2, ANA)]] == parted([large, intent(2, ANA)])
