"""The control row: flags, epoch, who changed them; the switch, the audit entry with it, and the fleet's heartbeats.

Every write of the shop holds the row in share mode, so a switch waits for the writes in flight, and those that come
later see the new state: no two phases overlap for writes in a whole fleet.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from adapters.deadline import Deadline
from adapters.errors import Conflict, Reason, Subject, Unavailable
from adapters.flags import ControlState, Flags, Heartbeat, MismatchPolicy, WriteFailurePolicy
from adapters.mysql.audit import record_of
from adapters.mysql.connection import Connection, Row
from adapters.mysql.journal import DEFERRED_FROM
from adapters.mysql.pool import Pool
from adapters.mysql.rows import time_of
from adapters.ports.audit import FLAGS, Act
from adapters.ports.store import Restart

COLUMNS = """SELECT epoch, dual_write, dual_read, read_from_dynamodb, validation, mismatch_policy, write_failure_policy,
 compare_percent, changed_by, changed_at, reason FROM crossfade_control WHERE id = 1"""
READ = COLUMNS
READ_FOR_UPDATE = COLUMNS + " FOR UPDATE"
SHORT_WAIT = "SET SESSION innodb_lock_wait_timeout = 1"
BEGIN = "BEGIN"
SWITCH = """UPDATE crossfade_control SET epoch = epoch + 1, dual_write = %s, dual_read = %s, read_from_dynamodb = %s,
 validation = %s, mismatch_policy = %s, write_failure_policy = %s, compare_percent = %s, changed_by = %s,
 changed_at = UTC_TIMESTAMP(), reason = %s WHERE id = 1"""
# Under the lock no call is under way. Deferred parts are left out: where writes go on there are always some.
UNSETTLED = "SELECT COUNT(*) FROM crossfade_intent WHERE state IN ('open', 'journalled') AND part < %s"
HOLDERS = """SELECT DISTINCT t.processlist_id FROM performance_schema.data_locks l
 JOIN performance_schema.threads t ON t.thread_id = l.thread_id
 WHERE l.object_schema = DATABASE() AND l.object_name = 'crossfade_control' AND l.lock_type = 'RECORD'
 AND l.lock_status = 'GRANTED' AND t.processlist_id IS NOT NULL AND t.processlist_id <> CONNECTION_ID()"""
KILL = "KILL %s"
HEARTBEAT = """INSERT INTO crossfade_proxy (instance, epoch, seen_at) VALUES (%s, %s, NOW(3)) AS new
 ON DUPLICATE KEY UPDATE epoch = new.epoch, seen_at = new.seen_at"""
FLEET = """SELECT instance, epoch, TIMESTAMPDIFF(MICROSECOND, seen_at, NOW(3)) / 1e6
 FROM crossfade_proxy WHERE seen_at > NOW(3) - INTERVAL 1 MINUTE ORDER BY instance"""
LEAVE = "DELETE FROM crossfade_proxy WHERE instance = %s"

SWITCH_TRIES = 3
"""Each waits a second for the row: a waiting switch stalls new writers, so it never waits long."""
BACK_OFF_S = 0.5


class MySQLControl:
    """Control over the row."""

    def __init__(self, pool: Pool, *, limit_s: float) -> None:
        self._pool = pool
        self._limit_s = limit_s

    async def read(self, *, limit_s: float | None = None) -> ControlState:
        """See Control."""
        deadline = self._deadline(limit_s)
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.control"):
            rows = await connection.rows(READ)
        return _state(rows)

    async def switch(
        self,
        flags: Flags,
        *,
        expected_epoch: int,
        who: str,
        address: str,
        reason: str,
        gate: Mapping[str, object] | None = None,
        is_settled_demanded: bool = False,
    ) -> ControlState:
        """See Control."""
        act = Act(FLAGS, who=who, address=address, after=asdict(flags), reason=reason, gate=gate)
        for attempt in range(SWITCH_TRIES):
            try:
                return await self._try_switch(flags, expected_epoch, act, is_settled_demanded=is_settled_demanded)
            except Restart:
                await asyncio.sleep(BACK_OFF_S * (attempt + random.random()))  # noqa: S311  # jitter
        holders = ", ".join(str(h) for h in await self.holders()) or "unknown by now"
        raise Unavailable(
            f"the switch waits for a write that does not end; MySQL connections in the way: {holders}. "
            "Nothing was changed. Try again, or have them killed."
        )

    async def holders(self) -> list[int]:
        """The server's numbers of the connections that hold the control row."""
        deadline = self._deadline()
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.control"):
            return [row[0] for row in await connection.rows(HOLDERS)]

    async def kill(self, connection_ids: Sequence[int]) -> None:
        """Kill those of the connections that hold the control row now; their writes are rolled back and repaired."""
        in_the_way = set(await self.holders())
        deadline = self._deadline()
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.control"):
            for connection_id in in_the_way & set(connection_ids):
                await connection.batch(KILL, (connection_id,))

    async def heartbeat(self, instance: str, *, epoch: int, limit_s: float | None = None) -> None:
        """See Control."""
        deadline = self._deadline(limit_s)
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.heartbeat"):
            await connection.execute(HEARTBEAT, (instance, epoch))

    async def leave(self, instance: str) -> None:
        """Take this worker off the fleet's list."""
        deadline = self._deadline()
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.heartbeat"):
            await connection.execute(LEAVE, (instance,))

    async def fleet(self) -> list[Heartbeat]:
        """See Control."""
        deadline = self._deadline()
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.control"):
            return [Heartbeat(row[0], row[1], float(row[2])) for row in await connection.rows(FLEET)]

    async def _try_switch(
        self, flags: Flags, expected_epoch: int, act: Act, *, is_settled_demanded: bool
    ) -> ControlState:
        deadline = self._deadline()
        async with self._pool.acquire(deadline) as connection, deadline.scope("mysql.switch"):
            # The session's own wait would be longer; the connection is not lent again with this one.
            await connection.batch(SHORT_WAIT)
            try:
                await connection.batch(BEGIN)
                before = _state(await connection.rows(READ_FOR_UPDATE))
                _refuse_stale(before, expected_epoch)
                if is_settled_demanded:
                    await _refuse_unsettled(connection)
                after = await _change(connection, before, flags, act)
                await connection.batch("COMMIT")
            finally:
                await connection.quit()
        return after

    def _deadline(self, limit_s: float | None = None) -> Deadline:
        return Deadline.after(limit_s or self._limit_s)


