"""The counts of dual reads and dual writes, a row for each minute and result, to which all workers add."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import orjson

from adapters.deadline import Deadline
from adapters.errors import Unavailable
from adapters.mysql.connection import ResultSet
from adapters.mysql.pool import Pool
from adapters.ports.store import Restart
from adapters.ports.tally import Count, Counted

ADD = """INSERT INTO crossfade_tally (kind, minute, entity, result, n)
 SELECT * FROM (SELECT kind, minute, entity, result, n FROM JSON_TABLE(%s, '$[*]' COLUMNS (kind VARCHAR(8) PATH '$[0]',
  minute DATETIME PATH '$[1]', entity VARCHAR(32) PATH '$[2]', result VARCHAR(32) PATH '$[3]', n BIGINT PATH '$[4]')) t
 ) AS new ON DUPLICATE KEY UPDATE n = crossfade_tally.n + new.n"""
TOTALS = """SELECT entity, result, SUM(n) FROM crossfade_tally
 WHERE kind = %s AND minute >= %s GROUP BY entity, result"""
SWEEP = "DELETE FROM crossfade_tally WHERE minute < NOW() - INTERVAL 7 DAY LIMIT 10000"

ADD_TRIES = 3
BEGINNING = datetime(1971, 1, 1, tzinfo=UTC)


class MySQLTallies:
    """See Tallies."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s

    async def add(self, counts: Mapping[Count, int]) -> None:
        """See Tallies. Rows are taken in the order of their key; where workers deadlock all the same, once more."""
        listed = [(c.kind, _naive(c.minute), c.entity, c.result, counts[c]) for c in sorted(counts)]
        for _ in range(ADD_TRIES):
            with suppress(Restart):
                await self._run(ADD, orjson.dumps(listed).decode())
                return
        raise Unavailable("the counts are busy")

    async def totals(self, kind: Counted, *, since: datetime | None) -> Mapping[tuple[str, str], int]:
        """See Tallies."""
        moment = (since or BEGINNING).replace(second=0, microsecond=0)
        found = await self._run(TOTALS, kind.value, _naive(moment))
        return {(entity, result): int(n) for entity, result, n in found.rows}

    async def sweep(self) -> int:
        """See Tallies."""
        return (await self._run(SWEEP)).affected

    async def _run(self, text: str, *parameters: object) -> ResultSet:
        deadline = Deadline.after(self._limit_s)
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.tally"):
            (result,) = await connection.batch(text, parameters)
        return result


def _naive(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
