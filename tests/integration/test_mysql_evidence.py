"""Audit, counts and jobs, on MySQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from adapters.errors import Conflict, Reason
from adapters.flags import Flags
from adapters.mysql.audit import MySQLAudit
from adapters.mysql.connection import Connection
from adapters.mysql.control import MySQLControl
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.jobs import MySQLJobs
from adapters.mysql.pool import Pool
from adapters.mysql.tally import MySQLTallies
from adapters.ports.audit import Act, Source
from adapters.ports.jobs import Findings, JobEnd, JobKind, Start
from adapters.ports.tally import Count, Counted
from proxy.flags.model import with_phase

LIMIT_S = 5.0
MINUTE = datetime(2026, 11, 21, 10, 7, tzinfo=UTC)
INTENT = """INSERT INTO crossfade_intent (op_id, part, op, aggs, dkeys, state, instance, epoch, attempts)
 VALUES (UUID_TO_BIN(UUID()), 1, 'user.update', '["user#1"]', '[]', %s, 'test', 1, %s)"""


@pytest.fixture
async def pool(mysql_endpoint: MySQLEndpoint) -> AsyncIterator[Pool]:
    """Sessions of the proxy's."""
    made = Pool(mysql_endpoint, size=4, name="test")
    yield made
    await made.close()


async def test_switch_records_flags_and_gate_in_its_own_transaction(mysql_shop: Connection, pool: Pool) -> None:
    """One entry a change, with who, where, before, after, why and what the gate said; none for a refused one."""
    control, audit = MySQLControl(pool, limit_s=LIMIT_S), MySQLAudit(pool, limit_s=LIMIT_S)
    before = await control.read()
    flags = with_phase(before.flags, 2)
    given = {"who": "ana", "address": "192.0.2.1", "reason": "to begin", "gate": {"is_open": True}}
    await control.switch(flags, expected_epoch=before.epoch, **given)  # type: ignore[arg-type]  # as named
    with pytest.raises(Conflict):
        await control.switch(flags, expected_epoch=before.epoch, who="bob", address="", reason="too late")
    (entry, *_) = await audit.page(Source.AUDIT, below_id=None, limit=5)
    expected = {**given, "kind": "flags", "before": asdict(before.flags), "after": asdict(flags)}
    assert expected == entry.data
    assert (await audit.beginnings()).written_at == entry.at
    await mysql_shop.execute("UPDATE crossfade_control SET dual_write = FALSE")


async def test_audit_is_paged_by_id(mysql_shop: Connection, pool: Pool) -> None:
    """Pages follow each other without gap or repetition, also while entries are added."""
    audit = MySQLAudit(pool, limit_s=LIMIT_S)
    for number in range(5):
        await audit.record(Act("note", who="ana", address="", after={"number": number}))
    first = await audit.page(Source.AUDIT, below_id=None, limit=2)
    await audit.record(Act("note", who="ana", address=""))
    second = await audit.page(Source.AUDIT, below_id=first[-1].id, limit=2)
    assert [4, 3, 2, 1] == [entry.data["after"]["number"] for entry in (*first, *second)]  # type: ignore[index]  # JSON
    ((count,),) = await mysql_shop.rows("SELECT COUNT(*) FROM crossfade_audit")
    assert count == await audit.count(Source.AUDIT)


async def test_beginnings_are_the_last_ones(mysql_shop: Connection, pool: Pool) -> None:
    """Whoever goes back and on again begins anew; the way 3-4-3 begins comparing anew, but not writing."""
    await mysql_shop.execute("DELETE FROM crossfade_audit")
    audit = MySQLAudit(pool, limit_s=LIMIT_S)
    assert (None, None) == ((found := await audit.beginnings()).written_at, found.compared_at)
    for before, after in ((1, 2), (2, 1), (1, 2), (2, 3), (3, 4), (4, 3)):
        old, new = (asdict(with_phase(Flags(), phase)) for phase in (before, after))
        await audit.record(Act("flags", "ana", "", old, new))
    entries = [entry.at for entry in await audit.page(Source.AUDIT, below_id=None, limit=6)]
    found = await audit.beginnings()
    assert (entries[3], entries[0]) == (found.written_at, found.compared_at)


