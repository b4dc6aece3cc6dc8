"""Clients that write records of all entities, each its own, and after each write read them through all proxies.

    write ──▶ what may be seen now ◀── held against ── every read that shows it, each through the next proxy

A read that shows anything older than what its client was told is done is a surprise; so is a difference of databases.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import aiohttp

from tests.conformance.shop import Json, Record, Shop
from tests.factories import PRICE, make_category, make_product, make_user
from tests.fleet.clients import PLENTY, Act, Client, at_work
from tests.fleet.facts import Fact, Look, itself
from tests.fleet.ledger import Ledger
from tests.fleet.proxies import ProxyProcess

STATUSES: Final = ("cancelled", "pending")


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a client has before it begins: two products that it sells, the one to buy and the other to change."""

    user: Record
    category: Record
    goods: Record
    shelf: Record

    @property
    def word(self) -> str:
        """A word that is in the name of one product alone."""
        return f"shelf-of-{self.user['username']}-"


async def make_belongings(shop: Shop) -> Belongings:
    """A seller with a category of its own and two products in it."""
    user, category = await make_user(shop, first_name="Name 0"), await make_category(shop)
    own = {"seller_id": user["id"], "category_id": category["id"]}
    goods = await make_product(shop, **own, inventory_quantity=PLENTY)
    shelf = await make_product(shop, **own, name=f"shelf-of-{user['username']}-")
    return Belongings(user, category, goods, shelf)


