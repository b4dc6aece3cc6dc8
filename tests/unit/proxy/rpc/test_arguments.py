"""What `proxy.rpc.arguments` promises: a body becomes checked arguments, or every fault in it is named."""

from decimal import Decimal

import pytest

from adapters.errors import Fault, InvalidArgument
from adapters.operations import Operation, catalogue
from adapters.values import NO_RECORD, UNSET, ProductFilters
from proxy.rpc.arguments import WHOLE_NUMBER_MAX, ArgumentParser

OPERATIONS = catalogue()
HUGE = 10**400


def parse(operation: str, /, **body: object) -> dict[str, object] | None:
    """The arguments read from a body."""
    return ArgumentParser(OPERATIONS[operation]).parse(body)


def value(operation: str, name: str, given: object, /, **others: object) -> object:
    """One argument read from a body, which has others too."""
    arguments = parse(operation, **{**others, name: given})
    assert arguments is not None
    return arguments[name]


def faults(operation: str, /, **body: object) -> list[Fault]:
    """What is wrong with a body."""
    with pytest.raises(InvalidArgument) as caught:
        parse(operation, **body)
    return list(caught.value.faults)


def user(**given: object) -> dict[str, object]:
    """A body for user.create."""
    return {"username": "ana", "email": "ana@shop.test", "password_hash": "x", **given}


def product(**given: object) -> dict[str, object]:
    """A body for product.create_product."""
    valid = {"seller_id": 1, "name": "Kettle", "category_id": 1, "price": 9.5, "inventory_quantity": 3}
    return {**valid, **given}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_parse_names_every_required_argument_at_once(operation: Operation) -> None:
    """A call without arguments is told all that it lacks, and taken where it lacks none."""
    required = [argument.name for argument in operation.arguments if argument.is_required]
    if required:
        assert [Fault(name, "is required") for name in required] == faults(operation.full_name)
    else:
        assert {argument.name: argument.default for argument in operation.arguments} == parse(operation.full_name)


def test_parse_fills_in_defaults() -> None:
    """What is not given has its default, which for an update is UNSET."""
    expected = {"username": "ana", "email": "a@b", "password_hash": "x", "first_name": "", "last_name": ""}
    assert expected == parse("user.create", username="ana", email="a@b", password_hash="x")
    assert {"id": 7, "name": UNSET, "parent_id": UNSET} == parse("category.update", id=7)
    assert {"filters": ProductFilters(), "page": 1, "limit": 20} == parse("product.get_products")


def test_parse_names_all_faults_in_the_order_of_the_body_and_the_missing_last() -> None:
    """One answer names unknown, wrong and missing arguments alike."""
    expected = [
        Fault("colour", "is no argument of user.create"),
        Fault("email", "must be a string"),
        Fault("username", "is required"),
        Fault("password_hash", "is required"),
    ]
    assert expected == faults("user.create", colour="red", email=5)


def test_parse_tells_names_and_no_values() -> None:
    """Neither the faults nor the sentence hold what was given."""
    body = user(username="s3cret" * 20, password_hash=["s3cret"], first_name={"s3cret": 1}, unknown="s3cret")
    with pytest.raises(InvalidArgument) as caught:
        parse("user.create", **body)
    assert "s3cret" not in f"{caught.value} {caught.value.faults}"
    assert "username must have at most 50 characters" in str(caught.value)


def test_parse_tells_five_faults_in_its_sentence() -> None:
    """The sentence stays short however many arguments are wrong; the list has them all."""
    body = {f"x{number}": 1 for number in range(9)}
    with pytest.raises(InvalidArgument, match=r"x4 .*; and 4 more$") as caught:
        parse("category.find_all", **body)
    assert list(body) == [fault.path for fault in caught.value.faults]


@pytest.mark.parametrize("given", [1, 42, 2**31 - 1])
def test_an_identifier_is_taken_as_it_is(given: int) -> None:
    """Ids of the columns' range pass."""
    assert given == value("user.find_by_id", "id", given)


@pytest.mark.parametrize("given", [0, -1, 2**31, 2**63, 2**64, -(2**64), HUGE, -HUGE])
def test_an_identifier_outside_the_columns_range_names_no_record(given: int) -> None:
    """Any other integer is no fault: it is the id of nothing."""
    assert value("user.find_by_id", "id", given) == NO_RECORD


@pytest.mark.parametrize(("given", "expected"), [(1.0, 1), (59e0, 59), (-0.0, NO_RECORD), (1e30, NO_RECORD)])
def test_an_integer_may_be_written_with_an_empty_fraction(given: float, expected: int) -> None:
    """What counts is the number, as in JSON Schema, not how its writer put it."""
    read = value("user.find_by_id", "id", given)
    assert (expected, int) == (read, type(read))


