"""The settings: what an operator decides before the start. They change by a restart; flags change while it runs.

Every name begins with CROSSFADE_ and stands next to its default; numbers carry their unit. Limits hold per worker.
`environment.py` reads them; here they are declared and checked against each other.
"""

import ipaddress
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from adapters.flags import MismatchPolicy, WriteFailurePolicy
from adapters.operations import PORTS
from proxy.environment import (
    PORT_MAX,
    Address,
    Fault,
    Network,
    SettingsError,
    Variable,
    build,
    choice,
    decimal,
    gather,
    read_address,
    read_entities,
    read_flag,
    read_names,
    read_networks,
    read_url,
    unknown,
    whole,
)

RPC_ADDRESS: Final = Address("127.0.0.1", 8080)
ADMIN_ADDRESS: Final = Address("127.0.0.1", 8081)
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
BODY_LIMIT_BYTES: Final = 1_048_576
IDLE_CONNECTION_S: Final = 90.0
SESSION_S: Final = 28_800
SESSION_MAX_S: Final = 86_400
DRAIN_S: Final = 20.0
MYSQL_PORT: Final = 3306
READ_POOL: Final = 16
WRITE_POOL: Final = 16
JOURNAL_POOL: Final = 8
DYNAMODB_POOL: Final = 64
CALL_DEADLINE_S: Final = 5.0
CALL_DEADLINE_MAX_S: Final = 60.0
LOCK_WAIT_S: Final = 2
WRITE_SESSION_TIMEOUT_S: Final = 15
DYNAMODB_ATTEMPT_S: Final = 1.0
DYNAMODB_ATTEMPTS: Final = 2
MAX_CALLS: Final = 256
QUEUE: Final = 128
LISTING_MAX_MB: Final = 256
PENDING_COMPARISONS: Final = 128
LOG_SAMPLE_PERCENT: Final = 1.0
DYNAMODB_ANSWERS_PHASE: Final = 4
JWT_SECRET_LENGTH: Final = 32
"""The least characters of a JWT secret in production: 256 bits, as HS256 asks for."""


class Environment(StrEnum):
    """What the proxy is started for; production refuses what only a test can want."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


class TlsMode(StrEnum):
    """How the connection to MySQL is secured: not, by any certificate, or by one verified together with the name."""

    OFF = "off"
    REQUIRED = "required"
    VERIFY = "verify"


class LogLevel(StrEnum):
    """The least level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The listeners and the processes behind them."""

    listen: Annotated[Address, Variable("CROSSFADE_LISTEN", read_address)] = RPC_ADDRESS
    """The calls of the shop."""
    admin_listen: Annotated[Address, Variable("CROSSFADE_ADMIN_LISTEN", read_address)] = ADMIN_ADDRESS
    """Admin, metrics and health."""
    allowed_hosts: Annotated[tuple[str, ...], Variable("CROSSFADE_ALLOWED_HOSTS", read_names)] = LOCAL_HOSTS
    """Host headers that are answered, without port, in lower case."""
    trusted_proxies: Annotated[tuple[Network, ...], Variable("CROSSFADE_TRUSTED_PROXIES", read_networks)] = ()
    """Addresses or networks of proxies before the admin listener, whose X-Forwarded-For says who calls."""
    workers: Annotated[int, Variable("CROSSFADE_WORKERS", whole(1, 64))] = 1
    """Processes that share the listeners."""
    drain_s: Annotated[float, Variable("CROSSFADE_DRAIN_S", decimal(0, 3600))] = DRAIN_S
    """How long running calls may take to end after SIGTERM."""
    idle_connection_s: Annotated[float, Variable("CROSSFADE_IDLE_CONNECTION_S", decimal(75, 3600))] = IDLE_CONNECTION_S
    """How long an idle connection of a client is kept."""
    body_limit_bytes: Annotated[int, Variable("CROSSFADE_BODY_LIMIT_BYTES", whole(1024, 64 << 20))] = BODY_LIMIT_BYTES
    """The largest body of a call."""


@dataclass(frozen=True, slots=True)
class MySQLSettings:
    """The shop's present database."""

    host: Annotated[str, Variable("CROSSFADE_MYSQL_HOST", str)] = "127.0.0.1"
    """Name or address."""
    port: Annotated[int, Variable("CROSSFADE_MYSQL_PORT", whole(1, PORT_MAX))] = MYSQL_PORT
    """TCP port."""
    database: Annotated[str, Variable("CROSSFADE_MYSQL_DATABASE", str)] = "shop"
    """The schema that holds the shop's tables and the proxy's own."""
    user: Annotated[str, Variable("CROSSFADE_MYSQL_USER", str)] = "crossfade"
    """Account."""
    password: Annotated[str, Variable("CROSSFADE_MYSQL_PASSWORD", str)] = field(default="", repr=False)
    """The account's password."""
    tls: Annotated[TlsMode, Variable("CROSSFADE_MYSQL_TLS", choice(TlsMode))] = TlsMode.OFF
    """How the connection is secured."""
    tls_ca: Annotated[Path | None, Variable("CROSSFADE_MYSQL_TLS_CA", Path)] = None
    """The certificate authorities to verify by, a PEM file; none is the system's."""
    read_pool: Annotated[int, Variable("CROSSFADE_MYSQL_READ_POOL", whole(1, 1000))] = READ_POOL
    """Connections for reads."""
    write_pool: Annotated[int, Variable("CROSSFADE_MYSQL_WRITE_POOL", whole(1, 1000))] = WRITE_POOL
    """Connections for the transactions of writes."""
    journal_pool: Annotated[int, Variable("CROSSFADE_MYSQL_JOURNAL_POOL", whole(1, 1000))] = JOURNAL_POOL
    """Connections for intents, apart from those of writes: one shared pool deadlocks."""
    lock_wait_s: Annotated[int, Variable("CROSSFADE_LOCK_WAIT_S", whole(1, 60))] = LOCK_WAIT_S
    """innodb_lock_wait_timeout."""
    session_timeout_s: Annotated[int, Variable("CROSSFADE_WRITE_SESSION_TIMEOUT_S", whole(1, 600))] = (
        WRITE_SESSION_TIMEOUT_S
    )
    """wait_timeout of write sessions: when the server gives up the locks of a proxy that vanished."""


