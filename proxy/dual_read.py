"""A read asked of both databases and compared; the authority's answer goes to the caller.

match       the same
transient   differed, and a write under way, or one still owed to the shadow, explains it
mismatch    different while nobody was writing what the answers show
error       the shadow failed or was too slow
skipped     not compared: not in the sample, comparing is off, no room behind the answer, or the phase moved meanwhile
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from adapters.errors import CrossfadeError, DataMismatch, Difference, Unavailable, Unreadable
from adapters.ports.store import Arguments, Reader
from adapters.values import format_time
from proxy.background import Background
from proxy.calls import CallRequest
from proxy.compare import Unread, is_same
from proxy.confirm import Confirmation, Sides, Verdict, read_anyhow
from proxy.logs import EventLog
from proxy.metrics import DualReadResult
from proxy.phase import Plan, Side

RESYNC_ABOVE: Final = 3


class Follow(Protocol):
    """What sees to a confirmed mismatch."""

    def __call__(
        self, report: Mapping[str, object], arguments: Arguments, *, source: object, target: object
    ) -> Coroutine[Any, Any, None]:
        """Take the report, the call's arguments and what both databases answered."""


log = EventLog(__name__)


MATCH: Final = Verdict(DualReadResult.MATCH)
PENDING: Final = "pending"
"""How a comparison that goes on behind the answer is shown."""


@dataclass(frozen=True, slots=True)
class ReadMeters:
    """Who is told of results and of the attributes that differed."""

    count: Callable[[str, DualReadResult], None]
    count_attribute: Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class DualReadParts:
    """What a dual read works with; `background` holds the comparisons that nobody waits for.

    Without `has_values_logged` the log names the attributes that differ, and the kept report alone has their values.
    """

    readers: Mapping[Side, Reader]
    names: Mapping[Side, str]
    background: Background
    meters: ReadMeters
    confirmation: Confirmation
    follow: Follow
    has_values_logged: bool = True


class DualRead:
    """Two observations and the policy."""

    def __init__(self, parts: DualReadParts) -> None:
        self._parts = parts

    async def run(self, request: CallRequest, plan: Plan, *, epoch: int) -> tuple[object, str]:
        """The authority's answer and what came of the comparison, PENDING when it goes on behind the answer.

        When the plan is raising, raises DataMismatch with the report, and Unavailable when the shadow has no answer.
        """
        parts, authority = self._parts, plan.authority
        is_sampled = random.random() < plan.sample  # noqa: S311  # sampling
        if is_sampled and not plan.is_compared:
            # The shadow gets to know the load that it is to take over; what becomes of it is in its own figures.
            parts.background.start("read_beside", observe(parts.readers[authority.other], request))
        if not is_sampled or not plan.is_compared:
            result = await parts.readers[authority].read(request.operation, request.arguments, request.deadline)
            return result, self._skip(request)
        sides = (authority, authority.other)
        # Who waits for both asks DynamoDB first and with no task between: it takes longer as a rule.
        here = Side.TARGET if plan.is_raising else authority
        beside = parts.background.spawn("read_beside", observe(parts.readers[here.other], request))
        try:
            seen = await observe(parts.readers[here], request)
            if here is authority:
                _raise_error(seen)
        except BaseException:
            beside.cancel()
            raise
        if not plan.is_raising:
            compared = self._compare_behind(request, seen, beside, sides, epoch)
            return _given(seen), compared
        ours, theirs = (seen, await beside) if here is authority else (await beside, seen)
        _raise_error(ours)
        verdict = await self._compare(request, ours, theirs, sides, epoch)
        if verdict.result is DualReadResult.ERROR:
            raise Unavailable(f"the answer could not be compared: {verdict.error}") from verdict.error
        if verdict.result is DualReadResult.MISMATCH:
            raise _mismatch(request, verdict.found, names=self._names(sides))
        return _given(ours), verdict.result

    def _compare_behind(
        self,
        request: CallRequest,
        answer: object,
        observing: "asyncio.Task[object]",
        sides: Sides,
        epoch: int,
    ) -> str:
        async def compare() -> None:
            await self._compare(request, answer, await observing, sides, epoch)

        if self._parts.background.start("comparison", compare()):
            return PENDING
        observing.cancel()
        return self._skip(request)

    def _skip(self, request: CallRequest) -> str:
        self._parts.meters.count(request.operation.full_name, DualReadResult.SKIPPED)
        return DualReadResult.SKIPPED

    async def _compare(self, request: CallRequest, answer: object, seen: object, sides: Sides, epoch: int) -> Verdict:
        if isinstance(seen, CrossfadeError):
            verdict = Verdict(DualReadResult.ERROR, error=seen)
        elif is_same(answer, seen):
            verdict = MATCH
        else:
            verdict = await self._parts.confirmation.verdict(request, sides, epoch=epoch)
        self._parts.meters.count(request.operation.full_name, verdict.result)
        if verdict.result is DualReadResult.MISMATCH:
            self._see_to(request, verdict, sides)
        elif log.is_enabled_for_debug():
            error = str(verdict.error or "")
            log.debug("dual_read_compared", operation=request.operation.full_name, result=verdict.result, error=error)
        return verdict

    def _see_to(self, request: CallRequest, verdict: Verdict, sides: Sides) -> None:
        operation = request.operation
        attributes = sorted({attribute_of(difference.path) for difference in verdict.found})
        for attribute in attributes:
            self._parts.meters.count_attribute(operation.entity, attribute)
        account = report(request, verdict.found, names=self._names(sides))
        shown = account if self._parts.has_values_logged else None
        log.warning("dual_read_mismatched", operation=operation.full_name, attributes=attributes, report=shown)
        answers = dict(zip(sides, verdict.telling, strict=True))
        follow = self._parts.follow(
            account, request.arguments, source=answers[Side.SOURCE], target=answers[Side.TARGET]
        )
        self._parts.background.start("mismatch_followed", follow)

    def _names(self, sides: Sides) -> tuple[str, str]:
        return self._parts.names[sides[0]], self._parts.names[sides[1]]


async def observe(reader: Reader, request: CallRequest) -> object:
    """Read, with the error in the answer's place if there is none: only that of the authority may reach the caller."""
    try:
        return await read_anyhow(reader, request)
    except CrossfadeError as error:
        return error


def _raise_error(seen: object) -> None:
    if isinstance(seen, CrossfadeError):
        raise seen


def _given(answer: object) -> object:
    """The authority's answer. Raises Unreadable where its data made none, for that is no answer to anybody."""
    if isinstance(answer, Unread):
        raise Unreadable(answer.reason)
    return answer


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
