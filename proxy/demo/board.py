"""What is shown while it goes on: the calls of the present leg, beside what the proxy itself counts."""

import asyncio
from typing import Final

from adapters.errors import Unavailable
from proxy.demo.caller import Caller, Reading
from proxy.demo.screen import Screen
from proxy.demo.table import Figures, View
from proxy.demo.tally import Complaints, Tally
from proxy.sync.report import Progress

LOOK_EVERY_S: Final = 1.0
ASK_EVERY_S: Final = 0.1
ADOPT_LIMIT_S: Final = 10.0
"""How long a proxy may take to serve by new flags; its workers look for them every second."""


class Board:
    """The figures of the present leg, and the screen that they are on."""

    def __init__(self, caller: Caller, screen: Screen, complaints: Complaints, *, clients: int) -> None:
        self._caller = caller
        self._complaints = complaints
        self._clients = clients
        self._title = ""
        self._tally = Tally()
        self._first: Reading | None = None
        self._base = self._reading = Reading()
        self._intents_most = 0
        self._is_between = True
        self.screen = screen
        self.doing = ""

    async def look(self) -> Reading:
        """See what the proxy has counted by now. Raises Unavailable."""
        self._reading = await self._caller.reading()
        self._intents_most = max(self._intents_most, self._reading.intents_open or 0)
        return self._reading

    async def adopted(self, epoch: int) -> None:
        """Wait until all workers of the proxy serve by the flags of an epoch, or later ones. Raises Unavailable."""
        try:
            async with asyncio.timeout(ADOPT_LIMIT_S):
                while True:
                    if ((await self.look()).epoch or 0) >= epoch:
                        return
                    await asyncio.sleep(ASK_EVERY_S)
        except TimeoutError as error:
            msg = f"{self._caller.admin_url} does not serve by version {epoch} of the flags after {ADOPT_LIMIT_S:.0f} s"
            raise Unavailable(msg) from error

    def begin(self, title: str, tally: Tally) -> None:
        """Show another leg from now on."""
        self._first = self._first or self._reading
        self._title, self._tally, self._base, self._intents_most = title, tally, self._reading, 0
        self._is_between = False

    def end(self) -> Figures:
        """The leg is over: its figures."""
        self._is_between = True
        return self.figures()

    def figures(self) -> Figures:
        """The present leg's, as they are now."""
        return Figures(self._title, self._tally, self._reading.since(self._base), self._intents_most)

    def all_along(self) -> Reading:
        """What the proxy has counted since the first leg began."""
        return self._reading.since(self._first or self._reading)

    def watch(self, progress: Progress) -> None:
        """Show how far a sweep is: see Watcher."""
        of = f" of {progress.total:,}" if progress.total is not None else ""
        self.doing = f"{self.doing.partition(':')[0]}: {progress.step} {progress.done:,}{of}"
        self.draw()

    def draw(self) -> None:
        """Show all of it, once a leg has begun."""
        if self._title:
            view = View(self.figures(), self.doing, self._clients, self._complaints.count, self._is_between)
            self.screen.draw(view)

    async def show(self) -> None:
        """Look and draw for ever; a proxy that does not show its figures just now leaves the last ones."""
        while True:
            try:
                await self.look()
            except Unavailable:
                self.doing = f"{self.doing.partition(';')[0]}; no metrics just now"
            self.draw()
            await asyncio.sleep(LOOK_EVERY_S)
