"""Expression text: what is written of the placeholders, and what they stand for."""

import re
from collections.abc import Mapping
from typing import cast

import pytest

from adapters.dynamodb.expressions import (
    Parameters,
    absent_or_older,
    absent_or_owned,
    holds_fence,
    raise_fence,
    says_owner,
    within,
)


def spelt_out(parameters: Parameters) -> dict[str, str]:
    """The expressions with names and values in the place of their placeholders; each must be used."""
    names = cast("Mapping[str, str]", parameters["ExpressionAttributeNames"])
    values = cast("Mapping[str, Mapping[str, str]]", parameters.get("ExpressionAttributeValues", {}))
    shown = {**names, **{key: repr(next(iter(value.values()))) for key, value in values.items()}}
    texts = {name: cast("str", text) for name, text in parameters.items() if name.endswith("Expression")}
    used = set(re.findall(r"[#:]\w+", " ".join(texts.values())))
    assert shown.keys() == used
    return {name: re.sub(r"[#:]\w+", lambda found: shown[found[0]], text) for name, text in texts.items()}


def test_absent_or_owned_takes_what_is_mine_or_nobodys() -> None:
    """Nothing under the key, or an item of the owner."""
    condition = spelt_out(absent_or_owned("PK", ["user#1"], showing={}))
    assert {"ConditionExpression": "attribute_not_exists(PK) OR owner IN ('user#1')"} == condition


def test_absent_or_owned_looks_at_more_than_the_owner() -> None:
    """Attributes to be shown must agree besides."""
    condition = spelt_out(absent_or_owned("PK", ["tree#1"], showing={"category_id": [{"S": "3"}, {"S": "4"}]}))
    expected = "attribute_not_exists(PK) OR owner IN ('tree#1') AND category_id IN ('3', '4')"
    assert {"ConditionExpression": expected} == condition


@pytest.mark.parametrize(("owners", "groups"), [(100, 1), (101, 2), (250, 3)])
def test_absent_or_owned_takes_any_number_of_owners(owners: int, groups: int) -> None:
    """No more values than one IN allows."""
    text = spelt_out(absent_or_owned("PK", [f"user#{number}" for number in range(owners)], showing={}))
    assert groups == text["ConditionExpression"].count(" IN (")
    assert all(f"'user#{number}'" in text["ConditionExpression"] for number in range(owners))


def test_raise_fence_takes_a_fence_above_its_version() -> None:
    """Version, operation and counts are set where the fence is lower or new."""
    assert {
        "UpdateExpression": "SET v = '7', op = 'x', orders = '3'",
        "ConditionExpression": "attribute_not_exists(v) OR v < '7'",
    } == spelt_out(raise_fence(7, "x", counts={"orders": 3}))
    assert "SET v = '7', op = 'x'" == spelt_out(raise_fence(7, "x", counts={}))["UpdateExpression"]


def test_holds_fence_demands_version_and_operation() -> None:
    """Both, as the first transaction left them."""
    assert {"ConditionExpression": "v = '7' AND op = 'x'"} == spelt_out(holds_fence(7, "x"))


def test_absent_or_older_compares_a_number() -> None:
    """Nothing there, or something smaller."""
    expected = {"ConditionExpression": "attribute_not_exists(epoch) OR epoch < '5'"}
    assert expected == spelt_out(absent_or_older("epoch", 5))


def test_says_owner_compares_the_owner_or_its_absence() -> None:
    """None is an item that names no owner, and needs no values."""
    assert {"ConditionExpression": "owner = 'user#1'"} == spelt_out(says_owner("user#1"))
    assert {"ConditionExpression": "attribute_not_exists(owner)"} == spelt_out(says_owner(None))
    assert "ExpressionAttributeValues" not in says_owner(None)


def test_within_names_a_partition_and_what_its_sort_keys_begin_with() -> None:
    """Without a prefix the whole partition."""
    assert {"KeyConditionExpression": "PK = 'ADMINS'"} == spelt_out(within(("PK", "SK"), "ADMINS", ""))
    expected = {"KeyConditionExpression": "PK = 'a@x' AND begins_with(SK, 'CART#')"}
    assert expected == spelt_out(within(("PK", "SK"), "a@x", "CART#"))
