"""The products as lists show them, in memory: filtering, searching, ordering, counting and paging. Pure.

take ──▶ entries in order of time, whole and by category and seller ──▶ select ──▶ ids of a page, total
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import chain
from operator import attrgetter
from sys import getsizeof
from typing import Final

from adapters.collation import SearchForm, contains, search_form
from adapters.dynamodb.items import product_from, user_from
from adapters.dynamodb.typed_json import Attributes
from adapters.records import Product
from adapters.values import MONEY_MAX, ProductFilters

ANSWERS_MAX: Final = 256
"""Pages of ids that are kept until the listing changes."""
ENTRY_BYTES: Final = 400
"""About what an entry takes besides its text: the entry, its numbers, its places in the lists."""

_CENT: Final = Decimal("0.01")
_ABOVE_ALL_PRICES: Final = MONEY_MAX + _CENT
_BETWEEN: Final = "\x01"
"""Stands between name and description. No search form has it, for ignorable characters all have the form of NUL."""
_ID_BITS: Final = 31
NO_NEEDLE: Final = SearchForm("")


@dataclass(frozen=True, slots=True)
class Listed:
    """What filters and order need of a product. `rank` orders by (created_at, id), a missing time first."""

    id: int
    rank: int
    seller_id: int
    category_id: int
    price_cents: int
    is_in_stock: bool
    text: SearchForm


@dataclass(frozen=True, slots=True)
class Seller:
    """What lists show of a seller."""

    username: str
    email: str


@dataclass(frozen=True, slots=True)
class Query:
    """The filters and the page of a list; None, and the empty needle, are no filter."""

    page: int
    limit: int
    category_ids: frozenset[int] | None = None
    seller_id: int | None = None
    needle: SearchForm = NO_NEEDLE
    min_cents: int | None = None
    max_cents: int | None = None
    is_in_stock: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """The ids of a page, newest first, and the number of all that match."""

    ids: tuple[int, ...]
    total: int


def query_of(filters: ProductFilters, category_ids: frozenset[int] | None, *, page: int, limit: int) -> Query:
    """The query of an operation; `category_ids` are those that its category takes in."""
    return Query(
        page=page,
        limit=limit,
        category_ids=category_ids,
        seller_id=filters.seller_id,
        needle=search_form(filters.search or ""),
        min_cents=_bound(filters.min_price, ROUND_CEILING),
        max_cents=_bound(filters.max_price, ROUND_FLOOR),
        is_in_stock=filters.in_stock_only,
    )


def listed_from(attributes: Attributes) -> Listed | None:
    """The entry of a product's item; None for an item that shows no product."""
    try:
        product = product_from(attributes)
    except (KeyError, ValueError, ArithmeticError):
        return None
    return listed_of(product)


def listed_of(product: Product) -> Listed:
    """The entry of a product."""
    name, description = product.name, product.description
    text = search_form(name) if description is None else f"{search_form(name)}{_BETWEEN}{search_form(description)}"
    # 0 stands for NULL, which comes before every time, also before 1970 began.
    seconds_s = 0 if product.created_at is None else int(product.created_at.timestamp()) + 1
    return Listed(
        id=product.id,
        rank=(seconds_s << _ID_BITS) + product.id,
        seller_id=product.seller_id,
        category_id=product.category_id,
        price_cents=int(product.price * 100),
        is_in_stock=product.inventory_quantity > 0,
        text=SearchForm(text),
    )


def seller_from(attributes: Attributes) -> Seller | None:
    """What lists show of the seller in a user's item; None for an item that shows no user."""
    try:
        user = user_from(attributes)
    except (KeyError, ValueError):
        return None
    return Seller(user.username, user.email)


_rank = attrgetter("rank")


