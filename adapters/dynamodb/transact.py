"""Bringing DynamoDB up to a change: the plan, and what became of writing it.

change -> actions -> units in order -> chunks, one transaction each -> write -> ShadowResult
          actions    moves             chunks                          here
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import time
from typing import Any, Final, cast
from uuid import UUID, uuid4

from adapters.changes import LISTING, Change, IntentPart, ItemKey
from adapters.deadline import Deadline
from adapters.dynamodb.actions import Action, converging, logged, planned
from adapters.dynamodb.chunks import Chunk, Fence, chunked, transact_items
from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.errors import Cancellation, Failure, Verdict
from adapters.dynamodb.expressions import OP, VERSION
from adapters.dynamodb.intents import call_parts, deferred_parts
from adapters.dynamodb.items import ItemMapper, UnmappableRow
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.moves import in_order
from adapters.dynamodb.own_items import log_entry
from adapters.dynamodb.shapes import OWNER, owner_named
from adapters.dynamodb.typed_json import Attributes
from adapters.errors import CrossfadeError, Unavailable
from adapters.ports.store import ShadowOutcome, ShadowPlan, ShadowResult

_APPLIED: Final = ShadowResult(ShadowOutcome.APPLIED)


@dataclass(frozen=True, slots=True)
class TransactPlan:
    """The transactions that bring DynamoDB up to a change, in order; one, unless the change is large.

    `is_repair`: its intents stay until it is applied, so that it may go on above debris after a part was written.
    """

    chunks: tuple[Chunk, ...]
    parts: tuple[IntentPart, ...] = ()
    deferred: tuple[IntentPart, ...] = ()
    is_repair: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do, now or later."""
        return not self.chunks and not self.deferred


class DynamoDBShadow:
    """The Shadow of DynamoDB. `clock` tells the seconds since 1970."""

    def __init__(
        self, client: DynamoDBClient, *, mapper: ItemMapper, keys: Keys, clock: Callable[[], float] = time
    ) -> None:
        self._client = client
        self._mapper = mapper
        self._keys = keys
        self._clock = clock

    def plan(self, change: Change, *, op_id: UUID) -> TransactPlan:
        """The requests for a change. Raises PayloadTooLarge, Unavailable for a row that DynamoDB cannot hold."""
        try:
            actions = [*planned(change, self._mapper), *self._log(change)]
        except UnmappableRow as error:
            # No write of the proxy makes such a row; it was there before the preflight was run, or came past the proxy.
            raise Unavailable(f"{error}: see `crossfade preflight`") from error
        return TransactPlan(
            _chunks(change, actions, op_id),
            call_parts(actions, change.versions) if actions else (),
            deferred_parts(change.deferred, mapper=self._mapper, keys=self._keys),
        )

    def converge(self, change: Change, *, listed: Iterable[ItemKey], op_id: UUID) -> TransactPlan:
        """The requests that make every listed item what `change.after` says.

        `op_id` must be new: under the id of a call, the call's own debris would pass for the repair.
        Raises PayloadTooLarge.
        """
        actions = [*converging(change, listed, self._mapper), *self._log(change)]
        return TransactPlan(_chunks(change, actions, op_id), is_repair=True)

    async def write(self, plan: ShadowPlan, *, deadline: Deadline) -> ShadowResult:
        """Send the plan's transactions one after another, until one is not applied.

        Once something of a call was, or may have been, written, nothing but AMBIGUOUS can be said of a write that did
        not come through.
        """
        wanted = cast("TransactPlan", plan)
        is_open = False
        for chunk in wanted.chunks:
            try:
                needed = await self._needed(chunk, deadline) if wanted.is_repair else chunk
            except CrossfadeError as error:
                return ShadowResult(ShadowOutcome.AMBIGUOUS, error=error)
            if needed is None:
                continue
            result, may_be_applied = await self._write_chunk(needed, deadline)
            if result.outcome is not ShadowOutcome.APPLIED:
                if result.debris and wanted.is_repair:
                    return replace(result, outcome=ShadowOutcome.FENCE_REFUSED)
                is_open = is_open or may_be_applied
                return replace(result, outcome=ShadowOutcome.AMBIGUOUS) if is_open else result
            is_open = True
        return _APPLIED

    async def _needed(self, chunk: Chunk, deadline: Deadline) -> Chunk | None:
        """The chunk of a repair without the deletes of what is not there; None when nothing is left of it.

        Only once all its fences are raised: by then no late request can bring back what a read did not find. Repairs
        after an outage list the items of every step between, which never came to be, and a read costs less than a
        delete in a transaction.
        """
        deletes = {action.key for action in chunk.actions if not action.is_put}
        if not deletes or any(fence.is_raised for fence in chunk.fences):
            return chunk
        there = await self._there(deletes, deadline)
        actions = tuple(action for action in chunk.actions if action.is_put or action.key in there)
        return replace(chunk, actions=actions) if actions else None

    async def _there(self, keys: Collection[Key], deadline: Deadline) -> set[Key]:
        """Those of the keys that have an item."""
        names = {self._client.table_name(key.table): key.table for key in keys}
        wanted = {name: [self._keys.typed(key) for key in keys if key.table == table] for name, table in names.items()}
        found = await self._client.batch_get(wanted, deadline=deadline)
        return {
            Key(names[name], *(str(item[part]["S"]) for part in self._keys.names(names[name])))
            for name, items in found.items()
            for item in items
        }

    async def _write_chunk(self, chunk: Chunk, deadline: Deadline) -> tuple[ShadowResult, bool]:
        """The result, and whether it may have been applied all the same.

        What was taken for lost in one attempt stays in doubt, also when the payload changes after it: only a later
        version of its fences keeps it out.
        """
        may_be_applied = False
        while True:
            # A token of its own for each payload. It is random, not derived from the operation: within ten minutes the
            # service answers a token it knows without looking at the fences, which must judge every new write.
            payload = {
                "TransactItems": transact_items(chunk, keys=self._keys, table_name=self._client.table_name),
                "ClientRequestToken": str(uuid4()),
            }
            try:
                await self._client.send("TransactWriteItems", payload, deadline=deadline)
            except Failure as failure:
                may_be_applied = may_be_applied or failure.may_be_applied
                if failure.verdict is not Verdict.REFUSED:
                    return ShadowResult(ShadowOutcome.FAILED, error=failure.error), may_be_applied
                judged = _judge(chunk, failure)
                if isinstance(judged, ShadowResult):
                    return judged, may_be_applied
                chunk = judged
            else:
                return _APPLIED, True

    def _log(self, change: Change) -> Sequence[Action]:
        if LISTING not in change.versions:
            return ()
        version = change.versions[LISTING]
        entry = log_entry(
            self._keys,
            version=version,
            product_ids=change.listed_products,
            seller_ids=change.listed_sellers,
            now_s=int(self._clock()),
        )
        return (logged(self._keys.log_entry(version), entry),)


