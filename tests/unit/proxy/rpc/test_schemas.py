"""What `proxy.rpc.schemas` promises: the schemas say of arguments and records just what the proxy takes and gives.

The validator is the one that reckons in decimals: for others 19.99 is no multiple of 0.01.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from jsonschema_rs import Draft202012Validator

from adapters import records
from adapters.errors import InvalidArgument
from adapters.operations import Argument, Operation, catalogue
from proxy.rpc.arguments import ArgumentParser
from proxy.rpc.codec import decode_exactly, encode
from proxy.rpc.schemas import argument_schema, arguments_schema, record_schemas, type_schema

OPERATIONS = catalogue()
TIME = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
TRIED: tuple[object, ...] = (
    *(None, True, False, [], {}, "", "a", "pending", " ", "\0", "\u00ad x", "1"),
    *("x" * length for length in (9, 10, 50, 51, 100, 101, 200, 201, 255, 256, 500, 501, 65_535, 65_536)),
    *(0, 1, -1, 5, 1000, 1001, 2**31 - 1, 2**31, 2**63, 10**30, -(10**30)),
    *(1.0, -0.0, 1001.0, 1e30, 0.01, 0.5, 1.5, 19.99, 99_999_999.99, 9.999, 100_000_000.5, -0.01),
    *({"category_id": 1}, {"category_id": "1"}, {"colour": 1}, {"min_price": -1, "search": None}),
)
"""Values of every kind and at every bound."""

DETAILS = records.ProductDetails(
    id=1,
    seller_id=2,
    category_id=3,
    name="Kettle",
    description=None,
    price=Decimal("19.90"),
    inventory_quantity=4,
    image_url=None,
    created_at=TIME,
    updated_at=None,
    category_name="Kitchen",
    seller_username="ana",
    seller_email="ana@shop.test",
)
CATEGORY = records.Category(id=1, name="Kitchen", parent_id=None, created_at=TIME)
ITEM = records.OrderItemDetails(
    id=1, order_id=2, product_id=1, quantity=1, price_at_time=Decimal("19.90"), product=DETAILS
)
ORDER = records.OrderDetails(
    id=2, user_id=3, total_amount=Decimal("19.90"), status="completed", created_at=TIME, updated_at=TIME, items=[ITEM]
)
ANSWERS: dict[str, object] = {
    "product.get_product_with_details": DETAILS,
    "product.get_products": records.ProductPage(products=[DETAILS], total=1, page=1, limit=20, total_pages=1),
    "category.find_all": [CATEGORY],
    "category.find_by_id": CATEGORY,
    "category.exists_by_id": True,
    "order.get_order_by_id": ORDER,
    "order.get_user_orders": [ORDER],
    "order.get_user_order_count": 3,
    "cart.validate_cart_inventory": records.CartValidation(valid=False, issues=["Kettle: requested 2, but only 1"]),
    "user.find_by_id": None,
}


def arguments() -> Iterator[tuple[Operation, Argument]]:
    """Every argument of every operation."""
    for operation in OPERATIONS.values():
        for argument in operation.arguments:
            yield operation, argument


def is_taken(operation: Operation, argument: Argument, value: object) -> bool:
    """Whether the proxy takes a value for an argument, sent as JSON."""
    try:
        ArgumentParser(operation).parse(decode_exactly(json.dumps({argument.name: value}).encode()))
    except InvalidArgument as error:
        return all(fault.path.partition(".")[0] != argument.name for fault in error.faults)
    return True


@pytest.mark.parametrize(
    ("operation", "argument"),
    [pytest.param(*both, id=f"{both[0].full_name}.{both[1].name}") for both in arguments()],
)
def test_an_arguments_schema_takes_what_the_proxy_takes(operation: Operation, argument: Argument) -> None:
    """Value by value: what the schema allows is no invalid argument, what it forbids is one."""
    validator = Draft202012Validator(argument_schema(argument))
    expected = {repr(value)[:40]: is_taken(operation, argument, value) for value in TRIED}
    assert expected == {repr(value)[:40]: validator.is_valid(value) for value in TRIED}


def test_arguments_schema_knows_all_names_and_which_are_required() -> None:
    """An unknown argument is forbidden, a required one demanded."""
    schema = arguments_schema(OPERATIONS["category.create"].arguments)
    assert ["name", "parent_id"] == list(schema["properties"])
    assert ["name"] == schema["required"]
    assert schema["additionalProperties"] is False
    assert "required" not in arguments_schema(OPERATIONS["category.find_all"].arguments)


def test_argument_schema_tells_defaults() -> None:
    """What is left out has a value that the reader of the document can see."""
    properties = arguments_schema(OPERATIONS["product.get_products"].arguments)["properties"]
    assert [1, 20] == [properties["page"]["default"], properties["limit"]["default"]]
    assert properties["filters"]["properties"]["in_stock_only"]["default"] is False
    assert "default" not in arguments_schema(OPERATIONS["user.update"].arguments)["properties"]["email"]


@pytest.mark.parametrize("operation", ANSWERS)
def test_an_answer_fits_its_schema(operation: str) -> None:
    """What the codec writes is what the document says, in records within records too."""
    answer = OPERATIONS[operation].result
    schema = {**type_schema(answer), "components": {"schemas": record_schemas([answer])}}
    Draft202012Validator(schema, validate_formats=True).validate(json.loads(encode(ANSWERS[operation])))


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "open"), ("total_amount", "19.90"), ("created_at", 5), ("user_id", None), ("colour", "red")],
)
def test_a_record_that_is_none_does_not_fit(field: str, value: object) -> None:
    """A status is one of three, money a number, a time a text, an id never null, and there are no other fields."""
    schema = {**type_schema(records.OrderDetails), "components": {"schemas": record_schemas([records.OrderDetails])}}
    order = json.loads(encode(ORDER))
    assert Draft202012Validator(schema).is_valid(order)
    assert not Draft202012Validator(schema).is_valid({**order, field: value})


def test_every_field_of_a_record_is_required() -> None:
    """Unset is null, never absent."""
    schemas = record_schemas(operation.result for operation in OPERATIONS.values())
    for schema in schemas.values():
        assert list(schema["properties"]) == schema["required"]


def test_record_schemas_finds_all_records_of_the_catalogue() -> None:
    """Those within lists, options and other records included, each once."""
    expected = ["CartItem", "CartItemDetails", "CartValidation", "Category", "Order", "OrderDetails", "OrderItem"]
    expected += ["OrderItemDetails", "Product", "ProductDetails", "ProductPage", "User"]
    assert expected == list(record_schemas(operation.result for operation in OPERATIONS.values()))
