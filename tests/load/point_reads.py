"""Ratios 1 to 3: what the proxy adds in phase 1 to the read of a record, beside bare handlers on both MySQL protocols.

The handlers answer with the same bytes, which is checked before anything is measured. Throughput is taken by the clock
and by the processor time of the subject, and the ratio is the worse of both: where a subject does not fill its core,
something else sets the pace by the clock.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Final

import orjson

from tests.fleet.estate import Estate, estate
from tests.load.report import Bar, Ratio
from tests.load.rounds import interleaved, noise, ratio
from tests.load.running import run
from tests.load.setting import Setting
from tests.load.stock import RECORDS, plant_stock
from tests.load.subjects import MICROSECONDS, Measured, Subject, bare, measure, must_agree, proxy
from tests.load.volley import Polling, post

CROWD: Final = 32
OURS: Final = "proxy"
PREPARED: Final = "bare, prepared"
TEXT: Final = "bare, text"
AGAIN: Final = "bare, prepared, again"
BARE: Final = {PREPARED: "prepared", TEXT: "text", AGAIN: "prepared"}
CHECKED_IDS: Final = (1, 2, RECORDS, RECORDS + 1)


@dataclass(frozen=True, slots=True)
class Read:
    """An operation that reads one record by its id."""

    operation: str
    argument: str

    @property
    def path(self) -> str:
        """Where it is called."""
        return f"/rpc/{self.operation.replace('.', '/')}"


READS: Final = (Read("product.get_product_by_id", "product_id"), Read("user.find_by_id", "id"))
THROUGHPUT: Final = {
    PREPARED: (1, Bar(must=0.60, stretch=0.70, is_least=True)),
    TEXT: (2, Bar(must=0.85, stretch=1.0, is_least=True)),
}
LATENCY: Final = Bar(must=1.30, stretch=1.15, is_least=False)

Gauge = Callable[[Measured], float]
Rounds = Mapping[str, Sequence[Measured]]


def point_reads(setting: Setting) -> list[Ratio]:
    """Measure ratios 1 to 3."""
    with estate(setting.mysql, setting.dynamodb, phase=1) as shop:
        return run(_measure(setting, shop))


async def _measure(setting: Setting, shop: Estate) -> list[Ratio]:
    await plant_stock(shop)
    async with AsyncExitStack() as stack:
        subjects = [
            await stack.enter_async_context(proxy(shop, setting.folder / "point_reads.log", core=setting.core)),
            *[
                await stack.enter_async_context(bare(shop.mysql, protocol, core=setting.core, name=name))
                for name, protocol in BARE.items()
            ],
        ]
        checked = {read.path: [{read.argument: number} for number in CHECKED_IDS] for read in READS}
        await must_agree(subjects, checked)
        bench = _Bench(setting, subjects)
        floor = {connections: await bench.noise(READS[0], connections) for connections in (CROWD, 1)}
        ratios = []
        for read in READS:
            crowd = await bench.rounds(read, CROWD, (OURS, PREPARED, TEXT))
            alone = await bench.rounds(read, 1, (OURS, PREPARED))
            ratios += [
                _throughput(read, crowd, PREPARED, floor[CROWD]),
                _throughput(read, crowd, TEXT, floor[CROWD]),
                _latency(read, alone, floor[1]),
            ]
        return sorted(ratios, key=lambda found: found.number)


class _Bench:
    """The subjects, measured in rounds."""

    def __init__(self, setting: Setting, subjects: Sequence[Subject]) -> None:
        self._setting = setting
        self._subjects = {subject.name: subject for subject in subjects}
        self._draw = setting.draw()

    async def rounds(self, read: Read, connections: int, names: Sequence[str]) -> Rounds:
        """What these subjects made of the read, round by round."""
        ids = self._draw.sample(range(1, RECORDS + 1), RECORDS)
        calls = [post(read.path, orjson.dumps({read.argument: number})) for number in ids]
        wanted: dict[str, Callable[[], Awaitable[Measured]]] = {
            name: partial(
                measure,
                self._subjects[name],
                calls,
                connections=connections,
                period_s=self._setting.period_s,
                polling=Polling.BUSY,
            )
            for name in names
        }
        return await interleaved(wanted, rounds=self._setting.rounds, draw=self._draw)

    async def noise(self, read: Read, connections: int) -> dict[Gauge, float]:
        """How far two processes of the same program lie apart here and now, by each gauge."""
        twins = await self.rounds(read, connections, (PREPARED, AGAIN))
        return {
            gauge: noise(*([gauge(seen) for seen in twins[name]] for name in (PREPARED, AGAIN))) for gauge in GAUGES
        }


def calls_per_s(seen: Measured) -> float:
    """Throughput by the clock."""
    return seen.calls_per_s


def calls_per_cpu_s(seen: Measured) -> float:
    """Throughput by the subject's processor time."""
    return MICROSECONDS / seen.cpu_us_per_call


def p50_us(seen: Measured) -> float:
    """What half of the callers had to wait at most."""
    return seen.p50_us


GAUGES: Final = (calls_per_s, calls_per_cpu_s, p50_us)


def _throughput(read: Read, crowd: Rounds, theirs: str, floor: Mapping[Gauge, float]) -> Ratio:
    number, bar = THROUGHPUT[theirs]
    found = {gauge: _ratio(crowd, gauge, theirs) for gauge in (calls_per_s, calls_per_cpu_s)}
    worse = min(found, key=lambda gauge: found[gauge])
    return Ratio(
        number=number,
        name=f"{read.operation}: {worse.__name__}, c={CROWD}, to {theirs}",
        value=found[worse],
        bar=bar,
        ours=_figures(crowd[OURS]),
        theirs=_figures(crowd[theirs]),
        noise=floor[worse],
        raw=_raw(crowd),
    )


def _latency(read: Read, alone: Rounds, floor: Mapping[Gauge, float]) -> Ratio:
    return Ratio(
        number=3,
        name=f"{read.operation}: p50, c=1, to {PREPARED}",
        value=_ratio(alone, p50_us, PREPARED),
        bar=LATENCY,
        ours=f"{median(map(p50_us, alone[OURS])):.0f} us",
        theirs=f"{median(map(p50_us, alone[PREPARED])):.0f} us",
        noise=floor[p50_us],
        raw=_raw(alone),
    )


def _ratio(rounds: Rounds, gauge: Gauge, theirs: str) -> float:
    return ratio([gauge(seen) for seen in rounds[OURS]], [gauge(seen) for seen in rounds[theirs]])


def _figures(rounds: Sequence[Measured]) -> str:
    calls_per_s = median(seen.calls_per_s for seen in rounds)
    cpu_us = median(seen.cpu_us_per_call for seen in rounds)
    busy = median(seen.busy_share for seen in rounds)
    return f"{calls_per_s:.0f}/s, {cpu_us:.0f} us CPU, core {busy:.0%}"


def _raw(rounds: Rounds) -> dict[str, object]:
    return {name: [asdict(seen) for seen in found] for name, found in rounds.items()}
