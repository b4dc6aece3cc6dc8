"""Changing the flags of a test's shop from the test's own process: a command's start takes seconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.flags import ControlState
from proxy.admin.records import Actor
from proxy.admin.room import Room
from proxy.flags.model import PHASE
from proxy.wiring.control_commands import opened_room
from tests.fleet.estate import Estate

TEST = Actor("test", "")


class Hand:
    """Changes flags past all gates."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def set(self, **changes: object) -> ControlState:
        """Change flags by their names on the wire: the state after it."""
        return (await self._room.set_flags(changes, actor=TEST, reason="a test", is_forced=True)).after

    async def move(self, phase: int) -> ControlState:
        """Move to a phase: the state after it."""
        return await self.set(**{PHASE: phase})

    async def state(self) -> ControlState:
        """The state in force."""
        return await self._room.state()

    async def mirrored(self) -> ControlState | None:
        """What the mirror says."""
        return await self._room.copies.mirror.read()


@asynccontextmanager
async def controlling(estate: Estate) -> AsyncIterator[Hand]:
    """A hand at the flags of this shop."""
    async with opened_room(estate.settings()) as host:
        yield Hand(host.room)
