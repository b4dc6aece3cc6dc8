"""Which items rows need, and which rows cannot have any."""

from dataclasses import replace

import pytest

from adapters.changes import TREE, Image, Ref, RowKind, product_aggregate, user_aggregate
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.sweep import DynamoDBSweep
from tests.changes import category_of
from tests.images import cart_image, order_image, product_image, user_image


@pytest.fixture
def sweep() -> DynamoDBSweep:
    """A sweep that asks nobody."""
    contract = load_contract()
    client = DynamoDBClient(DynamoDBEndpoint("us-east-1"))
    return DynamoDBSweep(client, mapper=ItemMapper(contract), keys=Keys(contract))


def test_map_names_items_and_owners(sweep: DynamoDBSweep) -> None:
    """Every item of every row, each with its row and who owns it."""
    images: list[Image] = [
        user_image(is_admin=True),
        cart_image(),
        order_image(),
        product_image(),
        category_of(9, "Tea"),
    ]
    mapped = sweep.map(images)
    owners = {key.ref.kind: owner for key, owner in mapped.keys.items()}
    assert {
        RowKind.USER: user_aggregate(42),
        RowKind.CART: user_aggregate(42),
        RowKind.ORDER: user_aggregate(42),
        RowKind.PRODUCT: product_aggregate(7),
        RowKind.CATEGORY: TREE,
    } == owners
    kinds = [key.ref.kind.value for key in mapped.keys]
    assert {"user": 4, "cart": 1, "order": 3, "product": 1, "category": 2} == {k: kinds.count(k) for k in kinds}
    assert {} == mapped.faults


def test_map_names_rows_that_cannot_have_items(sweep: DynamoDBSweep) -> None:
    """With the reason; the others have theirs."""
    mapped = sweep.map([order_image(created_at=None), product_image()])
    assert {Ref(RowKind.ORDER, 5)} == mapped.faults.keys()
    assert "created_at is NULL" in mapped.faults[Ref(RowKind.ORDER, 5)]
    assert {Ref(RowKind.PRODUCT, 7)} == {key.ref for key in mapped.keys}


def test_map_gives_key_to_first_of_several(sweep: DynamoDBSweep) -> None:
    """Two categories of equal names under one parent cannot both be there, in any spelling."""
    mapped = sweep.map([category_of(1, "Tea"), category_of(2, "TEA"), category_of(3, "Other", "Tea")])
    assert {Ref(RowKind.CATEGORY, 2): "category 2: category 1 has the same key"} == mapped.faults
    assert {1, 3} == {key.ref.id for key in mapped.keys}


def test_map_takes_none_of_the_items_of_a_row_in_the_way(sweep: DynamoDBSweep) -> None:
    """A row has all of its items or none."""
    other = user_image(user_id=43, username="Other")
    mapped = sweep.map([user_image(), replace(other, user=replace(other.user, email="ANA@shop.test"))])
    assert {42} == {key.ref.id for key in mapped.keys}
