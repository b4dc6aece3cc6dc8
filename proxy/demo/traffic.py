"""The shoppers at work: each makes one call at a time, for as long as the demonstration lasts."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

from proxy.demo.caller import Caller
from proxy.demo.expected import Answer, Judgement, judged
from proxy.demo.tally import Complaints, Tally
from proxy.demo.workload import CREATE_USER, Call, Deck, Scene, Shopper, call_of

PAUSE_S: Final = 0.2
"""What a shopper waits after an answer that should not have come: nobody repeats a call at once."""


class Traffic:
    """All shoppers of a demonstration, what they have called in the present leg, and whom they have made."""

    def __init__(self, caller: Caller, scene: Scene, complaints: Complaints, random: Random) -> None:
        self._caller = caller
        self._scene = scene
        self._complaints = complaints
        self._random = random
        self._deck = Deck(random)
        self._stopped = asyncio.Event()
        self._title = "before the first leg"
        self._phase: str | None = None
        self._tally = Tally()
        self.calls = 0
        self.user_ids: list[int] = []

    def begin(self, title: str, *, phase: str) -> Tally:
        """A leg begins: count in this tally from now on, and take answers of this phase alone."""
        self._title, self._phase, self._tally = title, phase, Tally()
        return self._tally

    def end(self) -> None:
        """The leg ends: what is called until the next one is in no tally, and may be answered in any phase."""
        self._tally.end()
        self._title, self._phase, self._tally = f"on from {self._title}", None, Tally()

    def stop(self) -> None:
        """End after the calls under way."""
        self._stopped.set()

    async def run(self, shoppers: Sequence[Shopper]) -> None:
        """Let them work until they are stopped."""
        async with asyncio.TaskGroup() as tasks:
            for shopper in shoppers:
                tasks.create_task(self._shop(shopper))

    async def _shop(self, shopper: Shopper) -> None:
        while not self._stopped.is_set():
            operation = self._deck.draw(has_cart=bool(shopper.cart))
            if not await self._make(call_of(operation, self._scene, shopper, self._random), shopper):
                await asyncio.sleep(PAUSE_S)

    async def _make(self, call: Call, shopper: Shopper) -> bool:
        """Make a call; whether the answer is as it should be."""
        tally = self._tally
        answer = await self._caller.call(call)
        # What was called in one leg and answered after it, or before the next, belongs to neither.
        is_within = tally is self._tally
        judgement = _of_phase(judged(call, answer, shopper), answer, self._phase if is_within else None)
        if call.operation == CREATE_USER and answer.is_ok:
            self.user_ids.append(answer.body["result"]["id"])
        self.calls += 1
        if is_within:
            tally.note(call, answer, judgement)
        if judgement.complaint is not None:
            self._complaints.note(self._title, call, judgement.complaint)
        return judgement.complaint is None


def _of_phase(judgement: Judgement, answer: Answer, phase: str | None) -> Judgement:
    """The judgement of an answer that had to come from a phase; refusals do not say from which they come."""
    if judgement.complaint is None and phase is not None and answer.phase not in {"", phase}:
        return Judgement(complaint=f"answered in phase {answer.phase}")
    return judgement
