"""What the proxy is measured against: a handler of aiohttp and asyncmy with the same statements and the same answers.

    python -m tests.load.bare MYSQL_PORT SCHEMA prepared|text

It has what a good handler has: uvloop, autocommit, a driver's pool of as many connections, tuple cursors, no access
log, its start-up exempt from garbage collection. It checks, counts, limits and logs nothing.
"""

import argparse
import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import asyncmy
import orjson
import uvloop
from aiohttp import web

from adapters.mysql.connection import Row
from adapters.mysql.product import GET_PRODUCT_BY_ID
from adapters.mysql.user import FIND_BY_ID
from proxy.settings import READ_POOL
from tests.load.started import announce

OPTIONS: Final = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
STATEMENTS: Final = 64


@dataclass(frozen=True, slots=True)
class Read:
    """An operation: its statement, the argument it takes, and how its row is answered."""

    path: str
    sql: str
    argument: str
    answer: Callable[[Row], Mapping[str, object]]


def product(row: Row) -> Mapping[str, object]:
    """The members of a product, in the order of its columns."""
    return {
        "id": row[0],
        "seller_id": row[1],
        "category_id": row[2],
        "name": row[3],
        "description": row[4],
        "price": row[5],
        "inventory_quantity": row[6],
        "image_url": row[7],
        "created_at": row[8],
        "updated_at": row[9],
    }


def user(row: Row) -> Mapping[str, object]:
    """The members of a user, in the order of their columns."""
    return {
        "id": row[0],
        "username": row[1],
        "email": row[2],
        "password_hash": row[3],
        "first_name": row[4],
        "last_name": row[5],
        "is_seller": bool(row[6]),
        "super_admin": bool(row[7]),
        "created_at": row[8],
        "updated_at": row[9],
    }


READS: Final = (
    Read("/rpc/product/get_product_by_id", GET_PRODUCT_BY_ID, "product_id", product),
    Read("/rpc/user/find_by_id", FIND_BY_ID, "id", user),
)


def handler(pool: Any, read: Read) -> Callable[[web.Request], Awaitable[web.Response]]:  # noqa: ANN401  # the driver's pool has no types
    """The handler of an operation."""

    async def handle(request: web.Request) -> web.Response:
        argument = orjson.loads(await request.read())[read.argument]
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(read.sql, (argument,))
            row = await cursor.fetchone()
        result = None if row is None else read.answer(row)
        body = orjson.dumps({"result": result}, default=_money, option=OPTIONS)
        return web.Response(body=body, content_type="application/json")

    return handle


def _money(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, ".2f"))
    raise TypeError


async def main(given: argparse.Namespace) -> None:
    """Serve until killed."""
    pool = await asyncmy.create_pool(
        host=given.host,
        port=given.port,
        user=given.user,
        password=given.password,
        database=given.schema,
        minsize=READ_POOL,
        maxsize=READ_POOL,
        autocommit=True,
        stmt_cache_size=STATEMENTS if given.protocol == "prepared" else 0,
    )
    app = web.Application()
    app.add_routes([web.post(read.path, handler(pool, read)) for read in READS])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gc.collect()
    gc.freeze()
    announce(runner.addresses[0][1])
    await asyncio.Event().wait()


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("user")
    parser.add_argument("schema")
    parser.add_argument("protocol", choices=["prepared", "text"])
    parser.add_argument("--password", default="")
    return parser.parse_args()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(arguments()))