async def test_intents_are_failures_and_repairs(mysql_shop: Connection, pool: Pool) -> None:
    """An aborted one is both; one that is owed and was tried in vain a failure; what went well is a repair alone."""
    await mysql_shop.execute("DELETE FROM crossfade_intent")
    for state, attempts in (("aborted", 0), ("journalled", 3), ("done", 0), ("open", 0)):
        await mysql_shop.execute(INTENT, (state, attempts))
    audit = MySQLAudit(pool, limit_s=LIMIT_S)
    expected = {Source.WRITE_FAILURE: ["journalled", "aborted"], Source.REPAIR: ["done", "aborted"]}
    for source, states in expected.items():
        assert states == [entry.data["state"] for entry in await audit.page(source, below_id=None, limit=9)]
        assert 2 == await audit.count(source)


async def test_tallies_add_up_over_workers(mysql_shop: Connection, pool: Pool) -> None:
    """Many at once add to the same rows and none is lost; what lies before the moment's minute is left out."""
    tallies = MySQLTallies(pool, limit_s=LIMIT_S)
    matched = Count(Counted.READ, MINUTE, "user", "match")
    counts = {matched: 2, Count(Counted.READ, MINUTE, "cart", "match"): 1}
    counts[Count(Counted.READ, MINUTE - timedelta(minutes=1), "user", "match")] = 100
    counts[Count(Counted.WRITE, MINUTE, "user", "applied")] = 7
    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(tallies.add(counts))
    since = MINUTE + timedelta(seconds=59)
    assert {("user", "match"): 20, ("cart", "match"): 10} == await tallies.totals(Counted.READ, since=since)
    assert 1020 == (await tallies.totals(Counted.READ, since=None))["user", "match"]
    assert {("user", "applied"): 70} == await tallies.totals(Counted.WRITE, since=None)
    await mysql_shop.execute("UPDATE crossfade_tally SET minute = minute - INTERVAL 1 YEAR")
    assert 4 == await tallies.sweep()


async def test_job_is_alone_in_its_slot_until_it_ends_or_falls_silent(mysql_shop: Connection, pool: Pool) -> None:
    """A second one is refused; one whose worker says nothing any more fails, and makes room."""
    jobs = MySQLJobs(pool, limit_s=LIMIT_S)
    start = Start(JobKind.VERIFY, ["user"], 3, "ana", slot="validation")
    first = await jobs.start(start)
    with pytest.raises(Conflict) as caught:
        await jobs.start(start)
    assert Reason.ALREADY_RUNNING is caught.value.reason
    assert await jobs.beat(first, done=1, total=9)
    await mysql_shop.execute("UPDATE crossfade_job SET updated_at = updated_at - INTERVAL 1 MINUTE")
    second = await jobs.start(start)
    assert not await jobs.beat(first, done=2, total=9)
    found = await jobs.find(first)
    assert found is not None
    assert ("failed", 1, None) == (found.state, found.done, found.findings)
    assert found.error
    findings = Findings(is_equal=False, rows={"user": 4}, difference_count=1, differences=[{"path": "email"}])
    await jobs.end(second, JobEnd.DONE, findings=findings)
    await jobs.end(second, JobEnd.FAILED, error="too late")
    (ended,) = await jobs.ended(JobKind.VERIFY, limit=5)
    assert (second, "done", ("user",), 3) == (ended.id, ended.state, ended.entities, ended.epoch)
    again = await jobs.find(second)
    assert again is not None
    assert findings == again.findings
    await jobs.start(start)


async def test_cancelled_job_learns_it_by_its_next_beat(mysql_shop: Connection, pool: Pool) -> None:
    """Whoever runs it is told when it says how far it is."""
    await mysql_shop.execute("DELETE FROM crossfade_job")
    jobs = MySQLJobs(pool, limit_s=LIMIT_S)
    job = await jobs.start(Start(JobKind.VERIFY, [], 1, "ana"))
    assert await jobs.beat(job, done=0, total=1)
    await jobs.cancel(job)
    assert not await jobs.beat(job, done=1, total=1)
    await jobs.end(job, JobEnd.CANCELLED)
    assert ["cancelled"] == [each.state for each in await jobs.newest(limit=3)]
