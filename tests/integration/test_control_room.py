"""The control room over real databases: gates by their effects, the record, jobs, the log and super admins."""

import asyncio
import subprocess
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from adapters.changes import IntentPart, product_aggregate
from adapters.deadline import Deadline
from adapters.errors import Conflict, CrossfadeError, InvalidArgument, NotFound, Reason
from adapters.flags import ControlState, Flags
from adapters.ports.jobs import Findings, JobKind, Start
from proxy.admin.jobs import JobRunner
from proxy.admin.ports import ControlRoom
from proxy.admin.records import Actor, Job, JobState, LogEntry, LogKind, Verdict
from proxy.admin.validations import SLOT
from proxy.calls import CallRequest
from proxy.flags.model import phase_of, with_phase
from proxy.settings import Settings, load_settings
from proxy.sync.report import Progress, Watcher
from proxy.wiring import commands
from tests import servers
from tests.conformance.proxies import ROOT, START_LIMIT_S, command_of, environment_of
from tests.factories import make_product
from tests.fleet.waiting import lapse, until
from tests.mysql_schema import mysql_schema
from tests.workers import WorkerShop, open_worker

ANA = Actor("ana", "192.0.2.7", user_id=7)
WHY = "to see"
NOBODY = 1
"""A port where no server listens."""
END_LIMIT_S = 60.0
NOTE = "INSERT INTO crossfade_audit (who, address, kind, reason) VALUES ('ana', '', 'note {}', '')"
ENDLESS = Start(JobKind.VERIFY, ["user"], 1, "ana", slot=SLOT)


@pytest.fixture(scope="module")
def settings(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Settings]:
    """The settings of workers on prepared, empty databases in phase 1."""
    lease = mysql_schema(mysql_server, has_tables=False)
    with asyncio.Runner() as runner:
        environment = environment_of(1, runner.run(lease.__aenter__()), dynamodb_server)
        command = command_of("db", "prepare", "--shop-tables")
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=START_LIMIT_S)
        yield load_settings(environment)
        runner.run(lease.__aexit__(None, None, None))


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[WorkerShop]:
    """A worker, in phase 1 without a record of what was before."""
    async with open_worker(settings) as opened:
        await reset(opened)
        yield opened
        await opened.worker.jobs.drain(Deadline.after(0.0))


@pytest.fixture
async def cut_off(settings: Settings) -> AsyncIterator[WorkerShop]:
    """A worker of the same shop that cannot reach the target."""
    away = replace(settings.dynamodb, endpoint=f"http://127.0.0.1:{NOBODY}")
    async with open_worker(replace(settings, dynamodb=away)) as opened:
        yield opened


async def reset(shop: WorkerShop, phase: int = 1) -> None:
    """Put the shop into a phase, with nothing on record."""
    for table in ("audit", "job", "tally", "intent", "mismatch", "proxy"):
        await shop.execute(f"DELETE FROM crossfade_{table}")
    await shop.execute("DELETE FROM users")
    control = shop.worker.databases.control
    state = await control.read()
    flags = with_phase(Flags(), phase)
    await control.switch(flags, expected_epoch=state.epoch, who="test", address="", reason="the beginning")
    await shop.worker.poll.run_once()


async def forced(room: ControlRoom, phase: int) -> None:
    """Move on whatever the gate says."""
    await room.move(phase, actor=ANA, reason=WHY, is_forced=True)


async def ended(room: ControlRoom, job: Job) -> Job:
    """The job once it has ended."""

    async def has_ended() -> Job | None:
        found = await room.job(job.id)
        return None if found.state is JobState.RUNNING else found

    found = await until("the job to end", has_ended, limit_s=END_LIMIT_S)
    assert found is not None
    return found


