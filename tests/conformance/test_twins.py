"""The comparison that the random sequences rest on sees what it must see."""

from tests.conformance.drivers import ReferenceShop
from tests.conformance.shop import Json
from tests.conformance.twins import NOBODY, Pick, Side, differences

NOON = "2026-01-31T12:00:00Z"
TWO_LATER = "2026-01-31T12:00:02Z"
THREE_LATER = "2026-01-31T12:00:03Z"
ANA = {"username": "ana", "email": "ana@shop.test", "password_hash": "hash"}
BEN = {"username": "ben", "email": "ben@shop.test", "password_hash": "hash"}


def test_differences_of_equal_answers_are_none() -> None:
    """Equal answers do not differ, nor do times up to two seconds apart."""
    answers: list[Json] = [None, 1, [], {"a": [1, {"b": None}]}]
    for answer in answers:
        assert [] == differences(answer, answer)
    assert [] == differences({"created_at": NOON}, {"created_at": TWO_LATER})


def test_differences_name_the_place() -> None:
    """Each differing value is told with its path, be it one of another type."""
    pairs: list[tuple[Json, Json, str]] = [
        ({"a": [1, 2]}, {"a": [1, 3]}, "answer.a[1]: expected 2, found 3"),
        ({"a": 0}, {"a": None}, "answer.a: expected 0, found None"),
        (
            {"created_at": NOON},
            {"created_at": THREE_LATER},
            f"answer.created_at: expected about {NOON}, found {THREE_LATER}",
        ),
        ({"created_at": NOON}, {"created_at": None}, f"answer.created_at: expected '{NOON}', found None"),
        ([1], [1, 1], "answer: expected [1], found [1, 1]"),
        ({"a": 1}, {"b": 1}, "answer: expected {'a': 1}, found {'b': 1}"),
        (True, 1, "answer: expected True, found 1"),
    ]
    for expected, found, difference in pairs:
        assert [difference] == differences(expected, found)


async def test_sides_with_other_ids_answer_alike() -> None:
    """Ids differ between two shops, and what refers to them is still the same."""
    one, other = Side(ReferenceShop()), Side(ReferenceShop())
    await other.shop.call("user.delete", id=(await other.shop.call("user.create", **ANA))["id"])
    for name, arguments in (
        ("user.create", ANA),
        ("user.create", BEN),
        ("user.find_by_id", {"id": Pick("user", 1)}),
        ("user.find_by_id", {"id": Pick("user", NOBODY)}),
        ("user.delete", {"id": Pick("user", 0)}),
        ("user.find_by_id", {"id": Pick("user", 0)}),
    ):
        assert [] == differences(await one.answer(name, dict(arguments)), await other.answer(name, dict(arguments)))


async def test_sides_that_mean_other_records_differ() -> None:
    """An id that names another record on the other side is seen."""
    one, other = Side(ReferenceShop()), Side(ReferenceShop())
    for side in (one, other):
        await side.answer("user.create", dict(ANA))
        await side.answer("user.create", dict(BEN))
        await side.answer("category.create", {"name": "hats"})
    await one.shop.plant("products", seller_id=one.made["user"][0], category_id=1, name="hat", price=1)
    await other.shop.plant("products", seller_id=other.made["user"][1], category_id=1, name="hat", price=1)
    asked: dict[str, object] = {"product_id": 1}
    expected = await one.answer("product.get_product_by_id", asked)
    assert ["answer.seller_id: expected 'user 1', found 'user 0'"] == differences(
        expected, await other.answer("product.get_product_by_id", asked)
    )
