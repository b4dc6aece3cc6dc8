"""Ratios 8 to 11: what asking both databases and comparing costs the caller.

The modes of one proxy are compared, reading records of two kinds. With latency before the databases, 3 ms before
DynamoDB and 2 ms before MySQL, a dual read should take no longer than the slower of them alone; without any its cost is
processor time. DynamoDB's tail is looked at where nothing but the proxy can make one.
"""

from statistics import median
from typing import Final

import orjson

from tests.fleet.estate import Estate, estate
from tests.load.modes import Delays, Load, Mode, Rounds, compared, figures, floor, gauged, moded, p50_us, raw
from tests.load.report import Bar, Ratio
from tests.load.running import run
from tests.load.setting import Setting
from tests.load.stock import plant_stock, told_to_both
from tests.load.volley import post

LATENCY: Final = Delays(mysql_ms=2.0, dynamodb_ms=3.0)
ALONE: Final = "c=1"
FEW: Final = "c=8"
CROWD: Final = "c=32"
CONNECTIONS: Final = {ALONE: 1, FEW: 8, CROWD: 32}
AGAIN: Final = "again"
"""The entry that shows the noise."""
DELAYED: Final = {ALONE: Bar(1.05, 1.03, is_least=False), FEW: Bar(1.05, 1.03, is_least=False)}
UNDELAYED: Final = {ALONE: Bar(1.25, 1.12, is_least=False), CROWD: Bar(1.35, 1.20, is_least=False)}
BEHIND: Final = Bar(1.10, 1.03, is_least=False)
TAIL: Final = Bar(2.0, 1.5, is_least=False)


def delayed_reads(setting: Setting) -> list[Ratio]:
    """Measure ratios 8 and 10."""
    with estate(setting.mysql, setting.dynamodb, phase=2) as shop:
        entries = {mode.name: mode for mode in (Mode.SOURCE, Mode.TARGET, Mode.RAISE, Mode.REPORT)}
        rounds = run(_measure(setting, shop, entries, [ALONE, FEW], LATENCY))
    slower = [_slower(8, rounds, load, bar, "3 ms and 2 ms before") for load, bar in DELAYED.items()]
    return [*slower, _behind(rounds)]


def dual_reads(setting: Setting) -> list[Ratio]:
    """Measure ratios 9 and 11."""
    with estate(setting.mysql, setting.dynamodb, phase=2) as shop:
        entries = {mode.name: mode for mode in (Mode.SOURCE, Mode.TARGET, Mode.RAISE)}
        rounds = run(_measure(setting, shop, entries, [ALONE, CROWD], Delays()))
    return [*(_slower(9, rounds, load, bar, "nothing before") for load, bar in UNDELAYED.items()), _tail(rounds)]


async def _measure(
    setting: Setting, shop: Estate, entries: dict[str, Mode], loads: list[str], delays: Delays
) -> Rounds:
    await plant_stock(shop, records=setting.records)
    await told_to_both(shop)
    calls = [
        post(f"/rpc/{entity}/{operation}", orjson.dumps({argument: number}))
        for number in setting.draw().sample(range(1, setting.records + 1), setting.records)
        for entity, operation, argument in (
            ("product", "get_product_by_id", "product_id"),
            ("user", "find_by_id", "id"),
        )
    ]
    async with moded(shop, setting, delays=delays) as modes:
        given = {name: Load(calls, CONNECTIONS[name]) for name in loads}
        return await modes.rounds({**entries, AGAIN: Mode.TARGET}, given, setting)


def _slower(number: int, rounds: Rounds, load: str, bar: Bar, where: str) -> Ratio:
    """A dual read that is waited for, to the database that takes longer alone."""
    alone = {mode: rounds[mode.name, load] for mode in (Mode.SOURCE, Mode.TARGET)}
    slower = max(alone, key=lambda mode: median(gauged(alone[mode], p50_us)))
    both = rounds[Mode.RAISE.name, load]
    return Ratio(
        number=number,
        name=f"dual read to {slower.text}: p50, {load}, {where} them",
        value=compared(both, alone[slower], p50_us),
        bar=bar,
        ours=figures(both),
        theirs=figures(alone[slower]),
        noise=_noise(rounds, load),
        raw=raw(rounds),
    )


def _behind(rounds: Rounds) -> Ratio:
    """A dual read that nobody waits for; with many connections and no pause the work behind answers delays others."""
    both, alone = ({load: rounds[mode.name, load] for load in (ALONE, FEW)} for mode in (Mode.REPORT, Mode.SOURCE))
    few = compared(both[FEW], alone[FEW], p50_us)
    return Ratio(
        number=10,
        name=f"dual read compared behind to MySQL alone: p50, {ALONE}, 3 ms and 2 ms before them",
        value=compared(both[ALONE], alone[ALONE], p50_us),
        bar=BEHIND,
        ours=figures(both[ALONE]),
        theirs=figures(alone[ALONE]),
        noise=_noise(rounds, ALONE),
        notes=(f"at {FEW} {few:.3g}: {figures(both[FEW])} to {figures(alone[FEW])}",),
        raw=raw(rounds),
    )


def _tail(rounds: Rounds) -> Ratio:
    alone = rounds[Mode.TARGET.name, CROWD]
    shares = [[seen.p99_us / seen.p50_us for seen in rounds[name, CROWD]] for name in (Mode.TARGET.name, AGAIN)]
    middle, again = map(median, shares)
    return Ratio(
        number=11,
        name=f"DynamoDB alone: p99 to p50, {CROWD}",
        value=middle,
        bar=TAIL,
        ours=figures(alone),
        theirs="-",
        noise=abs(again / middle - 1),
        raw=raw(rounds),
    )


def _noise(rounds: Rounds, load: str) -> float:
    return floor(rounds[AGAIN, load], rounds[Mode.TARGET.name, load], p50_us)