async def test_what_reads_might_show_is_settled_before_they_begin_and_what_they_pass_over_is_not(
    shop: WorkerShop,
) -> None:
    """A busy shop always owes deferred parts, as in phase 4 itself; an owed write refuses the move under its lock."""
    await reset(shop, 3)
    control, journal = shop.worker.databases.control, shop.worker.databases.journal

    async def move() -> ControlState:
        state = await control.read()
        return await control.switch(
            with_phase(state.flags, 4),
            expected_epoch=state.epoch,
            who="test",
            address="",
            reason=WHY,
            is_settled_demanded=True,
        )

    product = await make_product(shop)
    await shop.call("category.update", id=product["category_id"], name="Renamed, so that paths are deferred")
    (deferred, _), owed = await journal.backlog(), await journal.owed()
    assert (1, 0) == (deferred, owed)
    part = IntentPart((product_aggregate(product["id"]),), ())
    await journal.insert_due("read_repair", [part], op_id=uuid4())
    assert 1 == await journal.owed()
    with pytest.raises(Conflict, match="1 intents are not settled yet") as refused:
        await move()
    assert Reason.UNSETTLED == refused.value.reason
    await shop.execute("DELETE FROM crossfade_intent WHERE op = 'read_repair'")
    assert 4 == phase_of((await move()).flags)
    assert 1 == (await journal.backlog())[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"migration_phase": 2},
        {"dual_write_enabled": True},
        {"WRITE_DDB": True},
        {"dual_write_enabled": True, "compare_percent": 5},
    ],
    ids=str,
)
async def test_gate_belongs_to_the_effect(shop: WorkerShop, changes: dict[str, object]) -> None:
    """However writes to both begin, the gate is asked; nothing changes and nothing is on record when it is closed."""
    room = shop.worker.room
    before = await room.state()
    with pytest.raises(Conflict) as caught:
        await room.set_flags(changes, actor=ANA, reason=WHY)
    assert Reason.GATE_CLOSED is caught.value.reason
    errors = caught.value.members["errors"]
    assert isinstance(errors, list)
    assert [("preflight clean", Verdict.NOT_MEASURED)] == [(each["name"], each["verdict"]) for each in errors]
    assert before == await room.state()
    assert 1 == (await room.logs(kind=LogKind.AUDIT)).total_count


async def test_force_passes_a_closed_gate_with_a_reason_and_on_record(shop: WorkerShop) -> None:
    """Without a reason it is refused; with one, who, where, why and what the gate said are on record."""
    room = shop.worker.room
    with pytest.raises(InvalidArgument):
        await room.move(2, actor=ANA, is_forced=True)
    changed = await room.move(2, actor=ANA, reason=WHY, is_forced=True)
    assert {"migration_phase": 2, "dual_write_enabled": True} == changed.updated
    (entry, _) = (await room.logs(kind=LogKind.AUDIT)).entries
    told = {name: entry.data[name] for name in ("who", "address", "reason", "kind")}
    assert {"who": "ana", "address": "192.0.2.7", "reason": WHY, "kind": "flags"} == told
    verdict = entry.data["gate"]
    assert isinstance(verdict, dict)
    assert (False, True) == (verdict["is_open"], verdict["is_forced"])
    assert "preflight clean" in {check["name"] for check in verdict["checks"]}
    with pytest.raises(Conflict) as caught:
        await room.set_flags({"compare_percent": 5}, actor=ANA, version=changed.before.epoch)
    assert Reason.STALE_VERSION is caught.value.reason


async def test_evidence_opens_the_way_to_comparing(shop: WorkerShop) -> None:
    """After a backfill and enough good writes the gate to phase 3 is open, by what lies in the databases."""
    room = shop.worker.room
    await forced(room, 2)
    assert {"backfill finished", "dual writes succeed"} == {check.name for check in (await room.gate(3)).closed_by}
    await shop.call("user.create", username="ana", email="ana@shop.test", password_hash="h")
    await shop.worker.tally.run_once()
    await shop.execute("UPDATE crossfade_tally SET n = 1000 WHERE kind = 'write' AND result = 'applied'")
    await backfilled(shop)
    assert (await room.gate(3)).is_open
    await room.move(3, actor=ANA)
    await shop.worker.poll.run_once()
    for _ in range(5):
        await shop.call("user.find_by_username", username="ana")
    await shop.worker.tally.run_once()
    statistics = {each.entity: each for each in (await room.status()).statistics or ()}
    assert (5, 5, 0) == tuple(getattr(statistics["user"], name) for name in ("compared", "matched", "mismatched"))
    checks = {check.name: check for check in (await room.gate(4)).checks}
    assert Verdict.FAILED is checks["user compared"].verdict
    assert checks["user compared"].figure.startswith("5 compared, 0 different, bound 45.")
    await ended(room, await room.start_validation(None, actor=ANA))
    assert (await room.gate(4)).is_open


async def backfilled(shop: WorkerShop) -> None:
    """A backfill as the command line runs it."""
    report = await commands.backfill(shop.worker.settings, Namespace())
    assert report.is_well


async def test_phase_1_takes_the_evidence_away(shop: WorkerShop) -> None:
    """A backfill counts no more once the target has missed writes."""
    room = shop.worker.room
    await forced(room, 2)
    await backfilled(shop)
    assert "backfill finished" not in {check.name for check in (await room.gate(3)).closed_by}
    await room.roll_back(actor=ANA)
    await forced(room, 2)
    assert "backfill finished" in {check.name for check in (await room.gate(3)).closed_by}


