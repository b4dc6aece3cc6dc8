"""The one module through which every request to DynamoDB passes: attempts, retries, pages and batches.

What a request says is its caller's affair; what becomes of it is told by `errors`. Items and values travel in
DynamoDB's typed JSON.

    request ── wire errors ──▶ send ── retries ──▶ attempt ──┬─ Wire, for data ──▶ DynamoDB
                                                             └─ SDK ─────────────▶
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, cast

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import xform_name

from adapters.deadline import Deadline
from adapters.dynamodb.errors import Failure, Verdict, translated
from adapters.dynamodb.flight import Flight, TrackedSession, current_flight, keepalive_socket
from adapters.dynamodb.typed_json import Attributes
from adapters.dynamodb.wire import IDLE_CONNECTION_S, USER_AGENT, Payload, Response, Wire, opened

ATTEMPT_S: Final = 1.0
ATTEMPTS: Final = 2
CONNECTIONS: Final = 64
MAINTENANCE_S: Final = 30.0
"""The deadline, and the limit of an attempt, of a request that belongs to no call: making tables, sweeps."""
PAUSE_S: Final = 0.025
PAUSE_MAX_S: Final = 0.5
BATCH_MAX: Final = 100

_DATA_READS: Final = frozenset({"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan"})
_DATA_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
_COUNTED: Final = _DATA_READS | _DATA_WRITES


@dataclass(frozen=True, slots=True)
class DynamoDBEndpoint:
    """Where DynamoDB is and how its tables are called. Without keys the SDK's default chain finds credentials."""

    region: str
    endpoint_url: str | None = None
    table_prefix: str = ""
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Capacity units that a request used in one table, named without prefix."""

    table: str
    units: float


@dataclass(frozen=True, slots=True)
class Observation:
    """One attempt at a request: the operation it served, how long it took and what it used.

    `result` is "ok" or a verdict.
    """

    operation: str
    action: str
    is_read: bool
    result: str
    seconds_s: float
    capacity: tuple[Capacity, ...] = ()


Observer = Callable[[Observation], None]


class DynamoDBClient:
    """A pool of connections to DynamoDB. Open it, or enter it, before use and close it after.

    With `has_fast_path` requests for data take the short way of `wire`, otherwise the SDK's: the results are the same.
    """

    def __init__(
        self,
        endpoint: DynamoDBEndpoint,
        *,
        attempt_s: float = ATTEMPT_S,
        attempts: int = ATTEMPTS,
        connections: int = CONNECTIONS,
        has_fast_path: bool = True,
        observe: Observer | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._attempt_s = attempt_s
        self._attempts = attempts
        self._connections = connections
        self._has_fast_path = has_fast_path
        self._observe = observe
        self._address = endpoint.endpoint_url or endpoint.region
        self._stack = AsyncExitStack()
        self._sdk: Any = None
        self._wire: Wire | None = None

    async def open(self) -> None:
        """Load the SDK's model of the service; connects to nothing."""
        config = AioConfig(
            user_agent=USER_AGENT,
            parameter_validation=False,
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=MAINTENANCE_S,
            read_timeout=MAINTENANCE_S,
            max_pool_connections=self._connections,
            connector_args={"keepalive_timeout": IDLE_CONNECTION_S, "socket_factory": keepalive_socket},
            http_session_cls=TrackedSession,
        )
        session = get_session()
        if self.endpoint.access_key is not None and self.endpoint.secret_key is not None:
            session.set_credentials(self.endpoint.access_key, self.endpoint.secret_key)
        context = session.create_client(
            "dynamodb", region_name=self.endpoint.region, endpoint_url=self.endpoint.endpoint_url, config=config
        )
        self._sdk = await self._stack.enter_async_context(context)
        if self._has_fast_path:
            wire = opened(
                session,
                self._sdk.meta.endpoint_url,
                region=self._sdk.meta.region_name,
                connections=self._connections,
            )
            self._wire = await self._stack.enter_async_context(wire)

    async def close(self) -> None:
        """Close all connections."""
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def table_name(self, table: str) -> str:
        """The name of a table of the contract at this endpoint."""
        return self.endpoint.table_prefix + table

    async def request(
        self, action: str, payload: Payload, *, deadline: Deadline | None = None, operation: str = ""
    ) -> Response:
        """The answer to a request.

        Like `send`, but raises the wire's errors: Unavailable, DeadlineExceeded, PayloadTooLarge. Failure `REFUSED`
        stays one: only who set a condition knows what its refusal means.
        """
        try:
            return await self.send(action, payload, deadline=deadline, operation=operation)
        except Failure as failure:
            if failure.verdict is Verdict.REFUSED:
                raise
            raise failure.error from failure

    async def send(
        self, action: str, payload: Payload, *, deadline: Deadline | None = None, operation: str = ""
    ) -> Response:
        """The answer to a request, repeated with full jitter inside the deadline where that is safe.

        Throttling and conflicts are repeated as long as the deadline allows; what was not sent, not answered or failed
        in the server up to the number of attempts, the latter two only for reads and under a request token.
        `operation` is the operation served, for the observer. Without a deadline: MAINTENANCE_S.
        Raises Failure, which remembers attempts that may have been applied.
        """
        limit_s = MAINTENANCE_S if deadline is None else self._attempt_s
        deadline = deadline or Deadline.after(MAINTENANCE_S)
        is_repeatable = _is_read(action) or "ClientRequestToken" in payload
        turn = tries = 0
        may_be_applied = False
        while True:
            until = deadline.capped(limit_s)
            flight = Flight(action, payload, self._address, deadline, until, max(until.remaining_s, 0))
            try:
                return await self._attempt(flight, operation)
            except Failure as failure:
                may_be_applied = failure.may_be_applied = may_be_applied or failure.may_be_applied
                tries += failure.verdict in {Verdict.UNSENT, Verdict.AMBIGUOUS}
                is_worth_it = tries < self._attempts and _is_worth_repeating(failure.verdict, is_safe=is_repeatable)
                if not is_worth_it or not await _pause(turn, deadline):
                    raise
            turn += 1

    async def pages(
        self, action: str, payload: Payload, *, deadline: Deadline | None = None, operation: str = ""
    ) -> AsyncIterator[Sequence[Attributes]]:
        """The items of a Query or Scan, page by page, in the service's order. Raises as `request`."""
        start: Payload = {}
        while True:
            response = await self.request(action, {**payload, **start}, deadline=deadline, operation=operation)
            yield found_items(response)
            if not (last := response.get("LastEvaluatedKey")):
                return
            start = {"ExclusiveStartKey": last}

    async def batch_get(
        self,
        keys: Mapping[str, Sequence[Attributes]],
        *,
        deadline: Deadline | None = None,
        operation: str = "",
    ) -> Mapping[str, Sequence[Attributes]]:
        """The items under the keys of each table (by its name here), read consistently, in no order.

        Missing items are left out; no key may come twice. Raises as `request`.
        """
        deadline = deadline or Deadline.after(MAINTENANCE_S)
        found: dict[str, list[Attributes]] = {table: [] for table in keys}
        waiting = [(table, key) for table, wanted in keys.items() for key in wanted]
        turn = 0
        while waiting:
            batch, waiting = waiting[:BATCH_MAX], waiting[BATCH_MAX:]
            response = await self.request("BatchGetItem", _batch(batch), deadline=deadline, operation=operation)
            for table, items in response["Responses"].items():
                found[table] += items
            left = [(table, key) for table, rest in response["UnprocessedKeys"].items() for key in rest["Keys"]]
            waiting += left
            # What the service leaves over it is too busy for; only full progress goes on at once.
            turn = turn + 1 if left else 0
            if left:
                await asyncio.sleep(min(_jitter_s(turn), max(deadline.remaining_s, 0)))
        return found

    async def _attempt(self, flight: Flight, operation: str) -> Response:
        started_s = time.monotonic()
        result = "cancelled"
        response: Response = {}
        try:
            with translated(flight):
                async with flight.until.scope("dynamodb.attempt"):
                    response = await self._call(flight)
            result = "ok"
        except Failure as failure:
            result = failure.verdict.value
            raise
        finally:
            if self._observe:
                used = self._capacity(response)
                seconds_s = time.monotonic() - started_s
                self._observe(Observation(operation, flight.action, _is_read(flight.action), result, seconds_s, used))
        return response

    async def _call(self, flight: Flight) -> Response:
        payload = flight.payload
        if flight.action in _COUNTED:
            if self._observe:
                payload = {**payload, "ReturnConsumedCapacity": "TOTAL"}
            if self._wire is not None:
                return await self._wire.send(flight, payload)
        current_flight.set(flight)
        return cast("Response", await getattr(self._sdk, xform_name(flight.action))(**payload))

    def _capacity(self, response: Response) -> tuple[Capacity, ...]:
        used = response.get("ConsumedCapacity", ())
        prefix = self.endpoint.table_prefix
        return tuple(
            Capacity(entry["TableName"].removeprefix(prefix), entry["CapacityUnits"])
            for entry in ([used] if isinstance(used, Mapping) else used)
        )


