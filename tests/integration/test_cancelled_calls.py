"""Clients that leave in the middle of their calls: nobody else gets their answers, and no write is cut in half.

What the proxy says to MySQL is slowed, so that most calls are cut while a statement is under way; the pools are small,
so that a session out of step would be lent again at once.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from adapters.deadline import Deadline
from proxy.wiring.databases import open_databases
from tests import servers
from tests.conformance.shop import Record, Shop, encode
from tests.conformance.shops import is_full_proof
from tests.crash.death import on_wires, wired
from tests.crash.moments import Place
from tests.factories import make_line, make_products, make_user
from tests.fleet.estate import Estate, estate
from tests.fleet.fixtures import shop_of
from tests.fleet.proxies import ProxyProcess, serving
from tests.fleet.waiting import lapse
from tests.fleet.wires import Fate

CUTS: Final = 4000 if is_full_proof() else 160
LEAVERS: Final = 8
STAYERS: Final = 8
RECORDS: Final = 20
SLOW_MAX_S: Final = 0.008
LEAVES_AFTER_MAX_S: Final = 0.04
SEED: Final = 7
READ_LIMIT_S: Final = 10.0
SMALL_POOLS: Final = {
    "CROSSFADE_MYSQL_READ_POOL": "3",
    "CROSSFADE_MYSQL_WRITE_POOL": "4",
    "CROSSFADE_MYSQL_JOURNAL_POOL": "4",
}
SESSIONS: Final = sum(map(int, SMALL_POOLS.values()))
SEQUENCE: Final = 3
LOGIN: Final = 1
"""The number of a client's packet that answers the server's greeting; its later ones begin anew at 0."""


@pytest.fixture
def shop_in_phase_2(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Estate]:
    """An empty shop."""
    with estate(mysql_server, dynamodb_server) as made:
        yield made


@dataclass(slots=True)
class Slow:
    """A rule: what the proxy says to MySQL arrives late by a few milliseconds. It counts the sessions opened."""

    draw: random.Random
    sessions: int = 0

    async def __call__(self, message: bytes) -> Fate:
        """See Rule."""
        self.sessions += message[SEQUENCE] == LOGIN
        await lapse(self.draw.uniform(0, SLOW_MAX_S))
        return Fate.PASS


@asynccontextmanager
async def slowed(shop: Estate, log: Path, slow: Slow) -> AsyncIterator[ProxyProcess]:
    """A proxy with few sessions, which are slow."""
    async with wired(shop) as wires:
        wires[Place.MYSQL].rule = slow
        async with serving(shop, log, **on_wires(wires), **SMALL_POOLS) as proxy:
            yield proxy


@dataclass(slots=True)
class Stage:
    """The proxy, what is in its shop, and what was tried by clients that left."""

    proxy: ProxyProcess
    users: list[Record]
    products: list[Record]
    draw: random.Random
    is_over: bool = False
    answered: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(CUTS)))
    cut_usernames: list[str] = field(default_factory=list)

    async def leave(self, shop: Shop, own: Record) -> None:
        """Send calls and be gone at a random moment, as long as there are cuts left.

        Each cut is followed by a whole call, so that the writes which go on without their callers cannot pile up.
        """
        for number in self.numbers:
            await self._cut(number)
            await self._rename(shop, own, number)

    async def _cut(self, number: int) -> None:
        operation, arguments = self._some_call(number)
        host, _, port = self.proxy.rpc.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        body = encode(arguments)
        head = f"POST /rpc/{operation} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await lapse(self.draw.uniform(0, LEAVES_AFTER_MAX_S))
        writer.transport.abort()

    def _some_call(self, number: int) -> tuple[str, Record]:
        user, product = self.draw.choice(self.users), self.draw.choice(self.products)
        match number % 4:
            case 0:
                return "user/find_by_id", {"id": user["id"]}
            case 1:
                return "product/get_products", {"filters": {"search": product["name"]}}
            case 2:
                username = f"cut-{number}"
                self.cut_usernames.append(username)
                return "user/create", {"username": username, "email": f"{username}@shop.test", "password_hash": "h"}
            case _:
                return "cart/add_item", {"user_id": user["id"], "product_id": product["id"], "quantity": 1}

    async def stay(self, shop: Shop, own: Record) -> None:
        """Make calls whose answers only they can have, and demand just these, until those who leave are done."""
        for number in count():
            if self.is_over:
                return
            user, product = self.draw.choice(self.users), self.draw.choice(self.products)
            assert user["username"] == (await shop.call("user.find_by_email", email=user["email"]))["username"]
            assert product == await shop.call("product.get_product_by_id", product_id=product["id"])
            await self._rename(shop, own, number)
            (line,) = await shop.call("cart.get_cart_items", user_id=own["id"])
            assert own["id"] == line["user_id"]
            self.answered += 4

    async def _rename(self, shop: Shop, own: Record, number: int) -> None:
        renamed = await shop.call("user.update", id=own["id"], first_name=f"Name {number}")
        assert (own["id"], f"Name {number}") == (renamed["id"], renamed["first_name"])


async def test_cancelled_calls_leave_everybody_elses_answers_right(shop_in_phase_2: Estate, tmp_path: Path) -> None:
    """Every call of a client that stays gets its own answer; every write that was cut is in both databases or none."""
    shop = shop_in_phase_2
    slow = Slow(random.Random(SEED))
    async with slowed(shop, tmp_path / "log", slow) as proxy, aiohttp.ClientSession() as http:
        caller = shop_of(shop, proxy, http)
        users, products = [await make_user(caller) for _ in range(RECORDS)], await make_products(caller, RECORDS)
        stage = Stage(proxy, users, products, slow.draw)
        callers = [await make_user(caller) for _ in range(STAYERS + LEAVERS)]
        for user in callers[LEAVERS:]:
            await make_line(caller, user, stage.products[0])
        async with asyncio.TaskGroup() as staying:
            for user in callers[LEAVERS:]:
                staying.create_task(stage.stay(caller, user))
            async with asyncio.TaskGroup() as leaving:
                for user in callers[:LEAVERS]:
                    leaving.create_task(stage.leave(caller, user))
            stage.is_over = True
        assert 0 == await proxy.stop()
        assert [] == proxy.events("call_broke") + proxy.events("task_failed")
    assert stage.answered > STAYERS
    assert slow.sessions > SESSIONS + CUTS / 20, "hardly any call was cut in the middle of a statement"
    await shop.repair()
    await shop.verify()
    await check_whole(shop, stage.cut_usernames)


async def check_whole(shop: Estate, usernames: list[str]) -> None:
    """Demand that each of these users is in both databases or in neither, and that some are there."""
    ((found,),) = await shop.rows("SELECT JSON_ARRAYAGG(username) FROM users WHERE username LIKE 'cut-%%'")
    async with open_databases(shop.settings(), instance="test") as databases:
        exists = databases.operations["user.exists_by_username"]
        followed = [
            username
            for username in usernames
            if await databases.target.read(exists, {"username": username}, Deadline.after(READ_LIMIT_S))
        ]
    assert followed
    assert sorted(followed) == sorted(json.loads(found))