async def test_two_phases_at_once_are_refused(shop: WorkerShop) -> None:
    """The gate names it, whatever else it says."""
    with pytest.raises(Conflict) as caught:
        await shop.worker.room.move(3, actor=ANA, reason=WHY)
    assert "one phase at a time" in str(caught.value)


@pytest.mark.parametrize(("start", "to", "end"), [(2, None, 1), (3, None, 2), (3, 1, 1), (4, None, 3), (4, 2, 2)])
async def test_way_back_is_one_action(shop: WorkerShop, start: int, to: int | None, end: int) -> None:
    """From every phase to the one before, or to any lower one, without a gate or a reason; in phase 1 there is none."""
    await reset(shop, start)
    changed = await shop.worker.room.roll_back(actor=ANA, to=to)
    assert end == phase_of(changed.after.flags)
    with pytest.raises(Conflict if end == 1 else InvalidArgument):
        await shop.worker.room.roll_back(actor=ANA, to=end)


@pytest.mark.parametrize(("start", "to"), [(4, 3), (3, 2), (2, 1)])
async def test_way_back_needs_no_target(shop: WorkerShop, cut_off: WorkerShop, start: int, to: int) -> None:
    """While the target is away an admin can look, and step back, whatever becomes of reads."""
    await reset(shop, start)
    await cut_off.worker.poll.run_once()
    room = cut_off.worker.room
    status = await room.status()
    assert {"mysql": True, "dynamodb": False} == {each.name: each.is_reachable for each in status.databases}
    assert start == status.phase
    changed = await room.roll_back(actor=ANA, reason=WHY)
    assert to == phase_of(changed.after.flags)


async def test_way_back_past_3_without_target_is_forced(shop: WorkerShop, cut_off: WorkerShop) -> None:
    """Workers that go by the other copy cannot be told: it is said, and forced it is done."""
    await reset(shop, 4)
    with pytest.raises(CrossfadeError, match="force"):
        await cut_off.worker.room.roll_back(actor=ANA, to=2)
    changed = await cut_off.worker.room.roll_back(actor=ANA, to=2, is_forced=True)
    assert 2 == phase_of(changed.after.flags)


async def test_way_back_in_a_storm_of_mismatches(shop: WorkerShop) -> None:
    """While every read fails by a difference an admin is still found, and steps back; reads go on."""
    await reset(shop, 3)
    for name in ("ana", "bob"):
        await plant(shop, name, super_admin=name == "ana")
    with pytest.raises(CrossfadeError, match="Data validation failed"):
        await shop.worker.dispatch.call(call_of(shop, "user.find_by_username", username="bob"))
    room = shop.worker.room
    assert ["ana"] == [user.username for user in await room.super_admins()]
    await room.roll_back(actor=ANA, reason="they differ")
    await shop.worker.poll.run_once()
    assert await shop.call("user.find_by_username", username="bob")


async def test_custom_flags_are_reset_to_the_phase_within(shop: WorkerShop) -> None:
    """Dual reads without comparison are no phase; reset leads to phase 2, with all policies as they first were."""
    await reset(shop, 2)
    room = shop.worker.room
    await room.set_flags({"dual_read_enabled": True, "compare_percent": 7}, actor=ANA)
    assert "custom" == (await room.status()).description
    changed = await room.reset_flags(actor=ANA)
    assert with_phase(Flags(), 2) == changed.after.flags


async def test_validation_finds_what_differs_and_ends(shop: WorkerShop) -> None:
    """A comparison runs beside the caller, is one at a time, and tells differences with secrets masked."""
    await reset(shop, 2)
    user = await shop.plant("users", username="ana", email="ana@shop.test", password_hash="never-told")
    room = shop.worker.room
    job = await room.start_validation(["user", "cart"], actor=ANA)
    assert JobState.RUNNING is job.state
    with pytest.raises(Conflict) as caught:
        await room.start_validation(None, actor=ANA)
    assert Reason.ALREADY_RUNNING is caught.value.reason
    found = await ended(room, job)
    assert (JobState.DONE, False, ("user", "cart")) == (found.state, found.is_equal, found.entities)
    assert found.difference_count >= 1
    assert {user} == {difference["id"] for difference in found.differences}
    assert "never-told" not in str(found)
    assert ["validate"] == [entry.data["kind"] for entry in (await room.logs(limit=1)).entries]
    for entities, mode in ((["colour"], "full"), ([], "full"), (None, "quick")):
        with pytest.raises(InvalidArgument):
            await room.start_validation(entities, actor=ANA, mode=mode)
    with pytest.raises(NotFound):
        await room.job(999_999)


async def endless(tell: Watcher) -> Findings:
    """A comparison that comes to no end."""
    tell(Progress("user", 3, 9))
    await asyncio.Event().wait()
    raise AssertionError