class Shopper(Client):
    """A client that does a bit of everything."""

    def __init__(self, http: aiohttp.ClientSession, proxies: Sequence[ProxyProcess], own: Belongings) -> None:
        super().__init__(http, proxies, own.user)
        self._own = own
        self._order_ids: list[int] = []
        self.looks = 0
        self.name, self.email = Fact({"Name 0"}), Fact({own.user["email"]})
        self.line, self.orders, self.newest, self.status = Fact({0}), Fact({0}), Fact({None}), Fact({None})
        self.price, self.stock = Fact({own.shelf["price"]}), Fact({own.shelf["inventory_quantity"]})
        self.listed, self.title, self.children = Fact({2}), Fact({own.category["name"]}), Fact({0})

    @property
    def facts(self) -> Sequence[Fact]:
        """All that it changes."""
        users = (self.name, self.email, self.line, self.orders, self.newest, self.status)
        return (*users, self.price, self.stock, self.listed, self.title, self.children)

    def everything(self) -> Sequence[Act]:
        """Writes of all entities; carts are filled, bought and emptied in turn."""
        cart = (self.fill, self.reprice, self.check_out, self.fill, self.restock, self.empty)
        return (
            *cart,
            self.order,
            self.mark,
            self.call_oneself,
            self.sell_once,
            self.move_away,
            self.retitle,
            self.nest,
        )

    def looking_on(self) -> Sequence[Act]:
        """No writes, all reads."""
        return (self.look_around,)

    def looks_at(self, fact: Fact) -> Sequence[Look]:
        """The reads that show a fact."""
        return next(looks for each, looks in chain(self._of_user(), self._of_shop()) if each is fact)

    async def look_settled(self) -> None:
        """Read everything once all is settled: every write told to be applied is there, none told not to be is."""
        for fact in self.facts:
            fact.visible = set(fact.settled)
        await self.look_around(0)

    async def look_around(self, _: int) -> None:
        """Read all that is one's own."""
        for fact in self.facts:
            await self._look_at(fact)

    async def call_oneself(self, number: int) -> None:
        """Another first name."""
        name = f"Name {number}"
        await self._do("user.update", {"id": self._user["id"], "first_name": name}, (self.name, {name}))

    async def move_away(self, number: int) -> None:
        """Another email, the key of all that one has."""
        email = f"{self._user['username']}-now-{number}@shop.test"
        await self._do("user.update", {"id": self._user["id"], "email": email}, (self.email, {email}))

    async def fill(self, _: int) -> None:
        """One more of the goods in the cart."""
        more = {count + 1 for count in self.line.settled}
        await self._do("cart.add_item", {**self._line, "quantity": 1}, (self.line, more))

    async def empty(self, _: int) -> None:
        """Nothing in the cart."""
        await self._do("cart.clear_cart", {"user_id": self._user["id"]}, (self.line, {0}))

    async def check_out(self, _: int) -> None:
        """Buy the cart, where it is sure that there is one."""
        if 0 in self.line.settled:
            return
        totals = {count * PRICE for count in self.line.settled}
        more = {count + 1 for count in self.orders.settled}
        changes = ((self.line, {0}), (self.orders, more), (self.newest, totals))
        order = await self._do("order.checkout", {"user_id": self._user["id"]}, *changes)
        self._remember(order)

    async def order(self, number: int) -> None:
        """An order without items, of a total that no other has."""
        total, more = Decimal(number) / 100, {count + 1 for count in self.orders.settled}
        arguments = {"user_id": self._user["id"], "total_amount": total}
        self._remember(await self._do("order.create_order", arguments, (self.orders, more), (self.newest, {total})))

    async def mark(self, number: int) -> None:
        """Another status of an order that is sure to be there."""
        if self._order_ids:
            status = STATUSES[number % 2]
            arguments = {"order_id": self._order_ids[-1], "status": status}
            await self._do("order.update_order_status", arguments, (self.status, {status}))

    async def reprice(self, number: int) -> None:
        """Another price."""
        price = PRICE + number
        arguments = {"product_id": self._own.shelf["id"], "seller_id": self._user["id"], "price": price}
        await self._do("product.update_product", arguments, (self.price, {price}))

    async def restock(self, number: int) -> None:
        """Something in stock, or nothing."""
        quantity = number * (number % 2)
        arguments = {"product_id": self._own.shelf["id"], "quantity": quantity}
        await self._do("product.update_inventory", arguments, (self.stock, {quantity}))

    async def sell_once(self, number: int) -> None:
        """A third product, which goes again."""
        own = {"seller_id": self._user["id"], "category_id": self._own.category["id"]}
        given = {"name": f"Once {number}", "price": PRICE, "inventory_quantity": 1}
        more = {count + 1 for count in self.listed.settled}
        product = await self._do("product.create_product", {**own, **given}, (self.listed, more))
        if product is not None:
            arguments = {"product_id": product["id"], "seller_id": self._user["id"]}
            less = {count - 1 for count in self.listed.settled}
            await self._do("product.delete_product", arguments, (self.listed, less))

    async def retitle(self, number: int) -> None:
        """Another name of one's category."""
        title = f"{self._user['username']}'s {number}"
        await self._do("category.update", {"id": self._own.category["id"], "name": title}, (self.title, {title}))

    async def nest(self, number: int) -> None:
        """A category below one's own, which goes again."""
        given = {"name": f"Nest {number}", "parent_id": self._own.category["id"]}
        more = {count + 1 for count in self.children.settled}
        child = await self._do("category.create", given, (self.children, more))
        if child is not None:
            less = {count - 1 for count in self.children.settled}
            await self._do("category.delete", {"id": child["id"]}, (self.children, less))

    @property
    def _line(self) -> Record:
        return {"user_id": self._user["id"], "product_id": self._own.goods["id"]}

    def _remember(self, order: Json) -> None:
        if order is not None:
            self._order_ids.append(order["id"])
            self.status = Fact({order["status"]})

    async def _do(self, operation: str, arguments: Record, *changes: tuple[Fact, set[Any]]) -> Json:
        """Write, note what may be seen from now on, and look; the answer, None unless the write was applied."""
        told, answer = await self._write(operation, arguments)
        for fact, values in changes:
            fact.become(told, values)
        for fact, _ in changes:
            await self._look_at(fact)
        return answer

    async def _look_at(self, fact: Fact) -> None:
        for look in self.looks_at(fact):
            status, answer = await self._call(look.operation, look.arguments)
            if status != 200:
                continue
            self.looks += 1
            seen, expected = look.of(answer["result"]), {look.shows(value) for value in fact.visible}
            if seen not in expected:
                surprise = f"{look.operation} {look.arguments} shows {seen!r}, not one of {expected}"
                self.ledger.surprises.append(surprise)

    def _of_user(self) -> Iterable[tuple[Fact, Sequence[Look]]]:
        user, word, own = {"user_id": self._user["id"]}, self._own.word, {"id": self._user["id"]}
        named = {"username": self._user["username"]}

        def both(field: str) -> Sequence[Look]:
            return tuple(Look(f"user.{by}", given, lambda seen: seen[field]) for by, given in finds.items())

        finds = {"find_by_id": own, "find_by_username": named}
        yield self.name, both("first_name")
        found = Look("product.search_products", {"search_term": word}, lambda seen: seen["products"][0]["seller_email"])
        yield self.email, (*both("email"), found)
        yield (
            self.line,
            (
                Look("cart.get_cart_items", user, lambda seen: sum(line["quantity"] for line in seen)),
                Look("cart.get_cart_item_count", user, itself, lambda count: int(count > 0)),
                Look(
                    "cart.get_cart_item_by_user_and_product", self._line, lambda line: line["quantity"] if line else 0
                ),
                Look("cart.validate_cart_inventory", user, lambda seen: seen["valid"], lambda _: True),
            ),
        )
        yield self.orders, (Look("order.get_user_order_count", user, itself),)
        newest = {**user, "limit": 1}
        yield (
            self.newest,
            (Look("order.get_user_orders", newest, lambda seen: seen[0]["total_amount"] if seen else None),),
        )
        marked = (
            Look("order.get_order_by_id", {"order_id": each}, lambda seen: seen["status"])
            for each in self._order_ids[-1:]
        )
        yield self.status, tuple(marked)

    def _of_shop(self) -> Iterable[tuple[Fact, Sequence[Look]]]:
        shelf, category = {"product_id": self._own.shelf["id"]}, {"category_id": self._own.category["id"]}
        searched = {"search_term": self._own.word}
        own = {"seller_id": self._user["id"]}
        yield (
            self.price,
            (
                Look("product.get_product_by_id", shelf, lambda seen: seen["price"]),
                Look("product.get_product_with_details", shelf, lambda seen: seen["price"]),
                Look("product.search_products", searched, lambda seen: seen["products"][0]["price"]),
            ),
        )
        filters = {"filters": {**own, "in_stock_only": True, "search": self._own.word}}
        yield (
            self.stock,
            (
                Look("product.get_product_by_id", shelf, lambda seen: seen["inventory_quantity"]),
                Look("product.get_products", filters, lambda seen: seen["total"], lambda count: int(count > 0)),
                Look("product.has_inventory", {**shelf, "required_quantity": 1}, itself, lambda count: count > 0),
            ),
        )
        yield (
            self.listed,
            (
                Look("product.get_products_by_seller", own, lambda seen: seen["total"]),
                Look("product.get_products_by_category", category, lambda seen: seen["total"]),
            ),
        )
        yield (
            self.title,
            (
                Look("category.find_by_id", {"id": self._own.category["id"]}, lambda seen: seen["name"]),
                Look("category.get_category_path", category, lambda seen: seen[-1]["name"]),
                Look("product.get_product_with_details", shelf, lambda seen: seen["category_name"]),
            ),
        )
        below = {"parent_id": self._own.category["id"]}
        yield (
            self.children,
            tuple(Look(f"category.{name}", below, len) for name in ("find_child_categories", "find_by_parent_id")),
        )


