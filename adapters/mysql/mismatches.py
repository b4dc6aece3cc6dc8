"""The newest reports of dual reads that found different data."""

from typing import Final

import orjson

from adapters.deadline import Deadline
from adapters.mysql.pool import Pool
from adapters.ports.mismatches import Report

KEPT_MAX: Final = 1000
KEEP = """INSERT INTO crossfade_mismatch (entity, operation, correlation_id, report) VALUES (%s, %s, %s, %s)"""
FORGET = "DELETE FROM crossfade_mismatch WHERE id <= %s"


class MySQLMismatches:
    """See Mismatches."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s

    async def keep(self, report: Report) -> None:
        """See Mismatches."""
        deadline = Deadline.after(self._limit_s)
        named = (report["entity"], report["operation"], report["correlation_id"])
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.mismatch"):
            kept = await connection.execute(KEEP, (*named, orjson.dumps(report, default=str).decode()))
            await connection.execute(FORGET, (kept.last_id - KEPT_MAX,))
