"""Transactions within the limits, and what they demand of the fences."""

from collections.abc import Mapping
from typing import Any, Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.changes import ADMINS, Aggregate, Ref, RowKind, product_aggregate, user_aggregate
from adapters.dynamodb.actions import Action
from adapters.dynamodb.chunks import (
    ACTIONS_MAX,
    CHUNK_MAX_BYTES,
    FENCE_BYTES,
    TRANSACTION_MAX_BYTES,
    Chunk,
    chunked,
    transact_items,
)
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.moves import Step, Unit
from tests.changes import ANA

KEYS: Final = Keys(load_contract())
ITEM: Final = {"PK": {"S": "7"}, "SK": {"S": "#META"}}


def unit_of(aggregate: Aggregate, *, actions: int = 1, size_bytes: int = 100) -> Unit:
    """Actions of one aggregate that belong together."""
    ref = Ref(RowKind.PRODUCT, aggregate.id)
    action = Action(Key("Products", "7", "#META"), ref, (aggregate,), (), {}, ITEM, size_bytes)
    return Unit(Step.PRODUCTS, (action,) * actions, frozenset({aggregate}))


def chunks_of(units: list[Unit]) -> tuple[Chunk, ...]:
    """The transactions of units, every aggregate at version 2."""
    versions = {aggregate: 2 for unit in units for aggregate in unit.aggregates}
    return chunked(units, versions=versions, counts={}, op="x")


def rendered(chunk: Chunk) -> list[Mapping[str, Any]]:
    """A transaction as the service gets it."""
    return cast("list[Mapping[str, Any]]", transact_items(chunk, keys=KEYS, table_name=lambda name: f"p_{name}"))


def test_chunked_keeps_what_fits_together() -> None:
    """Up to a hundred actions, fences counted, are one transaction."""
    (chunk,) = chunks_of([unit_of(ANA) for _ in range(ACTIONS_MAX - 1)])
    assert (1, ACTIONS_MAX - 1) == (len(chunk.fences), len(chunk.actions))
    assert 2 == len(chunks_of([unit_of(ANA) for _ in range(ACTIONS_MAX)]))


def test_chunked_raises_a_fence_once() -> None:
    """Later transactions of an aggregate demand its fence as the first left it."""
    first, second = chunks_of([unit_of(ANA) for _ in range(150)])
    assert ([True], [False]) == ([fence.is_raised for fence in first.fences], [f.is_raised for f in second.fences])


def test_chunked_never_splits_a_unit() -> None:
    """What does not fit beside the rest goes into the next transaction whole."""
    chunks = chunks_of([unit_of(ANA, actions=60), unit_of(ANA, actions=60), unit_of(ANA, actions=30)])
    assert [60, 90] == [len(chunk.actions) for chunk in chunks]


def test_chunked_takes_moderate_pieces_of_what_does_not_fit() -> None:
    """Four heavy units fit one transaction; five take smaller ones."""
    heavy = unit_of(ANA, size_bytes=TRANSACTION_MAX_BYTES // 4 - FENCE_BYTES)
    assert [4] == [len(chunk.actions) for chunk in chunks_of([heavy] * 4)]
    assert [1] * 5 == [len(chunk.actions) for chunk in chunks_of([heavy] * 5)]


def test_chunked_refuses_a_unit_that_fits_no_transaction() -> None:
    """It could not be written at all."""
    with pytest.raises(ValueError, match="100 actions on 1 aggregates fit no transaction"):
        chunks_of([unit_of(ANA, actions=ACTIONS_MAX)])


UNITS = st.lists(
    st.builds(
        unit_of,
        st.integers(1, 30).map(product_aggregate),
        actions=st.integers(0, 8),
        size_bytes=st.integers(1, 400_000),
    ),
    min_size=1,
    max_size=120,
)


@given(UNITS)
def test_chunked_keeps_order_limits_and_fences(units: list[Unit]) -> None:
    """Every action once and in order, under the limits, with the fence of its aggregate, raised at its first."""
    chunks = chunks_of(units)
    assert [action for unit in units for action in unit.actions] == [a for chunk in chunks for a in chunk.actions]
    raised: set[Aggregate] = set()
    for chunk in chunks:
        fences = {fence.aggregate for fence in chunk.fences}
        assert fences >= {aggregate for action in chunk.actions for aggregate in action.aggregates}
        assert len(chunk.fences) + len(chunk.actions) <= ACTIONS_MAX
        assert sum(action.size_bytes for action in chunk.actions) <= TRANSACTION_MAX_BYTES
        assert {fence.aggregate for fence in chunk.fences if fence.is_raised} == fences - raised
        raised |= fences
    assert raised == {aggregate for unit in units for aggregate in unit.aggregates}
    if len(chunks) > 1:
        most = max(sum(action.size_bytes for action in unit.actions) for unit in units)
        assert all(sum(a.size_bytes for a in chunk.actions) <= max(CHUNK_MAX_BYTES, most) for chunk in chunks)


def test_transact_items_spells_out_fences_puts_and_deletes() -> None:
    """Tables have their prefix, every condition shows what it found, and a count is set where there is one."""
    line = Key("Users", "a@x", "CART#7")
    item = {**KEYS.typed(line), "owner": {"S": "user#1"}}
    put = Action(line, Ref(RowKind.CART, 1, 7), (ANA,), (ANA,), {}, item, 100)
    delete = Action(line, Ref(RowKind.CART, 1, 7), (ANA,), (ANA,), {}, None, 100)
    units = [Unit(Step.CHILDREN, (put, delete), frozenset({ANA})), Unit(Step.USERS, (), frozenset({ADMINS}))]
    (chunk,) = chunked(units, versions={ANA: 2, ADMINS: 9}, counts={ANA: 5, ADMINS: 3}, op="x")
    user, admins, putting, deleting = (next(iter(each.items())) for each in rendered(chunk))
    assert ("Update", "p_Fence", {"PK": {"S": "user#1"}}) == (user[0], user[1]["TableName"], user[1]["Key"])
    assert ["v", "op", "orders"] == list(user[1]["ExpressionAttributeNames"].values())
    assert ["v", "op", "n"] == list(admins[1]["ExpressionAttributeNames"].values())
    assert ("Put", "p_Users", item) == (putting[0], putting[1]["TableName"], putting[1]["Item"])
    assert ("Delete", KEYS.typed(line)) == (deleting[0], deleting[1]["Key"])
    assert {"ALL_OLD"} == {each["ReturnValuesOnConditionCheckFailure"] for _, each in (user, admins, putting, deleting)}


def test_transact_items_checks_a_fence_that_was_raised_before() -> None:
    """A condition alone: nothing of the fence is written again."""
    _, second = chunks_of([unit_of(user_aggregate(1)) for _ in range(150)])
    ((kind, check),) = rendered(second)[0].items()
    assert ("ConditionCheck", {"PK": {"S": "user#1"}}) == (kind, check["Key"])
    assert "UpdateExpression" not in check


def test_transact_items_puts_products_without_condition() -> None:
    """Their fence is all."""
    (chunk,) = chunks_of([unit_of(product_aggregate(7))])
    assert {"Put": {"TableName": "p_Products", "Item": ITEM}} == rendered(chunk)[1]
