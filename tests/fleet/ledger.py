"""What a client was told about its writes, and whether the shop's rows agree."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from tests.fleet.estate import Estate

K = TypeVar("K")


class Told(StrEnum):
    """What became of a write, in the client's eyes. A cut connection tells nothing: UNKNOWN."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Tally:
    """How often something was counted up."""

    applied: int = 0
    unknown: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.applied + other.applied, self.unknown + other.unknown)

    def note(self, told: Told) -> None:
        """One more."""
        self.applied += told is Told.APPLIED
        self.unknown += told is Told.UNKNOWN

    def allows(self, count: int) -> bool:
        """Whether that many may have been done."""
        return self.applied <= count <= self.applied + self.unknown


@dataclass(slots=True)
class Value:
    """A value that one client alone sets: the last one that it was told of, and those of which it can tell nothing."""

    possible: set[str]

    def note(self, value: str, told: Told) -> None:
        """The client tried to set it."""
        if told is Told.APPLIED:
            self.possible = {value}
        elif told is Told.UNKNOWN:
            self.possible.add(value)


@dataclass(slots=True)
class Ledger:
    """One client's."""

    user_id: int
    email: Value
    name: Value
    users: dict[str, Told] = field(default_factory=dict)
    orders: dict[Decimal, Told] = field(default_factory=dict)
    user_ids: list[int] = field(default_factory=list)
    order_ids: list[int] = field(default_factory=list)
    lines: Tally = field(default_factory=Tally)
    taken: Tally = field(default_factory=Tally)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stock:
    """The product that all clients put into their carts and take from the stock of, and its stock at the start."""

    product_id: int
    quantity: int


async def check(estate: Estate, ledgers: list[Ledger], stock: Stock | None = None) -> None:
    """Hold what clients were told against the rows.

    Every write told to be applied is there, none told not to be is, ids are unique, and no other answer was given.
    """
    assert [] == [surprise for ledger in ledgers for surprise in ledger.surprises]
    users = {row[0]: row[1:] for row in await estate.rows("SELECT id, username, email, first_name FROM users")}
    orders = await estate.rows("SELECT user_id, total_amount FROM orders")
    for ledger in ledgers:
        _check_made(ledger.users, {username for username, _, _ in users.values()})
        _check_made(ledger.orders, {total for user_id, total in orders if user_id == ledger.user_id})
        _, email, name = users[ledger.user_id]
        assert email in ledger.email.possible
        assert name in ledger.name.possible
    _check_unique(number for ledger in ledgers for number in ledger.user_ids)
    _check_unique(number for ledger in ledgers for number in ledger.order_ids)
    if stock is not None:
        await _check_stock(estate, ledgers, stock)


def _check_made(told: Mapping[K, Told], there: set[K]) -> None:
    assert set() == {key for key, outcome in told.items() if outcome is Told.APPLIED} - there
    assert set() == {key for key, outcome in told.items() if outcome is Told.NOT_APPLIED} & there


def _check_unique(numbers: Iterable[int]) -> None:
    assert [] == [number for number, count in Counter(numbers).items() if count > 1]


async def _check_stock(estate: Estate, ledgers: list[Ledger], stock: Stock) -> None:
    sql = "SELECT user_id, quantity FROM shopping_carts WHERE product_id = %s"
    lines: dict[int, int] = {row[0]: row[1] for row in await estate.rows(sql, (stock.product_id,))}
    for ledger in ledgers:
        assert ledger.lines.allows(lines.get(ledger.user_id, 0))
    ((left,),) = await estate.rows("SELECT inventory_quantity FROM products WHERE id = %s", (stock.product_id,))
    taken = sum((ledger.taken for ledger in ledgers), Tally())
    assert taken.allows(stock.quantity - left), f"{stock.quantity - left} were taken, told of: {taken}"
