"""The difference of two answers."""

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

import adapters.records
from adapters.errors import Difference
from adapters.records import CartValidation, Category, Product, ProductPage, User
from proxy.compare import Unread, differences, is_same

NOW = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)
USER = User(
    1, "ana", "ana@shop.test", "hash", None, "", is_seller=False, super_admin=False, created_at=NOW, updated_at=NOW
)
PRODUCT = Product(7, 1, 2, "tea", None, Decimal("1.50"), 3, None, NOW, NOW)


def found(authority: object, shadow: object) -> list[Difference]:
    """The differences, with the databases' names as everywhere here."""
    return differences(authority, shadow, names=("One", "Two"))


def paths(authority: object, shadow: object) -> list[str]:
    """Where the answers differ."""
    return [difference.path for difference in found(authority, shadow)]


@pytest.mark.parametrize("answer", [USER, PRODUCT, None, True, 0, [], [USER], CartValidation(valid=True, issues=["x"])])
def test_equal_answers_have_no_difference(answer: object) -> None:
    """An answer is equal to itself."""
    assert [] == found(answer, answer)


def test_attributes_are_named() -> None:
    """Each attribute that differs is named, with both values and both databases."""
    expected = Difference("username", "ana", "bob", "username mismatch: One='ana', Two='bob'")
    assert [expected] == found(USER, replace(USER, username="bob"))


def test_secrets_are_compared_and_masked() -> None:
    """A differing password hash is found, and shown by neither value nor message."""
    (difference,) = found(USER, replace(USER, password_hash="other"))
    assert ("password_hash", "***", "***") == (difference.path, difference.authority, difference.shadow)
    assert "other" not in difference.message


@pytest.mark.parametrize(
    ("field", "value"),
    [("first_name", ""), ("last_name", None), ("is_seller", True), ("created_at", None), ("id", 2)],
)
def test_values_are_typed(field: str, value: object) -> None:
    """Null is not empty, false is not true, a time is not null."""
    changed = replace(USER, **{field: value})  # type: ignore[arg-type]  # the table gives each field its type
    assert [field] == paths(USER, changed)


def test_true_is_not_one() -> None:
    """A boolean and a number are different answers."""
    assert [""] == paths(True, 1)  # noqa: FBT003  # an answer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (1, Decimal(1)),
        (CartValidation(valid=True, issues=[]), CartValidation(valid=1, issues=[])),  # type: ignore[arg-type]  # the point
        ([PRODUCT], [replace(PRODUCT, inventory_quantity=Decimal(3))]),  # type: ignore[arg-type]  # the point
        (Unread("torn"), Unread("torn")),
        ([USER], [USER, USER]),
        (None, False),
    ],
)
def test_equal_values_of_different_types_are_not_the_same(one: object, other: object) -> None:
    """What Python calls equal the wire may tell apart, anywhere in an answer; what was not read is like nothing."""
    assert not is_same(one, other)
    assert found(one, other)


def test_every_record_has_several_values() -> None:
    """Those are what two answers are the same by."""
    records = [each for each in vars(adapters.records).values() if is_dataclass(each)]
    assert {Product, User, ProductPage} < set(records)
    assert all(len(fields(each)) > 1 for each in records)


def test_money_is_exact() -> None:
    """One cent is a difference."""
    assert ["price"] == paths(PRODUCT, replace(PRODUCT, price=Decimal("1.51")))


def test_null_against_a_record_is_said_in_words() -> None:
    """A missing record is told by which database has it."""
    assert ["One result is not null but Two result is null"] == [d.message for d in found(USER, None)]
    assert ["One result is null but Two result is not null"] == [d.message for d in found(None, USER)]


def test_lists_are_aligned_by_id() -> None:
    """A record that one list lacks does not make all later ones differ."""
    one, two, three = (Category(i, f"c{i}", None, NOW) for i in (1, 2, 3))
    assert ["[2]"] == paths([one, two, three], [one, three])
    assert ["[2]"] == paths([one, three], [one, two, three])
    assert ["[2].name"] == paths([one, two], [one, replace(two, name="x")])


def test_order_is_compared() -> None:
    """The same records in another order are a difference of order alone."""
    one, two = Category(1, "a", None, NOW), Category(2, "b", None, NOW)
    assert ["[]"] == paths([one, two], [two, one])


def test_doubles_are_found() -> None:
    """A record that comes twice in one list is a difference."""
    one = Category(1, "a", None, NOW)
    assert ["[]"] == paths([one], [one, one])


def test_lists_of_texts_go_by_position() -> None:
    """Texts have no id: they are compared one by one, and by number."""
    assert ["issues[1]"] == paths(
        CartValidation(valid=False, issues=["a", "b"]), CartValidation(valid=False, issues=["a", "c"])
    )
    assert ["issues[]"] == paths(
        CartValidation(valid=False, issues=["a"]), CartValidation(valid=False, issues=["a", "b"])
    )


def test_paths_lead_into_pages() -> None:
    """A difference deep in a page is named from the page down."""
    page = ProductPage([], 3, 1, 20, 1)
    assert ["total"] == paths(page, replace(page, total=4))


def test_records_of_two_kinds_differ() -> None:
    """A user is no product."""
    assert [""] == paths(USER, PRODUCT)


@pytest.mark.parametrize("answer", [USER, None, [], False])
def test_an_answer_that_could_not_be_read_differs_from_every_answer(answer: object) -> None:
    """Also from none; the reason is shown in its place."""
    (difference,) = found(answer, Unread("no price"))
    assert ("", "unreadable: no price") == (difference.path, difference.shadow)
    (difference,) = found(Unread("no price"), answer)
    assert "unreadable: no price" == difference.authority
