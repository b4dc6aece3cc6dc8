"""What the journal says of a COMMIT whose answer was lost, while its transaction is still about."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from adapters.changes import IntentPart, user_aggregate
from adapters.deadline import Deadline
from adapters.errors import DeadlineExceeded
from adapters.mysql.connection import Connection, SessionSettings
from adapters.mysql.journal import MySQLJournal
from adapters.mysql.pool import Pool
from adapters.mysql.transaction import SETTLE_OWN
from adapters.ports.store import CommitState
from tests.fleet.estate import Estate

LOCK_WAIT_S = 1
PARTS = (IntentPart((user_aggregate(1),), ()),)


@pytest.fixture
async def journal(estate: Estate) -> AsyncIterator[MySQLJournal]:
    """A journal whose sessions wait a second for locks."""
    pool = Pool(estate.mysql, size=2, name="journal", session=SessionSettings(lock_wait_timeout_s=LOCK_WAIT_S))
    yield MySQLJournal(pool, instance="test", limit_s=5.0)
    await pool.close()


@pytest.fixture
async def writer(estate: Estate) -> AsyncIterator[Connection]:
    """A session with a transaction under way."""
    connection = await Connection.open(estate.mysql)
    await connection.batch("BEGIN")
    yield connection
    await connection.quit()


async def opened(journal: MySQLJournal) -> UUID:
    """The id of a call that has its intent."""
    op_id = uuid4()
    assert await journal.open(op_id, "user.update", PARTS, epoch=1, deadline=Deadline.after(5.0))
    return op_id


async def test_probe_outwaits_a_commit_that_takes_longer_than_a_lock_may(
    journal: MySQLJournal, writer: Connection
) -> None:
    """A transaction that has settled its intent is waited for, past the lock wait, and then found committed."""
    op_id = await opened(journal)
    await writer.batch(SETTLE_OWN, (op_id.bytes,))
    async with asyncio.TaskGroup() as tasks:
        probe = tasks.create_task(journal.probe(op_id, deadline=Deadline.after(10.0)))
        done, _ = await asyncio.wait([probe], timeout=1.5 * LOCK_WAIT_S)
        assert set() == done
        await writer.batch("COMMIT")
    assert CommitState.COMMITTED is probe.result()


async def test_probe_that_cannot_tell_in_time_says_so(journal: MySQLJournal, writer: Connection) -> None:
    """A transaction that does not end is neither: the deadline passes."""
    op_id = await opened(journal)
    await writer.batch(SETTLE_OWN, (op_id.bytes,))
    with pytest.raises(DeadlineExceeded, match="probe"):
        await journal.probe(op_id, deadline=Deadline.after(1.5 * LOCK_WAIT_S))
    await writer.batch("ROLLBACK")
    await journal.delete(op_id)


async def test_commit_after_the_probe_is_refused(journal: MySQLJournal, writer: Connection, estate: Estate) -> None:
    """Once a call is told that nothing was committed, its own COMMIT finds no open intent; a repair is left to do."""
    op_id = await opened(journal)
    assert CommitState.ROLLED_BACK is await journal.probe(op_id, deadline=Deadline.after(5.0))
    (settled,) = await writer.batch(SETTLE_OWN, (op_id.bytes,))
    assert settled.affected == 0
    assert [op_id] == [intent.op_id for intent in await journal.of_call(op_id)]
    await writer.batch("ROLLBACK")
    await estate.repair()
