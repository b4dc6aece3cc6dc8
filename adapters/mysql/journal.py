"""The intent journal: written on connections of its own, so that an intent outlives the transaction it belongs to.

An intent holds keys, never values: what it repairs is read from the shop's rows when it is repaired. States: open (its
writer may be at work), journalled (committed here, owed to the shadow), aborted and done (settled, kept for 24 h as the
answer to the COMMIT probe). Intents are never scanned for update: a scan that locks would stand in the way of writers.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import orjson

from adapters.changes import Aggregate, Intent, IntentPart, ItemKey, Ref, RowKind
from adapters.deadline import Deadline
from adapters.mysql.connection import Row
from adapters.mysql.pool import Pool
from adapters.mysql.statements import Statement, joined
from adapters.ports.store import CommitState, Restart

DEFERRED_FROM: Final = 1000
"""The number of a call's first deferred part; its own, one for each 300 aggregates, are numbered from 1."""
# SKIP LOCKED: a waiting phase switch must not make the writer, whose lock it waits for, wait in turn.
OPEN = """INSERT INTO crossfade_intent
 (op_id, part, op, aggs, dkeys, state, instance, epoch, created_at, next_try_at)
 SELECT %s, p.part, %s, p.aggs, p.dkeys, 'open', %s, c.epoch, NOW(3), NOW(3) + INTERVAL 2 SECOND
 FROM crossfade_control c
 JOIN JSON_TABLE(%s, '$[*]' COLUMNS (part FOR ORDINALITY, aggs JSON PATH '$[0]', dkeys JSON PATH '$[1]')) p
 WHERE c.id = 1 AND c.epoch = %s FOR SHARE OF c SKIP LOCKED"""
INSERT_DUE = """INSERT INTO crossfade_intent
 (op_id, part, op, aggs, dkeys, state, instance, epoch, created_at, next_try_at)
 SELECT %s, p.part + %s, %s, p.aggs, p.dkeys, 'journalled', %s, c.epoch, NOW(3), NOW(3)
 FROM crossfade_control c
 JOIN JSON_TABLE(%s, '$[*]' COLUMNS (part FOR ORDINALITY, aggs JSON PATH '$[0]', dkeys JSON PATH '$[1]')) p
 WHERE c.id = 1"""
DELETE = "DELETE FROM crossfade_intent WHERE op_id = %s AND state = 'open'"
# What is still open is taken from its call: a COMMIT that is only late demands open parts and finds none.
TAKE = "UPDATE crossfade_intent SET state = 'journalled', next_try_at = NOW(3) WHERE op_id = %s AND state = 'open'"
PROBE = "SELECT state FROM crossfade_intent WHERE op_id = %s AND part = 1"
BEGIN = Statement("BEGIN")
COMMIT = Statement("COMMIT")
COLUMNS = """SELECT id, op_id, op, aggs, dkeys, state, attempts, TIMESTAMPDIFF(MICROSECOND, created_at, NOW(3)) / 1e6
 FROM crossfade_intent"""
DUE = COLUMNS + " WHERE state IN ('open', 'journalled') AND next_try_at <= NOW(3) ORDER BY next_try_at LIMIT %s"
OF_AGGREGATE = COLUMNS + " WHERE %s MEMBER OF (aggs) AND state IN ('open', 'journalled') ORDER BY id LIMIT %s"
OF_CALL = COLUMNS + " WHERE op_id = %s AND state IN ('open', 'journalled') ORDER BY part"
# What another repairer has under its lock is passed over: waiting for it would hold up all other repairs.
CLAIMABLE = """SELECT id FROM crossfade_intent FORCE INDEX (PRIMARY)
 WHERE id IN %s AND next_try_at <= NOW(3) AND state IN ('open', 'journalled') FOR UPDATE SKIP LOCKED"""
CLAIM = "UPDATE crossfade_intent SET next_try_at = NOW(3) + INTERVAL 5 SECOND WHERE id IN %s"
POSTPONE = """UPDATE crossfade_intent SET attempts = attempts + 1, last_error = %s,
 next_try_at = NOW(3) + INTERVAL LEAST(60, POW(2, LEAST(attempts, 6))) SECOND WHERE id IN %s"""
POSTPONE_BUSY = "UPDATE crossfade_intent SET next_try_at = NOW(3) + INTERVAL 2 SECOND, last_error = %s WHERE id IN %s"
BACKLOG = """SELECT COUNT(*), COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(created_at), NOW(3)) / 1e6, 0)
 FROM crossfade_intent WHERE state IN ('open', 'journalled')"""
OWED = """SELECT COUNT(*) FROM crossfade_intent
 WHERE part < %s AND (state = 'journalled' OR (state = 'open' AND created_at < NOW(3) - INTERVAL 2 SECOND))"""
SWEEP = """DELETE FROM crossfade_intent WHERE state IN ('aborted', 'done')
 AND next_try_at < NOW(3) - INTERVAL 24 HOUR LIMIT 1000"""


