"""Failed logins. What was typed is kept as a hash alone: a password goes into the field of the name easily."""

from datetime import UTC, datetime
from hashlib import sha256

from adapters.deadline import Deadline
from adapters.mysql.connection import Row
from adapters.mysql.pool import Pool
from adapters.mysql.statements import Statement, joined

RECORD = "INSERT INTO crossfade_login_attempt (who, at) VALUES (%s, %s)"
SWEEP = "DELETE FROM crossfade_login_attempt WHERE at < NOW(3) - INTERVAL 1 DAY LIMIT 100"
FAILURES = "SELECT COUNT(*) FROM crossfade_login_attempt WHERE who = %s AND at > NOW(3) - INTERVAL %s SECOND"
FORGET = "DELETE FROM crossfade_login_attempt WHERE who = %s"


class MySQLLoginAttempts:
    """See LoginAttempts."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s

    async def record(self, name: str, address: str, at: datetime) -> None:
        """See LoginAttempts."""
        naive = at.astimezone(UTC).replace(tzinfo=None)
        await self._run(Statement(RECORD, (_who(name, address), naive)), Statement(SWEEP))

    async def failures(self, name: str, address: str, window_s: float) -> int:
        """See LoginAttempts."""
        ((count,),) = await self._run(Statement(FAILURES, (_who(name, address), window_s)))
        return int(count)

    async def forget(self, name: str, address: str) -> None:
        """See LoginAttempts."""
        await self._run(Statement(FORGET, (_who(name, address),)))

    async def _run(self, *statements: Statement) -> list[Row]:
        deadline = Deadline.after(self._limit_s)
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.login_attempts"):
            return (await connection.batch(*joined(statements)))[0].rows


def _who(name: str, address: str) -> bytes:
    return sha256(f"{name.casefold()}\0{address}".encode()).digest()