@pytest.mark.parametrize("given", [1.5, 1e-9, True, False, "1", None, [1], {"id": 1}])
def test_an_identifier_is_an_integer(given: object) -> None:
    """A number with a fraction is none, nor is a boolean; null is taken only where a type takes it."""
    assert [Fault("id", "must be an integer")] == faults("user.find_by_id", id=given)


def test_null_is_taken_where_the_type_takes_it() -> None:
    """Names, descriptions, images, parents and single filters may be null, and nothing else."""
    assert value("category.find_by_parent_id", "parent_id", None) is None
    assert value("category.update", "parent_id", None, id=1) is None
    assert value("user.update", "first_name", None, id=1) is None
    assert value("product.get_products", "filters", {"category_id": None, "search": None}) == ProductFilters()
    assert [Fault("email", "must be a string")] == faults("user.update", id=1, email=None)
    assert [Fault("filters", "must be an object")] == faults("product.get_products", filters=None)
    assert [Fault("filters.in_stock_only", "must be true or false")] == faults(
        "product.get_products", filters={"in_stock_only": None}
    )


@pytest.mark.parametrize(
    ("message", "limit"),
    [("must be at least 1", 0), ("must be at least 1", -HUGE), ("must be at most 1000", 1001), ("an integer", 5.5)],
)
def test_a_whole_number_keeps_its_bounds(message: str, limit: object) -> None:
    """Both bounds belong to the range, and what is wrong is said."""
    (fault,) = faults("product.get_products", limit=limit)
    assert fault.path == "limit"
    assert fault.message.endswith(message)
    assert value("product.get_products", "limit", 1000) == 1000
    assert value("product.get_products", "limit", 1) == 1


def test_a_whole_number_without_an_upper_bound_stays_within_64_bits() -> None:
    """A page or an offset of any size is past the end, not a fault."""
    assert value("product.get_products", "page", 2**40) == 2**40
    assert value("product.get_products", "page", HUGE) == WHOLE_NUMBER_MAX
    assert value("order.get_user_orders", "offset", 0, user_id=1) == 0


@pytest.mark.parametrize("given", ["a", "x" * 50, "\N{GRINNING FACE}" * 50, "a\0b", " ", "  ana  "])
def test_a_text_is_taken_as_it_is(given: str) -> None:
    """Lengths are counted in code points, and nothing is trimmed."""
    assert value("user.create", "username", given, email="a@b", password_hash="x") == given


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("must not be empty", ""),
        ("must have at most 50 characters", "x" * 51),
        ("must have at most 50 characters", "\N{GRINNING FACE}" * 51),
        ("must have a character that counts when texts are compared", "\0"),
        ("must have a character that counts when texts are compared", "\N{COMBINING ACUTE ACCENT}\N{SOFT HYPHEN}"),
        ("must be a string", 5),
        ("must be a string", None),
        ("must be a string", ["ana"]),
    ],
)
def test_a_text_keeps_its_lengths_and_has_a_key(message: str, given: object) -> None:
    """A name that becomes a key is neither empty nor too long, nor equal to the empty text."""
    assert [Fault("username", message)] == faults("user.create", **user(username=given))


def test_a_text_may_be_limited_in_bytes() -> None:
    """A description is as long as its column has bytes; of two-byte characters half as many."""
    longest = "x" * 65_535
    assert longest == value("product.create_product", "description", longest, **product())
    (fault,) = faults("product.create_product", **product(description="\u00e9" * 32_768))
    assert Fault("description", "must have at most 65535 bytes of UTF-8") == fault


@pytest.mark.parametrize(
    ("operation", "name", "maximum"),
    [
        ("user.find_by_username", "username", 50),
        ("user.exists_by_email", "email", 100),
        ("category.exists_by_name", "name", 100),
        ("order.get_orders_by_status", "status", 9),
    ],
)
def test_a_text_longer_than_its_column_can_match_no_record(operation: str, name: str, maximum: int) -> None:
    """A lookup that no row can satisfy is known as such; one that might, "" included, is passed on."""
    assert parse(operation, **{name: "x" * (maximum + 1)}) is None
    assert value(operation, name, "x" * maximum) == "x" * maximum
    assert value(operation, name, "") == ""
    assert [Fault(name, "must be a string")] == faults(operation, **{name: 5})


