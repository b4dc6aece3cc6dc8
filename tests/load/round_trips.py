"""Ratio 14: how often a dual write waits for MySQL, counted on the wire between the proxy and the server.

What else is on the wire, the poll of the control row and the repairer, falls into some calls; the median of several
calls of a kind leaves it out.
"""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import aiohttp

from tests.conformance.shop import Shop
from tests.crash.death import on_wires, wired
from tests.crash.moments import Place
from tests.crash.shapes import EVERY, Shape
from tests.fleet.estate import Estate, estate
from tests.fleet.fixtures import shop_of
from tests.fleet.proxies import serving
from tests.fleet.wires import Fate
from tests.load.report import Bar, Ratio
from tests.load.running import run
from tests.load.setting import Setting

TIMES: Final = 5
JUDGED: Final = "cart.add_item"
ROUND_TRIPS: Final = Bar(must=4, stretch=3, is_least=False)
SEQUENCE: Final = 3
COMMAND: Final = 4
UNANSWERED: Final = (0x01, 0x19)
"""The commands that the server does not answer: QUIT, and the closing of a prepared statement."""

Counts = dict[str, int]
"""Round trips by operation, of that shape which takes the most."""


@dataclass(slots=True)
class Counter:
    """A rule that counts the messages which a client waits for; those of a login, numbered from 1, are none of them."""

    seen: int = 0

    async def __call__(self, message: bytes) -> Fate:
        """See Rule."""
        self.seen += message[SEQUENCE] == 0 and message[COMMAND] not in UNANSWERED
        return Fate.PASS


def round_trips(setting: Setting) -> list[Ratio]:
    """Count, and judge the write that has a bar; the others stand beside it."""
    with estate(setting.mysql, setting.dynamodb, phase=2) as shop:
        counts = run(count_on_the_wire(EVERY, shop, setting.folder / "round_trips.log"))
    bar = ROUND_TRIPS
    within = sum(count <= bar.must for count in counts.values())
    return [
        Ratio(
            number=14,
            name=f"{JUDGED}: MySQL round trips one after another",
            value=counts[JUDGED],
            bar=bar,
            ours=f"{within} of {len(counts)} kinds of write within the bar",
            theirs="-",
            notes=tuple(f"{name}: {count}" for name, count in counts.items()),
            raw={"round_trips": counts},
        )
    ]


async def count_on_the_wire(shapes: Iterable[Shape], estate: Estate, log: Path) -> Counts:
    """The round trips of these writes, made one by one by a proxy with nothing else to do."""
    async with AsyncExitStack() as stack:
        wires = await stack.enter_async_context(wired(estate))
        proxy = await stack.enter_async_context(serving(estate, log, **on_wires(wires)))
        shop = shop_of(estate, proxy, await stack.enter_async_context(aiohttp.ClientSession()))
        counter = Counter()
        wires[Place.MYSQL].rule = counter
        most: Counts = {}
        for shape in shapes:
            count = int(median([await _count(shape, shop, counter) for _ in range(TIMES)]))
            most[shape.operation] = max(count, most.get(shape.operation, 0))
    return dict(sorted(most.items()))


async def _count(shape: Shape, shop: Shop, counter: Counter) -> int:
    arguments = await shape.prepare(shop)
    before = counter.seen
    await shop.call(shape.operation, **arguments)
    return counter.seen - before
