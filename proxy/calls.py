"""What the edge and the dispatcher say to each other: a call, its answer, and who is told about both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from adapters.deadline import Deadline
from adapters.operations import Operation
from proxy.flags.override import Reading


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call with its checked arguments: every argument of the operation is there, UNSET where not given.

    `reading` is how this caller wants to read, if other than all.
    """

    operation: Operation
    arguments: Mapping[str, object]
    deadline: Deadline
    correlation_id: str
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The result, the phase it was served in, who served it, and what became of the shadow where one was asked."""

    result: object
    phase: str
    served_by: str
    shadow: str | None


class Dispatcher(Protocol):
    """The one path of all operations."""

    async def call(self, request: CallRequest) -> Answer:
        """Answer the call. Raises the errors of `adapters.errors`; those of a write say what became of it."""


class CallRecorder(Protocol):
    """Who counts the calls."""

    def rpc_finished(self, operation: str, code: str, duration_s: float) -> None:
        """Count a call, by the operation's full name, or another name; `code` is `ok` or the code of its error."""


class Overrides(Protocol):
    """Who knows how one browser wants to read."""

    async def reading(self, cookie: str, deadline: Deadline) -> Reading | None:
        """What a cookie asks for; None for one that is not valid, not in force or no admin's any more. Never fails."""
