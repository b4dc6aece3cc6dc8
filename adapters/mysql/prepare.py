"""What the proxy adds to a site's MySQL, and what it asks of it.

`prepare` may be run at any time, again and by two at once. `check_server` only looks.
"""

from pathlib import Path

from adapters.changes import ADMINS, LISTING, TREE
from adapters.errors import Unavailable
from adapters.flags import Flags
from adapters.mysql.connection import Connection, SessionSettings
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.version import version_fault

SCHEMA = Path(__file__).with_name("schema")
COLLATION = "utf8mb4_0900_ai_ci"
COMPARED_COLUMNS = (
    ("categories", "name"),
    ("products", "description"),
    ("products", "name"),
    ("users", "email"),
    ("users", "username"),
)
"""The columns whose equality, order or search the other database must reproduce."""

SHOP_TABLES = ("categories", "order_items", "orders", "products", "shopping_carts", "users")
LOCK_WAIT_S = 60
RESERVED_CONNECTIONS = 5
"""What check_server leaves of max_connections to people and other programs."""

GET_LOCK = "SELECT GET_LOCK(CONCAT('crossfade:', LEFT(SHA2(DATABASE(), 256), 40)), %s)"
RELEASE_LOCK = "SELECT RELEASE_LOCK(CONCAT('crossfade:', LEFT(SHA2(DATABASE(), 256), 40)))"
TABLES = "SELECT table_name AS name, engine FROM information_schema.tables WHERE table_schema = DATABASE()"
HAS_SUPER_ADMIN = """SELECT COUNT(*) FROM information_schema.columns
 WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'super_admin'"""
HAS_SUPER_ADMIN_INDEX = """SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
 AND table_name = 'users' AND column_name = 'super_admin' AND seq_in_index = 1"""
IS_JOB_TABLE_OLD = """SELECT COUNT(*) FROM information_schema.columns
 WHERE table_schema = DATABASE() AND table_name = 'crossfade_job' AND column_name = 'last_id'"""
DROP_JOB_TABLE = "DROP TABLE crossfade_job"
ADD_SUPER_ADMIN = "ALTER TABLE users ADD COLUMN super_admin BOOL DEFAULT FALSE"
ADD_SUPER_ADMIN_INDEX = "ALTER TABLE users ADD INDEX super_admin (super_admin), ALGORITHM = INPLACE, LOCK = NONE"
SEED_CONTROL = """INSERT INTO crossfade_control (id, epoch, dual_write, dual_read, read_from_dynamodb, validation,
 mismatch_policy, write_failure_policy, compare_percent, changed_by, changed_at, reason)
 SELECT 1, 1, %s, %s, %s, %s, %s, %s, %s, 'crossfade db prepare', CURRENT_TIMESTAMP, 'first start'
 WHERE NOT EXISTS (SELECT 1 FROM crossfade_control)"""
SEED_VERSION = "INSERT IGNORE INTO crossfade_version (kind, id, version) VALUES (%s, %s, 0)"
SERVER = "SELECT VERSION(), @@version_comment, @@max_connections"
COLLATIONS = """SELECT table_name AS table_name, column_name AS column_name, collation_name AS collation_name
 FROM information_schema.columns WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"""


async def prepare(endpoint: MySQLEndpoint, *, shop_tables: bool, first_flags: Flags) -> list[str]:
    """Make what is missing and say what that was, one sentence each; [] when all was there.

    With `shop_tables` the shop's own tables too, for tests and demonstrations. Flags that a control row holds already
    stay. Raises Unavailable when the shop's tables are missing, the user lacks the rights, or another run holds the
    lock for a minute.
    """
    connection = await Connection.open(endpoint, SessionSettings(lock_wait_timeout_s=LOCK_WAIT_S))
    try:
        ((is_locked,),) = await connection.rows(GET_LOCK, (LOCK_WAIT_S,))
        if not is_locked:
            raise Unavailable(f"another `crossfade db prepare` has been at work on {endpoint} for {LOCK_WAIT_S} s")
        done = await _make_tables(connection, "shop.sql") if shop_tables else []
        await _require_shop_tables(connection, endpoint)
        done += await _add_super_admin(connection)
        await _drop_old_job_table(connection)
        done += await _make_tables(connection, "own.sql")
        done += await _seed(connection, first_flags)
        await connection.rows(RELEASE_LOCK)
    finally:
        await connection.quit()
    return done