def _chunks(change: Change, actions: Sequence[Action], op_id: UUID) -> tuple[Chunk, ...]:
    if not actions:
        return ()
    units = in_order(actions, change.versions)
    return chunked(units, versions=change.versions, counts=change.counts, op=str(op_id))


def _judge(chunk: Chunk, failure: Failure) -> ShadowResult | Chunk:
    """What refused conditions mean: a result, or the chunk without the deletes of what is another's by now."""
    of_fences, of_actions = failure.cancellations[: len(chunk.fences)], failure.cancellations[len(chunk.fences) :]
    fences = [(fence, why.item or {}) for fence, why in zip(chunk.fences, of_fences, strict=True) if why.is_refused]
    if fences:
        return _judge_fences(chunk, fences, failure)
    refused = [(action, why) for action, why in zip(chunk.actions, of_actions, strict=True) if why.is_refused]
    for action, why in refused:
        if action.is_put:
            return _owner_refused(why, failure)
    foreign = {action.key for action, _ in refused}
    return replace(chunk, actions=tuple(action for action in chunk.actions if action.key not in foreign))


def _judge_fences(chunk: Chunk, refused: Sequence[tuple[Fence, Attributes]], failure: Failure) -> ShadowResult:
    """Where all fences carry this operation's versions, an earlier attempt was applied.

    Where only some do, it was applied and overtaken: its items may be half of the one and half of the other.
    """
    ours = [fence for fence, stored in refused if _is_ours(fence, stored)]
    if ours == [fence for fence in chunk.fences if fence.is_raised] and len(ours) == len(refused):
        return _APPLIED
    debris = {fence.aggregate: _stored_version(stored) for fence, stored in refused}
    outcome = ShadowOutcome.AMBIGUOUS if ours else ShadowOutcome.FENCE_REFUSED
    return ShadowResult(outcome, debris=debris, error=failure.error)


def _is_ours(fence: Fence, stored: Attributes) -> bool:
    return stored.get(OP, {}).get("S") == fence.op and _stored_version(stored) == fence.version


def _stored_version(stored: Attributes) -> int:
    return int(cast("Mapping[str, Any]", stored)[VERSION]["N"]) if VERSION in stored else 0


def _owner_refused(why: Cancellation, failure: Failure) -> ShadowResult:
    """Another owner's item lies under the key; without an aggregate where it names none."""
    owner = cast("Mapping[str, Any]", why.item or {}).get(OWNER, {}).get("S")
    aggregate = None if owner is None else owner_named(owner)
    error = failure.error if aggregate else Unavailable(f"an item without an owner is in the way: {failure}")
    return ShadowResult(ShadowOutcome.OWNER_REFUSED, aggregate, error=error)
