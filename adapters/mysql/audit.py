"""The audit, and what an admin reads with it: mismatches and intents by what became of them.

Nothing here changes or removes an entry of the audit.
"""

from collections.abc import Callable
from typing import NamedTuple

import orjson

from adapters.deadline import Deadline
from adapters.mysql.connection import Row
from adapters.mysql.pool import Pool
from adapters.mysql.rows import time_of
from adapters.mysql.statements import Statement
from adapters.ports.audit import Act, Beginnings, Entry, Source

RECORD = """INSERT INTO crossfade_audit (at, who, address, kind, `before`, `after`, reason, gate)
 VALUES (NOW(3), %s, %s, %s, %s, %s, %s, %s)"""
BEGINNINGS = """SELECT
 MAX(IF(`before`->>'$.dual_write' = 'false' AND `before`->>'$.read_from_dynamodb' = 'false'
  AND (`after`->>'$.dual_write' = 'true' OR `after`->>'$.read_from_dynamodb' = 'true'), at, NULL)),
 MAX(IF(`before`->>'$.validation' = 'false' AND `after`->>'$.validation' = 'true', at, NULL))
 FROM crossfade_audit WHERE kind = 'flags'"""
OF_AUDIT = """SELECT id, at, who, address, kind, `before`, `after`, reason, gate
 FROM crossfade_audit WHERE id < %s ORDER BY id DESC LIMIT %s"""
COUNT_AUDIT = "SELECT COUNT(*) FROM crossfade_audit"
OF_MISMATCHES = """SELECT id, at, entity, operation, correlation_id, report
 FROM crossfade_mismatch WHERE id < %s ORDER BY id DESC LIMIT %s"""
COUNT_MISMATCHES = "SELECT COUNT(*) FROM crossfade_mismatch"
# A call of which the shadow may have had a part and the authority has none, or what the shadow would not take.
OF_FAILURES = """SELECT id, created_at, op, aggs, state, attempts, last_error, instance
 FROM crossfade_intent WHERE (state = 'aborted' OR attempts > 0) AND id < %s ORDER BY id DESC LIMIT %s"""
COUNT_FAILURES = "SELECT COUNT(*) FROM crossfade_intent WHERE state = 'aborted' OR attempts > 0"
OF_REPAIRS = """SELECT id, created_at, op, aggs, state, attempts, last_error, instance
 FROM crossfade_intent WHERE state IN ('aborted', 'done') AND id < %s ORDER BY id DESC LIMIT %s"""
COUNT_REPAIRS = "SELECT COUNT(*) FROM crossfade_intent WHERE state IN ('aborted', 'done')"

NO_BOUND = (1 << 63) - 1
REASON_LENGTH = 1000


class MySQLAudit:
    """See Audit."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s

    async def record(self, act: Act) -> None:
        """See Audit."""
        await self._run(record_of(act))

    async def page(self, source: Source, *, below_id: int | None, limit: int) -> list[Entry]:
        """See Audit."""
        texts = _TEXTS[source]
        bound = NO_BOUND if below_id is None else below_id
        return [texts.entry(row) for row in await self._run(Statement(texts.page, (bound, limit)))]

    async def count(self, source: Source) -> int:
        """See Audit."""
        ((count,),) = await self._run(Statement(_TEXTS[source].total))
        return int(count)

    async def beginnings(self) -> Beginnings:
        """See Audit."""
        ((written_at, compared_at),) = await self._run(Statement(BEGINNINGS))
        return Beginnings(time_of(written_at), time_of(compared_at))

    async def _run(self, statement: Statement) -> list[Row]:
        deadline = Deadline.after(self._limit_s)
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.audit"):
            (result,) = await connection.batch(statement.text, statement.parameters)
        return result.rows


def record_of(act: Act) -> Statement:
    """The statement that adds an entry, for the transaction of what it tells of."""
    before, after, gate = (
        None if data is None else orjson.dumps(data, default=str).decode() for data in (act.before, act.after, act.gate)
    )
    return Statement(RECORD, (act.who, act.address, act.kind, before, after, act.reason[:REASON_LENGTH], gate))


def _audit_entry(row: Row) -> Entry:
    before, after, gate = (None if text is None else orjson.loads(text) for text in (row[5], row[6], row[8]))
    data = {"who": row[2], "address": row[3], "kind": row[4], "before": before, "after": after}
    return _entry(row, {**data, "reason": row[7], "gate": gate})


def _mismatch_entry(row: Row) -> Entry:
    named = dict(zip(("entity", "operation", "correlation_id"), row[2:5], strict=True))
    return _entry(row, {**named, "report": orjson.loads(row[5])})


def _intent_entry(row: Row) -> Entry:
    names = ("operation", "aggregates", "state", "attempts", "error", "instance")
    data = dict(zip(names, row[2:], strict=True))
    return _entry(row, {**data, "aggregates": orjson.loads(row[3])})


def _entry(row: Row, data: dict[str, object]) -> Entry:
    at = time_of(row[1])
    assert at is not None  # noqa: S101  # The columns are NOT NULL.
    return Entry(row[0], at, data)


class _Texts(NamedTuple):
    page: str
    total: str
    entry: Callable[[Row], Entry]


_TEXTS = {
    Source.AUDIT: _Texts(OF_AUDIT, COUNT_AUDIT, _audit_entry),
    Source.MISMATCH: _Texts(OF_MISMATCHES, COUNT_MISMATCHES, _mismatch_entry),
    Source.WRITE_FAILURE: _Texts(OF_FAILURES, COUNT_FAILURES, _intent_entry),
    Source.REPAIR: _Texts(OF_REPAIRS, COUNT_REPAIRS, _intent_entry),
}
