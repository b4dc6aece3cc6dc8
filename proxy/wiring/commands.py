"""The commands behind the command line: each opens the databases, does one thing and reports."""

import argparse
import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from adapters.deadline import Deadline
from adapters.dynamodb.contract_format import ContractError
from adapters.dynamodb.tables import check_tables, create_tables
from adapters.errors import CrossfadeError, Unavailable
from adapters.mysql.prepare import check_server, prepare
from adapters.mysql.sample import insert_sample_shop
from adapters.operations import catalogue
from adapters.ports.jobs import Findings, JobKind, Start
from proxy.admin.gates import ENTITIES
from proxy.admin.jobs import JobRunner, Work
from proxy.admin.openapi import admin_appendix
from proxy.admin.validations import copy_findings_of, findings_of
from proxy.background import Background
from proxy.flags.snapshot import Snapshot
from proxy.repairer import Repairer, RepairParts
from proxy.rpc.openapi import openapi_document
from proxy.settings import Settings
from proxy.sync.backfill import backfill as sync_backfill
from proxy.sync.report import BackfillReport, VerifyReport, Watcher
from proxy.sync.verify import verify as sync_verify
from proxy.wiring.databases import (
    Databases,
    first_flags,
    instance_name,
    load_checked_contract,
    mysql_endpoint,
    open_databases,
)
from proxy.wiring.progress import ProgressPrinter

__all__ = ["ContractError", "Report"]

COMMAND_LIMIT_S: Final = 30.0
REPAIR_WAIT_S: Final = 0.5
REPAIR_LIMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Report:
    """What a command says: lines for people, data for machines, and whether all is well."""

    lines: list[str]
    data: Mapping[str, object] = field(default_factory=dict)
    is_well: bool = True


CANCELLED: Final = Report(["cancelled by an admin"], {"is_cancelled": True}, is_well=False)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Databases]:
    """Both databases, for one command."""
    async with open_databases(settings, instance=instance_name()) as databases:
        yield databases


async def db_prepare(settings: Settings, options: argparse.Namespace) -> Report:
    """Make what is missing in both databases."""
    done = await prepare(mysql_endpoint(settings), shop_tables=options.shop_tables, first_flags=first_flags(settings))
    async with opened(settings) as databases:
        prefix = settings.dynamodb.table_prefix
        made = await create_tables(databases.client, databases.contract, prefix)
        faults = await check_tables(databases.client, databases.contract, prefix)
    done += [f"created DynamoDB table {table}" for table in made]
    lines = [*(done or ["everything was there"]), *faults]
    return Report(lines, {"done": done, "faults": faults}, is_well=not faults)


async def db_status(settings: Settings, _: argparse.Namespace) -> Report:
    """What is there and what is missing, changing nothing."""
    given = settings.mysql
    pooled = settings.server.workers * (given.read_pool + given.write_pool + given.journal_pool)
    async with opened(settings) as databases:
        faults: list[str] = []
        try:
            async with databases.pools.reads.acquire(Deadline.after(COMMAND_LIMIT_S)) as connection:
                faults += await check_server(connection, pooled_connections=pooled)
            await databases.control.read()
        except CrossfadeError as error:
            faults.append(str(error))
        try:
            faults += await check_tables(databases.client, databases.contract, settings.dynamodb.table_prefix)
        except CrossfadeError as error:
            faults.append(str(error))
    return Report(faults or ["both databases are as they should be"], {"faults": faults}, is_well=not faults)


async def db_sample(settings: Settings, _: argparse.Namespace) -> Report:
    """Put the sample shop into an empty one; a shop in use stays as it is."""
    is_inserted = await insert_sample_shop(mysql_endpoint(settings))
    line = "inserted a sample shop" if is_inserted else "the shop is in use and stays as it is"
    return Report([line], {"inserted": is_inserted})


async def backfill(settings: Settings, _: argparse.Namespace) -> Report:
    """Copy all rows to the target, beside live writes; on record as evidence for the gates."""
    async with opened(settings) as databases:
        runs: list[BackfillReport] = []

        async def work(tell: Watcher) -> Findings:
            runs.append(await sync_backfill(databases.sweep, progress=tell))
            return copy_findings_of(runs[-1])

        await _recorded(databases, JobKind.BACKFILL, work)
    if not runs:
        return CANCELLED
    (done,) = runs
    lines = [*done.lines(), "the copy is complete" if done.is_complete else "the copy is not complete"]
    data = {"is_complete": done.is_complete, "kinds": done.kinds, "failures": done.failures}
    return Report(lines, data, is_well=done.is_complete)


async def verify(settings: Settings, _: argparse.Namespace) -> Report:
    """Compare all rows with the target; well only when all are equal. On record as evidence for the gates."""
    async with opened(settings) as databases:
        runs: list[VerifyReport] = []

        async def work(tell: Watcher) -> Findings:
            runs.append(await sync_verify(databases.sweep, progress=tell))
            return findings_of(runs[-1])

        await _recorded(databases, JobKind.VERIFY, work)
    if not runs:
        return CANCELLED
    (found,) = runs
    lines = [*found.lines(), "equal" if found.is_equal else "not equal"]
    data = {
        "is_equal": found.is_equal,
        "entities": found.entities,
        "difference_count": found.difference_count,
        "differences": found.differences,
    }
    return Report(lines, data, is_well=found.is_equal)


async def _recorded(databases: Databases, kind: JobKind, work: Work) -> None:
    state = await databases.control.read()
    start = Start(kind, ENTITIES, state.epoch, operator())
    await JobRunner(databases.jobs, Background()).run(start, work, tell=ProgressPrinter())


def operator() -> str:
    """The name of who runs a command, the number where it has none: containers may run as anybody."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return f"{name} (command line)"


async def repair(settings: Settings, _: argparse.Namespace) -> Report:
    """Settle all unsettled intents, waiting for those that are not due yet."""
    async with opened(settings) as databases:
        snapshot = Snapshot()
        snapshot.adopt(await databases.control.read(), is_deciding=True)
        state = snapshot.current()
        if not state.flags.dual_write:
            raise Unavailable("nothing can be repaired in this phase: DynamoDB does not get the writes")
        repairer = Repairer(
            RepairParts(
                authority=databases.writer,
                journal=databases.journal,
                shadow=databases.shadow,
                snapshot=snapshot,
                count=_uncounted,
            )
        )
        settled, left = await _repair_all(repairer, databases, snapshot)
    lines = [f"settled {settled} intents; {left} are left"]
    return Report(lines, {"settled": settled, "left": left}, is_well=left == 0)


async def _repair_all(repairer: Repairer, databases: Databases, snapshot: Snapshot) -> tuple[int, int]:
    deadline = Deadline.after(REPAIR_LIMIT_S)
    settled = 0
    while True:
        snapshot.adopt(await databases.control.read(), is_deciding=True)
        settled += (await repairer.run_once()).settled
        left, _ = await databases.journal.backlog()
        if left == 0 or deadline.remaining_s <= 0:
            return settled, left
        await asyncio.sleep(REPAIR_WAIT_S)


def _uncounted(result: object, *, intents: int) -> None:
    """A command has no metrics."""


async def openapi(settings: Settings, _: argparse.Namespace) -> Report:
    """The OpenAPI document."""
    load_checked_contract(settings)
    needs_token = bool(settings.security.rpc_token)
    document = openapi_document(catalogue(settings.entities), needs_token=needs_token, beside=admin_appendix())
    return Report([], document)
