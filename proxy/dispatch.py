"""One path for all operations: the flags' snapshot, the plan, then a read, a dual read or a write."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.errors import Unavailable
from adapters.flags import ControlState
from adapters.ports.store import Reader
from proxy.background import Background
from proxy.calls import Answer, CallRequest
from proxy.dual_read import DualRead
from proxy.dual_write import DualWrite
from proxy.flags.model import phase_label
from proxy.flags.snapshot import Snapshot
from proxy.phase import Plan, Side, WriteMode, plan_of


@dataclass(frozen=True, slots=True)
class DispatchParts:
    """Who reads and writes, and by what names the sides go on the wire."""

    snapshot: Snapshot
    readers: Mapping[Side, Reader]
    names: Mapping[Side, str]
    dual_read: DualRead
    dual_write: DualWrite
    background: Background


@dataclass(frozen=True, slots=True)
class _Course:
    """What follows from a control state, worked out once: it stays for a second and thousands of calls."""

    state: ControlState
    plan: Plan
    """The plan of a call that is compared if any is."""
    phase: str


class Dispatch:
    """The dispatcher of calls."""

    def __init__(self, parts: DispatchParts) -> None:
        self._parts = parts
        self._course: _Course | None = None

    async def call(self, request: CallRequest) -> Answer:
        """Answer a call under the flags of its start. Raises the errors of the wire."""
        state = self._parts.snapshot.current()
        course = self._course
        if course is None or course.state is not state:
            course = self._course = _course_of(state)
        if request.operation.is_write:
            return await self._write(request, course)
        return await self._read(request, course)

    async def _read(self, request: CallRequest, course: _Course) -> Answer:
        plan = course.plan
        if plan.is_compared:
            plan = plan_of(course.state.flags, sample=random.random())  # noqa: S311  # sampling
        served_by = self._parts.names[plan.authority]
        if plan.is_compared:
            result, compared = await self._parts.dual_read.run(
                request, authority=plan.authority, is_raising=plan.is_raising, epoch=course.state.epoch
            )
            return Answer(result, course.phase, served_by, compared)
        reader = self._parts.readers[plan.authority]
        result = await reader.read(request.operation, request.arguments, request.deadline)
        return Answer(result, course.phase, served_by, None)

    async def _write(self, request: CallRequest, course: _Course) -> Answer:
        """In a task of its own, which a vanished client cannot cut in half."""
        if course.plan.write_mode is WriteMode.TARGET_ONLY:
            msg = "this version cannot write to the target alone"
            raise Unavailable(msg)
        result, state = await self._parts.background.finish(
            request.operation.full_name, self._parts.dual_write.run(request, course.state)
        )
        return Answer(result, phase_label(state.flags), self._parts.names[Side.SOURCE], None)


def _course_of(state: ControlState) -> _Course:
    return _Course(state, plan_of(state.flags, sample=0.0), phase_label(state.flags))
