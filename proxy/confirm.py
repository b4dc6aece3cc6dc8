"""Whether two answers that differ would go on differing if nobody wrote.

    differed ── a moment later ── agree ──▶ transient
                   │ differ
                   └─ with all that is shown kept still ── agree, or an intent is unsettled ──▶ transient
                                                        └─ differ ──▶ mismatch

Reading again and again is not enough: of a product that is written all the time two answers nearly always differ.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from adapters.changes import Aggregate
from adapters.errors import CrossfadeError, Difference, Unreadable
from adapters.operations import Operation
from adapters.ports.store import Reader, Restart, RestartCause
from adapters.ports.witness import Stillness, Witness
from proxy.calls import CallRequest
from proxy.compare import Unread, differences
from proxy.metrics import DualReadResult
from proxy.phase import Side
from proxy.shown import COMPANIONS, shown_by

RE_READ_AFTER_S: Final = 0.025
GROWTHS_MAX: Final = 3
"""How often an answer may show more than what is held, before the next attempt holds that too."""
AT_ONCE: Final = 4
"""Confirmations that hold locks side by side: each keeps a session of the writers' pool."""

Sides = tuple[Side, Side]
"""The authority and the shadow."""


Answers = tuple[object, object]
"""What both answer, in the order of the sides."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What both answered, the answers that show what that speaks of, and the aggregates shown."""

    answers: Answers
    telling: Answers
    shown: frozenset[Aggregate]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a difference turned out to be; `telling` are answers of both that show its rows, the authority's first."""

    result: DualReadResult
    found: Sequence[Difference] = ()
    telling: Answers = (None, None)
    error: CrossfadeError | None = None


class Confirmation:
    """Looks again at answers that differed."""

    def __init__(
        self,
        readers: Mapping[Side, Reader],
        names: Mapping[Side, str],
        witness: Witness,
        operations: Mapping[str, Operation],
    ) -> None:
        self._readers = readers
        self._names = names
        self._witness = witness
        self._operations = operations
        self._places = asyncio.Semaphore(AT_ONCE)

    async def verdict(self, request: CallRequest, sides: Sides, *, epoch: int) -> Verdict:
        """Read both again, in the end with all that they show kept still. Raises nothing of the wire."""
        try:
            await asyncio.sleep(RE_READ_AFTER_S)
            if not self._differences(await self._both(request, sides), sides):
                return Verdict(DualReadResult.TRANSIENT)
            async with request.deadline.scope("dual_read.confirmation"), self._places:
                return await self._look_closely(request, sides, epoch)
        except Restart as restart:
            is_moved = restart.cause is RestartCause.EPOCH_MOVED
            return Verdict(DualReadResult.SKIPPED if is_moved else DualReadResult.TRANSIENT)
        except CrossfadeError as error:
            return Verdict(DualReadResult.ERROR, error=error)

    async def _look_closely(self, request: CallRequest, sides: Sides, epoch: int) -> Verdict:
        held = (await self._look(request, sides)).shown
        for _ in range(GROWTHS_MAX):
            async with self._witness.hold(held, epoch=epoch, deadline=request.deadline) as stillness:
                look = await self._look(request, sides)
                if look.shown <= held:
                    return await self._judge(look, sides, stillness)
            held |= look.shown
        return Verdict(DualReadResult.TRANSIENT)

    async def _judge(self, look: _Look, sides: Sides, stillness: Stillness) -> Verdict:
        found = self._differences(look.answers, sides)
        if not found or await stillness.is_unsettled():
            return Verdict(DualReadResult.TRANSIENT)
        return Verdict(DualReadResult.MISMATCH, found, look.telling)

    async def _look(self, request: CallRequest, sides: Sides) -> _Look:
        telling = answers = await self._both(request, sides)
        companion = COMPANIONS.get(request.operation.full_name)
        if companion is not None:
            telling = await self._both(replace(request, operation=self._operations[companion]), sides)
        return _Look(answers, telling, shown_by(request.operation, request.arguments, *telling))

    async def _both(self, request: CallRequest, sides: Sides) -> Answers:
        ours, theirs = (self._readers[side] for side in sides)
        return await read_anyhow(ours, request), await read_anyhow(theirs, request)

    def _differences(self, answers: Answers, sides: Sides) -> list[Difference]:
        return differences(*answers, names=(self._names[sides[0]], self._names[sides[1]]))


async def read_anyhow(reader: Reader, request: CallRequest) -> object:
    """The answer, Unread where the data make none: that is a difference like another. Raises all other errors."""
    try:
        return await reader.read(request.operation, request.arguments, request.deadline)
    except Unreadable as error:
        return Unread(str(error))
