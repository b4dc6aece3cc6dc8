"""Both databases, opened: the parts that every command and every worker needs."""

import os
import random
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from adapters.deadline import Deadline
from adapters.dynamodb.agreement import check_mapping
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint, Observation
from adapters.dynamodb.contract import Contract, load_contract
from adapters.dynamodb.items import ItemMapper
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.mirror import DynamoDBControlMirror
from adapters.dynamodb.store import DynamoDBStore
from adapters.dynamodb.sweep import DynamoDBSweep
from adapters.dynamodb.transact import DynamoDBShadow
from adapters.errors import Conflict, Reason, Subject
from adapters.flags import Flags
from adapters.mysql.attempts import MySQLLoginAttempts
from adapters.mysql.audit import MySQLAudit
from adapters.mysql.connection import SessionSettings
from adapters.mysql.control import MySQLControl
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.jobs import MySQLJobs
from adapters.mysql.journal import MySQLJournal
from adapters.mysql.mismatches import MySQLMismatches
from adapters.mysql.pool import Pool
from adapters.mysql.store import MySQLStore
from adapters.mysql.sweep import MySQLSweep
from adapters.mysql.tally import MySQLTallies
from adapters.mysql.witness import MySQLWitness
from adapters.mysql.writer import MySQLWriter
from adapters.operations import Operation, catalogue
from proxy.flags.model import with_phase
from proxy.settings import Settings, TlsMode
from proxy.sync.locked import SweepParts

SOURCE_NAME: Final = "mysql"
TARGET_NAME: Final = "dynamodb"
MIB: Final = 1_048_576
MEASURE_LIMIT_S: Final = 600.0
"""How long reading all products, to know how much memory they need, may take."""
SWEEP_LIMIT_S: Final = 60.0
"""How long one round trip of a sweep may take, waiting for a session included."""
CONTROL_LIMIT_S: Final = 2.0
"""How long reading or writing the control state and the journal may take outside of calls."""


@dataclass(frozen=True, slots=True)
class Pools:
    """MySQL's sessions by their purpose: the journal's own, because writers hold theirs while they wait for it."""

    reads: Pool
    writes: Pool
    journal: Pool


@dataclass(frozen=True, slots=True)
class Databases:
    """Both databases, opened: what commands and workers are made of."""

    operations: Mapping[str, Operation]
    contract: Contract
    pools: Pools
    client: DynamoDBClient
    source: MySQLStore
    target: DynamoDBStore
    writer: MySQLWriter
    journal: MySQLJournal
    control: MySQLControl
    mirror: DynamoDBControlMirror
    shadow: DynamoDBShadow
    witness: MySQLWitness
    mismatches: MySQLMismatches
    attempts: MySQLLoginAttempts
    audit: MySQLAudit
    jobs: MySQLJobs
    tallies: MySQLTallies
    sweep: SweepParts


