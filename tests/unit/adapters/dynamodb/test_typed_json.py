"""Typed JSON: writing, reading and weighing values."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dynamodb.typed_json import (
    Attributes,
    AttributeValue,
    item_size_bytes,
    number_value,
    optional_texts,
    read_flag,
    read_money,
    read_optional_id,
    read_optional_text,
    read_text,
    read_time,
    text_value,
)
from tests.images import CREATED


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (2**31 - 1, "2147483647"),
        (Decimal("0.00"), "0"),
        (Decimal("0.01"), "0.01"),
        (Decimal("12.50"), "12.5"),
        (Decimal("100.00"), "100"),
        (Decimal("99999999.99"), "99999999.99"),
        (Decimal("1E+7"), "10000000"),
    ],
)
def test_number_value_is_as_dynamodb_gives_it_back(number: int | Decimal, text: str) -> None:
    """No exponent and no trailing zeros, so that an item equals the one read."""
    assert {"N": text} == number_value(number)


@given(cents=st.integers(0, 99_999_999_99))
def test_money_survives(cents: int) -> None:
    """Every amount that the columns hold comes back with its two places."""
    amount = Decimal(cents).scaleb(-2)
    read = read_money({"price": number_value(amount)}, "price")
    assert str(amount.quantize(Decimal("0.01"))) == str(read)


def test_text_value_writes_ids_and_times_as_text() -> None:
    """Ids are decimal strings, times as on the wire, empty text stays."""
    assert {"S": "7"} == text_value(7)
    assert {"S": "2026-01-31T09:15:00Z"} == text_value(CREATED)
    assert {"S": ""} == text_value("")


def test_absent_reads_as_nothing() -> None:
    """A NULL is an absent attribute, a missing boolean false; an empty string is neither."""
    assert read_optional_text({}, "name") is None
    assert "" == read_optional_text({"name": {"S": ""}}, "name")
    assert read_optional_id({}, "parent_id") is None
    assert read_time({}, "created_at") is None
    assert not read_flag({}, "super_admin")
    assert {"b": {"S": ""}} == optional_texts({"a": None, "b": ""})


def test_read_text_refuses_an_item_without_it() -> None:
    """An item that lacks what every row has is no row."""
    with pytest.raises(KeyError):
        read_text({}, "email")


@pytest.mark.parametrize(
    ("value", "size_bytes"),
    [
        ({"S": ""}, 0),
        ({"S": "é😀"}, 6),
        ({"BOOL": True}, 1),
        ({"M": {}}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 2 + 3),
        ({"M": {"ab": {"S": "c"}}}, 3 + 1 + 2 + 1),
        ({"SS": ["1", "22"]}, 3 + 2 + 3),
    ],
)
def test_item_size_bytes_follows_the_documented_rules(value: AttributeValue, size_bytes: int) -> None:
    """Each type weighs what the service says, and the name its UTF-8."""
    assert len("naïf".encode()) + size_bytes == item_size_bytes({"naïf": value})


@pytest.mark.parametrize(("text", "least_bytes"), [("0", 2), ("7", 2), ("123.45", 4), ("99999999.99", 6), ("-1", 3)])
def test_item_size_bytes_never_takes_a_number_for_lighter(text: str, least_bytes: int) -> None:
    """A byte for two digits, wherever the point stands, and one more; at most one too many."""
    attributes: Attributes = {"n": {"N": text}}
    assert item_size_bytes(attributes) - 1 in (least_bytes, least_bytes + 1)


def test_item_size_bytes_refuses_what_no_item_holds() -> None:
    """A value of a type that is never written is a mistake of the caller."""
    with pytest.raises(ValueError, match="type B"):
        item_size_bytes({"data": {"B": "AA=="}})
