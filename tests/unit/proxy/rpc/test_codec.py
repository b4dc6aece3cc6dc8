"""What `proxy.rpc.codec` promises: strict JSON in, records with all their fields out."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import pytest

from adapters.errors import Fault, InvalidArgument
from adapters.records import Order, ProductDetails, ProductPage
from adapters.values import OrderStatus
from proxy.rpc.codec import decode, decode_exactly, encode, may_have_wide_numbers

BOTH = pytest.mark.parametrize("read", [decode, decode_exactly])
TIME = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)

Read = Callable[[bytes], dict[str, object]]


def details(number: int) -> ProductDetails:
    """A product as pages show it."""
    return ProductDetails(
        id=number,
        seller_id=2,
        category_id=3,
        name=f"Kettle {number}",
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


@BOTH
def test_decode_gives_the_object(read: Read) -> None:
    """Names, nesting, types and Unicode come through."""
    body = '{"a": [1, -2.5, true, null], "b": {"c": "\\u00e9é😀\\u0000"}}'.encode()
    assert {"a": [1, -2.5, True, None], "b": {"c": "éé😀\0"}} == read(body)


def test_decode_takes_an_empty_body_for_an_empty_object() -> None:
    """A call without arguments needs no body."""
    assert {} == decode(b"")


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"  ",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1} x',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": 01}',
        b"[" * 200_000,
        '{"a": 1}'.encode("utf-16"),
    ],
    ids=repr,
)
def test_decode_refuses_what_is_not_json(read: Read, body: bytes) -> None:
    """Neither reader takes more than the standard does; a lone surrogate is no text."""
    with pytest.raises(InvalidArgument, match="must be JSON") as caught:
        read(body)
    assert ["body"] == [fault.path for fault in caught.value.faults]


@BOTH
@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"true"])
def test_decode_refuses_what_is_not_an_object(read: Read, body: bytes) -> None:
    """Arguments have names."""
    with pytest.raises(InvalidArgument) as caught:
        read(body)
    assert [Fault("body", "must be a JSON object of named arguments")] == list(caught.value.faults)


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "1" + "0" * 60, "1e400", "-1E+400"])
def test_wide_numbers_are_noticed(text: str) -> None:
    """A body with a number that the fast reader may get wrong is known by its digits."""
    assert may_have_wide_numbers(f'{{"id": {text}}}'.encode())
    assert not may_have_wide_numbers(b'{"id": 922337203685477580, "price": 1.5e10}')


def test_decode_exactly_keeps_integers_of_any_size() -> None:
    """An integer stays one, to the digit up to 400 digits, by its sign beyond."""
    body = f'{{"a": {2**64 + 1}, "b": -{10**300}, "c": {"9" * 5000}, "d": -{"9" * 5000}}}'.encode()
    assert {"a": 2**64 + 1, "b": -(10**300), "c": 10**400, "d": -(10**400)} == decode_exactly(body)


def test_decode_exactly_keeps_floats_finite() -> None:
    """A float beyond the largest double is that one: there is no infinity on the wire."""
    largest = 1.7976931348623157e308
    assert {"a": largest, "b": -largest, "c": 1.5} == decode_exactly(b'{"a": 1e400, "b": -1e400, "c": 1.5}')


def test_encode_writes_all_fields_of_a_record() -> None:
    """Unset is null, money has two places, times end in Z, nested records are objects."""
    page = ProductPage(products=[details(7)], total=1, page=1, limit=20, total_pages=1)
    expected = (
        b'{"result":{"products":[{"id":7,"seller_id":2,"category_id":3,"name":"Kettle 7","description":null,'
        b'"price":19.90,"inventory_quantity":4,"image_url":null,"created_at":"2026-01-31T09:15:00Z",'
        b'"updated_at":null,"category_name":"Kitchen","seller_username":"ana","seller_email":"ana@shop.test"}],'
        b'"total":1,"page":1,"limit":20,"total_pages":1}}'
    )
    assert expected == encode({"result": page})


@pytest.mark.parametrize(
    ("expected", "amount"),
    [
        (b"0.00", Decimal(0)),
        (b"0.01", Decimal("0.01")),
        (b"99999999.99", Decimal("99999999.99")),
        (b"100.00", Decimal("1E+2")),
        (b"5.00", Decimal(5)),
    ],
)
def test_encode_writes_money_with_two_places_and_no_exponent(expected: bytes, amount: Decimal) -> None:
    """However the decimal came about."""
    assert expected == encode(amount)


def test_encode_writes_times_to_the_second() -> None:
    """A fraction of a second, which no column holds, is not invented."""
    status: OrderStatus = "pending"
    order = Order(1, 2, Decimal("3.00"), status, TIME.replace(microsecond=999_999), None)
    assert b'"created_at":"2026-01-31T09:15:00Z"' in encode(order)


@pytest.mark.parametrize(("expected", "value"), [(b"null", None), (b"[]", []), (b"false", False), (b"0", 0)])
def test_encode_writes_plain_answers(expected: bytes, value: object) -> None:
    """Not every answer is a record."""
    assert expected == encode(value)


def test_encode_writes_read_only_mappings() -> None:
    """A report may be made of them."""
    assert b'{"a":1.50}' == encode(MappingProxyType({"a": Decimal("1.5")}))


def test_encode_refuses_what_has_no_form_on_the_wire() -> None:
    """Rather than write something that nobody can read."""
    with pytest.raises(TypeError):
        encode({"result": object()})