def mysql_endpoint(settings: Settings) -> MySQLEndpoint:
    """Where the source is."""
    given = settings.mysql
    return MySQLEndpoint(
        host=given.host,
        port=given.port,
        user=given.user,
        password=given.password,
        database=given.database,
        tls=_tls(settings),
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.mysql.tls is TlsMode.OFF:
        return None
    context = ssl.create_default_context(cafile=settings.mysql.tls_ca)
    if settings.mysql.tls is TlsMode.REQUIRED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def dynamodb_endpoint(settings: Settings) -> DynamoDBEndpoint:
    """Where the target is."""
    given = settings.dynamodb
    return DynamoDBEndpoint(
        region=given.region,
        endpoint_url=given.endpoint or None,
        table_prefix=given.table_prefix,
        access_key=given.access_key_id or None,
        secret_key=given.secret_access_key or None,
    )


def first_flags(settings: Settings) -> Flags:
    """The flags of the very first start."""
    given = settings.first
    flags = Flags(
        mismatch_policy=given.mismatch_policy,
        write_failure_policy=given.write_failure_policy,
        compare_percent=given.compare_percent,
    )
    return with_phase(flags, given.phase)


def instance_name() -> str:
    """A name for this process that no other of the fleet has."""
    return f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"  # a name, no secret


def load_checked_contract(settings: Settings) -> Contract:
    """The migration contract. Raises ContractError with every fault and its place."""
    contract = load_contract(settings.dynamodb.contract)
    check_mapping(contract)
    return contract


@asynccontextmanager
async def open_databases(
    settings: Settings, *, instance: str, observe: Callable[[Observation], None] | None = None
) -> AsyncIterator[Databases]:
    """Both databases' parts. Connects to nothing yet; closes everything on leaving."""
    contract = load_checked_contract(settings)
    async with AsyncExitStack() as stack:
        pools = _pools(settings)
        for pool in (pools.reads, pools.writes, pools.journal):
            stack.push_async_callback(pool.close)
        client = DynamoDBClient(
            dynamodb_endpoint(settings),
            attempt_s=settings.dynamodb.attempt_s,
            attempts=settings.dynamodb.attempts,
            connections=settings.dynamodb.pool,
            has_fast_path=settings.dynamodb.has_fast_path,
            observe=observe,
        )
        await stack.enter_async_context(client)
        yield _parts(settings, contract, pools, client, instance)


def _parts(settings: Settings, contract: Contract, pools: Pools, client: DynamoDBClient, instance: str) -> Databases:
    keys, mapper = Keys(contract), ItemMapper(contract)
    writer = MySQLWriter(pools.writes, instance=instance)
    journal = MySQLJournal(pools.journal, instance=instance, limit_s=CONTROL_LIMIT_S)
    control = MySQLControl(pools.journal, limit_s=CONTROL_LIMIT_S)
    shadow = DynamoDBShadow(client, mapper=mapper, keys=keys)
    return Databases(
        operations=catalogue(settings.entities),
        contract=contract,
        pools=pools,
        client=client,
        source=MySQLStore(pools.reads),
        target=DynamoDBStore(client, keys=keys),
        writer=writer,
        journal=journal,
        control=control,
        mirror=DynamoDBControlMirror(client, keys=keys),
        shadow=shadow,
        witness=MySQLWitness(pools.writes),
        mismatches=MySQLMismatches(pools.journal, limit_s=CONTROL_LIMIT_S),
        attempts=MySQLLoginAttempts(pools.journal, limit_s=CONTROL_LIMIT_S),
        audit=MySQLAudit(pools.journal, limit_s=CONTROL_LIMIT_S),
        jobs=MySQLJobs(pools.journal, limit_s=CONTROL_LIMIT_S),
        tallies=MySQLTallies(pools.journal, limit_s=CONTROL_LIMIT_S),
        sweep=SweepParts(
            authority=writer,
            journal=journal,
            shadow=shadow,
            source=MySQLSweep(pools.reads, limit_s=SWEEP_LIMIT_S),
            target=DynamoDBSweep(client, mapper=mapper, keys=keys),
            state=control.read,
        ),
    )


def _pools(settings: Settings) -> Pools:
    endpoint, given = mysql_endpoint(settings), settings.mysql
    plain = SessionSettings(lock_wait_timeout_s=given.lock_wait_s)
    # A vanished proxy's locks are given up when the server drops its silent session.
    writing = SessionSettings(lock_wait_timeout_s=given.lock_wait_s, wait_timeout_s=given.session_timeout_s)
    return Pools(
        reads=Pool(endpoint, size=given.read_pool, name="read", session=plain),
        writes=Pool(endpoint, size=given.write_pool, name="write", session=writing),
        journal=Pool(endpoint, size=given.journal_pool, name="journal", session=plain),
    )


def listing_within(settings: Settings, databases: Databases) -> Callable[[], Awaitable[None]]:
    """What raises Conflict where a worker's listing of all products would take more memory than the settings give."""
    given_mb = settings.limits.listing_max_mb

    async def prove() -> None:
        given_bytes, deadline = given_mb * MIB, Deadline.after(MEASURE_LIMIT_S)
        if await databases.target.needed_bytes(deadline, enough_bytes=given_bytes) > given_bytes:
            msg = f"the listing of all products takes more than CROSSFADE_LISTING_MAX_MB={given_mb} in each worker"
            raise Conflict(msg, reason=Reason.UNSERVED_PHASE, subject=Subject("flags"))

    return prove


def unserved(databases: Databases) -> Callable[[Flags], str | None]:
    """Why a proxy with these parts cannot serve some flags; None when it can."""
    missing = [
        name
        for name, operation in databases.operations.items()
        if not operation.is_write and not databases.target.supports(operation)
    ]

    def refuse(flags: Flags) -> str | None:
        if flags.read_from_dynamodb and not flags.dual_write:
            return "this version cannot serve phase 5: the target does not take writes alone yet"
        if missing and (flags.read_from_dynamodb or flags.dual_read):
            return f"this version cannot read {len(missing)} operations from DynamoDB, {missing[0]} among them"
        return None

    return refuse
