"""What a server's refusals become. Provoked on a real server, except those that would disturb its other users."""

import asyncio

import asyncmy
import pytest

from adapters.errors import (
    Conflict,
    CrossfadeError,
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    PayloadTooLarge,
    Reason,
    Subject,
    Unavailable,
)
from adapters.mysql.connection import Connection, SessionSettings
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.errors import ConnectionLost, NotPrepared, ServerError, translated
from adapters.ports.store import Restart, RestartCause

ADD_USER = "INSERT INTO users (id, username, email, password_hash) VALUES (%s, %s, %s, 'h')"
ADD_CATEGORY = "INSERT INTO categories (id, name, parent_id) VALUES (%s, %s, %s)"
ADD_PRODUCT = "INSERT INTO products (id, seller_id, category_id, name, price) VALUES (%s, %s, %s, 'Tea', %s)"
ADD_LINE = "INSERT INTO shopping_carts (user_id, product_id, quantity) VALUES (%s, %s, %s)"
ADD_ORDER = "INSERT INTO orders (id, user_id, total_amount) VALUES (%s, %s, %s)"
ADD_ITEM = "INSERT INTO order_items (order_id, product_id, quantity, price_at_time) VALUES (%s, %s, 1, 1)"


async def fill(connection: Connection) -> None:
    """One user, category, product, cart line and order with one item; every id is 1."""
    await connection.execute(ADD_USER, (1, "ana", "ana@shop.test"))
    await connection.execute(ADD_CATEGORY, (1, "Tea", None))
    await connection.execute(ADD_PRODUCT, (1, 1, 1, 1))
    await connection.execute(ADD_LINE, (1, 1, 1))
    await connection.execute(ADD_ORDER, (1, 1, 1))
    await connection.execute(ADD_ITEM, (1, 1))


async def conflict_of(connection: Connection, statement: str, *args: object) -> Conflict:
    """The conflict that a statement ends in."""
    with pytest.raises(Conflict) as raised:
        await connection.execute(statement, args)
    assert isinstance(raised.value.__cause__, asyncmy.errors.MySQLError)
    return raised.value


async def test_taken_key_names_its_fields(mysql_shop: Connection) -> None:
    """Equality is the collation's; the value itself, which looks like another key here, is not repeated."""
    await fill(mysql_shop)
    tricky = "x' for key 'users.email'"
    await mysql_shop.execute(ADD_USER, (2, tricky, "two@shop.test"))
    username = await conflict_of(mysql_shop, ADD_USER, 3, tricky, "three@shop.test")
    assert Subject("user", None, ("username",)) == username.subject
    assert "x'" not in str(username)
    email = await conflict_of(mysql_shop, ADD_USER, 3, "three", "ANÁ@shop.test")
    assert Subject("user", None, ("email",)) == email.subject
    line = await conflict_of(mysql_shop, ADD_LINE, 1, 1, 1)
    assert Reason.UNIQUE == line.reason
    assert "cart" == line.subject.entity if line.subject else None


async def test_taken_key_is_known_by_another_name_too(mysql_shop: Connection) -> None:
    """A site may have named its unique keys in its own way."""
    await fill(mysql_shop)
    await mysql_shop.batch("ALTER TABLE users RENAME INDEX email TO uq_users_email, RENAME INDEX username TO login")
    try:
        email = await conflict_of(mysql_shop, ADD_USER, 2, "two", "ana@shop.test")
        unknown = await conflict_of(mysql_shop, ADD_USER, 2, "ana", "two@shop.test")
    finally:
        await mysql_shop.batch("ALTER TABLE users RENAME INDEX uq_users_email TO email, RENAME INDEX login TO username")
    assert Subject("user", None, ("email",)) == email.subject
    assert Subject("user") == unknown.subject


@pytest.mark.parametrize(
    ("statement", "entity"),
    [
        ("DELETE FROM products WHERE id = 1", "product"),
        ("DELETE FROM categories WHERE id = 1", "category"),
    ],
)
async def test_row_still_referred_to_is_a_restrict(mysql_shop: Connection, statement: str, entity: str) -> None:
    """Products in orders and categories of products stay."""
    await fill(mysql_shop)
    refused = await conflict_of(mysql_shop, statement)
    assert (Reason.RESTRICT, Subject(entity)) == (refused.reason, refused.subject)