async def test_job_is_cancelled_from_anywhere(shop: WorkerShop, settings: Settings) -> None:
    """The admin of another worker ends it; it stays as it is afterwards, and the next one may begin."""
    await reset(shop, 2)
    runner = JobRunner(shop.worker.databases.jobs, shop.worker.jobs)
    async with open_worker(settings) as other:
        room = other.worker.room
        job = await room.job(await runner.begin(ENDLESS, endless))
        assert JobState.RUNNING is (await room.cancel_job(job.id, actor=ANA)).state
        found = await ended(room, job)
        assert (JobState.CANCELLED, 3, 9, None) == (found.state, found.done, found.total, found.is_equal)
        assert found == await room.cancel_job(job.id, actor=ANA)
        assert JobState.DONE is (await ended(room, await room.start_validation(None, actor=ANA))).state
        await other.worker.jobs.drain(Deadline.after(END_LIMIT_S))


async def test_job_of_a_worker_that_stops_fails(shop: WorkerShop) -> None:
    """A drain does not wait for it, and its row says so."""
    await reset(shop, 2)
    runner = JobRunner(shop.worker.databases.jobs, shop.worker.jobs)
    job = await shop.worker.room.job(await runner.begin(ENDLESS, endless))
    await lapse(0.1)
    await shop.worker.jobs.drain(Deadline.after(0.0))
    found = await shop.worker.room.job(job.id)
    assert (JobState.FAILED, "its worker was stopped") == (found.state, found.error)


async def test_log_merges_sources_page_by_page(shop: WorkerShop) -> None:
    """All entries come once, newest first, however small the pages and whatever is added meanwhile."""
    room = shop.worker.room
    for number in range(3):
        await shop.execute(NOTE.format(number))
        await shop.execute(
            "INSERT INTO crossfade_mismatch (entity, operation, correlation_id, report)"
            f" VALUES ('user', 'user.find_by_id', 'c{number}', '{{\"differences\": []}}')"
        )
        await shop.execute(
            "INSERT INTO crossfade_intent (op_id, part, op, aggs, dkeys, state, instance, epoch)"
            " VALUES (UUID_TO_BIN(UUID()), 1, 'user.update', '[\"user#1\"]', '[]', 'aborted', 'test', 1)"
        )
    whole = await room.logs(limit=100)
    assert 3 + 1 + 3 + 2 * 3 == whole.total_count == len(whole.entries)
    assert whole.next_cursor is None
    seen: list[LogEntry] = []
    cursor = None
    while True:
        page = await room.logs(limit=2, cursor=cursor)
        seen += page.entries
        cursor = page.next_cursor
        if cursor is None:
            break
        await shop.execute(NOTE.format("later"))
    assert list(whole.entries) == seen
    assert sorted((entry.at for entry in seen), reverse=True) == [entry.at for entry in seen]
    mismatches = await room.logs(kind=LogKind.MISMATCH)
    assert (3, {LogKind.MISMATCH}) == (mismatches.total_count, {entry.kind for entry in mismatches.entries})
    for wrong in ({"cursor": "x"}, {"limit": 0}, {"limit": 501}):
        with pytest.raises(InvalidArgument):
            await room.logs(**wrong)


async def test_super_admins_are_made_and_unmade_on_record(shop: WorkerShop) -> None:
    """Through the path of any write; already so is a conflict, and one is always left."""
    room = shop.worker.room
    ids = []
    for name in ("ana", "bob"):
        ids.append(await plant(shop, name))
        assert (await room.promote(ids[-1], actor=ANA)).super_admin
    assert ["ana", "bob"] == [user.username for user in await room.super_admins()]
    with pytest.raises(Conflict) as caught:
        await room.promote(ids[0], actor=ANA)
    assert Reason.ALREADY_SO is caught.value.reason
    assert not (await room.demote(ids[0], actor=ANA)).super_admin
    with pytest.raises(Conflict) as caught:
        await room.demote(ids[1], actor=ANA)
    assert Reason.LAST_SUPER_ADMIN is caught.value.reason
    with pytest.raises(NotFound):
        await room.promote(999_999, actor=ANA)
    kinds = [entry.data["kind"] for entry in (await room.logs(kind=LogKind.AUDIT, limit=3)).entries]
    assert ["demote", "promote", "promote"] == kinds


async def plant(shop: WorkerShop, name: str, **given: object) -> int:
    """A user in the source alone."""
    return await shop.plant("users", username=name, email=f"{name}@shop.test", password_hash="h", **given)


def call_of(shop: WorkerShop, operation: str, **arguments: object) -> CallRequest:
    """One call."""
    return CallRequest(shop.worker.databases.operations[operation], arguments, Deadline.after(10.0), "test")
