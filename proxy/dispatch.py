"""One path for all operations: the flags' snapshot, the plan, then a read, a dual read or a write."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from adapters.errors import Unavailable
from adapters.flags import ControlState
from adapters.ports.store import Reader
from proxy.background import Background
from proxy.calls import Answer, CallRequest
from proxy.dual_read import DualRead
from proxy.dual_write import DualWrite
from proxy.flags.model import phase_label
from proxy.flags.override import Reading
from proxy.flags.snapshot import Snapshot
from proxy.phase import Plan, Side, WriteMode, plan_of

OVERRIDDEN: Final = "; override"
"""What follows the phase where a browser has read by flags of its own."""


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
    """What follows from a control state, worked out once: it stays for a second and thousands of calls.

    A read that is no dual read is answered by `reader`; either kind is `served_by` the authority.
    """

    state: ControlState
    plan: Plan
    phase: str
    reader: Reader
    served_by: str


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
            course = self._course = self._course_of(state)
        if request.operation.is_write:
            return await self._write(request, course)
        if request.reading is not None and request.reading.epoch == state.epoch:
            course = self._overridden(state, request.reading)
        if not course.plan.is_dual_read:
            result = await course.reader.read(request.operation, request.arguments, request.deadline)
            return Answer(result, course.phase, course.served_by, None)
        result, shadow = await self._parts.dual_read.run(request, course.plan, epoch=state.epoch)
        return Answer(result, course.phase, course.served_by, shadow)

    async def _write(self, request: CallRequest, course: _Course) -> Answer:
        """In a task of its own, which a vanished client cannot cut in half."""
        if course.plan.write_mode is WriteMode.TARGET_ONLY:
            msg = "this version cannot write to the target alone"
            raise Unavailable(msg)
        result, state = await self._parts.background.finish(
            request.operation.full_name, self._parts.dual_write.run(request, course.state)
        )
        return Answer(result, phase_label(state.flags), self._parts.names[Side.SOURCE], None)

    def _overridden(self, state: ControlState, reading: Reading) -> _Course:
        course = self._course_of(replace(state, flags=reading.beside(state.flags)))
        return replace(course, phase=f"{course.phase}{OVERRIDDEN}")

    def _course_of(self, state: ControlState) -> _Course:
        plan = plan_of(state.flags)
        parts, side = self._parts, plan.authority
        return _Course(state, plan, phase_label(state.flags), parts.readers[side], parts.names[side])