@pytest.mark.parametrize(
    ("statement", "args", "subject"),
    [
        (ADD_PRODUCT, (2, 9, 1, 1), Subject("user", None, ("seller_id",))),
        (ADD_PRODUCT, (2, 1, 9, 1), Subject("category", None, ("category_id",))),
        (ADD_CATEGORY, (2, "b", 9), Subject("category", None, ("parent_id",))),
        (ADD_LINE, (9, 1, 1), Subject("user", None, ("user_id",))),
        (ADD_ORDER, (2, 9, 1), Subject("user", None, ("user_id",))),
        (ADD_ITEM, (9, 1), Subject("order", None, ("order_id",))),
        (ADD_ITEM, (1, 9), Subject("product", None, ("product_id",))),
    ],
)
async def test_reference_to_nothing_is_not_found(
    mysql_shop: Connection, statement: str, args: tuple[object, ...], subject: Subject
) -> None:
    """The error says which record is missing, and by which column it was named."""
    await fill(mysql_shop)
    with pytest.raises(NotFound) as missing:
        await mysql_shop.execute(statement, args)
    assert (Reason.RECORD, subject) == (missing.value.reason, missing.value.subject)


@pytest.mark.parametrize(
    ("statement", "args", "subject"),
    [
        ("UPDATE shopping_carts SET quantity = quantity + %s", (2**31 - 1,), Subject("cart", None, ("quantity",))),
        (
            "UPDATE orders SET total_amount = total_amount + %s",
            (99999999.99,),
            Subject("order", None, ("total_amount",)),
        ),
        ("UPDATE products SET price = %s", (10**8,), Subject("product", None, ("price",))),
    ],
)
async def test_value_beyond_its_column_is_out_of_range(
    mysql_shop: Connection, statement: str, args: tuple[object, ...], subject: Subject
) -> None:
    """The error names the column."""
    await fill(mysql_shop)
    refused = await conflict_of(mysql_shop, statement, *args)
    assert (Reason.OUT_OF_RANGE, subject) == (refused.reason, refused.subject)


async def test_text_too_long_is_an_invalid_argument(mysql_shop: Connection) -> None:
    """Strict mode cuts nothing; the error names the column, not the text."""
    with pytest.raises(InvalidArgument) as refused:
        await mysql_shop.execute(ADD_USER, (1, "n" * 51, "ana@shop.test"))
    assert ["username"] == [fault.path for fault in refused.value.faults]
    assert "nnn" not in str(refused.value)


async def test_lock_that_is_not_had_is_a_restart(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """A wait that timed out, and a lock refused at once."""
    await fill(mysql_shop)
    other = await Connection.open(mysql_endpoint, SessionSettings(lock_wait_timeout_s=1))
    await mysql_shop.batch("BEGIN; SELECT id FROM users FOR UPDATE")
    for statement in ("SELECT id FROM users FOR UPDATE NOWAIT", "UPDATE users SET first_name = 'A'"):
        with pytest.raises(Restart) as restart:
            await other.execute(statement)
        assert RestartCause.LOCK_CONFLICT == restart.value.cause
        assert other.is_open
    await mysql_shop.batch("ROLLBACK")
    await other.quit()


async def test_deadlock_is_a_restart(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """One of two that wait for each other is told to start over."""
    await fill(mysql_shop)
    other = await Connection.open(mysql_endpoint)
    await mysql_shop.batch("BEGIN; SELECT id FROM users FOR UPDATE")
    await other.batch("BEGIN; SELECT id FROM products FOR UPDATE")
    failed: list[Exception] = []

    async def cross(connection: Connection, table: str) -> None:
        try:
            await connection.batch(f"SELECT id FROM {table} FOR UPDATE")
        except Restart as restart:
            failed.append(restart)
        await connection.batch("ROLLBACK")

    async with asyncio.TaskGroup() as group:
        group.create_task(cross(mysql_shop, "products"))
        group.create_task(cross(other, "users"))
    assert 1 == len(failed)
    await other.quit()


async def test_missing_table_or_column_names_the_command(mysql_shop: Connection) -> None:
    """What `crossfade db prepare` makes is asked for by that name."""
    with pytest.raises(NotPrepared, match=r"crossfade_nowhere; run `crossfade db prepare`"):
        await mysql_shop.rows("SELECT * FROM crossfade_nowhere")
    await mysql_shop.batch("ALTER TABLE users DROP COLUMN super_admin")
    try:
        with pytest.raises(NotPrepared, match=r"users\.super_admin; run `crossfade db prepare`"):
            await mysql_shop.execute("UPDATE users SET super_admin = TRUE WHERE id = %s", (1,))
    finally:
        await mysql_shop.batch("ALTER TABLE users ADD COLUMN super_admin BOOL DEFAULT FALSE, ADD INDEX (super_admin)")


async def test_interrupted_statement_is_unavailable(mysql_endpoint: MySQLEndpoint, mysql_shop: Connection) -> None:
    """KILL QUERY by an operator."""
    await fill(mysql_shop)
    await mysql_shop.batch("BEGIN; SELECT id FROM users FOR UPDATE")
    other = await Connection.open(mysql_endpoint, SessionSettings(lock_wait_timeout_s=60))
    failed: list[Exception] = []

    async def wait() -> None:
        with pytest.raises(Unavailable, match="told to stop") as stopped:
            await other.execute("DELETE FROM users")
        failed.append(stopped.value)

    async with asyncio.TaskGroup() as group:
        group.create_task(wait())
        group.create_task(_kill_when_waiting(mysql_shop, other.thread_id))
    assert 1 == len(failed)
    await mysql_shop.batch("ROLLBACK")
    await other.quit()


@pytest.mark.parametrize(
    ("number", "error", "is_usable"),
    [
        (1040, Unavailable, True),
        (1053, ConnectionLost, False),
        (1114, Unavailable, True),
        (1153, PayloadTooLarge, True),
        (1203, Unavailable, True),
        (1290, Unavailable, True),
        (1690, ServerError, True),
        (1836, Unavailable, True),
        (2003, Unavailable, False),
        (2006, ConnectionLost, False),
        (2013, ConnectionLost, False),
        (2014, ConnectionLost, False),
        (3024, DeadlineExceeded, True),
        (3169, ConnectionLost, False),
        (4031, ConnectionLost, False),
        (1064, ServerError, True),
    ],
)
def test_error_number_becomes_its_error(number: int, error: type[CrossfadeError], *, is_usable: bool) -> None:
    """The table, for what a shared server cannot be made to say; only refusals leave the session usable."""
    broken: list[bool] = []
    with pytest.raises(error) as raised, translated("here", on_broken=lambda: broken.append(True)):
        raise asyncmy.errors.OperationalError(number, "the server's words")
    assert type(raised.value) is error
    assert is_usable is not bool(broken)


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), EOFError(), asyncmy.errors.InterfaceError(0, "Not connected")]
)
def test_broken_stream_is_a_lost_connection(error: Exception) -> None:
    """Whatever the driver or the system calls it."""
    broken: list[bool] = []
    with pytest.raises(ConnectionLost) as raised, translated("here", on_broken=lambda: broken.append(True)):
        raise error
    assert error is raised.value.__cause__
    assert broken


