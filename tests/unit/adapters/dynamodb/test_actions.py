"""What a change does to which items."""

from dataclasses import replace
from typing import Final

import pytest

from adapters.changes import (
    ADMINS,
    TREE,
    Change,
    Image,
    ItemKey,
    Ref,
    RowKind,
    category_aggregate,
    product_aggregate,
)
from adapters.dynamodb.actions import Action, converging, planned
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import ItemMapper, UnmappableRow
from adapters.dynamodb.keys import Key, Keys
from adapters.errors import PayloadTooLarge
from tests.changes import ANA, BEN, cart_of, category_of, change_of, order_of, product_of, user_of

CONTRACT: Final = load_contract()
MAPPER: Final = ItemMapper(CONTRACT)
KEYS: Final = Keys(CONTRACT)


def puts(actions: list[Action]) -> set[Key]:
    """The keys that get an item."""
    return {action.key for action in actions if action.is_put}


def deletes(actions: list[Action]) -> set[Key]:
    """The keys that lose theirs."""
    return {action.key for action in actions if not action.is_put}


def places(*images: Image) -> set[Key]:
    """The keys of the items that show rows."""
    return {Key(item.table, item.partition, item.sort) for image in images for item in MAPPER.items_of(image)}


def listed(*images: Image) -> list[ItemKey]:
    """The same, as the journal lists them."""
    items = [item for image in images for item in MAPPER.items_of(image)]
    return [ItemKey(item.table, item.partition, item.sort, item.ref) for item in items]


def planned_for(change: Change) -> list[Action]:
    """The actions of a change; no key twice."""
    actions = planned(change, MAPPER)
    assert len({action.key for action in actions}) == len(actions)
    return actions


def test_planned_puts_all_items_of_a_new_row() -> None:
    """Each under its key, whole, with its owner's fence and condition."""
    ana = user_of(ANA, "a@x", is_admin=True)
    actions = planned_for(change_of({ANA: 1}, after=[ana]))
    assert (places(ana), set()) == (puts(actions), deletes(actions))
    assert {((ANA,), (ANA,))} == {(action.aggregates, action.owners) for action in actions}


def test_planned_deletes_all_items_of_a_row_that_is_gone() -> None:
    """Nothing else is written."""
    ana = user_of(ANA, "a@x")
    actions = planned_for(change_of({ANA: 1}, before=[ana]))
    assert (set(), places(ana)) == (puts(actions), deletes(actions))


def test_planned_puts_over_keys_that_stay_and_deletes_the_others() -> None:
    """A new email moves one item of three; a demotion takes one away."""
    before, after = user_of(ANA, "a@x", username="ana", is_admin=True), user_of(ANA, "b@x", username="ana")
    actions = planned_for(change_of({ANA: 1}, before=[before], after=[after]))
    assert (places(after), places(before) - places(after)) == (puts(actions), deletes(actions))


def test_planned_takes_another_spelling_of_a_key_for_the_same() -> None:
    """An update that leaves the key form is one put."""
    before, after = user_of(ANA, "a@x", username="ana"), user_of(ANA, "A@X", username="ana")
    actions = planned_for(change_of({ANA: 1}, before=[before], after=[after]))
    assert (places(after), set()) == (puts(actions), deletes(actions))


def test_planned_gives_a_key_to_the_row_that_takes_it() -> None:
    """A key that one row leaves and another takes is put, not deleted."""
    leaves, takes = category_of(1, "Tea"), category_of(2, "Tea")
    actions = planned_for(change_of({TREE: 1}, before=[leaves], after=[takes]))
    assert places(takes) == puts(actions)
    assert places(leaves) - places(takes) == deletes(actions)


def test_planned_leaves_pointers_that_stay_as_they_were() -> None:
    """A change of an order's total puts the order alone."""
    before = order_of(ANA, "a@x", 1)
    after = replace(before, items=before.items[:1])
    (action,) = planned_for(change_of({ANA: 1}, before=[before], after=[after]))
    assert (True, "Users") == (action.is_put, action.key.table)


def test_planned_points_anew_at_an_order_that_moved() -> None:
    """Under another email, pointers are put although their keys stay."""
    before, after = order_of(ANA, "a@x", 1), order_of(ANA, "b@x", 1)
    actions = planned_for(change_of({ANA: 1}, before=[before], after=[after]))
    assert (places(after), 1) == (puts(actions), len(deletes(actions)))


def test_planned_products_need_no_owner() -> None:
    """A product's item is under its own fence, without condition."""
    (action,) = planned_for(change_of({product_aggregate(7): 1}, after=[product_of(7)]))
    assert ((product_aggregate(7),), ()) == (action.aggregates, action.owners)


def test_planned_categories_go_with_the_tree_or_with_their_counter() -> None:
    """Whichever of the two is locked; the owner is the tree all the same."""
    tea = category_of(3, "Tea")
    under_tree = planned_for(change_of({TREE: 1, category_aggregate(3): 1}, after=[tea]))
    under_counter = planned_for(change_of({category_aggregate(3): 1}, after=[tea]))
    assert {(TREE,)} == {action.aggregates for action in under_tree}
    assert {(category_aggregate(3),)} == {action.aggregates for action in under_counter}
    assert {(TREE,)} == {action.owners for action in (*under_tree, *under_counter)}


