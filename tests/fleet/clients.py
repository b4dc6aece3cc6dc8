"""Load: clients that write in turn, each one call at a time through all proxies, and keep a ledger of their answers."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count, cycle
from typing import Final, TypeVar

import aiohttp

from tests.conformance.shop import Json, Record, Shop, decode, encode
from tests.factories import make_product, make_user
from tests.fleet.ledger import Ledger, Stock, Told, Value
from tests.fleet.proxies import ProxyProcess
from tests.fleet.waiting import lapse, until

PLENTY: Final = 1_000_000
PAUSE_S: Final = 0.05
"""What a client waits after a failed call: nobody repeats one at once."""
EXPECTED: Final = {503: "unavailable", 504: "deadline_exceeded"}
"""The answers that a fault may cause."""

Act = Callable[[int], Awaitable[None]]


class Client:
    """One client with a user of its own."""

    def __init__(self, http: aiohttp.ClientSession, proxies: Sequence[ProxyProcess], user: Record) -> None:
        self._http = http
        self._proxies = cycle(proxies)
        self._user = user
        self.ledger = Ledger(user["id"], Value({user["email"]}), Value({user["first_name"]}))

    def go_by(self, http: aiohttp.ClientSession, proxies: Sequence[ProxyProcess]) -> None:
        """Call these proxies from now on."""
        self._http, self._proxies = http, cycle(proxies)

    async def run(self, acts: Sequence[Act], stopped: asyncio.Event, *, pace_s: float) -> None:
        """Do the acts in turn, numbered, until told to stop."""
        for number, act in zip(count(1), cycle(acts), strict=False):
            if stopped.is_set():
                return
            await act(number)
            await lapse(pace_s)

    async def create_user(self, number: int) -> None:
        """A user whom nobody else makes."""
        username = f"{self._user['username']}-{number}"
        given = {"username": username, "email": f"{username}@shop.test", "password_hash": "hash"}
        told, user = await self._write("user.create", given)
        self.ledger.users[username] = told
        self.ledger.user_ids += [user["id"]] if user else []

    async def create_order(self, number: int) -> None:
        """An order of a total that no other has."""
        total = Decimal(number) / 100
        told, order = await self._write("order.create_order", {"user_id": self._user["id"], "total_amount": total})
        self.ledger.orders[total] = told
        self.ledger.order_ids += [order["id"]] if order else []

    async def rename(self, number: int) -> None:
        """Another first name of one's own, which one's next read must show, whichever proxy answers."""
        name = f"Name {number}"
        told, _ = await self._write("user.update", {"id": self._user["id"], "first_name": name})
        self.ledger.name.note(name, told)
        await self._see_oneself()

    async def move(self, number: int) -> None:
        """Another email of one's own, the key of all that one has."""
        email = f"{self._user['username']}-now-{number}@shop.test"
        told, _ = await self._write("user.update", {"id": self._user["id"], "email": email})
        self.ledger.email.note(email, told)
        await self._see_oneself()

    def add_line(self, stock: Stock) -> Act:
        """One more of the product in one's own cart."""

        async def act(_: int) -> None:
            line = {"user_id": self._user["id"], "product_id": stock.product_id, "quantity": 1}
            self.ledger.lines.note((await self._write("cart.add_item", line))[0])

        return act

    def take(self, stock: Stock) -> Act:
        """One less of the product in stock, at which all clients are."""

        async def act(_: int) -> None:
            taken = {"product_id": stock.product_id, "quantity": 1}
            self.ledger.taken.note((await self._write("product.reduce_inventory", taken))[0])

        return act

    def all_acts(self, stock: Stock) -> Sequence[Act]:
        """Some writes of several entities."""
        return [self.create_user, self.add_line(stock), self.create_order, self.take(stock), self.rename, self.move]

    def daily_acts(self, stock: Stock) -> Sequence[Act]:
        """The same in the proportions of a day: hardly anybody moves, and who does takes all orders along."""
        *daily, move = self.all_acts(stock)
        return [*daily * 8, move]

    async def _see_oneself(self) -> None:
        status, answer = await self._call("user.find_by_id", {"id": self._user["id"]})
        if status != 200:
            return
        seen, ledger = answer["result"], self.ledger
        if seen["email"] not in ledger.email.possible or seen["first_name"] not in ledger.name.possible:
            ledger.surprises.append(f"read {seen} after {ledger.email.possible}, {ledger.name.possible}")

    async def _write(self, operation: str, arguments: Mapping[str, object]) -> tuple[Told, Json]:
        status, answer = await self._call(operation, arguments)
        if status == 200:
            return Told.APPLIED, answer["result"]
        return Told(answer["outcome"]) if answer else Told.UNKNOWN, None

    async def _call(self, operation: str, arguments: Mapping[str, object]) -> tuple[int, Json]:
        """Status and answer; 0 and None when the connection was cut."""
        url = f"http://{next(self._proxies).rpc}/rpc/{operation.replace('.', '/')}"
        started_s = time.monotonic()
        try:
            async with self._http.post(url, data=encode(dict(arguments))) as response:
                status, answer = response.status, decode(await response.read())
                retry_after_s = int(response.headers.get("Retry-After", 0))
        except aiohttp.ClientError:
            status, answer, retry_after_s = 0, None, 0
        self.ledger.slowest_s = max(self.ledger.slowest_s, time.monotonic() - started_s)
        self._note(operation, status, answer, retry_after_s)
        if status != 200:
            await lapse(PAUSE_S)
        return status, answer

    def _note(self, operation: str, status: int, answer: Json, retry_after_s: int) -> None:
        if status in {0, 200}:
            self.ledger.answers["ok" if status else "cut"] += 1
            return
        self.ledger.answers[f"{answer['code']}, {answer.get('outcome', 'read')}"] += 1
        self.ledger.failures.append(f"{operation}: {answer['detail']}")
        if EXPECTED.get(status) != answer["code"] or (status == 503 and retry_after_s < 1):
            self.ledger.surprises.append(f"{operation}: {answer}")


