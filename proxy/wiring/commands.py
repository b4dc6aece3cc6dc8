"""The commands behind the command line: each opens the databases, does one thing and reports."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from adapters.deadline import Deadline
from adapters.dynamodb.contract_format import ContractError
from adapters.dynamodb.tables import check_tables, create_tables
from adapters.errors import CrossfadeError, Fault, InvalidArgument, Unavailable
from adapters.flags import ControlState
from adapters.mysql.prepare import check_server, prepare
from adapters.mysql.sample import insert_sample_shop
from adapters.operations import catalogue
from proxy.flags.model import phase_label, shown
from proxy.flags.snapshot import Snapshot
from proxy.flags.switch import Request, Switch, Switched
from proxy.repairer import Repairer, RepairParts
from proxy.rpc.openapi import openapi_document
from proxy.settings import Settings
from proxy.sync.backfill import backfill as sync_backfill
from proxy.sync.verify import verify as sync_verify
from proxy.wiring.databases import (
    Databases,
    first_flags,
    instance_name,
    listing_within,
    load_checked_contract,
    mysql_endpoint,
    open_databases,
    unserved,
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
    """Copy all rows to the target, beside live writes."""
    async with opened(settings) as databases:
        done = await sync_backfill(databases.sweep, progress=ProgressPrinter())
    lines = [*done.lines(), "the copy is complete" if done.is_complete else "the copy is not complete"]
    data = {"is_complete": done.is_complete, "kinds": done.kinds, "failures": done.failures}
    return Report(lines, data, is_well=done.is_complete)


async def verify(settings: Settings, _: argparse.Namespace) -> Report:
    """Compare all rows with the target; well only when all are equal."""
    async with opened(settings) as databases:
        found = await sync_verify(databases.sweep, progress=ProgressPrinter())
    lines = [*found.lines(), "equal" if found.is_equal else "not equal"]
    data = {
        "is_equal": found.is_equal,
        "entities": found.entities,
        "difference_count": found.difference_count,
        "differences": found.differences,
    }
    return Report(lines, data, is_well=found.is_equal)


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


async def phase_show(settings: Settings, _: argparse.Namespace) -> Report:
    """The phase in force."""
    async with opened(settings) as databases:
        state = await databases.control.read()
    return _state_report(state, [f"phase {phase_label(state.flags)}"])


async def phase_set(settings: Settings, options: argparse.Namespace) -> Report:
    """Move to a phase."""
    async with opened(settings) as databases:
        if options.kill:
            await databases.control.kill(options.kill)
        switched = await _switch(settings, databases).to_phase(options.phase, _request(options))
    return _switched_report(switched)


async def flags_show(settings: Settings, _: argparse.Namespace) -> Report:
    """All flags."""
    async with opened(settings) as databases:
        state = await databases.control.read()
    return _state_report(state, [f"{name}={value}" for name, value in shown(state.flags).items()])


async def flags_set(settings: Settings, options: argparse.Namespace) -> Report:
    """Change flags, all of them or none."""
    pairs = [change.partition("=") for change in options.changes]
    faults = [Fault(name, "has the form NAME=VALUE") for name, equals, _ in pairs if not equals]
    if faults:
        raise InvalidArgument("the flags were not changed", faults=faults)
    changes = {name: value for name, _, value in pairs}
    async with opened(settings) as databases:
        switched = await _switch(settings, databases).change(changes, _request(options), version=options.version)
    return _switched_report(switched)


async def flags_reset(settings: Settings, options: argparse.Namespace) -> Report:
    """Set all flags to the values of the present phase."""
    async with opened(settings) as databases:
        switched = await _switch(settings, databases).reset(_request(options))
    return _switched_report(switched)


async def openapi(settings: Settings, _: argparse.Namespace) -> Report:
    """The OpenAPI document."""
    load_checked_contract(settings)
    document = openapi_document(catalogue(settings.entities), needs_token=bool(settings.security.rpc_token))
    return Report([], document)


def _switch(settings: Settings, databases: Databases) -> Switch:
    return Switch(
        databases.control,
        databases.mirror,
        refuse=unserved(databases),
        prove_target=listing_within(settings, databases),
    )


def _request(options: argparse.Namespace) -> Request:
    return Request(who=options.who, address="localhost", reason=options.reason, is_forced=options.force)


def _state_report(state: ControlState, lines: list[str]) -> Report:
    by = f"version {state.epoch}, set by {state.changed_by} at {state.changed_at}: {state.reason or 'no reason given'}"
    data = {"flags": shown(state.flags), "version": state.epoch, "changed_by": state.changed_by}
    return Report([*lines, by], data)


def _switched_report(switched: Switched) -> Report:
    before, after = switched.before, switched.after
    changes = [
        f"{name}: {old} -> {new}"
        for (name, old), new in zip(shown(before.flags).items(), shown(after.flags).values(), strict=True)
        if old != new
    ]
    lines = [*(changes or ["nothing was different"]), f"version {after.epoch}"]
    lines += [f"not confirmed by {instance}" for instance in switched.unconfirmed]
    return Report(lines, {"flags": shown(after.flags), "version": after.epoch, "unconfirmed": switched.unconfirmed})
