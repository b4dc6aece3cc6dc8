"""The rows that are read under load, planted by SQL: users, and products of theirs in one category."""

from typing import Final

from proxy.wiring import commands
from tests.fleet.estate import NO_OPTIONS, Estate

RECORDS: Final = 1000

PLANT: Final = """
INSERT INTO users (id, username, email, password_hash, first_name, last_name, is_seller)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %s)
 SELECT i, CONCAT('user-', i), CONCAT('user-', i, '@shop.test'), REPEAT('h', 60), 'Ana', 'Silva', TRUE FROM n;
INSERT INTO categories (id, name) VALUES (1, 'Kitchen');
INSERT INTO products (seller_id, category_id, name, description, price, inventory_quantity, image_url)
 SELECT id, 1, CONCAT('Kettle ', id), REPEAT('Boils a litre in three minutes. ', 8), id + 0.99, 1000000,
 CONCAT('https://shop.test/kettle-', id, '.png') FROM users"""


async def plant_stock(estate: Estate, *, records: int = RECORDS) -> None:
    """Plant so many users and as many products, all with ids from 1."""
    await estate.rows(PLANT, (records,))


async def told_to_both(estate: Estate) -> None:
    """Bring DynamoDB up to what was planted."""
    report = await commands.backfill(estate.settings(), NO_OPTIONS)
    assert report.is_well, "\n".join(report.lines)
