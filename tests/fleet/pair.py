"""Two proxies of one shop, the second of which may be cut off from a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.errors import Conflict, Unavailable
from proxy.flags.model import PHASE
from proxy.flags.switch import Request, Switch, Switched
from proxy.wiring.databases import open_databases
from tests.crash.death import Wires, on_wires, wired
from tests.crash.moments import Place
from tests.fleet.estate import Estate
from tests.fleet.proxies import ProxyProcess, serving
from tests.fleet.waiting import until

__all__ = ["Pair", "move", "pair"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two proxies; the second reaches its databases through wires."""

    estate: Estate
    first: ProxyProcess
    second: ProxyProcess
    wires: Wires

    @property
    def both(self) -> tuple[ProxyProcess, ProxyProcess]:
        """The proxies."""
        return self.first, self.second

    @asynccontextmanager
    async def cut_off(self, place: Place) -> AsyncIterator[None]:
        """The second proxy is without a database; in the end it serves again by itself."""
        self.wires[place].refuse()
        yield
        await self.wires[place].restore()
        await self.serve()

    async def serve(self) -> None:
        """Wait until both can serve the present phase, and go by it."""
        epoch = await self.estate.epoch()

        async def are_up() -> bool:
            epochs = [await proxy.metric("crossfade_control_epoch") for proxy in self.both]
            return [epoch, epoch] == epochs and all([await proxy.is_ready() for proxy in self.both])

        await until("both proxies to serve the present phase", are_up)

    async def move(self, phase: int) -> Switched:
        """Move as soon as nothing is unsettled and no write is in the way."""
        return await move(self.estate, phase)

    async def dual_reads(self, result: str) -> float:
        """How many reads both have counted so."""
        return sum([await proxy.metric("crossfade_dual_reads_total", result=result) for proxy in self.both])


async def move(estate: Estate, phase: int) -> Switched:
    """See Pair."""
    async with open_databases(estate.settings(), instance="operator") as databases:
        switch = Switch(databases.control, databases.mirror, refuse=lambda _: None)

        async def moved() -> Switched | None:
            try:
                return await switch.change({PHASE: phase}, Request(who="test", address="localhost", reason="to go on"))
            except (Conflict, Unavailable):
                return None

        switched = await until(f"phase {phase}", moved)
    assert switched is not None
    return switched


@pytest.fixture
async def pair(estate: Estate, proxy: ProxyProcess, tmp_path: Path) -> AsyncIterator[Pair]:
    """The module's proxy, and one on wires."""
    async with wired(estate) as wires, serving(estate, tmp_path / "second", **on_wires(wires)) as second:
        yield Pair(estate, proxy, second, wires)
        # One that is killed is waited for by the next move.
        assert 0 == await second.stop()
