"""Differences of items, attribute by attribute."""

import pytest

from adapters.dynamodb.differences import AttributeDifference, attribute_differences
from adapters.dynamodb.typed_json import Attributes, AttributeValue
from adapters.ports.sweep import DifferenceKind

MISSING, EXTRA, DIFFERS = DifferenceKind.MISSING, DifferenceKind.EXTRA, DifferenceKind.DIFFERS


def found(expected: Attributes, item: Attributes) -> list[tuple[str, DifferenceKind, str | None, str | None]]:
    """The differences, spelt out."""
    return [(d.path, d.kind, d.source, d.target) for d in attribute_differences(expected, item)]


def test_equal_items_have_no_differences() -> None:
    """Types and values are the same, however deep."""
    item: Attributes = {"a": {"S": "x"}, "m": {"M": {"n": {"L": [{"N": "1"}, {"BOOL": False}]}}}}
    assert [] == found(item, dict(item))


@pytest.mark.parametrize(
    ("expected", "item", "shown"),
    [
        ({"S": "a"}, {"S": "b"}, ('"a"', '"b"')),
        ({"N": "1"}, {"N": "2"}, ("1", "2")),
        ({"N": "1"}, {"S": "1"}, ("1", '"1"')),
        ({"BOOL": True}, {"BOOL": False}, ("true", "false")),
        ({"S": ""}, {"NULL": True}, ('""', '{"NULL": true}')),
        ({"M": {"a": {"S": "ü"}}}, {"L": [{"N": "1"}, {"S": "x"}]}, ('{"a": "ü"}', '[1, "x"]')),
        ({"SS": ["a"]}, {"SS": ["b"]}, ('{"SS": ["a"]}', '{"SS": ["b"]}')),
    ],
)
def test_values_are_shown_as_json(expected: AttributeValue, item: AttributeValue, shown: tuple[str, str]) -> None:
    """A report tells a number from a string of digits; what JSON does not have is shown with its type."""
    assert [("v", DIFFERS, *shown)] == found({"v": expected}, {"v": item})


def test_absent_attributes_are_missing_or_extra() -> None:
    """By name, in the order of the alphabet."""
    expected: Attributes = {"b": {"S": "x"}, "c": {"S": "same"}}
    assert [("a", EXTRA, None, "1"), ("b", MISSING, '"x"', None)] == found(
        expected, {"a": {"N": "1"}, "c": {"S": "same"}}
    )


def test_maps_and_lists_are_entered() -> None:
    """The path leads to the place that differs."""
    expected: Attributes = {"m": {"M": {"a": {"S": "1"}, "b": {"S": "2"}}}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}
    item: Attributes = {
        "m": {"M": {"b": {"S": "3"}, "c": {"S": "4"}}},
        "l": {"L": [{"N": "1"}, {"N": "9"}, {"N": "3"}]},
    }
    assert [
        ("l[1]", DIFFERS, "2", "9"),
        ("l[2]", EXTRA, None, "3"),
        ("m.a", MISSING, '"1"', None),
        ("m.b", DIFFERS, '"2"', '"3"'),
        ("m.c", EXTRA, None, '"4"'),
    ] == found(expected, item)


def test_ignored_attributes_are_not_compared() -> None:
    """Whether they are there or not."""
    expected: Attributes = {"a": {"S": "x"}, "b": {"S": "x"}}
    assert [] == list(attribute_differences(expected, {"b": {"S": "y"}}, ignored={"a", "b"}))


def test_secrets_are_masked_where_there_is_one() -> None:
    """A hash is not shown, that there is none is."""
    (difference,) = attribute_differences({"password_hash": {"S": "a"}}, {"password_hash": {"S": "b"}})
    assert AttributeDifference("password_hash", DIFFERS, "***", "***") == difference
    (difference,) = attribute_differences({"password_hash": {"S": "a"}}, {})
    assert AttributeDifference("password_hash", MISSING, "***", None) == difference
    (difference,) = attribute_differences({"m": {"M": {"password_hash": {"S": "a"}}}}, {"m": {"M": {}}})
    assert "***" == difference.source


def test_long_values_are_cut() -> None:
    """A report of many differences stays readable."""
    (difference,) = attribute_differences({"a": {"S": "x" * 1000}}, {"a": {"S": "y"}})
    assert f'"{"x" * 199}...' == difference.source
