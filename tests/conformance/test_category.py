"""Categories: the tree, and what is asked of it."""

import pytest

from tests.conformance.refusals import faults_of
from tests.conformance.shop import Record, Shop
from tests.factories import make_category

IGNORABLE = "\u00ad"


async def make_chain(shop: Shop, *names: str) -> list[Record]:
    """Categories each below the one before, the first a root."""
    chain: list[Record] = []
    for name in names:
        chain.append(await make_category(shop, name=name, parent_id=chain[-1]["id"] if chain else None))
    return chain


async def test_find_all_orders_by_name_as_the_collation_does(shop: Shop) -> None:
    """Categories of all levels come by name in the collation's order, equal names by id."""
    ordered = ["_x", "1a", "Ahorn", "ärger", "Éva", "eve", "ø", "p", "straße", "strasse2", "strasz", "Ω", "ж", "あ"]
    first, second = await make_category(shop, name="parent 1"), await make_category(shop, name="parent 2")
    below = [await make_category(shop, name="EVA", parent_id=parent["id"]) for parent in (first, second)]
    made = {name: await make_category(shop, name=name) for name in reversed(ordered)}
    listed = await shop.call("category.find_all")
    at = ordered.index("Éva")
    alike = [*below, made["Éva"]]
    expected = [made[name] for name in ordered[:at]] + alike + [made[name] for name in ordered[at + 1 :]]
    parents = [first, second]
    assert expected == [category for category in listed if category not in parents]
    assert len(expected) + len(parents) == len(listed)


async def test_find_root_categories_returns_those_without_a_parent(shop: Shop) -> None:
    """Roots alone come, by name, and asking for the children of null is the same."""
    beta, below = await make_chain(shop, "beta", "below")
    alpha = await make_category(shop, name="Alpha")
    for operation, arguments in (("find_root_categories", {}), ("find_by_parent_id", {"parent_id": None})):
        roots = await shop.call(f"category.{operation}", **arguments)
        assert [alpha, beta] == roots
        assert below not in roots


@pytest.mark.parametrize("operation", ["find_by_parent_id", "find_child_categories"])
async def test_find_child_categories_returns_direct_children_by_name(shop: Shop, operation: str) -> None:
    """Children alone come, by name, and what does not exist has none."""
    top, middle, bottom = await make_chain(shop, "top", "middle", "bottom")
    earlier = await make_category(shop, name="Last not least", parent_id=top["id"])
    assert [earlier, middle] == await shop.call(f"category.{operation}", parent_id=top["id"])
    assert [] == await shop.call(f"category.{operation}", parent_id=bottom["id"])
    assert [] == await shop.call(f"category.{operation}", parent_id=earlier["id"] + 1)


async def test_find_all_of_an_empty_shop_is_empty(shop: Shop) -> None:
    """A shop may have no categories."""
    assert [] == await shop.call("category.find_all")
    assert [] == await shop.call("category.find_root_categories")
    assert [] == await shop.call("category.find_by_parent_id", parent_id=None)


async def test_find_child_categories_demands_a_parent(shop: Shop) -> None:
    """Null is no category here; the other operation takes it, but it must be said."""
    assert ["parent_id"] == await faults_of(shop.call("category.find_child_categories", parent_id=None))
    assert ["parent_id"] == await faults_of(shop.call("category.find_by_parent_id"))


async def test_find_by_id_returns_the_category(shop: Shop) -> None:
    """A category is found by id, with every field of the record; an unknown one is null."""
    top, bottom = await make_chain(shop, "top", "bottom")
    expected = {"id": bottom["id"], "name": "bottom", "parent_id": top["id"], "created_at": bottom["created_at"]}
    assert expected == await shop.call("category.find_by_id", id=bottom["id"])
    assert await shop.call("category.find_by_id", id=bottom["id"] + 1) is None


