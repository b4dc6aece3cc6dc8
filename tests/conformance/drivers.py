"""The shops that the suite is run over: the reference, a database without a proxy, a proxy over HTTP.

Whatever lies beside the calls - planting rows, waiting for repairs, comparing databases - is a shop's `Backstage`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import aiohttp

from adapters.changes import Aggregate
from adapters.deadline import Deadline
from adapters.errors import CrossfadeError, InvalidArgument, Unavailable
from adapters.flags import ControlState
from adapters.operations import Operation
from adapters.ports.store import Arguments, Reader, Restart, Writer
from proxy.rpc import codec
from proxy.rpc.arguments import ArgumentParser
from proxy.rpc.problem import problem_members
from tests.conformance.shop import OPERATIONS, CallFailed, Json, Shop, decode
from tests.reference import Reference
from tests.reference.plant import plant
from tests.reference.rows import Clock

Answerer = Callable[[Operation, Arguments], Awaitable[object]]

CALL_S = 5.0
RESTARTS_MAX = 5
TIMER_ERROR_S = 0.005
TEST_ID = "conformance"
PARSERS = {name: ArgumentParser(operation) for name, operation in OPERATIONS.items()}
STATUSES = {
    "invalid_argument": HTTPStatus.BAD_REQUEST,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "payload_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "deadline_exceeded": HTTPStatus.GATEWAY_TIMEOUT,
}


class Backstage(Protocol):
    """What a test may do to a shop of real databases beside its calls."""

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop."""

    async def settle_and_compare(self) -> None:
        """See Shop."""


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time in UTC, to the second."""
        return self._now

    def advance(self) -> None:
        """Go on by a second."""
        self._now += timedelta(seconds=1)


class ReferenceShop(Shop):
    """The plain shop in memory. It has a clock of its own, which only `next_second` moves, unless one is given."""

    def __init__(self, *, is_dual: bool = False, clock: Clock | None = None) -> None:
        self._clock = HandClock()
        self._reference = Reference(clock=clock or self._clock, is_dual=is_dual)

    @property
    def is_dual(self) -> bool:
        """See Shop."""
        return self._reference.rows.is_dual

    async def send(self, operation: str, body: bytes) -> Json:
        """See Shop."""
        return await answer_directly(operation, body, self._reference.perform)

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop."""
        return plant(self._reference.rows, table, **columns)

    async def next_second(self) -> None:
        """See Shop."""
        self._clock.advance()

    async def settle_and_compare(self) -> None:
        """See Shop; there is nothing to settle, and nothing to compare with."""


class StoreShop(Shop):
    """A database, asked without a proxy; nothing follows it."""

    def __init__(self, reader: Reader, writer: Writer, state: ControlState, backstage: Backstage) -> None:
        self._reader = reader
        self._writer = writer
        self._state = state
        self._backstage = backstage

    @property
    def is_dual(self) -> bool:
        """See Shop."""
        return False

    async def send(self, operation: str, body: bytes) -> Json:
        """See Shop."""
        return await answer_directly(operation, body, self._answer)

    async def _answer(self, operation: Operation, arguments: Arguments) -> object:
        deadline = Deadline.after(CALL_S)
        if not operation.is_write:
            return await self._reader.read(operation, arguments, deadline)
        wants: frozenset[Aggregate] = frozenset()
        for _ in range(RESTARTS_MAX):
            try:
                async with self._writer.unit(self._state, deadline=deadline, also_lock=wants) as unit:
                    result = await unit.perform(operation, arguments)
                    await unit.commit(None, parts=0)
                    return result
            except Restart as restart:
                wants |= restart.wants
        raise Unavailable(f"{operation.full_name} had to start over {RESTARTS_MAX} times")

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop."""
        return await self._backstage.plant(table, **columns)

    async def next_second(self) -> None:
        """See Shop."""
        await next_second_of_this_host()

    async def settle_and_compare(self) -> None:
        """See Shop."""
        await self._backstage.settle_and_compare()


class HttpShop(Shop):
    """A running proxy. Every answer is also held against the wire's rules for answers."""

    def __init__(self, client: aiohttp.ClientSession, base_url: str, *, is_dual: bool, backstage: Backstage) -> None:
        self._client = client
        self._base_url = base_url
        self._is_dual = is_dual
        self._backstage = backstage

    @property
    def is_dual(self) -> bool:
        """See Shop."""
        return self._is_dual

    async def send(self, operation: str, body: bytes) -> Json:
        """See Shop."""
        url = f"{self._base_url}/rpc/{operation.replace('.', '/')}"
        headers = {"Content-Type": "application/json", "X-Correlation-Id": TEST_ID}
        async with self._client.post(url, data=body, headers=headers) as response:
            answer = decode(await response.read())
            assert TEST_ID == response.headers["X-Correlation-Id"]
            if response.status == HTTPStatus.OK:
                assert ["result"] == list(answer)
                return answer["result"]
            check_problem(answer, operation, response.status, response.content_type)
            raise CallFailed(answer)

    async def plant(self, table: str, /, **columns: object) -> int:
        """See Shop."""
        return await self._backstage.plant(table, **columns)

    async def next_second(self) -> None:
        """See Shop."""
        await next_second_of_this_host()

    async def settle_and_compare(self) -> None:
        """See Shop."""
        await self._backstage.settle_and_compare()


async def answer_directly(name: str, body: bytes, answer: Answerer) -> Json:
    """Make a call without a proxy: the arguments are read and the answer is written as a proxy does."""
    operation = OPERATIONS[name]
    try:
        arguments = read_arguments(operation, body)
        result = operation.absent() if arguments is None else await answer(operation, arguments)
    except CrossfadeError as error:
        problem = problem_members(error, correlation_id=TEST_ID, is_write=operation.is_write)
        raise CallFailed(decode(codec.encode(problem))) from error
    return decode(codec.encode({"result": result}))["result"]


def read_arguments(operation: Operation, body: bytes) -> dict[str, object] | None:
    """The arguments in a body, as the proxy reads them."""
    parser = PARSERS[operation.full_name]
    try:
        return parser.parse(codec.decode(body))
    except InvalidArgument:
        if not codec.may_have_wide_numbers(body):
            raise
        return parser.parse(codec.decode_exactly(body))


def check_problem(problem: Mapping[str, Json], operation: str, status: int, content_type: str) -> None:
    """Hold an error against the wire's rules for errors: a failed call of the suite never has an unknown outcome."""
    assert "application/problem+json" == content_type
    assert STATUSES.get(problem["code"]) == status == problem["status"], problem
    assert TEST_ID == problem["correlation_id"]
    assert {"type", "title", "detail"} <= problem.keys()
    assert ("not_applied" if OPERATIONS[operation].is_write else None) == problem.get("outcome"), problem
    assert (problem["code"] in {"conflict", "not_found"}) == ("reason" in problem) == ("subject" in problem)
    assert (problem["code"] == "invalid_argument") == ("errors" in problem)


async def next_second_of_this_host() -> None:
    """Wait for the second to end, and for as long as a timer may be early: the databases stamp rows by this clock."""
    now_s = time.time()
    await asyncio.sleep(int(now_s) + 1 - now_s + TIMER_ERROR_S)
