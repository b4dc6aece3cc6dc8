"""What stands before a database: its breaker, and the count and duration of its part in each call."""

import asyncio
import math
import time
from types import TracebackType
from typing import Final

from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded, Unavailable, Unreadable
from adapters.operations import Operation
from adapters.ports.store import Arguments, Reader
from proxy.breaker import Breaker
from proxy.metrics import DatabaseResult, Metrics

RETRY_AFTER_MIN_S: Final = 1
FAIR_S: Final = 0.9
"""How long a database must have had before its silence counts against it; the usual limits are longer."""


class Guard:
    """The guard of one database in one worker."""

    def __init__(self, name: str, breaker: Breaker, metrics: Metrics) -> None:
        self.name = name
        self.breaker = breaker
        self._metrics = metrics

    def watch(self, operation: Operation) -> "Watch":
        """A context around the database's part in a call; raises Unavailable at once while the breaker is open."""
        return Watch(self, operation)

    def admit(self) -> None:
        """Raise Unavailable while the breaker is open."""
        if not self.breaker.allow():
            retry_after_s = max(RETRY_AFTER_MIN_S, math.ceil(self.breaker.retry_after_s))
            raise Unavailable(f"{self.name} failed too often of late", retry_after_s=retry_after_s)

    def ended(self, operation: Operation, error: BaseException | None, duration_s: float) -> None:
        """Note how a part ended; an error that is no answer of the database counts against it.

        The impatience of callers tells nothing of the database: neither that one left, nor that a deadline of his
        passed before it had a fair time to answer in. Else such callers could close the breaker of a silent database,
        or hold everybody back from one that is well.
        """
        if isinstance(error, asyncio.CancelledError):
            return
        result = DatabaseResult.OK if error is None else _result(error)
        if result is DatabaseResult.FAILED or (result is DatabaseResult.TIMED_OUT and duration_s >= FAIR_S):
            self.breaker.failed()
        elif result is not DatabaseResult.TIMED_OUT:
            self.breaker.succeeded()
        self._metrics.database_called(self.name, operation.full_name, result, duration_s)


class Watch:
    """One part of one call."""

    __slots__ = ("_guard", "_operation", "_started_s")

    def __init__(self, guard: Guard, operation: Operation) -> None:
        self._guard = guard
        self._operation = operation
        self._started_s = 0.0

    def __enter__(self) -> None:
        self._guard.admit()
        self._started_s = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guard.ended(self._operation, error, time.perf_counter() - self._started_s)


class GuardedReader:
    """A Reader behind a guard."""

    def __init__(self, reader: Reader, guard: Guard) -> None:
        self._reader = reader
        self._guard = guard

    async def read(self, operation: Operation, arguments: Arguments, deadline: Deadline) -> object:
        """See Reader."""
        # What `watch` does, without an object for each of the calls that are most.
        self._guard.admit()
        started_s = time.perf_counter()
        try:
            result = await self._reader.read(operation, arguments, deadline)
        except BaseException as error:
            self._guard.ended(operation, error, time.perf_counter() - started_s)
            raise
        self._guard.ended(operation, None, time.perf_counter() - started_s)
        return result


def _result(error: BaseException) -> DatabaseResult:
    if isinstance(error, DeadlineExceeded):
        return DatabaseResult.TIMED_OUT
    is_down = isinstance(error, Unavailable) and not isinstance(error, Unreadable)
    return DatabaseResult.FAILED if is_down else DatabaseResult.REFUSED
