"""Label values: bounded, and complete."""

from adapters.errors import CrossfadeError
from adapters.operations import catalogue
from proxy.metrics.labels import CODES, compared_attributes


def test_codes_are_those_of_the_wire() -> None:
    """Every error class has its code among the labels, with `ok` and `internal`."""
    assert {"ok", "internal", *(error.code for error in CrossfadeError.__subclasses__())} == set(CODES)


def test_compared_attributes_reach_into_records_of_records() -> None:
    """An order's items and their products are compared too; plain answers have no attribute of their own."""
    attributes = compared_attributes(catalogue())
    assert {"status", "items", "price_at_time", "seller_email", "record", "other"} <= set(attributes["order"])
    assert "password_hash" not in attributes["order"]