class MySQLJournal:
    """IntentJournal over a small autocommit pool: one shared with the writers would deadlock on itself."""

    def __init__(self, pool: Pool, *, instance: str, limit_s: float) -> None:
        self._pool = pool
        self._instance = instance
        self._limit_s = limit_s

    async def open(
        self, op_id: UUID, operation: str, parts: Sequence[IntentPart], *, epoch: int, deadline: Deadline
    ) -> bool:
        """See IntentJournal."""
        parameters = (op_id.bytes, operation, self._instance, packed(parts), epoch)
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.intent"):
            (result,) = await connection.batch(OPEN, parameters)
        return result.affected == len(parts)

    async def delete(self, op_id: UUID) -> None:
        """See IntentJournal."""
        await self._run(Statement(DELETE, (op_id.bytes,)))

    async def probe(self, op_id: UUID, *, deadline: Deadline) -> CommitState:
        """See IntentJournal."""
        statements = (Statement(TAKE, (op_id.bytes,)), Statement(PROBE, (op_id.bytes,)))
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.probe"):
            while True:
                with suppress(Restart):  # Its transaction has not ended yet, and is waited for.
                    taken, found = await connection.batch(*joined(statements))
                    break
        is_aborted = found.rows == [("aborted",)]
        return CommitState.ROLLED_BACK if taken.affected or is_aborted else CommitState.COMMITTED

    async def due(self, *, limit: int, aggregate: Aggregate | None = None) -> list[Intent]:
        """See IntentJournal."""
        if aggregate is not None:
            return [_intent(row) for row in await self._run(Statement(OF_AGGREGATE, (str(aggregate), limit)))]
        found = [_intent(row) for row in await self._run(Statement(DUE, (limit,)))]
        claimed = await self._claim([intent.id for intent in found]) if found else set()
        return [intent for intent in found if intent.id in claimed]

    async def of_call(self, op_id: UUID) -> list[Intent]:
        """See IntentJournal."""
        return [_intent(row) for row in await self._run(Statement(OF_CALL, (op_id.bytes,)))]

    async def postpone(self, intents: Sequence[Intent], *, error: str, is_busy: bool) -> None:
        """See IntentJournal."""
        ids = tuple(intent.id for intent in intents)
        await self._run(Statement(POSTPONE_BUSY if is_busy else POSTPONE, (error[:1000], ids)))

    async def insert_due(self, operation: str, parts: Sequence[IntentPart], *, op_id: UUID) -> None:
        """See IntentJournal."""
        await self._run(insert_due(op_id, operation, parts, instance=self._instance))

    async def backlog(self) -> tuple[int, float]:
        """See IntentJournal."""
        ((count, age_s),) = await self._run(Statement(BACKLOG))
        return int(count), float(age_s)

    async def owed(self) -> int:
        """See IntentJournal."""
        ((count,),) = await self._run(Statement(OWED, (DEFERRED_FROM,)))
        return int(count)

    async def sweep(self) -> int:
        """See IntentJournal."""
        async with self._pool.acquire(self._deadline()) as connection:
            (result,) = await connection.batch(SWEEP)
        return result.affected

    async def _claim(self, ids: Sequence[int]) -> set[int]:
        """Put off those of the intents that are still due and in nobody's hands: which they are."""
        deadline = self._deadline()
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.journal"):
            _, claimable = await connection.batch(*joined([BEGIN, Statement(CLAIMABLE, (tuple(ids),))]))
            claimed = tuple(row[0] for row in claimable.rows)
            claim = [Statement(CLAIM, (claimed,))] if claimed else []
            await connection.batch(*joined([*claim, COMMIT]))
        return set(claimed)

    async def _run(self, statement: Statement) -> list[Row]:
        deadline = self._deadline()
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.journal"):
            (result,) = await connection.batch(statement.text, statement.parameters)
        return result.rows

    def _deadline(self) -> Deadline:
        return Deadline.after(self._limit_s)


def insert_due(
    op_id: UUID, operation: str, parts: Sequence[IntentPart], *, instance: str, first_part: int = 1
) -> Statement:
    """The statement that inserts parts as journalled and due, numbered from `first_part`."""
    return Statement(INSERT_DUE, (op_id.bytes, first_part - 1, operation, instance, packed(parts)))


def packed(parts: Sequence[IntentPart]) -> str:
    """The parts as the JSON that the statements unpack: [[aggregates, keys], ...]."""
    return orjson.dumps(
        [
            (
                [str(aggregate) for aggregate in part.aggregates],
                [(k.table, k.partition, k.sort, k.ref.kind.value, k.ref.id, k.ref.product_id) for k in part.keys],
            )
            for part in parts
        ]
    ).decode()


def _intent(row: Row) -> Intent:
    aggregates = tuple(Aggregate.parse(text) for text in orjson.loads(row[3]))
    keys = tuple(
        ItemKey(table, partition, sort, Ref(RowKind(kind), number, product_id))
        for table, partition, sort, kind, number, product_id in orjson.loads(row[4])
    )
    return Intent(
        id=row[0],
        op_id=UUID(bytes=row[1]),
        operation=row[2],
        part=IntentPart(aggregates, keys),
        state=row[5],
        attempts=row[6],
        age_s=float(row[7]),
    )
