"""The sample shop on a real server."""

import asyncio

import pytest

from adapters.errors import Conflict
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.sample import insert_sample_shop

COUNTS = """SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM users WHERE super_admin),
 (SELECT COUNT(*) FROM categories), (SELECT COUNT(*) FROM products), (SELECT COUNT(*) FROM shopping_carts),
 (SELECT COUNT(*) FROM orders)"""
SAMPLE = (6, 1, 10, 40, 8, 6)
LEVELS = """SELECT COUNT(*) FROM categories a JOIN categories b ON b.parent_id = a.id
 JOIN categories c ON c.parent_id = b.id"""
WRONG_TOTALS = """SELECT o.id FROM orders o JOIN order_items i ON i.order_id = o.id
 GROUP BY o.id, o.total_amount HAVING SUM(i.quantity * i.price_at_time) <> o.total_amount"""
HASHES = "SELECT DISTINCT password_hash REGEXP '^[$]2b[$]12[$][./A-Za-z0-9]{53}$' FROM users"


async def test_sample_fills_empty_shop_once(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """All tables hold something; a second time nothing is done."""
    assert await insert_sample_shop(mysql_endpoint)
    assert [SAMPLE] == await mysql_shop.rows(COUNTS)
    assert not await insert_sample_shop(mysql_endpoint)
    assert [SAMPLE] == await mysql_shop.rows(COUNTS)


async def test_sample_is_coherent(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """Categories are three levels deep, orders add up, hashes look like hashes, and the first user has a cart."""
    await insert_sample_shop(mysql_endpoint)
    assert [(2,)] == await mysql_shop.rows(LEVELS)
    assert [] == await mysql_shop.rows(WRONG_TOTALS)
    assert [(1,)] == await mysql_shop.rows(HASHES)
    assert [(3,)] == await mysql_shop.rows("SELECT COUNT(*) FROM shopping_carts WHERE user_id = 1")


async def test_sample_leaves_shop_in_use_alone(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """One user is enough to be in use."""
    await mysql_shop.execute("INSERT INTO users (username, email, password_hash) VALUES ('a', 'a@shop.test', 'h')")
    assert not await insert_sample_shop(mysql_endpoint)
    assert [(1, 0, 0, 0, 0, 0)] == await mysql_shop.rows(COUNTS)


async def test_sample_is_refused_while_both_are_written(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """It would lie in one database only."""
    await mysql_shop.execute("UPDATE crossfade_control SET dual_write = 1")
    with pytest.raises(Conflict, match="move to phase 1"):
        await insert_sample_shop(mysql_endpoint)
    await mysql_shop.execute("UPDATE crossfade_control SET dual_write = 0")
    assert [(0, 0, 0, 0, 0, 0)] == await mysql_shop.rows(COUNTS)


async def test_samples_at_once_are_one(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """Of two at the same time one does it."""
    async with asyncio.TaskGroup() as tasks:
        runs = [tasks.create_task(insert_sample_shop(mysql_endpoint)) for _ in range(2)]
    assert [False, True] == sorted(run.result() for run in runs)
    assert [SAMPLE] == await mysql_shop.rows(COUNTS)