async def check_server(connection: Connection, *, pooled_connections: int) -> list[str]:
    """Return what stands against running on this server, one sentence each; [] when nothing does.

    `pooled_connections` is the sum of the pools of all workers of all proxies.
    """
    ((version, comment, max_connections),) = await connection.rows(SERVER)
    fault = version_fault(version, comment)
    faults = [fault] if fault else []
    faults += await _table_faults(connection)
    faults += await _collation_faults(connection)
    if pooled_connections + RESERVED_CONNECTIONS > max_connections:
        faults.append(
            f"max_connections is {max_connections}: less than the {pooled_connections} connections of all pools "
            f"and {RESERVED_CONNECTIONS} to spare"
        )
    return faults


async def _make_tables(connection: Connection, file: str) -> list[str]:
    before = {name for name, _ in await connection.rows(TABLES)}
    await connection.batch((SCHEMA / file).read_text(encoding="utf-8"))
    after = {name for name, _ in await connection.rows(TABLES)}
    return [f"created table {name}" for name in sorted(after - before)]


async def _drop_old_job_table(connection: Connection) -> None:
    """Of a shape that nothing was ever written to."""
    ((is_old,),) = await connection.rows(IS_JOB_TABLE_OLD)
    if is_old:
        await connection.execute(DROP_JOB_TABLE)


async def _require_shop_tables(connection: Connection, endpoint: MySQLEndpoint) -> None:
    missing = set(SHOP_TABLES) - {name for name, _ in await connection.rows(TABLES)}
    if missing:
        raise Unavailable(f"MySQL at {endpoint} lacks the shop's tables {', '.join(sorted(missing))}")


async def _add_super_admin(connection: Connection) -> list[str]:
    done = []
    if (await connection.rows(HAS_SUPER_ADMIN))[0][0] == 0:
        await connection.execute(ADD_SUPER_ADMIN)
        done.append("added column users.super_admin")
    if (await connection.rows(HAS_SUPER_ADMIN_INDEX))[0][0] == 0:
        await connection.execute(ADD_SUPER_ADMIN_INDEX)
        done.append("added an index on users.super_admin")
    return done


async def _seed(connection: Connection, flags: Flags) -> list[str]:
    values = (
        flags.dual_write,
        flags.dual_read,
        flags.read_from_dynamodb,
        flags.validation,
        flags.mismatch_policy.value,
        flags.write_failure_policy.value,
        flags.compare_percent,
    )
    seeded = await connection.execute(SEED_CONTROL, values)
    done = ["set the flags of the first start"] if seeded.affected else []
    for aggregate in (TREE, LISTING, ADMINS):
        made = await connection.execute(SEED_VERSION, (int(aggregate.kind), aggregate.id))
        done += [f"set up the version of {aggregate}"] if made.affected else []
    return done


async def _table_faults(connection: Connection) -> list[str]:
    engines = {row[0]: row[1] for row in await connection.rows(TABLES)}
    missing = [f"table {table} is missing" for table in SHOP_TABLES if table not in engines]
    return missing + [
        f"table {table} has the engine {engines[table]}; InnoDB is needed"
        for table in SHOP_TABLES
        if table in engines and engines[table] != "InnoDB"
    ]


async def _collation_faults(connection: Connection) -> list[str]:
    found = {(table, column): collation for table, column, collation in await connection.rows(COLLATIONS)}
    return [
        f"column {table}.{column} has the collation {found[table, column]}; {COLLATION} is needed"
        for table, column in COMPARED_COLUMNS
        if found.get((table, column), COLLATION) != COLLATION
    ]
