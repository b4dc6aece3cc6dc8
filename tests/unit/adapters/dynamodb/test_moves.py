"""The order in which a large change becomes visible."""

from collections.abc import Iterable
from typing import Final

from adapters.changes import (
    ADMINS,
    LISTING,
    TREE,
    Aggregate,
    Change,
    Image,
    RowKind,
    category_aggregate,
    product_aggregate,
    user_aggregate,
)
from adapters.dynamodb.actions import converging, logged, planned
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.moves import Step, Unit, in_order
from tests.changes import ANA, BEN, cart_of, category_of, change_of, order_of, product_of, user_of
from tests.unit.adapters.dynamodb.test_actions import listed

CONTRACT: Final = load_contract()
MAPPER: Final = ItemMapper(CONTRACT)
KEYS: Final = Keys(CONTRACT)


def units_of(change: Change) -> list[Unit]:
    """The units of a change, with a log entry where the listing is locked."""
    log = [logged(KEYS.log_entry(5), KEYS.typed(KEYS.log_entry(5)))] if LISTING in change.versions else []
    return in_order([*planned(change, MAPPER), *log], change.versions)


def told(units: Iterable[Unit]) -> list[str]:
    """What happens, in order; the same thing twice in a row is told once."""
    words = []
    for unit in units:
        for action in unit.actions:
            kind = action.ref.kind.value if action.ref else "log"
            pointer = " pointer" if action.is_pointer else ""
            words.append(f"{'put' if action.is_put else 'delete'} {kind}{pointer}")
        words += [f"fence {each}" for each in sorted(unit.aggregates) if not unit.actions]
    return [word for number, word in enumerate(words) if number == 0 or word != words[number - 1]]


def family(email: str) -> list[Image]:
    """Ana with a line and an order."""
    return [user_of(ANA, email, username="ana"), cart_of(ANA, email, 7), order_of(ANA, email, 1)]


def test_move_copies_flips_points_anew_and_cleans_up() -> None:
    """Nothing old goes before everything new is there and the user has moved."""
    change = change_of({ANA: 2, LISTING: 5}, before=family("a@x"), after=family("b@x"))
    assert [
        "put cart",
        "put order",
        "put user",
        "delete user",
        "put log",
        "put order pointer",
        "delete cart",
        "delete order",
    ] == told(units_of(change))


def test_deletion_ends_with_user_categories_and_log() -> None:
    """Lines and products go first."""
    tea = category_of(3, "Tea")
    before: list[Image] = [user_of(ANA, "a@x", is_admin=True), cart_of(ANA, "a@x", 7), product_of(7), tea]
    versions = {ANA: 2, product_aggregate(7): 2, category_aggregate(3): 2, LISTING: 5, ADMINS: 2}
    assert [
        "delete cart",
        "delete product",
        "delete user",
        "fence admins#1",
        "put category",
        "put log",
    ] == told(units_of(change_of(versions, before=before, after=[tea])))


def test_user_is_one_unit_and_each_user_is_its_own() -> None:
    """The flip is never split, however many users there are."""
    before = [user_of(ANA, "a@x", is_admin=True), user_of(BEN, "b@x")]
    after = [user_of(ANA, "c@x"), user_of(BEN, "d@x")]
    units = units_of(change_of({ANA: 2, BEN: 2}, before=before, after=after))
    assert [(Step.USERS, {ANA}, 6), (Step.USERS, {BEN}, 5)] == [
        (unit.step, set(unit.aggregates), len(unit.actions)) for unit in units
    ]


def test_fences_without_actions_have_their_places() -> None:
    """Each aggregate's fence is raised, also where no item of it changes."""
    versions = {ADMINS: 1, TREE: 1, ANA: 1, product_aggregate(7): 1, category_aggregate(3): 1, LISTING: 1}
    units = in_order([], versions)
    assert [
        "fence product#7",
        "fence user#1",
        "fence admins#1",
        "fence tree#1",
        "fence category#3",
        "fence listing#1",
    ] == told(units)


def test_orders_of_one_of_many_users_go_after_all_fences() -> None:
    """Their deletes carry no fence, so the fences must have been raised before."""
    users: dict[Aggregate, int] = {user_aggregate(number): 2 for number in range(1, 5)}
    change = change_of(users)
    actions = converging(change, listed(user_of(ANA, "a@x"), order_of(ANA, "a@x", 1)), MAPPER)
    units = in_order(actions, users)
    kinds = [unit.actions[0].ref.kind if unit.actions and unit.actions[0].ref else None for unit in units]
    assert [RowKind.USER, None, None, None, RowKind.ORDER, RowKind.ORDER, RowKind.ORDER] == kinds