def test_other_errors_pass_through_and_close_the_session() -> None:
    """A defect is not dressed up as an error of the database; the session may be out of step all the same."""
    broken: list[bool] = []
    with pytest.raises(ZeroDivisionError), translated("here", on_broken=lambda: broken.append(True)):
        raise ZeroDivisionError
    with pytest.raises(asyncio.CancelledError), translated("here", on_broken=lambda: broken.append(True)):
        raise asyncio.CancelledError
    assert [True, True] == broken


@pytest.mark.parametrize(
    ("grants", "schema", "message"),
    [
        (None, "{own}", "check its user, password"),
        ("", "{own}", "refused the schema"),
        ("GRANT SELECT ON {own}.* TO {user}", "{own}", "needs SELECT, INSERT"),
        ("GRANT ALL ON *.* TO {user}", "crossfade_nowhere", "has no such schema"),
    ],
)
async def test_login_that_cannot_work_says_what_to_do(
    mysql_endpoint: MySQLEndpoint, mysql_shop: Connection, grants: str | None, schema: str, message: str
) -> None:
    """Wrong password, wrong schema, no rights: each is told apart, naming server and user but no password."""
    name = f"crossfade{mysql_shop.thread_id}"
    user = f"'{name}'@'%%'"
    await mysql_shop.batch(f"CREATE USER {user} IDENTIFIED BY 'sesame'")
    if grants:
        await mysql_shop.batch(grants.format(own=mysql_endpoint.database, user=user))
    password = "mistaken" if grants is None else "sesame"
    own_schema = schema.format(own=mysql_endpoint.database)
    stranger = MySQLEndpoint(mysql_endpoint.host, mysql_endpoint.port, name, password, own_schema)
    try:
        with pytest.raises(Unavailable, match=message) as refused:
            await _use(stranger)
    finally:
        await mysql_shop.batch(f"DROP USER {user}")
    assert str(stranger) in str(refused.value)
    assert password not in str(refused.value)


async def _use(endpoint: MySQLEndpoint) -> None:
    connection = await Connection.open(endpoint)
    try:
        await connection.execute("DELETE FROM users")
    finally:
        await connection.quit()


async def _kill_when_waiting(watcher: Connection, thread_id: int) -> None:
    is_waiting = False
    while not is_waiting:
        (found,) = await watcher.batch(
            "SELECT 1 FROM performance_schema.data_locks l JOIN performance_schema.threads t USING (thread_id)"
            " WHERE l.lock_status = 'WAITING' AND t.processlist_id = %s",
            (thread_id,),
        )
        is_waiting = bool(found.rows)
    await watcher.batch("KILL QUERY %s", (thread_id,))
