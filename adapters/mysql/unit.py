"""UnitOfWork over a transaction: the operations of the write repositories, and what the repairer needs."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from adapters.changes import Aggregate, AggregateKind, Intent, IntentPart
from adapters.deadline import Deadline
from adapters.flags import ControlState
from adapters.mysql.cart_writes import MySQLCarts
from adapters.mysql.category_writes import MySQLCategories
from adapters.mysql.connection import Connection
from adapters.mysql.journal import DEFERRED_FROM, insert_due
from adapters.mysql.order_writes import MySQLOrders
from adapters.mysql.product_writes import MySQLProducts
from adapters.mysql.statements import Statement
from adapters.mysql.transaction import Transaction
from adapters.mysql.user_writes import MySQLUsers
from adapters.operations import Operation
from adapters.ports.store import Arguments

WRITERS = {
    "user": MySQLUsers,
    "product": MySQLProducts,
    "order": MySQLOrders,
    "category": MySQLCategories,
    "cart": MySQLCarts,
}
RECOUNT = """UPDATE crossfade_version v SET v.n = (SELECT COUNT(*) FROM order_items i WHERE i.product_id = v.id)
 WHERE v.kind = %s AND v.id IN %s"""
UNSETTLED = "SELECT id FROM crossfade_intent WHERE id IN %s AND state IN ('open', 'journalled') FOR UPDATE"
SETTLE = """UPDATE crossfade_intent SET state = IF(state = 'open', 'aborted', 'done'), next_try_at = NOW(3)
 WHERE id IN %s"""
ROLLBACK = "ROLLBACK"


class MySQLUnit(Transaction):
    """See UnitOfWork."""

    def __init__(
        self,
        connection: Connection,
        state: ControlState,
        *,
        deadline: Deadline,
        also_lock: frozenset[Aggregate],
        instance: str,
    ) -> None:
        super().__init__(connection, state, deadline=deadline, also_lock=also_lock)
        self._instance = instance

    async def perform(self, operation: Operation, arguments: Arguments) -> object:
        """See UnitOfWork."""
        repository = WRITERS[operation.entity](self)
        return await getattr(repository, operation.name)(**arguments)

    async def lock_now(
        self, aggregates: Iterable[Aggregate], *, shared: Iterable[Aggregate] = (), is_patient: bool = False
    ) -> None:
        """See UnitOfWork."""
        await self.lock(*aggregates, shared=shared, is_waiting=is_patient)

    async def recount(self, product_ids: Iterable[int]) -> None:
        """See UnitOfWork."""
        ids = tuple(sorted(set(product_ids)))
        if ids:
            await self.read(Statement(RECOUNT, (int(AggregateKind.PRODUCT), ids)))

    async def defer(self, op_id: UUID, operation: str, parts: Sequence[IntentPart]) -> None:
        """See UnitOfWork."""
        await self.read(insert_due(op_id, operation, parts, instance=self._instance, first_part=DEFERRED_FROM))

    async def unsettled(self, intents: Sequence[Intent]) -> list[Intent]:
        """See UnitOfWork."""
        (found,) = await self.read(Statement(UNSETTLED, (tuple(intent.id for intent in intents),)))
        still = {row[0] for row in found.rows}
        return [intent for intent in intents if intent.id in still]

    async def settle(self, intents: Sequence[Intent]) -> None:
        """See UnitOfWork."""
        await self.read(Statement(SETTLE, (tuple(intent.id for intent in intents),)))

    async def rollback(self) -> None:
        """See UnitOfWork."""
        if self.is_begun:
            await self.connection.batch(ROLLBACK)