@asynccontextmanager
async def shopping(
    shop: Shop,
    proxies: Sequence[ProxyProcess],
    *,
    clients: int,
    acts: Callable[["Shopper"], Sequence[Act]] = Shopper.everything,
    pace_s: float = 0.0,
) -> AsyncIterator[list[Shopper]]:
    """Shoppers at work for the length of the context; `pace_s` is what each waits after each act."""
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as http:
        made = [Shopper(http, proxies, await make_belongings(shop)) for _ in range(clients)]
        async with at_work(made, acts, pace_s=pace_s):
            yield made


async def hold_to_account(shoppers: Sequence[Shopper], proxies: Sequence[ProxyProcess]) -> None:
    """Demand that all that shoppers were told is true, by reading everything through these proxies."""
    async with (
        aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for shopper in shoppers:
            shopper.go_by(http, proxies)
            tasks.create_task(shopper.look_settled())
    assert [] == surprises_of(shoppers)


def surprises_of(shoppers: Sequence[Shopper]) -> list[str]:
    """What should not have been answered."""
    return [surprise for ledger in ledgers_of(shoppers) for surprise in ledger.surprises]


def ledgers_of(shoppers: Sequence[Shopper]) -> list[Ledger]:
    """Their ledgers."""
    return [shopper.ledger for shopper in shoppers]
