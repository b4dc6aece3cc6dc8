"""Value types of the operations: what an argument may be, stated once, as annotations.

The annotations are data: `adapters.operations` reads them off the ports, `proxy.rpc.arguments` checks by them and
`/openapi.json` is written from them. Ranges bind arguments, never stored rows.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Final

INT_MAX: Final = 2**31 - 1
"""The largest value of a MySQL INT, so of every id, quantity and inventory."""
MONEY_MAX: Final = Decimal("99999999.99")
"""The largest value of DECIMAL(10,2)."""
NO_RECORD: Final = 0
"""The id that names no record: ids outside 1..INT_MAX are read as this one."""


class Unset(Enum):
    """The type of UNSET, an enum so that type checkers can narrow `is UNSET`."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
"""An optional argument that was not given; None means "set to nothing"."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """An id. Any integer is one; those outside 1..INT_MAX name no record and become NO_RECORD."""


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """An integer between two bounds, both included; `maximum` None is no upper bound."""

    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Text:
    """A string of `minimum` to `maximum` characters, of at most `maximum_bytes` bytes of UTF-8 where that is given.

    `has_key` asks for a key form that is not empty: the value becomes (part of) a key.
    """

    maximum: int
    minimum: int = 0
    maximum_bytes: int | None = None
    has_key: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A string looked up in a column of `maximum` characters; a longer one names no record."""

    maximum: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few strings."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """A decimal number of at least `minimum` (above it when `is_exclusive`).

    With a `maximum` it is money: at most that, and within 1e-6 of two places, to which it is rounded.
    """

    minimum: Decimal
    maximum: Decimal | None
    is_exclusive: bool = False


Check = Identifier | WholeNumber | Text | Lookup | Choice | Amount

Id = Annotated[int, Identifier()]
Page = Annotated[int, WholeNumber(1, None)]
Limit = Annotated[int, WholeNumber(1, 1000)]
Offset = Annotated[int, WholeNumber(0, None)]
Quantity = Annotated[int, WholeNumber(1, INT_MAX)]
QuantityOrZero = Annotated[int, WholeNumber(0, INT_MAX)]
Price = Annotated[Decimal, Amount(Decimal(0), MONEY_MAX, is_exclusive=True)]
Money = Annotated[Decimal, Amount(Decimal(0), MONEY_MAX)]
PriceBound = Annotated[Decimal, Amount(Decimal(0), None)]
Username = Annotated[str, Text(50, minimum=1, has_key=True)]
Email = Annotated[str, Text(100, minimum=1, has_key=True)]
PasswordHash = Annotated[str, Text(255, minimum=1)]
PersonName = Annotated[str, Text(50)]
ProductName = Annotated[str, Text(200, minimum=1)]
CategoryName = Annotated[str, Text(100, minimum=1, has_key=True)]
Description = Annotated[str, Text(65_535, maximum_bytes=65_535)]
ImageUrl = Annotated[str, Text(500)]
SearchTerm = Annotated[str, Text(65_535)]
UsernameLookup = Annotated[str, Lookup(50)]
EmailLookup = Annotated[str, Lookup(100)]
CategoryNameLookup = Annotated[str, Lookup(100)]
StatusLookup = Annotated[str, Lookup(9)]
OrderStatus = Annotated[str, Choice(("pending", "completed", "cancelled"))]


@dataclass(frozen=True, slots=True)
class ProductFilters:
    """The filters of `product.get_products`; None is no filter.

    `category_id` takes in the direct subcategories; `search` is a substring of name or description as LIKE sees it,
    empty is no filter.
    """

    category_id: Id | None = None
    seller_id: Id | None = None
    search: SearchTerm | None = None
    min_price: PriceBound | None = None
    max_price: PriceBound | None = None
    in_stock_only: bool = False


_TIME_CHARACTERS: Final = 20
_TIME_MARKS: Final = ("-", "-", "T", ":", ":", "Z")


def format_time(value: datetime) -> str:
    """The wire and item form of a time: ISO 8601 in UTC, to the second, `2026-01-31T09:15:00Z`."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The time that `format_time` wrote, in UTC.

    Raises ValueError for any other form.
    """
    # Several times quicker than strptime; the marks keep out the other forms of ISO 8601.
    if len(text) != _TIME_CHARACTERS or (text[4], text[7], text[10], text[13], text[16], text[19]) != _TIME_MARKS:
        raise ValueError(f"{text!r} is no time of the form 2026-01-31T09:15:00Z")
    return datetime.fromisoformat(text)


def parse_optional_time(text: str | None) -> datetime | None:
    """Like `parse_time`; None stays None."""
    return None if text is None else parse_time(text)