class Listing:
    """All products of one version of the listing and the sellers that have any, brought up by one change at a time."""

    def __init__(self, entries: Iterable[Listed] = (), sellers: Mapping[int, Seller] | None = None) -> None:
        self._entries = {entry.id: entry for entry in entries}
        self._in_order = sorted(self._entries.values(), key=_rank)
        self._by_category: dict[int, list[Listed]] = {}
        self._by_seller: dict[int, list[Listed]] = {}
        for entry in self._in_order:
            self._by_category.setdefault(entry.category_id, []).append(entry)
            self._by_seller.setdefault(entry.seller_id, []).append(entry)
        self._sellers = {each: seller for each, seller in (sellers or {}).items() if each in self._by_seller}
        self._text_bytes = sum(getsizeof(entry.text) for entry in self._in_order)
        self._answers: OrderedDict[Query, Selection] = OrderedDict()

    def __len__(self) -> int:
        """The number of products."""
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return self._text_bytes + ENTRY_BYTES * len(self._entries)

    def seller(self, seller_id: int) -> Seller | None:
        """A seller of one of the products."""
        return self._sellers.get(seller_id)

    def is_sold_by(self, product_id: int, seller_id: int) -> bool:
        """Whether the product is listed, as one of that seller, and it is known what to show of the seller."""
        entry = self._entries.get(product_id)
        return entry is not None and entry.seller_id == seller_id and seller_id in self._sellers

    def is_selling(self, user_id: int) -> bool:
        """Whether a product of the user is listed."""
        return user_id in self._by_seller

    def take(self, products: Mapping[int, Listed | None], sellers: Mapping[int, Seller | None]) -> None:
        """Take products and sellers as they are now, None for those that are gone.

        Who sells nothing any more is forgotten, for nobody would tell of a change; but only in the end, since one
        product of a seller may go and another come.
        """
        self._answers.clear()
        concerned = {*sellers, *(self._entries[each].seller_id for each in products if each in self._entries)}
        for product_id, entry in products.items():
            self._put(product_id, entry)
        self._sellers.update({each: seller for each, seller in sellers.items() if seller is not None})
        for each in concerned:
            if each not in self._by_seller or (each in sellers and sellers[each] is None):
                self._sellers.pop(each, None)

    def _put(self, product_id: int, entry: Listed | None) -> None:
        before = self._entries.pop(product_id, None)
        if before is not None:
            self._text_bytes -= getsizeof(before.text)
            _remove(self._in_order, before)
            _remove_from(self._by_category, before.category_id, before)
            _remove_from(self._by_seller, before.seller_id, before)
        if entry is not None:
            self._entries[product_id] = entry
            self._text_bytes += getsizeof(entry.text)
            insort(self._in_order, entry, key=_rank)
            insort(self._by_category.setdefault(entry.category_id, []), entry, key=_rank)
            insort(self._by_seller.setdefault(entry.seller_id, []), entry, key=_rank)

    def select(self, query: Query, *, without: frozenset[int] = frozenset()) -> Selection:
        """The page of a query; products of `without` are passed over."""
        if without:
            return self._selected(query, without)
        answer = self._answers.get(query)
        if answer is None:
            answer = self._answers[query] = self._selected(query, without)
            if len(self._answers) > ANSWERS_MAX:
                self._answers.popitem(last=False)
        else:
            self._answers.move_to_end(query)
        return answer

    def _selected(self, query: Query, without: frozenset[int]) -> Selection:
        found = self._matching(query)
        if without:
            found = [entry for entry in found if entry.id not in without]
        total = len(found)
        end = max(total - (query.page - 1) * query.limit, 0)
        newest_last = found[max(end - query.limit, 0) : end]
        return Selection(tuple(entry.id for entry in reversed(newest_last)), total)

    def _matching(self, query: Query) -> Sequence[Listed]:
        """The entries that pass all filters, in order; one filter after another, the narrow and cheap ones first."""
        found = self._candidates(query)
        if query.category_ids is not None and query.seller_id is not None:
            found = [entry for entry in found if entry.seller_id == query.seller_id]
        if query.min_cents is not None:
            found = [entry for entry in found if entry.price_cents >= query.min_cents]
        if query.max_cents is not None:
            found = [entry for entry in found if entry.price_cents <= query.max_cents]
        if query.is_in_stock:
            found = [entry for entry in found if entry.is_in_stock]
        if query.needle:
            found = [entry for entry in found if contains(entry.text, query.needle)]
        return found

    def _candidates(self, query: Query) -> Sequence[Listed]:
        if query.category_ids is None:
            return self._in_order if query.seller_id is None else self._by_seller.get(query.seller_id, ())
        lists = [self._by_category[each] for each in query.category_ids if each in self._by_category]
        return lists[0] if len(lists) == 1 else sorted(chain.from_iterable(lists), key=_rank)


def _remove_from(lists: dict[int, list[Listed]], key: int, entry: Listed) -> None:
    _remove(lists[key], entry)
    if not lists[key]:
        del lists[key]


def _remove(entries: list[Listed], entry: Listed) -> None:
    del entries[bisect_left(entries, entry.rank, key=_rank)]


def _bound(bound: Decimal | None, rounding: str) -> int | None:
    """A bound in cents: one between two is moved to the next that a price can have, one above all prices to there."""
    return None if bound is None else int(min(bound, _ABOVE_ALL_PRICES).quantize(_CENT, rounding=rounding) * 100)