def test_a_fault_outweighs_a_text_that_matches_nothing() -> None:
    """A wrong call is told so, whatever else it looks for."""
    assert [Fault("limit", "must be at least 1")] == faults("order.get_orders_by_status", status="x" * 10, limit=0)


def test_a_choice_is_one_of_its_values() -> None:
    """An order's status is one of three, spelled exactly."""
    assert value("order.update_order_status", "status", "completed", order_id=1) == "completed"
    message = "must be one of pending, completed, cancelled"
    assert [Fault("status", message)] == faults("order.update_order_status", order_id=1, status="Completed")
    assert [Fault("status", "must be a string")] == faults("order.update_order_status", order_id=1, status=1)


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("0.01", 0.01),
        ("19.99", 19.99),
        ("99999999.99", 99999999.99),
        ("5.00", 5),
        ("0.10", 0.1),
        ("10.00", 10.000001),
        ("10.01", 10.009999999),
        ("12345678.90", 12345678.9),
    ],
)
def test_money_has_two_places_exactly(expected: str, given: float) -> None:
    """A number within a millionth of two places becomes the decimal that was meant."""
    assert expected == str(value("product.create_product", "price", given, **product()))


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("must be above 0", 0),
        ("must be above 0", -0.0),
        ("must be above 0", 1e-7),
        ("must be above 0", 5e-324),
        ("must be at least 0", -0.01),
        ("must be at least 0", -1e308),
        ("must be at most 99999999.99", 100_000_000),
        ("must be at most 99999999.99", 99999999.991),
        ("must be at most 99999999.99", 1e308),
        ("must be at most 99999999.99", HUGE),
        ("must have at most two decimal places", 9.999),
        ("must have at most two decimal places", 10.000002),
        ("must be a number", "9.99"),
        ("must be a number", True),
        ("must be a number", None),
    ],
)
def test_a_price_that_its_column_cannot_hold_exactly_is_refused(message: str, given: object) -> None:
    """Zero, negatives, too much, a third place and other types are faults."""
    assert [Fault("price", message)] == faults("product.create_product", **product(price=given))


@pytest.mark.parametrize("given", [0, 0.0, -0.0, 1e-9])
def test_an_amount_may_be_zero(given: float) -> None:
    """A total of zero is one, without a sign."""
    assert str(value("order.create_order", "total_amount", given, user_id=1)) == "0.00"


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("0", 0),
        ("0", -0.0),
        ("5", 5),
        ("9.99", 9.99),
        ("9.995", 9.999),
        ("9.995", 9.991),
        ("0.005", 1e-300),
        ("99999999.99", 99999999.99),
        ("99999999.995", 99999999.999),
        ("100000000.99", 1e300),
        ("100000000.99", HUGE),
    ],
)
def test_a_bound_compares_with_prices_as_the_number_given_does(expected: str, given: float) -> None:
    """A bound between two cents, or beyond all prices, becomes a short decimal in the same place among them."""
    filters = value("product.get_products", "filters", {"min_price": given})
    assert isinstance(filters, ProductFilters)
    assert filters.min_price is not None
    assert Decimal(expected) == filters.min_price
    assert not filters.min_price.is_signed()


@pytest.mark.parametrize(("message", "given"), [("at least 0", -0.01), ("a number", "5"), ("a number", False)])
def test_a_bound_is_a_number_that_is_not_negative(message: str, given: object) -> None:
    """Anything else is a fault, named by its path."""
    (fault,) = faults("product.get_products", filters={"max_price": given})
    assert fault.path == "filters.max_price"
    assert fault.message.endswith(message)


def test_a_nested_argument_is_checked_like_the_others() -> None:
    """All faults of the filters are named with their path, together with those beside them."""
    expected = [
        Fault("filters.category_id", "must be an integer"),
        Fault("filters.colour", "is no argument of ProductFilters"),
        Fault("page", "must be at least 1"),
    ]
    assert expected == faults("product.get_products", filters={"category_id": "1", "colour": 2}, page=0)


def test_filters_are_read_into_their_record() -> None:
    """What is given is set, ids beyond the range name nothing, all else is no filter."""
    given = {"category_id": 3, "seller_id": HUGE, "search": "100%", "in_stock_only": True, "max_price": 10}
    expected = ProductFilters(
        category_id=3, seller_id=NO_RECORD, search="100%", in_stock_only=True, max_price=Decimal(10)
    )
    assert expected == value("product.get_products", "filters", given)


@pytest.mark.parametrize("given", ["", [], 1, True])
def test_filters_are_an_object(given: object) -> None:
    """Anything else is a fault of the argument itself."""
    assert [Fault("filters", "must be an object")] == faults("product.get_products", filters=given)
