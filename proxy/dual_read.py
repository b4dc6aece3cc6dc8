"""A read asked of both databases and compared; the authority's answer goes to the caller.

match       the same
transient   differed, then agreed: the two reads fell on both sides of a write
mismatch    still different when read again
error       the shadow failed or was too slow
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapters.errors import CrossfadeError, DataMismatch, Difference, Unavailable
from adapters.ports.store import Reader
from adapters.values import format_time
from proxy.background import Background
from proxy.calls import CallRequest
from proxy.compare import differences
from proxy.logs import EventLog
from proxy.metrics import DualReadResult
from proxy.phase import Side

RE_READ_AFTER_S: Final = 0.025
RESYNC_ABOVE: Final = 3

Sides = tuple[Side, Side]
"""The authority and the shadow."""

log = EventLog(__name__)


PENDING: Final = "pending"
"""How a comparison that goes on behind the answer is shown."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a database said: its answer, or why there is none."""

    value: object = None
    error: CrossfadeError | None = None


@dataclass(frozen=True, slots=True)
class ReadMeters:
    """Who is told of results and of the attributes that differed."""

    count: Callable[[str, DualReadResult], None]
    count_attribute: Callable[[str, str], None]


class DualRead:
    """Two observations and the policy."""

    def __init__(
        self, readers: Mapping[Side, Reader], names: Mapping[Side, str], background: Background, meters: ReadMeters
    ) -> None:
        self._readers = readers
        self._name_of = names
        self._background = background
        self._meters = meters

    async def run(self, request: CallRequest, *, authority: Side, is_raising: bool) -> tuple[object, str]:
        """The authority's answer and what came of the comparison, PENDING when it goes on behind the answer.

        With `is_raising` raises DataMismatch with the report, and Unavailable when the shadow has no answer.
        """
        sides = (authority, authority.other)
        observing = self._background.spawn("shadow_read", observe(self._readers[authority.other], request))
        try:
            answer = await self._readers[authority].read(request.operation, request.arguments, request.deadline)
        except BaseException:
            observing.cancel()
            raise
        comparison = self._compare(request, answer, observing, sides)
        if not is_raising:
            if self._background.start("comparison", comparison):
                return answer, PENDING
            observing.cancel()
            self._meters.count(request.operation.full_name, DualReadResult.SKIPPED)
            return answer, DualReadResult.SKIPPED
        result, found, error = await comparison
        if result is DualReadResult.ERROR:
            raise Unavailable("the answer could not be compared: the shadow failed") from error
        if result is DualReadResult.MISMATCH:
            raise _mismatch(request, found, names=self._names(sides))
        return answer, result

    async def _compare(
        self,
        request: CallRequest,
        answer: object,
        observing: "asyncio.Task[Observation]",
        sides: Sides,
    ) -> tuple[DualReadResult, list[Difference], CrossfadeError | None]:
        observation = await observing
        result, found = DualReadResult.ERROR, []
        if observation.error is None:
            found = differences(answer, observation.value, names=self._names(sides))
            result = DualReadResult.MISMATCH if found else DualReadResult.MATCH
        if result is DualReadResult.MISMATCH:
            result, found = await self._look_again(request, sides)
        self._meters.count(request.operation.full_name, result)
        self._report(request, result, found, sides, observation.error)
        return result, found, observation.error

    async def _look_again(self, request: CallRequest, sides: Sides) -> tuple[DualReadResult, list[Difference]]:
        """Both again, a moment later: what was on its way has arrived by now."""
        await asyncio.sleep(RE_READ_AFTER_S)
        ours = await observe(self._readers[sides[0]], request)
        theirs = await observe(self._readers[sides[1]], request)
        if ours.error is not None or theirs.error is not None:
            return DualReadResult.ERROR, []
        found = differences(ours.value, theirs.value, names=self._names(sides))
        return (DualReadResult.MISMATCH, found) if found else (DualReadResult.TRANSIENT, [])

    def _report(
        self,
        request: CallRequest,
        result: DualReadResult,
        found: Sequence[Difference],
        sides: Sides,
        error: CrossfadeError | None,
    ) -> None:
        operation = request.operation
        if result is not DualReadResult.MISMATCH:
            log.debug("dual_read_compared", operation=operation.full_name, result=result, error=str(error or ""))
            return
        for attribute in {attribute_of(difference.path) for difference in found}:
            self._meters.count_attribute(operation.entity, attribute)
        account = report(request, found, names=self._names(sides))
        log.warning("dual_read_mismatched", operation=operation.full_name, report=account)

    def _names(self, sides: Sides) -> tuple[str, str]:
        return self._name_of[sides[0]], self._name_of[sides[1]]


async def observe(reader: Reader, request: CallRequest) -> Observation:
    """Read, with failure as data: a shadow's failure must not reach the caller by itself."""
    try:
        return Observation(await reader.read(request.operation, request.arguments, request.deadline))
    except CrossfadeError as error:
        return Observation(error=error)


def attribute_of(path: str) -> str:
    """The attribute that a path ends with, `result` for the whole answer: a label of bounded variety."""
    name = path.rpartition(".")[2].partition("[")[0]
    return name or "result"


def report(request: CallRequest, found: Sequence[Difference], *, names: tuple[str, str]) -> dict[str, object]:
    """The account of a mismatch, secrets masked; `names` are the authority's and the shadow's."""
    ours, theirs = (name.lower() for name in names)
    return {
        "entity": request.operation.entity,
        "operation": request.operation.full_name,
        "id": request.arguments.get("id"),
        "correlation_id": request.correlation_id,
        "time": format_time(datetime.now(UTC)),
        "authority": ours,
        "differences": [{"path": d.path, ours: d.authority, theirs: d.shadow, "message": d.message} for d in found],
        "suggested_actions": _actions(found),
    }


def _actions(found: Sequence[Difference]) -> list[str]:
    if len(found) > RESYNC_ABOVE:
        return ["resync the aggregate"]
    actions = {"id": "check the id mapping", "password_hash": "check the handling of hashes"}
    named = [actions.get(attribute_of(d.path), "") for d in found]
    times = ["check the precision of times"] if any(attribute_of(d.path).endswith("_at") for d in found) else []
    return [action for action in dict.fromkeys([*named, *times]) if action]


def _mismatch(request: CallRequest, found: Sequence[Difference], *, names: tuple[str, str]) -> DataMismatch:
    first = found[0]
    identity = request.arguments.get("id")
    subject = f"{request.operation.entity} {identity}" if identity is not None else request.operation.full_name
    return DataMismatch(
        f"Data validation failed for {subject}: {first.message}", report=report(request, found, names=names)
    )
