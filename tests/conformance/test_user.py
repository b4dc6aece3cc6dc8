"""Users: finding and creating them."""

import pytest

from tests.conformance.refusals import failure_of, faults_of, refusal_of, taken
from tests.conformance.shop import Shop
from tests.factories import make_admin, make_user

FOUR_BYTES = "\U0001f980"
IGNORABLE = "\u00ad"

SAME_TEXT = [
    ("ana", "ANA"),
    ("ana", "Áñà"),
    ("cafe\u0301", "café"),
    ("straße", "STRASSE"),
    ("ﬁsh", "fish"),
    ("ana", f"a{IGNORABLE}na"),
    ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
    ("søren", "soren"),
    ("가", "가"),
]
OTHER_TEXT = [
    ("ana", "ana "),
    ("ana", "anna"),
    ("i", "\u0131"),
    ("\U0001f600", "\U0001f601"),
    ("þor", "thor"),
    ("a_a", "axa"),
]
TEXT_FIELDS = [("username", 50), ("email", 100), ("password_hash", 255), ("first_name", 50), ("last_name", 50)]


async def test_find_by_id_returns_the_user(shop: Shop) -> None:
    """A user is found by id, with every field of the record."""
    user = await make_user(shop, username="ana", email="ana@shop.test", password_hash="secret")
    found = await shop.call("user.find_by_id", id=user["id"])
    expected = {
        "id": user["id"],
        "username": "ana",
        "email": "ana@shop.test",
        "password_hash": "secret",
        "first_name": "",
        "last_name": "",
        "is_seller": False,
        "super_admin": False,
        "created_at": user["created_at"],
        "updated_at": user["updated_at"],
    }
    assert expected == found


async def test_find_by_id_returns_null_for_an_unknown_id(shop: Shop) -> None:
    """A user that does not exist is null, not an error."""
    user = await make_user(shop)
    assert await shop.call("user.find_by_id", id=user["id"] + 1) is None


@pytest.mark.parametrize("key", ["username", "email"])
@pytest.mark.parametrize(("stored", "wanted"), SAME_TEXT)
async def test_find_by_username_and_email_ignore_case_and_accents(
    shop: Shop, key: str, stored: str, wanted: str
) -> None:
    """What the collation holds equal finds the user, who keeps his own spelling."""
    user = await make_user(shop, **{key: f"{stored}@shop.test"})
    assert f"{stored}@shop.test" == user[key]
    assert user == await shop.call(f"user.find_by_{key}", **{key: f"{wanted}@SHOP.test"})
    assert await shop.call(f"user.exists_by_{key}", **{key: f"{wanted}@SHOP.test"}) is True


@pytest.mark.parametrize("key", ["username", "email"])
@pytest.mark.parametrize(("stored", "wanted"), OTHER_TEXT)
async def test_find_by_username_and_email_tell_other_texts_apart(
    shop: Shop, key: str, stored: str, wanted: str
) -> None:
    """What the collation holds different finds nobody, and may stand beside it."""
    first = await make_user(shop, **{key: stored})
    assert await shop.call(f"user.find_by_{key}", **{key: wanted}) is None
    assert await shop.call(f"user.exists_by_{key}", **{key: wanted}) is False
    second = await make_user(shop, **{key: wanted})
    assert first == await shop.call(f"user.find_by_{key}", **{key: stored})
    assert second == await shop.call(f"user.find_by_{key}", **{key: wanted})


@pytest.mark.parametrize(("key", "maximum"), [("username", 50), ("email", 100)])
async def test_find_by_username_and_email_find_nobody_by_a_longer_text(shop: Shop, key: str, maximum: int) -> None:
    """A text longer than the column names no record, even one that would compare equal."""
    await make_user(shop, **{key: "ana"})
    longer = "ana" + IGNORABLE * (maximum - 2)
    assert maximum + 1 == len(longer)
    assert await shop.call(f"user.find_by_{key}", **{key: longer}) is None
    assert await shop.call(f"user.exists_by_{key}", **{key: longer}) is False
    assert await shop.call(f"user.exists_by_{key}", **{key: longer[:maximum]}) is True


@pytest.mark.parametrize("wanted", ["", IGNORABLE, "nobody", "x" * 1000])
async def test_exists_by_username_and_email_are_false_for_unknown_texts(shop: Shop, wanted: str) -> None:
    """Any text may be asked for."""
    await make_user(shop)
    assert await shop.call("user.exists_by_username", username=wanted) is False
    assert await shop.call("user.exists_by_email", email=wanted) is False