def found_item(response: Response) -> Attributes | None:
    """The item that a GetItem found."""
    return cast("Attributes | None", response.get("Item"))


def found_items(response: Response) -> Sequence[Attributes]:
    """The items that a Query or Scan found."""
    return cast("Sequence[Attributes]", response["Items"])


def _batch(keys: Sequence[tuple[str, Attributes]]) -> Payload:
    wanted: dict[str, list[Attributes]] = {}
    for table, key in keys:
        wanted.setdefault(table, []).append(key)
    return {"RequestItems": {table: {"Keys": keys, "ConsistentRead": True} for table, keys in wanted.items()}}


def _is_read(action: str) -> bool:
    return action in _DATA_READS or action.startswith(("Describe", "List"))


def _is_worth_repeating(verdict: Verdict, *, is_safe: bool) -> bool:
    match verdict:
        case Verdict.BUSY | Verdict.PENDING | Verdict.UNSENT:
            return True
        case Verdict.AMBIGUOUS:
            return is_safe
        case Verdict.REFUSED | Verdict.REJECTED:
            return False


def _jitter_s(turn: int) -> float:
    return random.uniform(0, min(PAUSE_MAX_S, PAUSE_S * 2**turn))  # noqa: S311  # jitter is no secret


async def _pause(turn: int, deadline: Deadline) -> bool:
    """Wait a while; False where the deadline would pass meanwhile, at once, or did."""
    delay_s = _jitter_s(turn)
    if delay_s >= deadline.remaining_s:
        return False
    await asyncio.sleep(delay_s)
    return deadline.remaining_s > 0
