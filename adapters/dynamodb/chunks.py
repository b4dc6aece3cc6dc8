"""Transactions within the service's limits: which actions share one, what it demands of the fences, how it is written.

Pure. The first write of a fence demands that its version grows; later ones that it still is where the first took it, so
that a late or repeated request of a dead call is refused whichever chunk it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.changes import Aggregate, AggregateKind
from adapters.dynamodb.actions import Action
from adapters.dynamodb.expressions import Parameters, absent_or_owned, holds_fence, raise_fence
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.moves import Unit

ACTIONS_MAX: Final = 100
TRANSACTION_MAX_BYTES: Final = 4_000_000
"""A little under the service's 4 MB, for what it may count besides the items."""
CHUNK_MAX_BYTES: Final = 1_000_000
"""What is taken at a time of a change that does not fit one transaction: so much can be sent within an attempt."""
FENCE_BYTES: Final = 200
COUNT_NAMES: Final[Mapping[AggregateKind, str]] = {AggregateKind.USER: "orders", AggregateKind.ADMINS: "n"}
"""What the fences of a kind count, in an attribute of this name."""
_SHOW_REFUSAL: Final = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence in a chunk: raised to the version, or found there where `is_raised` is false."""

    aggregate: Aggregate
    version: int
    op: str
    count: int | None
    is_raised: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """One transaction; its actions are written in the order fences, actions."""

    fences: tuple[Fence, ...]
    actions: tuple[Action, ...]


def chunked(
    units: Sequence[Unit], *, versions: Mapping[Aggregate, int], counts: Mapping[Aggregate, int], op: str
) -> tuple[Chunk, ...]:
    """The units in their order: in one transaction where they fit, else in several of moderate size.

    Raises ValueError for a unit that fits no transaction.
    """
    fillings = list(_fillings(units, TRANSACTION_MAX_BYTES))
    if len(fillings) > 1:
        fillings = list(_fillings(units, CHUNK_MAX_BYTES))
    raised: set[Aggregate] = set()
    chunks = []
    for filling in fillings:
        fences = tuple(
            Fence(each, versions[each], op, counts.get(each), each not in raised) for each in sorted(filling.aggregates)
        )
        raised |= filling.aggregates
        chunks.append(Chunk(fences, tuple(filling.actions)))
    return tuple(chunks)


def transact_items(chunk: Chunk, *, keys: Keys, table_name: Callable[[str], str]) -> Sequence[Parameters]:
    """The actions of a transaction as the service wants them, in the chunk's order."""
    fences = [_fence(fence, keys=keys, table_name=table_name) for fence in chunk.fences]
    return [*fences, *(_action(action, keys=keys, table_name=table_name) for action in chunk.actions)]


@dataclass(slots=True)
class _Filling:
    """A transaction being filled."""

    actions: list[Action] = field(default_factory=list)
    aggregates: set[Aggregate] = field(default_factory=set)
    size_bytes: int = 0

    @property
    def is_empty(self) -> bool:
        return not self.actions and not self.aggregates

    def takes(self, unit: Unit, max_bytes: int) -> bool:
        fences = len(self.aggregates | unit.aggregates)
        size_bytes = self.size_bytes + sum(action.size_bytes for action in unit.actions)
        return (
            len(self.actions) + len(unit.actions) + fences <= ACTIONS_MAX
            and size_bytes + fences * FENCE_BYTES <= max_bytes
        )

    def add(self, unit: Unit) -> None:
        self.actions += unit.actions
        self.aggregates |= unit.aggregates
        self.size_bytes += sum(action.size_bytes for action in unit.actions)


def _fillings(units: Iterable[Unit], max_bytes: int) -> Iterator[_Filling]:
    filling = _Filling()
    for unit in units:
        if not filling.takes(unit, max_bytes):
            if not filling.is_empty:
                yield filling
            filling = _Filling()
            if not filling.takes(unit, TRANSACTION_MAX_BYTES):
                raise ValueError(f"{len(unit.actions)} actions on {len(unit.aggregates)} aggregates fit no transaction")
        filling.add(unit)
    if not filling.is_empty:
        yield filling


def _fence(fence: Fence, *, keys: Keys, table_name: Callable[[str], str]) -> Parameters:
    key = keys.fence(fence.aggregate)
    where = {"TableName": table_name(key.table), "Key": keys.typed(key), **_SHOW_REFUSAL}
    if not fence.is_raised:
        return {"ConditionCheck": {**where, **holds_fence(fence.version, fence.op)}}
    counts = {} if fence.count is None else {COUNT_NAMES[fence.aggregate.kind]: fence.count}
    return {"Update": {**where, **raise_fence(fence.version, fence.op, counts=counts)}}


def _action(action: Action, *, keys: Keys, table_name: Callable[[str], str]) -> Parameters:
    condition: Parameters = {}
    if action.owners:
        partition_key, owners = keys.names(action.key.table)[0], map(str, action.owners)
        condition = {**absent_or_owned(partition_key, owners, showing=action.showing), **_SHOW_REFUSAL}
    table = table_name(action.key.table)
    if action.attributes is None:
        return {"Delete": {"TableName": table, "Key": keys.typed(action.key), **condition}}
    return {"Put": {"TableName": table, "Item": action.attributes, **condition}}