async def test_find_all_super_admins_orders_by_username_as_the_collation_does(shop: Shop) -> None:
    """Super admins come by username in the collation's order, and nobody else comes."""
    ordered = ["_x", "1a", "Ahorn", "ärger", "Éva", "eve", "ø", "p", "straße", "strasse2", "strasz", "Ω", "ж", "あ"]
    await make_user(shop)
    admins = [await make_admin(shop, username=name) for name in reversed(ordered)]
    assert admins[::-1] == await shop.call("user.find_all_super_admins")
    assert ordered == [admin["username"] for admin in admins[::-1]]


async def test_find_all_super_admins_is_empty_without_any(shop: Shop) -> None:
    """A shop may have no super admin."""
    await make_user(shop)
    assert [] == await shop.call("user.find_all_super_admins")


async def test_create_returns_the_user_as_stored(shop: Shop) -> None:
    """The answer is what a read gives, times included."""
    user = await make_user(shop, first_name="Ana", last_name="Núñez")
    assert user == await shop.call("user.find_by_id", id=user["id"])
    assert ("Ana", "Núñez") == (user["first_name"], user["last_name"])
    assert user["created_at"] == user["updated_at"]


async def test_create_keeps_null_names(shop: Shop) -> None:
    """A name given as null is null, one left out is empty."""
    user = await make_user(shop, first_name=None)
    assert (None, "") == (user["first_name"], user["last_name"])
    assert user == await shop.call("user.find_by_id", id=user["id"])


@pytest.mark.parametrize("key", ["username", "email"])
@pytest.mark.parametrize(("stored", "wanted"), [("ana", "ana"), *SAME_TEXT])
async def test_create_refuses_a_taken_username_or_email(shop: Shop, key: str, stored: str, wanted: str) -> None:
    """Two users whose username or email the collation holds equal cannot both exist; nothing is written."""
    user = await make_user(shop, **{key: stored})
    assert taken(key) == await refusal_of(make_user(shop, **{key: wanted, "first_name": "second"}))
    assert user == await shop.call(f"user.find_by_{key}", **{key: wanted})


async def test_create_names_the_username_when_both_are_taken(shop: Shop) -> None:
    """Of two conflicts the username's is told."""
    await make_user(shop, username="ana", email="ana@shop.test")
    assert taken("username") == await refusal_of(make_user(shop, username="ANA", email="ANA@shop.test"))


async def test_create_refused_leaves_the_other_key_free(shop: Shop) -> None:
    """A refused user takes neither a username nor an email."""
    await make_user(shop, email="ana@shop.test")
    await failure_of(make_user(shop, username="second", email="ana@shop.test"))
    assert await shop.call("user.exists_by_username", username="second") is False
    assert "second" == (await make_user(shop, username="second"))["username"]


@pytest.mark.parametrize(("field", "maximum"), TEXT_FIELDS)
async def test_create_takes_texts_of_full_length_in_characters(shop: Shop, field: str, maximum: int) -> None:
    """Lengths count characters, not bytes, and no longer text is taken."""
    user = await make_user(shop, **{field: FOUR_BYTES * maximum})
    assert FOUR_BYTES * maximum == user[field]
    assert user == await shop.call("user.find_by_id", id=user["id"])
    assert [field] == await faults_of(make_user(shop, **{field: "x" * (maximum + 1)}))


@pytest.mark.parametrize(
    ("field", "text"),
    [("username", ""), ("username", IGNORABLE), ("email", ""), ("email", "\u0301"), ("password_hash", "")],
)
async def test_create_refuses_texts_that_say_nothing(shop: Shop, field: str, text: str) -> None:
    """A username or email that the collation holds empty could not be told from another."""
    assert [field] == await faults_of(make_user(shop, **{field: text}))


async def test_create_takes_blanks_as_text(shop: Shop) -> None:
    """Blanks are characters like others, at the end too."""
    user = await make_user(shop, username=" ", email="ana@shop.test ", first_name=" ", password_hash=" ")
    assert user == await shop.call("user.find_by_username", username=" ")
    assert user == await shop.call("user.find_by_email", email="ANA@shop.test ")
    assert await shop.call("user.find_by_email", email="ana@shop.test") is None


async def test_create_tells_apart_emails_whose_keys_are_very_long(shop: Shop) -> None:
    """One character may weigh as eighteen: a key of 1,500 bytes is still compared to its end."""
    email = "\ufdfa" * 99
    user = await make_user(shop, email=f"{email}a")
    other = await make_user(shop, email=f"{email}b")
    assert taken("email") == await refusal_of(make_user(shop, email=f"{email}Á"))
    assert user == await shop.call("user.find_by_email", email=f"{email}A")
    assert other == await shop.call("user.find_by_email", email=f"{email}B")
