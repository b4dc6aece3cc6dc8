"""What `proxy.admin.fields` promises: every fault at once, and only values of the declared type."""

from typing import Any, Final

import pytest
from jsonschema_rs import Draft202012Validator

from adapters.errors import InvalidArgument
from proxy.admin.fields import Field, Place, boolean, choice, choices, mapping, read_fields, text, whole

FIELDS = (
    text("reason", maximum=5),
    whole("phase", 1, 5, is_required=True),
    whole("limit", 1, 10, place=Place.QUERY),
    boolean("force"),
    choice("mode", ("full",)),
    choices("entities", ("user", "cart")),
)


def body(**values: object) -> dict[Place, dict[str, object]]:
    """Values of a body."""
    return {Place.BODY: values}


def test_read_fields_gives_what_was_given() -> None:
    """By name; a number of a query is a text there."""
    given = body(phase=3, entities=["cart", "cart"])
    given[Place.QUERY] = {"limit": "7"}
    assert {"phase": 3, "limit": 7, "entities": ["cart"]} == read_fields(FIELDS, given)


def test_read_fields_names_all_faults() -> None:
    """The wrong, the missing and the unknown; a field of the query is none of the body; no value is told."""
    with pytest.raises(InvalidArgument) as caught:
        read_fields(FIELDS, body(reason="hunter2", limit=7, why=1))
    assert ["limit", "phase", "reason", "why"] == sorted(fault.path for fault in caught.value.faults)
    assert "hunter2" not in str(caught.value)


WRONG: Final[list[tuple[Any, ...]]] = [
    (text("x", maximum=3), "four", 1, None),
    (whole("x", 1, 5), 0, 6, True, 1.5, "3", None, 10**400),
    (boolean("x"), 0, "true", None),
    (choice("x", ("a",)), "b", 1, None),
    (choices("x", ("a",)), [], ["b"], "a", [["a"]], None),
    (mapping("x", {"a": {}}), {}, [], None),
]


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, *values in WRONG for value in values])
def test_a_field_refuses_what_its_schema_refuses(field: Field, value: object) -> None:
    """The description and the check are one."""
    assert not Draft202012Validator(field.schema).is_valid(value)
    with pytest.raises(InvalidArgument):
        read_fields([field], body(x=value))


@pytest.mark.parametrize("given", ["", "x", "-1", "1.0", "١٢", "9" * 30, " 3"])
def test_a_number_of_a_path_is_decimal_digits(given: str) -> None:
    """Whatever else a URL can hold is refused, and not an error of the proxy."""
    field = whole("id", 10, 20, place=Place.PATH, is_required=True)
    with pytest.raises(InvalidArgument):
        read_fields([field], {Place.PATH: {"id": given}})
