"""What a write did, in terms that both databases share.

An *aggregate* is the unit of locking and versioning; its fence in the shadow remembers the newest version applied. A
*row* of the shop is named by a `Ref`; its *image* is the row with what its items need from other rows. A `Change` holds
the images of all rows that a write touched, before and after, and the versions of all aggregates it locked: the
shadow's items are a pure function of it. Nothing here does I/O.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID

from adapters.records import CartItem, Category, Order, OrderItem, Product, User


class AggregateKind(IntEnum):
    """The kinds of aggregate, in lock order."""

    TREE = 1
    USER = 2
    PRODUCT = 3
    CATEGORY = 4
    LISTING = 5
    ADMINS = 6


@dataclass(frozen=True, slots=True, order=True)
class Aggregate:
    """One aggregate; sorting gives the lock order."""

    kind: AggregateKind
    id: int

    def __str__(self) -> str:
        return f"{self.kind.name.lower()}#{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Aggregate":
        """The aggregate that `str` wrote, `user#42`."""
        kind, _, number = text.partition("#")
        return cls(AggregateKind[kind.upper()], int(number))


TREE = Aggregate(AggregateKind.TREE, 1)
LISTING = Aggregate(AggregateKind.LISTING, 1)
ADMINS = Aggregate(AggregateKind.ADMINS, 1)


def user_aggregate(user_id: int) -> Aggregate:
    """A user with cart, orders and markers."""
    return Aggregate(AggregateKind.USER, user_id)


def product_aggregate(product_id: int) -> Aggregate:
    """A product."""
    return Aggregate(AggregateKind.PRODUCT, product_id)


def category_aggregate(category_id: int) -> Aggregate:
    """A category's product_count; all else of a category is of the tree."""
    return Aggregate(AggregateKind.CATEGORY, category_id)


class RowKind(StrEnum):
    """The rows that have items of their own."""

    USER = "user"
    CART = "cart"
    ORDER = "order"
    PRODUCT = "product"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The name of a row: its id, for a cart line the user's and the product's."""

    kind: RowKind
    id: int
    product_id: int = 0

    @property
    def owner(self) -> Aggregate:
        """The aggregate that owns the row's items."""
        match self.kind:
            case RowKind.USER | RowKind.CART:
                return user_aggregate(self.id)
            case RowKind.PRODUCT:
                return product_aggregate(self.id)
            case RowKind.CATEGORY:
                return TREE
            case RowKind.ORDER:
                msg = "an order's owner is in its image, not in its name"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class UserImage:
    """A user."""

    user: User

    @property
    def ref(self) -> Ref:
        """The row's name."""
        return Ref(RowKind.USER, self.user.id)

    @property
    def owner(self) -> Aggregate:
        """The aggregate that owns the row's items."""
        return user_aggregate(self.user.id)


@dataclass(frozen=True, slots=True)
class CartImage:
    """A cart line with its user's email and its product's price and name."""

    item: CartItem
    email: str
    price: Decimal
    product_name: str

    @property
    def ref(self) -> Ref:
        """The row's name."""
        return Ref(RowKind.CART, self.item.user_id, self.item.product_id)

    @property
    def owner(self) -> Aggregate:
        """The aggregate that owns the row's items."""
        return user_aggregate(self.item.user_id)


@dataclass(frozen=True, slots=True)
class OrderImage:
    """An order with its user's email and its items by id."""

    order: Order
    email: str
    items: tuple[OrderItem, ...]

    @property
    def ref(self) -> Ref:
        """The row's name."""
        return Ref(RowKind.ORDER, self.order.id)

    @property
    def owner(self) -> Aggregate:
        """The aggregate that owns the row's items."""
        return user_aggregate(self.order.user_id)


@dataclass(frozen=True, slots=True)
class ProductImage:
    """A product with the names from the root category down and the number of order items that refer to it."""

    product: Product
    category_path: tuple[str, ...]
    order_refs: int

    @property
    def ref(self) -> Ref:
        """The row's name."""
        return Ref(RowKind.PRODUCT, self.product.id)

    @property
    def owner(self) -> Aggregate:
        """The aggregate that owns the row's items."""
        return product_aggregate(self.product.id)


@dataclass(frozen=True, slots=True)
class CategoryImage:
    """A category with the names from the root down (its own last) and the counts of children and products."""

    category: Category
    path: tuple[str, ...]
    children_count: int
    product_count: int

    @property
    def ref(self) -> Ref:
        """The row's name."""
        return Ref(RowKind.CATEGORY, self.category.id)

    @property
    def owner(self) -> Aggregate:
        """The aggregate that owns the row's items."""
        return TREE


Image = UserImage | CartImage | OrderImage | ProductImage | CategoryImage


@dataclass(slots=True)
class Change:
    """What one transaction of the authority did so far.

    `versions`: the aggregates locked for writing, with their versions after the bump. `counts`: numbers that fences
    carry (orders of a user, super admins of ADMINS). `before` and `after`: images of the touched rows; a ref that only
    `before` has was deleted, one that only `after` has was created. `listed_products` and `listed_sellers`: what the
    listing's log entry names. `deferred`: rows whose items nobody can see, left to the repairer: images of rows that
    are gone, refs of products that go on. `is_written`: whether any row was changed at all.
    """

    versions: dict[Aggregate, int] = field(default_factory=dict)
    counts: dict[Aggregate, int] = field(default_factory=dict)
    before: dict[Ref, Image] = field(default_factory=dict)
    after: dict[Ref, Image] = field(default_factory=dict)
    listed_products: set[int] = field(default_factory=set)
    listed_sellers: set[int] = field(default_factory=set)
    deferred: list[Image | Ref] = field(default_factory=list)
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class ItemKey:
    """An item of the shadow that may be put or deleted, and the row that it shows."""

    table: str
    partition: str
    sort: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class IntentPart:
    """One row of the journal: the aggregates to lock and every item that may be put or deleted."""

    aggregates: tuple[Aggregate, ...]
    keys: tuple[ItemKey, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """An unsettled part as the repairer reads it. `age_s` and `attempts` decide back-off and alarm."""

    id: int
    op_id: UUID
    operation: str
    part: IntentPart
    state: str
    attempts: int
    age_s: float
