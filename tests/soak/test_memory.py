"""The memory of a worker that has answered very many calls."""

import asyncio
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.factories import make_category, make_product, make_user
from tests.fleet.fixtures import Figures
from tests.fleet.proxies import ProxyProcess

CALLS_TOTAL = 100_000 if is_full_proof() else 6_000
CLIENTS = 16
GROWTH_MAX = 1.10
RSS_MAX_BYTES = 200 * 2**20

Call = tuple[str, dict[str, Any]]


def rss_bytes(pid: int) -> int:
    """The resident memory of a process."""
    (line,) = [x for x in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines() if x.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


def calls_of(user_id: int, product_id: int, category_id: int) -> Iterator[Call]:
    """Reads and writes of every entity, for ever: lists, a search, a cart that fills and empties, an error."""
    return cycle(
        [
            ("user.find_by_id", {"id": user_id}),
            ("product.get_products", {"limit": 20}),
            ("product.search_products", {"search_term": "tea"}),
            ("cart.add_item", {"user_id": user_id, "product_id": product_id, "quantity": 1}),
            ("cart.get_cart_items", {"user_id": user_id}),
            ("category.get_category_path", {"category_id": category_id}),
            ("product.get_product_with_details", {"product_id": product_id}),
            ("cart.remove_item", {"user_id": user_id, "product_id": product_id}),
            ("order.get_user_orders", {"user_id": user_id}),
            ("user.find_by_id", {"id": 2**40}),
        ]
    )


async def test_memory_of_a_worker_stays(shop: Shop, proxy: ProxyProcess, figures: Figures) -> None:
    """From the first tenth of the calls to the last a worker grows by a tenth at most, and stays under 200 MB."""
    seller = await make_user(shop)
    category = await make_category(shop)
    products = [await make_product(shop, seller_id=seller["id"], category_id=category["id"]) for _ in range(CLIENTS)]
    users = [await make_user(shop, username=f"soak{number}") for number in range(CLIENTS)]
    mixes = [calls_of(u["id"], p["id"], category["id"]) for u, p in zip(users, products, strict=True)]

    async def client(mix: Iterator[Call], count: int) -> None:
        for name, arguments in islice(mix, count):
            await shop.call(name, **arguments)

    async def serve(count: int) -> int:
        async with asyncio.TaskGroup() as clients:
            for mix in mixes:
                clients.create_task(client(mix, count // CLIENTS))
        return rss_bytes(proxy.pid)

    first = await serve(CALLS_TOTAL // 10)
    last = await serve(CALLS_TOTAL - CALLS_TOTAL // 10)
    figures(
        f"resident memory after {CALLS_TOTAL // 10} calls {first / 2**20:.1f} MB, {CALLS_TOTAL}: {last / 2**20:.1f} MB"
    )
    assert last <= first * GROWTH_MAX
    assert last < RSS_MAX_BYTES
