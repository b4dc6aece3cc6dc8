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
from proxy.phase import Side, WriteMode, plan_of


@dataclass(frozen=True, slots=True)
class DispatchParts:
    """Who reads and writes, and by what names the sides go on the wire."""

    snapshot: Snapshot
    readers: Mapping[Side, Reader]
    names: Mapping[Side, str]
    dual_read: DualRead
    dual_write: DualWrite
    background: Background


class Dispatch:
    """The dispatcher of calls."""

    def __init__(self, parts: DispatchParts) -> None:
        self._parts = parts

    async def call(self, request: CallRequest) -> Answer:
        """Answer a call under the flags of its start. Raises the errors of the wire."""
        state = self._parts.snapshot.current()
        if request.operation.is_write:
            return await self._write(request, state)
        return await self._read(request, state)

    async def _read(self, request: CallRequest, state: ControlState) -> Answer:
        plan = plan_of(state.flags, sample=random.random())  # noqa: S311  # sampling
        phase, served_by = phase_label(state.flags), self._parts.names[plan.authority]
        if plan.is_compared:
            result, compared = await self._parts.dual_read.run(
                request, authority=plan.authority, is_raising=plan.is_raising
            )
            return Answer(result, phase, served_by, compared)
        reader = self._parts.readers[plan.authority]
        result = await reader.read(request.operation, request.arguments, request.deadline)
        return Answer(result, phase, served_by, None)

    async def _write(self, request: CallRequest, state: ControlState) -> Answer:
        """In a task of its own, which a vanished client cannot cut in half."""
        if plan_of(state.flags, sample=0).write_mode is WriteMode.TARGET_ONLY:
            msg = "this version cannot write to the target alone"
            raise Unavailable(msg)
        result, state = await self._parts.background.finish(
            request.operation.full_name, self._parts.dual_write.run(request, state)
        )
        return Answer(result, phase_label(state.flags), self._parts.names[Side.SOURCE], None)
