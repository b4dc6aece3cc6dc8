"""The six tables of the shop as dictionaries of frozen records, and what every entity does with them."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from adapters.collation import key_form, sort_form
from adapters.errors import NotFound, Subject
from adapters.records import CartItem, Category, Order, OrderItem, Product, User
from adapters.values import NO_RECORD, UNSET

Clock = Callable[[], datetime]
"""Gives the time in UTC, to the second."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class Dated(Protocol):
    """A row with an id and a time of creation."""

    @property
    def id(self) -> int:
        """Its id."""

    @property
    def created_at(self) -> datetime | None:
        """When it was made."""


class Named(Protocol):
    """A row with an id and a name."""

    @property
    def id(self) -> int:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name."""


DatedRow = TypeVar("DatedRow", bound=Dated)
NamedRow = TypeVar("NamedRow", bound=Named)


class Rows:
    """Every table, by id. Ids are never used twice."""

    def __init__(self, *, clock: Clock, is_dual: bool) -> None:
        self.clock = clock
        self.is_dual = is_dual
        self.users: dict[int, User] = {}
        self.categories: dict[int, Category] = {}
        self.products: dict[int, Product] = {}
        self.cart_items: dict[int, CartItem] = {}
        self.orders: dict[int, Order] = {}
        self.order_items: dict[int, OrderItem] = {}
        self._last_ids: Counter[str] = Counter()

    def new_id(self, table: str) -> int:
        """The next id of a table."""
        self._last_ids[table] += 1
        return self._last_ids[table]

    def cart_of(self, user_id: int) -> list[CartItem]:
        """A user's lines, newest first."""
        return newest_first(line for line in self.cart_items.values() if line.user_id == user_id)

    def cart_line(self, user_id: int, product_id: int) -> CartItem | None:
        """The one line of a user for a product."""
        return next((line for line in self.cart_of(user_id) if line.product_id == product_id), None)

    def is_ordered(self, product_id: int) -> bool:
        """Whether an order item of anyone refers to the product."""
        return any(item.product_id == product_id for item in self.order_items.values())

    def remove_product(self, product_id: int) -> None:
        """The product, and the cart lines that hold it."""
        del self.products[product_id]
        for line in [line for line in self.cart_items.values() if line.product_id == product_id]:
            del self.cart_items[line.id]


def newest_first(rows: Iterable[DatedRow]) -> list[DatedRow]:
    """By (created_at DESC, id DESC), a missing time last."""
    return sorted(rows, key=lambda row: (row.created_at or _NEVER, row.id), reverse=True)


def by_name(rows: Iterable[NamedRow]) -> list[NamedRow]:
    """By (name by collation, id)."""
    return sorted(rows, key=lambda row: (sort_form(row.name), row.id))


def names(stored: str, text: str, *, maximum: int) -> bool:
    """Whether a looked-up text names a stored one of a column of `maximum` characters."""
    return len(text) <= maximum and key_form(stored) == key_form(text)


def given(**arguments: object) -> dict[str, Any]:
    """The arguments of an update that were given."""
    return {name: value for name, value in arguments.items() if value is not UNSET}


def missing(entity: str, record_id: int) -> NotFound:
    """The error for a reference to a record that does not exist."""
    known_id = None if record_id == NO_RECORD else record_id
    return NotFound(f"there is no such {entity}", subject=Subject(entity, id=known_id))
