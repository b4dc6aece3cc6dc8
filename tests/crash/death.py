"""A process on a wire to each database, and its end at a moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from tests.conformance.shop import encode
from tests.crash.moments import Moment, Place
from tests.crash.victim import Victim
from tests.fleet.estate import Estate
from tests.fleet.wires import Fate, Http, MySQL, Wire

KILLED: Final = -9

Wires = Mapping[Place, Wire]


@dataclass(slots=True)
class Fatal:
    """A rule that kills the sender of a message. Of those that bear the moment's marker the `nth` is the one."""

    moment: Moment
    nth: int
    kill: Callable[[], Awaitable[object]]
    released: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0

    def arm(self, wires: Wires) -> None:
        """Wait for the message, where the moment is one."""
        if self.moment.place is not None:
            wires[self.moment.place].rule = self

    async def __call__(self, message: bytes) -> Fate:
        """See Rule."""
        self.seen += self.moment.marker in message
        if self.moment.marker not in message or self.seen != self.nth:
            return Fate.PASS
        await self.kill()
        if self.moment.is_late:
            await self.released.wait()
        return self.moment.fate

    async def late_answer(self, wires: Wires) -> bytes:
        """Let the message arrive that was on its way all the time; what the database said to it."""
        assert self.moment.place is not None
        self.released.set()
        return await wires[self.moment.place].lost_answer()


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a victim."""

    victim: Victim
    fatal: Fatal
    wires: Wires

    async def call(self, operation: str, arguments: Mapping[str, object]) -> None:
        """Make the call that the victim does not survive."""
        url = f"http://{await self.victim.address()}/rpc/{operation.replace('.', '/')}"
        self.fatal.arm(self.wires)
        async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as client:
            try:
                async with client.post(url, data=encode(dict(arguments))) as response:
                    raise AssertionError(f"the victim lived to answer {await response.text()}")
            except aiohttp.ClientConnectionError:
                assert KILLED == await self.victim.end()

    async def late_answer(self) -> bytes:
        """See Fatal."""
        return await self.fatal.late_answer(self.wires)


@asynccontextmanager
async def wired(estate: Estate) -> AsyncIterator[Wires]:
    """A wire to each database."""
    async with (
        Wire(estate.mysql.host, estate.mysql.port, MySQL()) as mysql,
        Wire(*estate.dynamodb_address, Http()) as dynamodb,
    ):
        yield {Place.MYSQL: mysql, Place.DYNAMODB: dynamodb}


def on_wires(wires: Wires) -> dict[str, str]:
    """The settings of a proxy that reaches its databases through wires."""
    return {
        "CROSSFADE_MYSQL_HOST": "127.0.0.1",
        "CROSSFADE_MYSQL_PORT": str(wires[Place.MYSQL].port),
        "CROSSFADE_DYNAMODB_ENDPOINT": wires[Place.DYNAMODB].url,
    }


@asynccontextmanager
async def dying(estate: Estate, moment: Moment, log: Path, *, nth: int = 1) -> AsyncIterator[Death]:
    """A victim that is to die at a moment."""
    async with wired(estate) as wires:
        victim = Victim(estate.environ(**on_wires(wires)), log, fatal=moment.step)
        try:
            yield Death(victim, Fatal(moment, nth, victim.kill), wires)
        finally:
            await victim.close()
