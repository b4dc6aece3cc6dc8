"""What the shoppers call: the shop's operations in its own proportions, with arguments for a shopper. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

ADD: Final = "cart.add_item"
CHECKOUT: Final = "order.checkout"
CREATE_USER: Final = "user.create"

MIX: Final[Mapping[str, int]] = {
    "product.get_products": 420,
    "product.search_products": 420,
    "user.find_by_username": 250,
    "user.find_by_id": 250,
    "product.get_product_with_details": 200,
    CHECKOUT: 200,
    "product.get_products_by_category": 100,
    "order.get_user_orders": 85,
    "order.get_order_by_id": 30,
    "order.update_order_status": 15,
    ADD: 175,
    "cart.update_item_quantity": 100,
    "cart.get_cart_items": 150,
    "cart.validate_cart_inventory": 300,
    "cart.remove_item": 50,
    "cart.clear_cart": 25,
    "category.find_all": 50,
    "category.find_root_categories": 50,
    "category.find_child_categories": 60,
    "category.get_category_path": 20,
    "category.find_by_id": 20,
    CREATE_USER: 10,
}
"""Calls a second at the shop's peak."""
CARDS_PER_RPS: Final = 5
STATUSES: Final = ("pending", "completed", "cancelled")
WORDS: Final = ("kettle", "TEAPOT", "tasse", "demo", "100 %")
QUANTITY_MAX: Final = 5
PAGES: Final = 3
LIMIT: Final = 20
PASSWORD_HASH: Final = "$2b$12$TheDemoTheDemoTheDemoTheDemouNoPasswordIsKnownForThisHash"  # noqa: S105  # of nobody

Arguments = dict[str, Any]
"""The arguments of a call, as JSON has them."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    operation: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Scene:
    """What all shoppers have in common: the name in front of all names, sellers, categories, products."""

    name: str
    seller_ids: tuple[int, ...]
    root_id: int
    category_id: int
    product_ids: tuple[int, ...]


@dataclass(slots=True)
class Shopper:
    """A made-up user and what it knows of itself: nobody else writes it. None is what it cannot know just now."""

    user_id: int
    username: str
    cart: dict[int, int] | None
    order_id: int
    order_status: str | None
    users_made: int = 0


class Deck:
    """Operations in the exact proportions of MIX, shuffled; a new deck when one is used up."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._cards: list[str] = []

    def draw(self, *, has_cart: bool) -> str:
        """The next operation. Who would check out without a cart gets something to put into it, while there is any."""
        if not self._cards:
            self._cards = [name for name, rps in MIX.items() for _ in range(rps // CARDS_PER_RPS)]
            self._random.shuffle(self._cards)
        card = self._cards.pop()
        if card == CHECKOUT and not has_cart and ADD in self._cards:
            self._cards[self._cards.index(ADD)], card = CHECKOUT, ADD
        return card


def user_arguments(username: str) -> Arguments:
    """A user to be created, of whom nobody can mistake that he is made up."""
    return {"username": username, "email": f"{username}@demo.invalid", "password_hash": PASSWORD_HASH}


def call_of(operation: str, scene: Scene, shopper: Shopper, random: Random) -> Call:
    """The operation, called by a shopper."""
    return Call(operation, _ARGUMENTS[operation](_Moment(scene, shopper, random)))


@dataclass(frozen=True, slots=True)
class _Moment:
    """What arguments are made of."""

    scene: Scene
    shopper: Shopper
    random: Random

    def product_id(self) -> int:
        """A product: the second half as often as the first, the third a third as often (Zipf)."""
        ids = self.scene.product_ids
        return self.random.choices(ids, [1 / rank for rank in range(1, len(ids) + 1)])[0]

    def line(self) -> int:
        """A product in the cart, or any other when there is none."""
        lines = sorted(self.shopper.cart or ())
        return self.random.choice(lines) if lines else self.product_id()

    def filters(self) -> Arguments:
        """Filters of a listing, of every kind."""
        kinds: Sequence[Arguments] = (
            {},
            {"category_id": self.scene.root_id},
            {"seller_id": self.random.choice(self.scene.seller_ids), "in_stock_only": True},
            {"min_price": 10, "max_price": 30},
            {"search": self.random.choice(WORDS), "category_id": self.scene.category_id},
        )
        return dict(self.random.choice(kinds))

    def page(self) -> Arguments:
        """One of the first pages."""
        return {"page": self.random.randint(1, PAGES), "limit": LIMIT}

    def new_user(self) -> Arguments:
        """A user whom nobody else makes."""
        self.shopper.users_made += 1
        return user_arguments(f"{self.shopper.username}-{self.shopper.users_made}")

    def of_cart(self, **further: object) -> Arguments:
        """Arguments of a call about the own cart."""
        return {"user_id": self.shopper.user_id, **further}

    def quantity(self) -> int:
        """Some pieces."""
        return self.random.randint(1, QUANTITY_MAX)


_ARGUMENTS: Final[Mapping[str, Callable[[_Moment], Arguments]]] = {
    "product.get_products": lambda m: {"filters": m.filters(), **m.page()},
    "product.search_products": lambda m: {"search_term": m.random.choice(WORDS), **m.page()},
    "user.find_by_username": lambda m: {"username": m.shopper.username.upper()},
    "user.find_by_id": lambda m: {"id": m.shopper.user_id},
    "product.get_product_with_details": lambda m: {"product_id": m.product_id()},
    CHECKOUT: lambda m: m.of_cart(),
    "product.get_products_by_category": lambda m: {"category_id": m.scene.root_id, **m.page()},
    "order.get_user_orders": lambda m: m.of_cart(),
    "order.get_order_by_id": lambda m: {"order_id": m.shopper.order_id},
    "order.update_order_status": lambda m: {
        "order_id": m.shopper.order_id,
        "status": m.random.choice(STATUSES),
    },
    ADD: lambda m: m.of_cart(product_id=m.product_id(), quantity=m.quantity()),
    "cart.update_item_quantity": lambda m: m.of_cart(product_id=m.line(), quantity=m.quantity()),
    "cart.get_cart_items": lambda m: m.of_cart(),
    "cart.validate_cart_inventory": lambda m: m.of_cart(),
    "cart.remove_item": lambda m: m.of_cart(product_id=m.line()),
    "cart.clear_cart": lambda m: m.of_cart(),
    "category.find_all": lambda _: {},
    "category.find_root_categories": lambda _: {},
    "category.find_child_categories": lambda m: {"parent_id": m.scene.root_id},
    "category.get_category_path": lambda m: {"category_id": m.scene.category_id},
    "category.find_by_id": lambda m: {"id": m.scene.category_id},
    CREATE_USER: lambda m: m.new_user(),
}
