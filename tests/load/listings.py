"""Lists and searches of products: answered from DynamoDB beside the same from MySQL, in one run, by the same proxy.

10,000 products of 1 KB in 300 categories. What is asked for varies so much that hardly an answer is still known. The
proxy has a core for itself, MySQL shares the other. Judged is what a proxy on its core gives by the clock. Its own
processor time is told beside that: it leaves out MySQL's, which for a search reads through 10,000 descriptions, where
the proxy itself does so for DynamoDB.
"""

from typing import Final

import orjson

from tests.fleet.estate import Estate, estate
from tests.load.modes import (
    Delays,
    Load,
    Mode,
    Rounds,
    calls_per_cpu_s,
    calls_per_s,
    compared,
    figures,
    floor,
    moded,
    raw,
)
from tests.load.report import Bar, Ratio
from tests.load.running import run
from tests.load.setting import Setting
from tests.load.stock import told_to_both
from tests.load.volley import post

CONNECTIONS: Final = 8
PRODUCTS: Final = 10_000
CATEGORIES: Final = 300
SELLERS: Final = 100
LIMIT: Final = 20
PAGES: Final = 100
TERMS: Final = 997
AT_LEAST_EQUAL: Final = Bar(must=1.0, stretch=1.5, is_least=True)
AGAIN: Final = "again"
LISTING: Final = "listing"
SEARCH: Final = "search"

PLANT: Final = """
SET SESSION cte_max_recursion_depth = 100000;
INSERT INTO users (id, username, email, password_hash, first_name, last_name, is_seller)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %s)
 SELECT i, CONCAT('seller-', i), CONCAT('seller-', i, '@shop.test'), REPEAT('h', 60), 'Ana', 'Silva', TRUE FROM n;
INSERT INTO categories (id, name, parent_id)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %s)
 SELECT i, CONCAT('Category ', i), IF(i <= 30, NULL, 1 + i MOD 30) FROM n;
INSERT INTO products (seller_id, category_id, name, description, price, inventory_quantity, image_url, created_at)
 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %s)
 SELECT 1 + i MOD %s, 1 + i MOD %s, CONCAT('Kettle ', i), REPEAT('Boils a litre in three minutes. ', 28),
 1 + i / 100, i MOD 10, CONCAT('https://shop.test/kettle-', i, '.png'),
 TIMESTAMP('2026-01-01') + INTERVAL i MINUTE FROM n"""


def listings(setting: Setting) -> list[Ratio]:
    """Measure lists, then searches."""
    with estate(setting.mysql, setting.dynamodb, phase=2) as shop:
        rounds = run(_measure(setting, shop))
    return [_ratio(rounds, load) for load in (LISTING, SEARCH)]


async def _measure(setting: Setting, shop: Estate) -> Rounds:
    products = PRODUCTS * setting.records // 1000
    await shop.rows(PLANT, (SELLERS, CATEGORIES, products, SELLERS, CATEGORIES))
    await told_to_both(shop)
    loads = {LISTING: Load(_lists(), CONNECTIONS), SEARCH: Load(_searches(), CONNECTIONS)}
    entries = {mode.name: mode for mode in (Mode.SOURCE, Mode.TARGET)}
    async with moded(shop, setting, delays=Delays()) as modes:
        return await modes.rounds({**entries, AGAIN: Mode.TARGET}, loads, setting)


def _lists() -> list[bytes]:
    """A page of all, four times of five; else one of a category."""
    pages = [_call("get_products", page=1 + number % PAGES) for number in range(4 * CATEGORIES)]
    of_categories = [_call("get_products_by_category", category_id=1 + number) for number in range(CATEGORIES)]
    return [call for turn in range(CATEGORIES) for call in (*pages[4 * turn : 4 * turn + 4], of_categories[turn])]


def _searches() -> list[bytes]:
    """Each finds some products of all."""
    return [_call("search_products", search_term=f"kettle {number}") for number in range(1, TERMS)]


def _call(operation: str, **arguments: object) -> bytes:
    return post(f"/rpc/product/{operation}", orjson.dumps({**arguments, "limit": LIMIT}))


def _ratio(rounds: Rounds, load: str) -> Ratio:
    ours, theirs = rounds[Mode.TARGET.name, load], rounds[Mode.SOURCE.name, load]
    by_cpu = compared(ours, theirs, calls_per_cpu_s)
    return Ratio(
        number=0,
        name=f"{load} of {PRODUCTS:,} products: DynamoDB to MySQL, calls per second of a proxy with one core",
        value=compared(ours, theirs, calls_per_s),
        bar=AT_LEAST_EQUAL,
        ours=figures(ours),
        theirs=figures(theirs),
        noise=floor(rounds[AGAIN, load], ours, calls_per_s),
        notes=(f"{load} per second of the proxy's own processor time, MySQL's not counted: {by_cpu:.3g}",),
        raw=raw(rounds),
    )
