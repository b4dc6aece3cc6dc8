"""One proxy in the modes of reading that are compared: which database answers, and whether the other is asked too.

    load ── proxy, one worker ──┬─ relay with a delay ───────────▶ MySQL
                                └─ canned responder with a delay ▶ DynamoDB

The load, the relay and the responder are this process.

The modes are flags of the same running process, so nothing else differs between them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from enum import Enum
from functools import partial
from statistics import median
from typing import Final

from proxy.flags.switch import Request, Switch
from proxy.wiring.databases import Databases, open_databases, unserved
from tests.fleet.estate import Estate
from tests.fleet.waiting import until
from tests.load.canned import canned
from tests.load.delayed import delayed
from tests.load.rounds import interleaved, noise, ratio
from tests.load.setting import Setting
from tests.load.subjects import MICROSECONDS, Measured, Subject, measure, proxy
from tests.load.volley import Polling, fire

CROWD: Final = 16
RECORDING_S: Final = 0.5
BENCH: Final = Request(who="bench", address="localhost", reason="to compare modes of reading")


class Mode(Enum):
    """How a read is answered, as flags; a phase brings its own flags, so it comes first."""

    SOURCE = "MySQL alone", {"migration_phase": "3", "compare_percent": "0"}
    TARGET = "DynamoDB alone", {"migration_phase": "4", "compare_percent": "0"}
    RAISE = "both, compared before the answer", {"migration_phase": "3", "mismatch_policy": "raise"}
    REPORT = "both, compared behind the answer", {"migration_phase": "3", "mismatch_policy": "report"}

    @property
    def text(self) -> str:
        """In words."""
        return self.value[0]

    @property
    def flags(self) -> Mapping[str, str]:
        """All that differ among modes."""
        return {"mismatch_policy": "report", "compare_percent": "100", **self.value[1]}


@dataclass(frozen=True, slots=True)
class Delays:
    """The latency that is put before each database, in milliseconds."""

    mysql_ms: float = 0.0
    dynamodb_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """Calls, and by how many connections at once."""

    calls: Sequence[bytes]
    connections: int


Rounds = Mapping[tuple[str, str], Sequence[Measured]]
"""By the names of an entry and of a load, round by round."""


class Modes:
    """A proxy and the way to change its mode."""

    def __init__(self, subject: Subject, databases: Databases, *, polling: Polling | None) -> None:
        self._subject = subject
        self._polling = polling
        self._control = databases.control
        self._switch = Switch(databases.control, databases.mirror, refuse=unserved(databases))
        self._mode: Mode | None = None

    async def rounds(
        self, modes: Mapping[str, Mode], loads: Mapping[str, Load], setting: Setting
    ) -> dict[tuple[str, str], list[Measured]]:
        """Every mode under every load, in each round; a mode may stand under two names, to show the noise.

        A round gives each mode one period in all.
        """
        entries: dict[str, Callable[[], Awaitable[dict[str, Measured]]]] = {
            name: partial(self._visit, mode, loads, setting.period_s / len(loads)) for name, mode in modes.items()
        }
        for load in loads.values():
            await self._record(load.calls)
        found = await interleaved(entries, rounds=setting.rounds, draw=setting.draw())
        return {(name, load): [seen[load] for seen in visits] for name, visits in found.items() for load in loads}

    async def enter(self, mode: Mode) -> None:
        """Change to a mode, and wait until the proxy serves it."""
        if mode is self._mode:
            return
        epoch = (await self._switch.change(mode.flags, BENCH)).after.epoch

        async def is_served() -> bool:
            fleet = await self._control.fleet()
            return bool(fleet) and all(each.epoch >= epoch for each in fleet)

        await until(f"the proxy to serve {mode.text}", is_served)
        self._mode = mode

    async def _record(self, calls: Sequence[bytes]) -> None:
        """Have every call made of DynamoDB once, so that no answer is new to the responder while it counts."""
        await self.enter(Mode.TARGET)
        duration_s = RECORDING_S
        while (await fire(self._subject.address, calls, connections=CROWD, duration_s=duration_s)).calls < 2 * len(
            calls
        ):
            duration_s *= 2

    async def _visit(self, mode: Mode, loads: Mapping[str, Load], period_s: float) -> dict[str, Measured]:
        await self.enter(mode)
        return {
            name: await measure(
                self._subject, load.calls, connections=load.connections, period_s=period_s, polling=self._polling
            )
            for name, load in loads.items()
        }


@asynccontextmanager
async def moded(shop: Estate, setting: Setting, *, delays: Delays) -> AsyncIterator[Modes]:
    """A proxy on both databases, each behind its delay."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        responder = await enter(canned(shop.dynamodb.url, delays.dynamodb_ms / 1000))
        given = {"CROSSFADE_DYNAMODB_ENDPOINT": f"http://{responder}"}
        if delays.mysql_ms:
            relay = await enter(delayed(shop.mysql.host, shop.mysql.port, delays.mysql_ms / 1000))
            given |= {"CROSSFADE_MYSQL_HOST": relay.host, "CROSSFADE_MYSQL_PORT": str(relay.port)}
        subject = await enter(proxy(shop, setting.folder / f"{shop.prefix}modes.log", core=setting.core, **given))
        databases = await enter(open_databases(shop.settings(), instance="bench"))
        # Where all is delayed this process would sleep most of the time, and the proxy be charged for waking it.
        yield Modes(subject, databases, polling=Polling.IDLE if delays != Delays() else None)


def p50_us(seen: Measured) -> float:
    """What half of the callers had to wait at most."""
    return seen.p50_us


def calls_per_s(seen: Measured) -> float:
    """Throughput by the clock."""
    return seen.calls_per_s


def calls_per_cpu_s(seen: Measured) -> float:
    """Throughput by the proxy's processor time."""
    return MICROSECONDS / seen.cpu_us_per_call


Gauge = Callable[[Measured], float]


def gauged(rounds: Sequence[Measured], gauge: Gauge) -> list[float]:
    """A gauge, round by round."""
    return [gauge(seen) for seen in rounds]


def compared(ours: Sequence[Measured], theirs: Sequence[Measured], gauge: Gauge) -> float:
    """The ratio of two entries."""
    return ratio(gauged(ours, gauge), gauged(theirs, gauge))


def floor(one: Sequence[Measured], same: Sequence[Measured], gauge: Gauge) -> float:
    """The noise, of two entries that are the same mode."""
    return noise(gauged(one, gauge), gauged(same, gauge))


def figures(rounds: Sequence[Measured]) -> str:
    """The medians of an entry in short."""
    p50, p99 = (median(gauged(rounds, gauge)) for gauge in (p50_us, lambda seen: seen.p99_us))
    cpu_us = median(seen.cpu_us_per_call for seen in rounds)
    return f"p50 {p50:.0f} us, p99 {p99:.0f} us, {median(gauged(rounds, calls_per_s)):.0f}/s, {cpu_us:.0f} us CPU"


def raw(rounds: Rounds) -> dict[str, object]:
    """All that was measured."""
    return {f"{name}, {load}": [asdict(seen) for seen in found] for (name, load), found in rounds.items()}
