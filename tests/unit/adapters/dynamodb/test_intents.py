"""What the journal is told of a change."""

from typing import Final

import pytest

from adapters.changes import (
    LISTING,
    TREE,
    Change,
    IntentPart,
    Ref,
    RowKind,
    product_aggregate,
    user_aggregate,
)
from adapters.dynamodb.actions import planned
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.intents import (
    AGGREGATES_MAX,
    DEFERRED_ACTIONS_MAX,
    DEFERRED_MAX_BYTES,
    PRODUCT_MAX_BYTES,
    call_parts,
    deferred_parts,
)
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.keys import Keys
from tests.changes import ANA, cart_of, category_of, change_of, order_of, product_of, user_of
from tests.unit.adapters.dynamodb.test_actions import listed

CONTRACT: Final = load_contract()
MAPPER: Final = ItemMapper(CONTRACT)
KEYS: Final = Keys(CONTRACT)


def parts_of(change: Change) -> tuple[IntentPart, ...]:
    """The intent of a change's call."""
    return call_parts(planned(change, MAPPER), change.versions)


def deferred(*rows: object) -> tuple[IntentPart, ...]:
    """The parts left to the repairer."""
    return deferred_parts(rows, mapper=MAPPER, keys=KEYS)  # type: ignore[arg-type]  # images and refs, mixed


def test_call_parts_lists_every_key_old_and_new() -> None:
    """With all aggregates, in lock order."""
    before, after = user_of(ANA, "a@x", username="ana"), user_of(ANA, "b@x", username="ana")
    (part,) = parts_of(change_of({LISTING: 3, ANA: 2}, before=[before], after=[after]))
    assert (ANA, LISTING) == part.aggregates
    assert {*listed(before), *listed(after)} == set(part.keys)
    assert len(part.keys) == len(set(part.keys))


def test_call_parts_splits_what_one_row_of_the_journal_cannot_index() -> None:
    """Each key is in the part that names its aggregate, and the listing in each."""
    products = [product_of(number) for number in range(1, 401)]
    versions = {product_aggregate(product.product.id): 2 for product in products} | {LISTING: 9}
    parts = parts_of(change_of(versions, before=products))
    assert [AGGREGATES_MAX, 102] == [len(part.aggregates) for part in parts]
    assert all(LISTING in part.aggregates for part in parts)
    assert all(key.ref.owner in part.aggregates for part in parts for key in part.keys)
    assert sorted(listed(*products), key=str) == sorted((key for part in parts for key in part.keys), key=str)


def test_deferred_parts_list_the_items_of_rows_with_their_owners() -> None:
    """Images give all their items; a product's name gives its one."""
    line, order, product = cart_of(ANA, "a@x", 7), order_of(ANA, "a@x", 1), Ref(RowKind.PRODUCT, 7)
    (part,) = deferred(line, order, product)
    assert {ANA, product_aggregate(7)} == set(part.aggregates)
    assert {*listed(line), *listed(order), *listed(product_of(7))} == set(part.keys)


def test_deferred_parts_name_an_item_once() -> None:
    """A category before and after its move shares its place in the tree."""
    before, after = category_of(3, "Drinks", "Tea"), category_of(3, "Beverages", "Tea")
    (part,) = deferred(before, after)
    assert ((TREE,), 3) == (part.aggregates, len(part.keys))


def test_deferred_parts_fit_one_transaction_each() -> None:
    """Fences counted, and by weight."""
    lines = [cart_of(user_aggregate(number), f"{number}@x", 7) for number in range(1, 101)]
    by_number = deferred(*lines)
    assert [(45, 45), (45, 45), (10, 10)] == [(len(part.aggregates), len(part.keys)) for part in by_number]
    assert all(len(part.aggregates) + len(part.keys) <= DEFERRED_ACTIONS_MAX for part in by_number)
    by_weight = deferred(*(Ref(RowKind.PRODUCT, number) for number in range(1, 101)))
    assert DEFERRED_MAX_BYTES // PRODUCT_MAX_BYTES == len(by_weight[0].keys)
    assert 100 == sum(len(part.keys) for part in by_weight)


def test_deferred_parts_of_nothing_are_none() -> None:
    """No empty rows in the journal."""
    assert () == deferred()


def test_deferred_parts_refuse_a_name_that_has_no_keys() -> None:
    """Only a product's keys are in its name."""
    with pytest.raises(ValueError, match="are not in its name"):
        deferred(Ref(RowKind.ORDER, 1))