@dataclass(frozen=True, slots=True)
class DynamoDBSettings:
    """The shop's coming database. Without static keys the SDK's own chain finds credentials."""

    region: Annotated[str, Variable("CROSSFADE_DYNAMODB_REGION", str)] = "us-east-1"
    """AWS region."""
    endpoint: Annotated[str, Variable("CROSSFADE_DYNAMODB_ENDPOINT", read_url)] = ""
    """URL; empty is the region's own."""
    table_prefix: Annotated[str, Variable("CROSSFADE_DYNAMODB_TABLE_PREFIX", str)] = ""
    """What the names of all tables begin with."""
    access_key_id: Annotated[str, Variable("CROSSFADE_DYNAMODB_ACCESS_KEY_ID", str)] = ""
    """Static key; only together with its secret."""
    secret_access_key: Annotated[str, Variable("CROSSFADE_DYNAMODB_SECRET_ACCESS_KEY", str)] = field(
        default="", repr=False
    )
    """The static key's secret."""
    pool: Annotated[int, Variable("CROSSFADE_DYNAMODB_POOL", whole(1, 1000))] = DYNAMODB_POOL
    """HTTP connections."""
    attempt_s: Annotated[float, Variable("CROSSFADE_DYNAMODB_ATTEMPT_S", decimal(0.05, 60))] = DYNAMODB_ATTEMPT_S
    """How long one attempt of a request may take."""
    attempts: Annotated[int, Variable("CROSSFADE_DYNAMODB_ATTEMPTS", whole(1, 10))] = DYNAMODB_ATTEMPTS
    """Attempts of a request inside a call."""
    has_fast_path: Annotated[bool, Variable("CROSSFADE_DYNAMODB_FAST_PATH", read_flag)] = True
    """Whether requests for data take the proxy's own way, at a quarter of the cost; else they take the SDK's."""
    contract: Annotated[Path | None, Variable("CROSSFADE_CONTRACT", Path)] = None
    """The file that describes the tables; none is the contract that the proxy brings."""


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """Secrets that callers prove themselves with."""

    jwt_secret: Annotated[str, Variable("CROSSFADE_JWT_SECRET", str)] = field(default="", repr=False)
    """Shared with the shop, which signs its users' tokens with it (HS256); empty is one of this start's own."""
    rpc_token: Annotated[str, Variable("CROSSFADE_RPC_TOKEN", str)] = field(default="", repr=False)
    """The bearer token of the shop's calls; empty asks for none."""
    session_s: Annotated[int, Variable("CROSSFADE_SESSION_S", whole(60, SESSION_MAX_S))] = SESSION_S
    """How long an admin's login lasts."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How much a worker takes on."""

    call_deadline_s: Annotated[float, Variable("CROSSFADE_CALL_DEADLINE_S", decimal(0.1, CALL_DEADLINE_MAX_S))] = (
        CALL_DEADLINE_S
    )
    """How long a call may take that does not say so itself."""
    max_calls: Annotated[int, Variable("CROSSFADE_MAX_CALLS", whole(1, 100_000))] = MAX_CALLS
    """Calls under way at once."""
    queue: Annotated[int, Variable("CROSSFADE_QUEUE", whole(0, 100_000))] = QUEUE
    """Calls that may wait for a place; further ones are shed."""
    listing_max_mb: Annotated[int, Variable("CROSSFADE_LISTING_MAX_MB", whole(1, 4096))] = LISTING_MAX_MB
    """Memory for the product listing of a database that cannot search, in MiB; it may answer only if that is enough."""
    pending_comparisons: Annotated[int, Variable("CROSSFADE_PENDING_COMPARISONS", whole(0, 100_000))] = (
        PENDING_COMPARISONS
    )
    """Comparisons under way behind answers already given; further ones are skipped."""
    read_repair: Annotated[bool, Variable("CROSSFADE_READ_REPAIR", read_flag)] = True
    """Whether what a dual read found different is repaired."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to the log."""

    level: Annotated[LogLevel, Variable("CROSSFADE_LOG_LEVEL", choice(LogLevel))] = LogLevel.INFO
    """The least level that is written."""
    sample_percent: Annotated[float, Variable("CROSSFADE_LOG_SAMPLE_PERCENT", decimal(0, 100))] = LOG_SAMPLE_PERCENT
    """The share of calls with an access line; those that the proxy failed always have one."""
    differences: Annotated[bool, Variable("CROSSFADE_LOG_DIFFERENCES", read_flag)] = True
    """Whether a mismatch is logged with both values (secrets masked), or with its attributes' names alone."""


