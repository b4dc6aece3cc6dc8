"""The order in which a change becomes visible when it is too large for one transaction. Pure.

    move    copies of carts and orders | the user, the listing's entry | pointers to the orders | the old items
    delete  cart lines, products       | the user, categories, the listing's entry

A reader between two steps sees the state before or the state after the middle one, which is never split.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

from adapters.changes import Aggregate, AggregateKind, RowKind
from adapters.dynamodb.actions import Action


class Step(IntEnum):
    """When an action's turn comes."""

    CHILDREN = 1
    PRODUCTS = 2
    USERS = 3
    CATEGORIES = 4
    LOG = 5
    POINTERS = 6
    OLD_CHILDREN = 7


@dataclass(frozen=True, slots=True)
class Unit:
    """Actions that must share a transaction, and the aggregates whose fences go with them."""

    step: Step
    actions: tuple[Action, ...]
    aggregates: frozenset[Aggregate]


def in_order(actions: Sequence[Action], aggregates: Iterable[Aggregate]) -> list[Unit]:
    """The actions in the order of their turns, and aggregates that none of them names where they belong."""
    going = _users_going(actions)
    steps = [(_step_of(action, going), action) for action in actions]
    units = [_unit(step, [action]) for step, action in steps if step is not Step.USERS]
    flips = sorted((action for step, action in steps if step is Step.USERS), key=_row)
    units += [_unit(Step.USERS, list(flip)) for _, flip in groupby(flips, key=_row)]
    named = {aggregate for unit in units for aggregate in unit.aggregates}
    units += [Unit(_HOMES[each.kind], (), frozenset({each})) for each in sorted(set(aggregates) - named)]
    return sorted(units, key=lambda unit: unit.step)


_HOMES = {
    AggregateKind.TREE: Step.CATEGORIES,
    AggregateKind.USER: Step.USERS,
    AggregateKind.PRODUCT: Step.PRODUCTS,
    AggregateKind.CATEGORY: Step.CATEGORIES,
    AggregateKind.LISTING: Step.LOG,
    AggregateKind.ADMINS: Step.USERS,
}


def _unit(step: Step, actions: Sequence[Action]) -> Unit:
    return Unit(step, tuple(actions), frozenset(each for action in actions for each in action.aggregates))


def _row(action: Action) -> int:
    return 0 if action.ref is None else action.ref.id


def _users_going(actions: Iterable[Action]) -> set[Aggregate]:
    """The users all of whose own items are deleted."""
    own = [action for action in actions if action.ref is not None and action.ref.kind is RowKind.USER]
    staying = {each for action in own if action.is_put for each in action.aggregates}
    return {each for action in own for each in action.aggregates} - staying


def _step_of(action: Action, going: set[Aggregate]) -> Step:
    if action.ref is None:
        return Step.LOG
    match action.ref.kind:
        case RowKind.USER:
            return Step.USERS
        case RowKind.PRODUCT:
            return Step.PRODUCTS
        case RowKind.CATEGORY:
            return Step.CATEGORIES
        case RowKind.CART | RowKind.ORDER if action.is_put:
            return Step.POINTERS if action.is_pointer else Step.CHILDREN
        case RowKind.CART | RowKind.ORDER:
            return Step.CHILDREN if going.intersection(action.aggregates) else Step.OLD_CHILDREN