async def test_exists_by_id_tells_known_from_unknown(shop: Shop) -> None:
    """Whether there is such a category."""
    category = await make_category(shop)
    assert await shop.call("category.exists_by_id", id=category["id"]) is True
    assert await shop.call("category.exists_by_id", id=category["id"] + 1) is False


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("Hats", "hats"),
        ("Hats", "HÁTS"),
        ("Straße", "strasse"),
        ("a/b", "A/B"),
        ("Hats", f"Ha{IGNORABLE}ts"),
        ("\u1100\u1161", "\uac00"),
    ],
)
async def test_exists_by_name_searches_the_whole_tree_as_the_collation_does(
    shop: Shop, stored: str, wanted: str
) -> None:
    """A name is found at any depth, in any spelling that is equal."""
    await make_chain(shop, "top", "middle", stored)
    assert await shop.call("category.exists_by_name", name=wanted) is True


@pytest.mark.parametrize("wanted", ["", "hat", "hats ", IGNORABLE, "h%", "hat_", "x" * 1000, "hats" + IGNORABLE * 97])
async def test_exists_by_name_tells_other_names_apart(shop: Shop, wanted: str) -> None:
    """Any text may be asked for, and a name longer than the column is nobody's."""
    await make_category(shop, name="hats")
    assert await shop.call("category.exists_by_name", name=wanted) is False


async def test_exists_by_name_can_leave_one_category_out(shop: Shop) -> None:
    """A category may ask whether another has its name."""
    first, second = await make_category(shop, name="first"), await make_category(shop, name="second")
    same = await make_category(shop, name="FIRST", parent_id=second["id"])
    answers = {first["id"]: True, second["id"]: True, None: True, same["id"] + 1: True, 0: True, -1: True, 10**30: True}
    for exclude_id, expected in answers.items():
        assert expected is await shop.call("category.exists_by_name", name="First", exclude_id=exclude_id)
    assert await shop.call("category.exists_by_name", name="SECOND", exclude_id=second["id"]) is False
    assert await shop.call("category.exists_by_name", name="SECOND", exclude_id=first["id"]) is True


async def test_validate_parent_id_takes_null_and_known_categories(shop: Shop) -> None:
    """No parent is a parent that may be, and so is any category."""
    category = await make_category(shop)
    answers = {None: True, category["id"]: True, category["id"] + 1: False, 0: False, -1: False, 10**30: False}
    for parent_id, expected in answers.items():
        assert expected is await shop.call("category.validate_parent_id", parent_id=parent_id)
    assert ["parent_id"] == await faults_of(shop.call("category.validate_parent_id"))


@pytest.mark.parametrize(
    ("category", "parent", "expected"),
    [
        ("top", "top", True),
        ("top", "middle", True),
        ("top", "bottom", True),
        ("middle", "bottom", True),
        ("middle", "top", False),
        ("bottom", "top", False),
        ("bottom", "middle", False),
        ("top", "other", False),
        ("other", "bottom", False),
        ("top", "unknown", False),
        ("unknown", "top", False),
        ("unknown", "unknown", False),
        ("impossible", "impossible", False),
        ("top", "nothing", False),
        ("unknown", "nothing", False),
    ],
)
async def test_would_create_cycle_is_true_for_itself_and_all_below(
    shop: Shop,
    category: str,
    parent: str,
    expected: bool,  # noqa: FBT001  # a column of the table
) -> None:
    """A category may go anywhere but below itself; unknown ones close no circle."""
    chain = await make_chain(shop, "top", "middle", "bottom")
    other = await make_category(shop, name="other")
    ids = {known["name"]: known["id"] for known in (*chain, other)}
    ids |= {"unknown": other["id"] + 1, "impossible": 0, "nothing": None}
    answer = await shop.call("category.would_create_cycle", category_id=ids[category], new_parent_id=ids[parent])
    assert expected is answer


async def test_get_category_path_goes_from_the_root_down(shop: Shop) -> None:
    """A path ends with the category itself, however deep, and an unknown one has none."""
    chain = await make_chain(shop, *[f"level {number}" for number in range(25)])
    assert chain == await shop.call("category.get_category_path", category_id=chain[-1]["id"])
    assert chain[:1] == await shop.call("category.get_category_path", category_id=chain[0]["id"])
    assert [] == await shop.call("category.get_category_path", category_id=chain[-1]["id"] + 1)