@dataclass(frozen=True, slots=True)
class FirstFlags:
    """The flags of the very first start; afterwards the databases know them."""

    phase: Annotated[int, Variable("CROSSFADE_FIRST_PHASE", whole(1, 5))] = 1
    """Migration phase."""
    mismatch_policy: Annotated[MismatchPolicy, Variable("CROSSFADE_FIRST_MISMATCH_POLICY", choice(MismatchPolicy))] = (
        MismatchPolicy.RAISE
    )
    """What a confirmed mismatch does to the caller."""
    write_failure_policy: Annotated[
        WriteFailurePolicy, Variable("CROSSFADE_FIRST_WRITE_FAILURE_POLICY", choice(WriteFailurePolicy))
    ] = WriteFailurePolicy.ROLLBACK
    """What a failure of the second database does to a dual write."""
    compare_percent: Annotated[int, Variable("CROSSFADE_FIRST_COMPARE_PERCENT", whole(0, 100))] = 100
    """The share of reads that are compared."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Made without arguments it holds the defaults, which production refuses."""

    environment: Annotated[Environment, Variable("CROSSFADE_ENV", choice(Environment))] = Environment.PRODUCTION
    """What the proxy is started for."""
    entities: Annotated[tuple[str, ...], Variable("CROSSFADE_ENTITIES", read_entities)] = tuple(PORTS)
    """The entities whose operations are served, in the order of the ports."""
    server: ServerSettings = ServerSettings()
    mysql: MySQLSettings = MySQLSettings()
    dynamodb: DynamoDBSettings = DynamoDBSettings()
    security: SecuritySettings = SecuritySettings()
    limits: LimitSettings = LimitSettings()
    logs: LogSettings = LogSettings()
    first: FirstFlags = FirstFlags()


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that the environment gives, and the file named in it; the environment wins.

    Raises SettingsError with every fault there is.
    """
    faults: list[Fault] = []
    given = gather(environ, faults)
    faults += unknown(Settings, given)
    settings = build(Settings, given, faults)
    faulty = {name for fault in faults for name in fault.names}
    faults += [fault for fault in validate(settings) if faulty.isdisjoint(fault.names)]
    if faults:
        raise SettingsError(faults)
    return settings


def validate(settings: Settings) -> Iterator[Fault]:
    """What is wrong with settings that are right one by one."""
    yield from _server_faults(settings.server)
    yield from _time_faults(settings)
    yield from _database_faults(settings)
    if settings.environment is Environment.PRODUCTION:
        yield from _production_faults(settings)


def _server_faults(server: ServerSettings) -> Iterator[Fault]:
    if server.listen.port and server.listen == server.admin_listen:
        yield Fault(("CROSSFADE_LISTEN", "CROSSFADE_ADMIN_LISTEN"), "the two listeners need addresses of their own")
    if not server.allowed_hosts:
        yield Fault(("CROSSFADE_ALLOWED_HOSTS",), "must name at least one host")


def _time_faults(settings: Settings) -> Iterator[Fault]:
    deadline_s = settings.limits.call_deadline_s
    if settings.mysql.lock_wait_s >= deadline_s:
        yield Fault(
            ("CROSSFADE_LOCK_WAIT_S", "CROSSFADE_CALL_DEADLINE_S"), "a lock must be given up before the call is"
        )
    if settings.dynamodb.attempt_s * settings.dynamodb.attempts > deadline_s:
        yield Fault(
            ("CROSSFADE_DYNAMODB_ATTEMPT_S", "CROSSFADE_DYNAMODB_ATTEMPTS", "CROSSFADE_CALL_DEADLINE_S"),
            "all attempts together must fit into the call",
        )
    if settings.mysql.session_timeout_s <= deadline_s:
        yield Fault(
            ("CROSSFADE_WRITE_SESSION_TIMEOUT_S", "CROSSFADE_CALL_DEADLINE_S"),
            "a write's session waits for the other database and must outlive the call",
        )


def _database_faults(settings: Settings) -> Iterator[Fault]:
    if settings.mysql.tls_ca is not None and settings.mysql.tls is not TlsMode.VERIFY:
        yield Fault(("CROSSFADE_MYSQL_TLS_CA", "CROSSFADE_MYSQL_TLS"), "a CA file is used by `verify` alone")
    if bool(settings.dynamodb.access_key_id) != bool(settings.dynamodb.secret_access_key):
        yield Fault(
            ("CROSSFADE_DYNAMODB_ACCESS_KEY_ID", "CROSSFADE_DYNAMODB_SECRET_ACCESS_KEY"),
            "give both, or none for the SDK's own chain",
        )
    journals = settings.first.write_failure_policy is WriteFailurePolicy.JOURNAL
    if journals and settings.first.phase >= DYNAMODB_ANSWERS_PHASE:
        yield Fault(
            ("CROSSFADE_FIRST_WRITE_FAILURE_POLICY", "CROSSFADE_FIRST_PHASE"),
            "`journal` is for phases 1 to 3, in which MySQL answers",
        )


def _production_faults(settings: Settings) -> Iterator[Fault]:
    if is_local(settings.dynamodb.endpoint):
        yield Fault(("CROSSFADE_DYNAMODB_ENDPOINT",), "production does not run on a local endpoint")
    if not settings.mysql.password:
        yield Fault(("CROSSFADE_MYSQL_PASSWORD",), "production needs a password")
    if not settings.security.rpc_token:
        yield Fault(("CROSSFADE_RPC_TOKEN",), "production needs a token, on loopback too")
    if len(settings.security.jwt_secret) < JWT_SECRET_LENGTH:
        yield Fault(("CROSSFADE_JWT_SECRET",), f"production needs a secret of {JWT_SECRET_LENGTH} characters or more")


def is_local(url: str) -> bool:
    """Whether a URL's host is this machine, a private address, or a name without a domain, as containers have."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        # Also reads 127.1 and 2130706433, which every resolver takes for an address.
        address = ipaddress.ip_address(host if ":" in host else socket.inet_ntoa(socket.inet_aton(host)))
    except (ValueError, OSError):
        return bool(host) and ("." not in host or host.endswith((".localhost", ".local", ".docker.internal")))
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
