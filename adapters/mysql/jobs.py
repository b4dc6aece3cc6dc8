"""Jobs as rows: whoever runs one updates it every few seconds, and what falls silent counts as failed."""

import orjson

from adapters.deadline import Deadline
from adapters.errors import Conflict, Reason, Subject
from adapters.mysql.connection import ResultSet, Row
from adapters.mysql.pool import Pool
from adapters.mysql.rows import time_of
from adapters.mysql.statements import Statement, joined
from adapters.ports.jobs import SILENT_AFTER_S, Findings, JobEnd, JobKind, JobRow, Start

# In front of all others, so that none of them ever meets a job whose worker is gone.
FAIL_SILENT = Statement(
    """UPDATE crossfade_job SET state = 'failed', slot = NULL, error = 'its worker is gone'
 WHERE state = 'running' AND updated_at < NOW(3) - INTERVAL %s SECOND""",
    (SILENT_AFTER_S,),
)
START = """INSERT IGNORE INTO crossfade_job (kind, entities, epoch, started_by, slot) VALUES (%s, %s, %s, %s, %s)"""
BEAT = "UPDATE crossfade_job SET done = %s, total = %s, updated_at = NOW(3) WHERE id = %s AND state = 'running'"
IS_WANTED = "SELECT 1 FROM crossfade_job WHERE id = %s AND state = 'running' AND NOT is_cancelled"
END = """UPDATE crossfade_job SET state = %s, slot = NULL, is_equal = %s, `rows` = %s, difference_count = %s,
 differences = %s, error = %s, updated_at = NOW(3)
 WHERE id = %s AND state = 'running'"""
CANCEL = "UPDATE crossfade_job SET is_cancelled = TRUE WHERE id = %s AND state = 'running'"
COLUMNS = """SELECT id, kind, entities, state, epoch, done, total, is_equal, `rows`, difference_count, differences,
 started_by, started_at, updated_at, error FROM crossfade_job"""
FIND = COLUMNS + " WHERE id = %s"
NEWEST = COLUMNS + " ORDER BY state = 'running' DESC, id DESC LIMIT %s"
ENDED = """SELECT id, kind, entities, state, epoch, done, total, is_equal, `rows`, difference_count, NULL,
 started_by, started_at, updated_at, error FROM crossfade_job
 WHERE kind = %s AND state = 'done' ORDER BY id DESC LIMIT %s"""

ERROR_LENGTH = 1000


class MySQLJobs:
    """See Jobs."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s

    async def start(self, start: Start) -> int:
        """See Jobs."""
        entities = orjson.dumps(list(start.entities)).decode()
        values = (start.kind.value, entities, start.epoch, start.started_by, start.slot)
        made = await self._run(FAIL_SILENT, Statement(START, values))
        if not made.affected:
            raise Conflict(f"another {start.slot} is under way", reason=Reason.ALREADY_RUNNING, subject=Subject("job"))
        return made.last_id

    async def beat(self, job_id: int, *, done: int, total: int) -> bool:
        """See Jobs."""
        told = Statement(BEAT, (done, total, job_id))
        return bool((await self._run(told, Statement(IS_WANTED, (job_id,)))).rows)

    async def end(
        self, job_id: int, end: JobEnd, *, findings: Findings | None = None, error: str | None = None
    ) -> None:
        """See Jobs."""
        told: tuple[object, ...] = (None, None, 0, None)
        if findings is not None:
            rows, differences = (orjson.dumps(data).decode() for data in (findings.rows, list(findings.differences)))
            told = (findings.is_equal, rows, findings.difference_count, differences)
        values = (end.value, *told, None if error is None else error[:ERROR_LENGTH], job_id)
        await self._run(Statement(END, values))

    async def cancel(self, job_id: int) -> None:
        """See Jobs."""
        await self._run(Statement(CANCEL, (job_id,)))

    async def find(self, job_id: int) -> JobRow | None:
        """See Jobs."""
        found = await self._run(FAIL_SILENT, Statement(FIND, (job_id,)))
        return _job(found.rows[0]) if found.rows else None

    async def newest(self, *, limit: int) -> list[JobRow]:
        """See Jobs."""
        return [_job(row) for row in (await self._run(FAIL_SILENT, Statement(NEWEST, (limit,)))).rows]

    async def ended(self, kind: JobKind, *, limit: int) -> list[JobRow]:
        """See Jobs."""
        return [_job(row) for row in (await self._run(Statement(ENDED, (kind.value, limit)))).rows]

    async def _run(self, *statements: Statement) -> ResultSet:
        """The answer to the last of the statements."""
        deadline = Deadline.after(self._limit_s)
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.jobs"):
            return (await connection.batch(*joined(statements)))[-1]


def _job(row: Row) -> JobRow:
    started_at, updated_at = time_of(row[12]), time_of(row[13])
    assert started_at is not None  # noqa: S101  # The columns are NOT NULL.
    assert updated_at is not None  # noqa: S101
    return JobRow(
        id=row[0],
        kind=JobKind(row[1]),
        entities=tuple(orjson.loads(row[2])),
        state=row[3],
        epoch=row[4],
        done=row[5],
        total=row[6],
        findings=_findings(row),
        started_by=row[11],
        started_at=started_at,
        updated_at=updated_at,
        error=row[14],
    )


def _findings(row: Row) -> Findings | None:
    if row[7] is None:
        return None
    return Findings(bool(row[7]), orjson.loads(row[8]), row[9], orjson.loads(row[10] or "[]"))
