"""A demonstration, carried out."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, Final

from adapters.errors import CrossfadeError
from proxy.background import Background
from proxy.demo.board import Board
from proxy.demo.caller import Caller
from proxy.demo.course import LEGS, Leg, Migration, Outcome, Stopped
from proxy.demo.screen import Screen
from proxy.demo.stage import Stage
from proxy.demo.table import TABLE_WIDTH, headings, total_row
from proxy.demo.traffic import Traffic

FIRST_PHASES: Final = ("1", "2")
"""The phases from which one may go to phase 1 without a second thought: the source answers, and nobody compares."""
INTERRUPTED: Final = "interrupted"

Guard = Callable[["asyncio.Task[None]"], Coroutine[Any, Any, None]]
"""Waits for a task, which it may cancel; the task's failure is not its own."""


class Demo:
    """One demonstration, with so many shoppers, each leg so long."""

    def __init__(
        self,
        caller: Caller,
        migration: Migration,
        screen: Screen,
        *,
        clients: int,
        leg_s: float,
        legs: Sequence[Leg] = LEGS,
    ) -> None:
        self._caller = caller
        self._migration = migration
        self._clients = clients
        self._leg_s = leg_s
        self._legs = legs
        self._background = Background()
        self._stage = Stage(caller)
        self._outcome = Outcome(self._stage.name)
        self._board = Board(caller, screen, self._outcome.complaints, clients=clients)

    async def run(self, guard: Guard) -> Outcome:
        """Carry it out; once `guard` has cancelled it, nothing is moved any more.

        What was made is deleted however it ends. Raises Stopped and the errors of the wire before anything was made.
        """
        await self._admit()
        user_id, username = await self._stage.first_user()
        course = self._background.spawn("course", self._course(user_id, username))
        showing = self._background.spawn("board", self._board.show())
        try:
            await guard(course)
            course.cancel()
            await asyncio.wait([course])
            self._outcome.stopped = _why_stopped(course)
            await self._clear()
            self._outcome.phase = await self._migration.phase()
        finally:
            course.cancel()
            showing.cancel()
            await asyncio.wait([course, showing])
            self._board.screen.clear()
        return self._outcome

    async def _admit(self) -> None:
        """See that there is a proxy, and in a phase to begin from."""
        await self._board.look()
        phase = await self._migration.phase()
        if phase not in FIRST_PHASES:
            raise Stopped(
                f"phase {phase} is in force, and a demonstration does not take a migration back that is under way; "
                "where nothing depends on it: crossfade phase set 1 --reason 'to show it'"
            )

    async def _course(self, user_id: int, username: str) -> None:
        if await self._migration.username(user_id) != username:
            raise Stopped(f"the proxy at {self._caller.url} serves another shop than the one of these settings")
        self._board.screen.say(f"all that is made up has {self._stage.name} in its name")
        scene = await self._stage.scene()
        shoppers = [await self._stage.shopper(scene, number) for number in range(1, self._clients + 1)]
        traffic = Traffic(self._caller, scene, self._outcome.complaints, Random(self._stage.name))  # noqa: S311  # variety
        working = self._background.spawn("shoppers", traffic.run(shoppers))
        self._board.screen.say(headings("leg", width=TABLE_WIDTH))
        try:
            for leg in self._legs:
                await self._pass(leg, traffic, working)
        finally:
            traffic.stop()
            await asyncio.wait([working])
            self._stage.user_ids += traffic.user_ids
            self._outcome.calls = traffic.calls
            self._outcome.all_along = self._board.all_along()
        await working
        await self._verify("with what was written on the way")

    async def _pass(self, leg: Leg, traffic: Traffic, working: "asyncio.Task[None]") -> None:
        """One leg: move, copy where that is due, and let the shoppers work."""
        self._board.doing = f"on to {leg.title}"
        epoch = await self._migration.move(leg.flags, reason=f"demonstration {self._stage.name}: {leg.title}")
        await self._board.adopted(epoch)
        self._board.begin(leg.title, traffic.begin(leg.title, phase=leg.phase))
        if leg.is_copied:
            await self._copy()
        self._board.doing = f"{self._leg_s:g} s of calls"
        await asyncio.wait([working], timeout=self._leg_s)
        if working.done():
            await working
        await self._board.look()
        traffic.end()
        figures = self._board.end()
        self._outcome.legs.append(figures)
        self._board.screen.say(total_row(leg.title, figures, width=TABLE_WIDTH))

    async def _copy(self) -> None:
        self._board.doing = "backfill"
        copied = await self._migration.backfill(self._board.watch)
        if not copied.is_complete:
            raise Stopped("\n".join(["the copy is not complete", *copied.lines()]))
        await self._verify("after the copy")

    async def _verify(self, when: str) -> None:
        """Compare everything. Raises Stopped where it is not equal: worse could only be covered up by going on."""
        self._board.doing = "verify"
        report = self._outcome.verified[when] = await self._migration.verify(self._board.watch)
        if not report.is_equal:
            raise Stopped(f"the databases are not equal {when}")

    async def _clear(self) -> None:
        """Delete what was made, and see once more that both databases are equal, unless it ended early."""
        self._board.screen.say("deleting what was made up")
        try:
            self._outcome.left = await self._stage.clear()
            if self._outcome.stopped is None:
                await self._verify("after it was deleted")
        except (CrossfadeError, Stopped) as error:
            self._outcome.stopped = str(error)


def _why_stopped(course: "asyncio.Task[None]") -> str | None:
    """Why a course that is done ended early; None at its end. Raises what nobody foresaw."""
    if course.cancelled():
        return INTERRUPTED
    error = course.exception()
    if isinstance(error, CrossfadeError | Stopped):
        return str(error)
    course.result()
    return None