async def call(
    http: aiohttp.ClientSession, proxy: ProxyProcess, operation: str, arguments: Mapping[str, object]
) -> tuple[int, Record]:
    """Status and answer of one call, whatever they are."""
    url = f"http://{proxy.rpc}/rpc/{operation.replace('.', '/')}"
    headers = {"Content-Type": "application/json"}
    async with http.post(url, data=encode(dict(arguments)), headers=headers) as response:
        return response.status, decode(await response.read())


AnyClient = TypeVar("AnyClient", bound=Client)
Choice = Callable[[Client], Sequence[Act]]


@asynccontextmanager
async def at_work(
    clients: Sequence[AnyClient], acts: Callable[[AnyClient], Sequence[Act]], *, pace_s: float
) -> AsyncIterator[None]:
    """Clients at work for the length of the context."""
    stopped = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run(acts(client), stopped, pace_s=pace_s))
        try:
            yield
        finally:
            stopped.set()


@asynccontextmanager
async def load(
    shop: Shop, proxies: Sequence[ProxyProcess], *, clients: int, acts: Choice, pace_s: float = 0.0
) -> AsyncIterator[list[Ledger]]:
    """Clients at work for the length of the context; their ledgers. `pace_s` is what each waits after each act."""
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as http:
        made = [Client(http, proxies, await make_user(shop)) for _ in range(clients)]
        async with at_work(made, acts, pace_s=pace_s):
            yield [client.ledger for client in made]


async def make_stock(shop: Shop) -> Stock:
    """A product that will not sell out."""
    product = await make_product(shop, inventory_quantity=PLENTY)
    return Stock(product["id"], PLENTY)


def failures_of(ledgers: Sequence[Ledger]) -> list[str]:
    """What the answers said that were not good, in no order."""
    return [failure for ledger in ledgers for failure in ledger.failures]


def answers_of(ledgers: Sequence[Ledger]) -> Counter[str]:
    """All answers by what they said."""
    return sum((ledger.answers for ledger in ledgers), Counter())


async def more_answers(ledgers: Sequence[Ledger], number: int) -> None:
    """Wait until clients have had so many good answers more, however long it takes while any come at all."""
    had = answers_of(ledgers)["ok"]
    enough = had + number

    async def are_more() -> bool:
        return answers_of(ledgers)["ok"] > had

    while had < enough:
        await until(f"the next of {number} good answers", are_more)
        had = answers_of(ledgers)["ok"]


async def more_failures(ledgers: Sequence[Ledger], number: int) -> None:
    """Wait until clients have had so many bad answers more."""
    enough = _failures(ledgers) + number

    async def are_there() -> bool:
        return _failures(ledgers) >= enough

    await until(f"{number} failures", are_there)


def _failures(ledgers: Sequence[Ledger]) -> int:
    answers = answers_of(ledgers)
    return answers.total() - answers["ok"]
