"""Ratio 12: how long a full garbage collection stops a worker, in the midst of reads and dual writes in phase 2.

Under load they come by themselves, and rarely; further ones are asked for, so that there are enough to judge by. What
counts is their processor time: that other processes may get the core meanwhile is no matter of the collector.
"""

import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import orjson

from proxy.environment import read_address
from tests.fleet.estate import Estate, estate
from tests.fleet.proxies import ProxyProcess, serving
from tests.fleet.waiting import lapse
from tests.load.machine import keep_to
from tests.load.report import Bar, Ratio
from tests.load.running import run
from tests.load.setting import Setting
from tests.load.stock import RECORDS, plant_stock
from tests.load.volley import fire
from tests.load.workload import mixed_calls

CONNECTIONS: Final = 16
EVERY_S: Final = 0.5
LONGEST_MS: Final = Bar(must=3, stretch=1, is_least=False)
MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Pauses:
    """The full collections under load: how long each took, and how many were asked for."""

    took_ms: list[float]
    asked: int


def pauses(setting: Setting) -> list[Ratio]:
    """Measure ratio 12."""
    with estate(setting.mysql, setting.dynamodb, phase=2) as shop:
        seen = run(_measure(setting, shop))
    longest_ms, middle_ms = max(seen.took_ms), median(seen.took_ms)
    return [
        Ratio(
            number=12,
            name="longest full garbage collection under load, ms of CPU",
            value=longest_ms,
            bar=LONGEST_MS,
            ours=f"of {len(seen.took_ms)}, {seen.asked} asked for; their median {middle_ms:.2f}",
            theirs="-",
            raw={"took_ms": seen.took_ms},
        )
    ]


async def _measure(setting: Setting, shop: Estate) -> Pauses:
    await plant_stock(shop)
    notes = setting.folder / "pauses.json"
    program = (sys.executable, "-m", "tests.load.observed", str(notes))
    async with serving(shop, setting.folder / "pauses.log", program=program) as proxy:
        keep_to({setting.core}, pid=proxy.pid)
        began_s, asked, ended_s = await _load(proxy, setting.rounds * setting.period_s)
        assert 0 == await proxy.stop()
    return Pauses(_within(notes, began_s, ended_s), asked)


async def _load(proxy: ProxyProcess, duration_s: float) -> tuple[float, int, float]:
    """When the load began, how many collections were asked for in it, when it ended."""
    await fire(read_address(proxy.rpc), mixed_calls(RECORDS), connections=CONNECTIONS, duration_s=EVERY_S)
    began_s, asked = time.monotonic(), 0
    async with asyncio.TaskGroup() as tasks:
        load = fire(read_address(proxy.rpc), mixed_calls(RECORDS), connections=CONNECTIONS, duration_s=duration_s)
        loading = tasks.create_task(load)
        while not loading.done():
            os.kill(proxy.pid, signal.SIGUSR1)
            asked += 1
            await lapse(EVERY_S)
    return began_s, asked, time.monotonic()


def _within(notes: Path, began_s: float, ended_s: float) -> list[float]:
    """The milliseconds that the collections in that time took."""
    seen: list[tuple[float, float]] = orjson.loads(notes.read_bytes())
    return [took_s * MILLISECONDS for at_s, took_s in seen if began_s <= at_s <= ended_s]
