"""The reads of users, on rows such as old shops have."""

from datetime import UTC, datetime

import pytest

from adapters.errors import Unavailable
from adapters.mysql.connection import Connection
from adapters.mysql.user import UserReads
from adapters.records import User
from adapters.values import INT_MAX, NO_RECORD
from tests.mysql_schema import insert_user

AT = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 23, 59, 59, tzinfo=UTC)


async def test_find_by_id_returns_every_field(mysql_shop: Connection) -> None:
    """Text with four-byte characters, booleans other than 0 and 1, times in UTC to the second."""
    user_id = await insert_user(
        mysql_shop,
        "Ana \U0001f980",
        first_name="Zoë",
        last_name="",
        is_seller=2,
        super_admin=1,
        created_at=AT,
        updated_at=LATER,
    )
    expected = User(
        user_id, "Ana \U0001f980", "Ana \U0001f980@shop.test", "h", "Zoë", "", is_seller=True, super_admin=True,
        created_at=AT, updated_at=LATER,
    )  # fmt: skip
    assert expected == await UserReads(mysql_shop).find_by_id(id=user_id)


async def test_find_by_id_reads_nulls(mysql_shop: Connection) -> None:
    """Where an old row holds NULL, text and times are None and booleans false."""
    nullable = ("first_name", "last_name", "is_seller", "super_admin", "created_at", "updated_at")
    user_id = await insert_user(mysql_shop, "ana", **dict.fromkeys(nullable))
    expected = User(
        user_id, "ana", "ana@shop.test", "h", None, None, is_seller=False, super_admin=False, created_at=None,
        updated_at=None,
    )  # fmt: skip
    assert expected == await UserReads(mysql_shop).find_by_id(id=user_id)


async def test_find_by_id_reads_zero_dates_as_null(mysql_shop: Connection) -> None:
    """A lax server may have stored them; both protocols read None."""
    await mysql_shop.batch("SET SESSION sql_mode = ''")
    user_id = await insert_user(mysql_shop, created_at="0000-00-00 00:00:00")
    found = await UserReads(mysql_shop).find_by_id(id=user_id)
    assert found is not None
    assert found.created_at is None


@pytest.mark.parametrize("user_id", [NO_RECORD, INT_MAX])
async def test_find_by_id_of_no_user_is_none(mysql_shop: Connection, user_id: int) -> None:
    """Ids that nobody has."""
    await insert_user(mysql_shop)
    assert await UserReads(mysql_shop).find_by_id(id=user_id) is None


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("ana", True),
        ("ANÁ", True),
        ("a\u0301na", True),
        ("ana ", False),
        (" ana", False),
        ("an_", False),
        ("%", False),
        ("", False),
        ("\U0001f980", False),
        ("x" * 60_000, False),
    ],
)
async def test_lookups_compare_by_the_collation(mysql_shop: Connection, text: str, *, is_found: bool) -> None:
    """Case and accents do not count, blanks do, nothing is a pattern; find and exists agree."""
    await insert_user(mysql_shop, "ana", email="ana")
    reads = UserReads(mysql_shop)
    users = [await reads.find_by_username(username=text), await reads.find_by_email(email=text)]
    exists = [await reads.exists_by_username(username=text), await reads.exists_by_email(email=text)]
    assert [is_found, is_found] == exists
    assert exists == [user is not None for user in users]


async def test_find_all_super_admins_is_by_username_in_the_collation(mysql_shop: Connection) -> None:
    """Any value but 0 and NULL makes one."""
    for name, flag in (("zoe", 1), ("Éva", 2), ("eve", 1), ("bob", 0), ("cid", None), ("\U0001f980", -1)):
        await insert_user(mysql_shop, name, super_admin=flag)
    admins = await UserReads(mysql_shop).find_all_super_admins()
    assert ["\U0001f980", "Éva", "eve", "zoe"] == [user.username for user in admins]
    assert all(user.super_admin for user in admins)


async def test_reads_do_without_the_super_admin_column(mysql_shop: Connection) -> None:
    """At a site not prepared, or where it was dropped, nobody is one; users are read all the same."""
    user_id = await insert_user(mysql_shop, super_admin=1)
    reads = UserReads(mysql_shop)
    before = await reads.find_by_id(id=user_id)
    await mysql_shop.batch("ALTER TABLE users DROP COLUMN super_admin")
    try:
        without = [await reads.find_by_id(id=user_id), await reads.find_by_username(username="ana")]
        admins = await reads.find_all_super_admins()
    finally:
        await mysql_shop.batch("ALTER TABLE users ADD COLUMN super_admin BOOL DEFAULT FALSE, ADD INDEX (super_admin)")
    assert before is not None
    assert before.super_admin
    assert [(user_id, False)] * 2 == [(user.id, user.super_admin) for user in without if user]
    assert [] == admins
    assert await reads.find_by_id(id=user_id) is not None


async def test_reads_without_the_table_are_unavailable(mysql_shop: Connection) -> None:
    """A missing table is not taken for a missing column."""
    await mysql_shop.batch("SET foreign_key_checks = 0; RENAME TABLE users TO people")
    try:
        with pytest.raises(Unavailable, match="lacks users"):
            await UserReads(mysql_shop).find_by_id(id=1)
    finally:
        await mysql_shop.batch("RENAME TABLE people TO users; SET foreign_key_checks = 1")