def test_planned_deletes_of_categories_look_at_the_id() -> None:
    """Other deletes need the owner alone."""
    actions = planned_for(change_of({TREE: 1, ANA: 1}, before=[category_of(3, "Tea"), user_of(ANA, "a@x")]))
    shown = {action.ref.kind: action.showing for action in actions if action.ref}
    assert {RowKind.CATEGORY: {"category_id": [{"S": "3"}]}, RowKind.USER: {}} == shown


def test_planned_refuses_a_row_whose_owner_is_not_locked() -> None:
    """Nothing is written without a fence."""
    with pytest.raises(ValueError, match="without a lock on user#1"):
        planned(change_of({BEN: 1}, after=[user_of(ANA, "a@x")]), MAPPER)
    with pytest.raises(ValueError, match="without a lock on product#7"):
        planned(change_of({ANA: 1}, after=[product_of(7)]), MAPPER)


def test_planned_refuses_an_item_over_the_limit() -> None:
    """The message names the row."""
    with pytest.raises(PayloadTooLarge, match="product 7 would take 41"):
        planned(change_of({product_aggregate(7): 1}, after=[product_of(7, description="x" * 410_000)]), MAPPER)


def test_planned_refuses_a_row_that_cannot_have_items_but_lets_it_go() -> None:
    """It never had any."""
    odd = order_of(ANA, "a@x", 1)
    odd = replace(odd, order=replace(odd.order, created_at=None))
    with pytest.raises(UnmappableRow):
        planned(change_of({ANA: 1}, after=[odd]), MAPPER)
    assert [] == planned(change_of({ANA: 1}, before=[odd]), MAPPER)


def test_converging_touches_listed_keys_alone() -> None:
    """Those that a row shows are put, the others deleted."""
    now, old = user_of(ANA, "b@x", username="ana"), user_of(ANA, "a@x", username="ana")
    order = order_of(ANA, "b@x", 1)
    actions = converging(change_of({ANA: 2}, after=[now, order]), [*listed(old), *listed(now)], MAPPER)
    assert (places(now), places(old) - places(now)) == (puts(actions), deletes(actions))


def test_converging_takes_a_key_listed_twice_once() -> None:
    """Merged intents may name the same item."""
    line = cart_of(ANA, "a@x", 7)
    assert 1 == len(converging(change_of({ANA: 2}, after=[line]), listed(line, line), MAPPER))


def test_converging_deletes_what_any_of_a_keys_rows_left() -> None:
    """Merged intents may list a key for several rows, none of which has it now."""
    keys = [*listed(user_of(ANA, "a@x", username="a")), *listed(user_of(BEN, "a@x", username="b"))]
    (action,) = [each for each in converging(change_of({ANA: 2, BEN: 2}), keys, MAPPER) if each.key.table == "Users"]
    assert ((ANA, BEN), (ANA, BEN)) == (action.aggregates, action.owners)
    keys = [*listed(category_of(3, "Tea")), *listed(category_of(4, "Tea"))]
    (base, *_) = converging(change_of({TREE: 2}), keys, MAPPER)
    assert {"category_id": [{"S": "3"}, {"S": "4"}]} == base.showing


def test_converging_deletes_a_gone_order_of_any_locked_user() -> None:
    """An order does not name its user: of several, each may own it, and no one's fence is asked for."""
    keys = listed(order_of(ANA, "a@x", 1))
    (one, *_) = converging(change_of({ANA: 2, product_aggregate(7): 1}), keys, MAPPER)
    (many, *_) = converging(change_of({ANA: 2, BEN: 2}), keys, MAPPER)
    assert ((ANA,), (ANA,)) == (one.aggregates, one.owners)
    assert ((), (ANA, BEN)) == (many.aggregates, many.owners)


def test_converging_leaves_an_order_that_came_back_with_another_user() -> None:
    """Its pointer is not put without its user's lock, and deleted only where it still is the first one's."""
    mine, now = order_of(ANA, "a@x", 1), order_of(BEN, "b@x", 1)
    actions = converging(change_of({ANA: 2}, after=[now]), listed(mine), MAPPER)
    assert (set(), places(mine)) == (puts(actions), deletes(actions))
    assert {(ANA,)} == {action.owners for action in actions}


def test_converging_refuses_a_product_that_is_not_locked() -> None:
    """Its delete would be without fence and condition."""
    with pytest.raises(ValueError, match="without a lock on product#7"):
        converging(change_of({ADMINS: 1}), listed(product_of(7)), MAPPER)


def test_converging_gives_a_row_that_cannot_have_items_none() -> None:
    """What lies under its keys is deleted."""
    order = order_of(ANA, "a@x", 1)
    odd = replace(order, order=replace(order.order, created_at=None))
    actions = converging(change_of({ANA: 1}, after=[odd]), listed(order), MAPPER)
    assert (set(), places(order)) == (puts(actions), deletes(actions))
    assert {Ref(RowKind.ORDER, 1)} == {action.ref for action in actions}