def _refuse_stale(before: ControlState, expected_epoch: int) -> None:
    if before.epoch != expected_epoch:
        msg = f"the flags were changed meanwhile: version {before.epoch} now, by {before.changed_by}"
        raise Conflict(msg, reason=Reason.STALE_VERSION, subject=Subject("flags"))


async def _refuse_unsettled(connection: Connection) -> None:
    ((count,),) = await connection.rows(UNSETTLED, (DEFERRED_FROM,))
    if count:
        msg = f"{count} intents are not settled yet"
        raise Conflict(msg, reason=Reason.UNSETTLED, subject=Subject("flags"))


async def _change(connection: Connection, before: ControlState, flags: Flags, act: Act) -> ControlState:
    values = tuple(asdict(flags).values())
    await connection.execute(SWITCH, (*(getattr(v, "value", v) for v in values), act.who, act.reason))
    entry = record_of(replace(act, before=asdict(before.flags)))
    await connection.execute(entry.text, entry.parameters)
    return _state(await connection.rows(READ))


def _state(rows: list[Row]) -> ControlState:
    if not rows:
        msg = "MySQL lacks the control row; run `crossfade db prepare`"
        raise Unavailable(msg)
    (row,) = rows
    flags = Flags(
        dual_write=bool(row[1]),
        dual_read=bool(row[2]),
        read_from_dynamodb=bool(row[3]),
        validation=bool(row[4]),
        mismatch_policy=MismatchPolicy(row[5]),
        write_failure_policy=WriteFailurePolicy(row[6]),
        compare_percent=row[7],
    )
    return ControlState(flags, epoch=row[0], changed_by=row[8], changed_at=time_of(row[9]), reason=row[10])
