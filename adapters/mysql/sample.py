"""A small sample shop for demonstrations, put into an empty one."""

from adapters.errors import Conflict, Reason, Subject
from adapters.mysql.connection import Connection
from adapters.mysql.endpoint import MySQLEndpoint
from adapters.mysql.prepare import SCHEMA

# Whoever comes second waits for the lock on the control row, and then finds the first one's users.
BEGIN = """BEGIN; SELECT dual_write OR read_from_dynamodb FROM crossfade_control WHERE id = 1 FOR UPDATE;
SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM categories)"""
COMMIT = "COMMIT"


async def insert_sample_shop(endpoint: MySQLEndpoint) -> bool:
    """Insert users, categories, products, carts and orders in one transaction; False, doing nothing, in a shop in use.

    Raises Conflict where DynamoDB is written too, for it would not get these rows, and Unavailable.
    """
    connection = await Connection.open(endpoint)
    try:
        _, control, used = await connection.batch(BEGIN)
        if used.rows[0][0]:
            return False
        if control.rows[0][0]:
            raise Conflict(
                "the sample shop is put into MySQL alone: move to phase 1 first",
                reason=Reason.UNSERVED_PHASE,
                subject=Subject("flags"),
            )
        await connection.batch((SCHEMA / "sample.sql").read_text(encoding="utf-8"))
        await connection.batch(COMMIT)
        return True
    finally:
        await connection.quit()
