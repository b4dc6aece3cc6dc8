"""Categories: creating, changing, moving and deleting them."""

import pytest

from tests.conformance.refusals import (
    RESERVED_NAME,
    cycle,
    failure_of,
    faults_of,
    in_use,
    key_collision,
    missing,
    refusal_of,
)
from tests.conformance.shop import Record, Shop
from tests.factories import make_category, make_line, make_order, make_product, make_user

FOUR_BYTES = "\U0001f980"
NAME_MAX = 100


async def path_names(shop: Shop, category: Record) -> str:
    """The names from the root down, joined."""
    path = await shop.call("category.get_category_path", category_id=category["id"])
    return "/".join(part["name"] for part in path)


async def update(shop: Shop, category: Record, **fields: object) -> Record | None:
    """Change a category."""
    updated: Record | None = await shop.call("category.update", id=category["id"], **fields)
    return updated


async def test_create_returns_the_category_as_stored(shop: Shop) -> None:
    """The answer is what a read gives; without a parent, or with null, it is a root."""
    root = await make_category(shop, name="Clothes")
    child = await make_category(shop, name="Hats", parent_id=root["id"])
    other = await make_category(shop, name="Other", parent_id=None)
    assert [None, root["id"], None] == [category["parent_id"] for category in (root, child, other)]
    for category in (root, child, other):
        assert category == await shop.call("category.find_by_id", id=category["id"])


async def test_create_misses_an_unknown_parent(shop: Shop) -> None:
    """Nothing goes below nothing, and nothing is written."""
    category = await make_category(shop)
    no_category = category["id"] + 1
    assert missing("category", no_category) == await refusal_of(make_category(shop, parent_id=no_category))
    assert [category] == await shop.call("category.find_all")


@pytest.mark.parametrize("parent_id", [0, -1, 2**31, 10**30])
async def test_create_and_update_miss_an_impossible_parent(shop: Shop, parent_id: int) -> None:
    """An id that no record can have refers to nothing."""
    category = await make_category(shop)
    assert missing("category") == await refusal_of(make_category(shop, parent_id=parent_id))
    assert missing("category") == await refusal_of(update(shop, category, parent_id=parent_id))


@pytest.mark.parametrize("name", ["a/b", "%_\\", " ", "'", "#META", "ROOT ", FOUR_BYTES * NAME_MAX])
async def test_create_takes_any_name_that_says_something(shop: Shop, name: str) -> None:
    """Names hold any characters, 100 of them, four bytes each."""
    category = await make_category(shop, name=name)
    assert name == category["name"]
    assert category == await shop.call("category.find_by_id", id=category["id"])
    assert name == await path_names(shop, category)


@pytest.mark.parametrize("name", ["", "\u00ad", "\u0301", "x" * 101, None, 5])
async def test_create_and_update_refuse_bad_names(shop: Shop, name: object) -> None:
    """A name is a text that the collation does not hold empty; nothing is written."""
    category = await make_category(shop)
    assert ["name"] == await faults_of(make_category(shop, name=name))
    assert ["name"] == await faults_of(update(shop, category, name=name))
    assert [category] == await shop.call("category.find_all")


async def test_create_tells_apart_names_whose_keys_are_very_long(shop: Shop) -> None:
    """One character may weigh as eighteen: a key of 1,500 bytes is still compared to its end."""
    first = await make_category(shop, name="\ufdfa" * 99 + "a")
    second = await make_category(shop, name="\ufdfa" * 99 + "b")
    assert [first, second] == await shop.call("category.find_all")
    assert await shop.call("category.exists_by_name", name="\ufdfa" * 99 + "B", exclude_id=first["id"]) is True


async def test_create_takes_equal_names_under_different_parents(shop: Shop) -> None:
    """Names are unique neither in the tree nor along a path."""
    first, second = await make_category(shop, name="first"), await make_category(shop, name="second")
    hats = [await make_category(shop, name="Hats", parent_id=parent["id"]) for parent in (first, second)]
    inner = await make_category(shop, name="hats", parent_id=hats[0]["id"])
    again = await make_category(shop, name="FIRST", parent_id=inner["id"])
    assert "first/Hats/hats/FIRST" == await path_names(shop, again)
    assert [hats[1]] == await shop.call("category.find_child_categories", parent_id=second["id"])


@pytest.mark.parametrize("name", ["renamed", "HATS", "Háts", "a/b"])
async def test_update_renames(shop: Shop, name: str) -> None:
    """The new name is stored, in another spelling too, and the category stays where it is."""
    parent = await make_category(shop)
    category = await make_category(shop, name="Hats", parent_id=parent["id"])
    assert {**category, "name": name} == await update(shop, category, name=name)
    assert {**category, "name": name} == await shop.call("category.find_by_id", id=category["id"])
    assert [{**category, "name": name}] == await shop.call("category.find_child_categories", parent_id=parent["id"])


async def test_update_of_a_name_reaches_children_and_products(shop: Shop) -> None:
    """A renamed category with children, products, carts and orders below shows its new name everywhere at once."""
    root = await make_category(shop, name="Clothes")
    middle = await make_category(shop, name="Hats", parent_id=root["id"])
    bottom = await make_category(shop, name="Felt", parent_id=middle["id"])
    product = await make_product(shop, category_id=middle["id"])
    deep = await make_product(shop, category_id=bottom["id"])
    user = await make_user(shop)
    await make_line(shop, user, product)
    order = await make_order(shop, user, product)
    await update(shop, middle, name="Caps")
    await update(shop, root, name="Wear")
    assert "Wear/Caps/Felt" == await path_names(shop, bottom)
    shown = await shop.call("product.get_product_with_details", product_id=product["id"])
    (line,) = await shop.call("cart.get_cart_items", user_id=user["id"])
    (item,) = (await shop.call("order.get_order_by_id", order_id=order["id"]))["items"]
    listed = await shop.call("product.get_products_by_category", category_id=middle["id"])
    assert ["Felt", "Caps"] == [entry["category_name"] for entry in listed["products"]]
    assert ("Caps", shown, shown) == (shown["category_name"], line["product"], item["product"])
    assert deep["id"] == listed["products"][0]["id"]
    assert await shop.call("category.exists_by_name", name="Hats") is False


async def test_update_moves_a_tree(shop: Shop) -> None:
    """A category moves with all below it: under another parent, to the root and back."""
    old, new = await make_category(shop, name="old"), await make_category(shop, name="new")
    moved = await make_category(shop, name="moved", parent_id=old["id"])
    below = await make_category(shop, name="below", parent_id=moved["id"])
    for parent, path in ((new, "new/moved/below"), (None, "moved/below"), (old, "old/moved/below")):
        parent_id = parent["id"] if parent else None
        assert {**moved, "parent_id": parent_id} == await update(shop, moved, parent_id=parent_id)
        assert path == await path_names(shop, below)
        found = await shop.call("category.find_by_parent_id", parent_id=parent_id)
        assert {**moved, "parent_id": parent_id} in found
    assert [] == await shop.call("category.find_child_categories", parent_id=new["id"])


async def test_update_renames_and_moves_at_once(shop: Shop) -> None:
    """Name and parent may change together; deleting the old parent is then free."""
    old, new = await make_category(shop, name="old"), await make_category(shop, name="new")
    moved = await make_category(shop, name="moved", parent_id=old["id"])
    assert {**moved, "name": "x", "parent_id": new["id"]} == await update(shop, moved, name="x", parent_id=new["id"])
    assert await shop.call("category.delete", id=old["id"]) is True
    assert in_use("category", new["id"]) == await refusal_of(shop.call("category.delete", id=new["id"]))


async def test_update_to_the_same_values_changes_nothing(shop: Shop) -> None:
    """Its own name and parent are free for a category to take again."""
    parent = await make_category(shop)
    category = await make_category(shop, name="Hats", parent_id=parent["id"])
    for fields in ({}, {"name": "Hats"}, {"parent_id": parent["id"]}, {"name": "Hats", "parent_id": parent["id"]}):
        assert category == await update(shop, category, **fields)
    assert category == await shop.call("category.find_by_id", id=category["id"])


@pytest.mark.parametrize("fields", [{}, {"name": "x"}, {"parent_id": None}, {"parent_id": 2**40}])
async def test_update_returns_null_for_an_unknown_id(shop: Shop, fields: Record) -> None:
    """A category that does not exist cannot be changed, wherever it should go."""
    category = await make_category(shop)
    assert await update(shop, {"id": category["id"] + 1}, **fields) is None
    assert [category] == await shop.call("category.find_all")


async def test_update_misses_an_unknown_parent(shop: Shop) -> None:
    """Nothing goes below nothing, and nothing of the update is written."""
    category = await make_category(shop)
    no_category = category["id"] + 1
    assert missing("category", no_category) == await refusal_of(update(shop, category, name="x", parent_id=no_category))
    assert category == await shop.call("category.find_by_id", id=category["id"])


async def test_update_refuses_cycles(shop: Shop) -> None:
    """A category cannot go below itself, and nothing of the update is written."""
    top = await make_category(shop)
    middle = await make_category(shop, parent_id=top["id"])
    bottom = await make_category(shop, parent_id=middle["id"])
    for category, parent in ((top, top), (top, middle), (top, bottom), (middle, bottom)):
        refused = refusal_of(update(shop, category, name="x", parent_id=parent["id"]))
        assert cycle(category["id"]) == await refused
    for category in (top, middle, bottom):
        assert category == await shop.call("category.find_by_id", id=category["id"])


async def test_delete_removes_the_category(shop: Shop) -> None:
    """A deleted category is found by nothing, cannot be deleted again, and its id is never used again."""
    category, other = await make_category(shop, name="Hats"), await make_category(shop)
    assert await shop.call("category.delete", id=category["id"]) is True
    assert await shop.call("category.find_by_id", id=category["id"]) is None
    assert await shop.call("category.exists_by_name", name="Hats") is False
    assert await shop.call("category.delete", id=category["id"]) is False
    assert other["id"] < (await make_category(shop, name="Hats"))["id"]


async def test_delete_is_refused_while_there_are_children(shop: Shop) -> None:
    """A parent stays until its children are gone or elsewhere."""
    top = await make_category(shop)
    gone, moved = await make_category(shop, parent_id=top["id"]), await make_category(shop, parent_id=top["id"])
    assert in_use("category", top["id"]) == await refusal_of(shop.call("category.delete", id=top["id"]))
    await shop.call("category.delete", id=gone["id"])
    assert in_use("category", top["id"]) == await refusal_of(shop.call("category.delete", id=top["id"]))
    assert moved == await shop.call("category.find_by_id", id=moved["id"])
    await update(shop, moved, parent_id=None)
    assert await shop.call("category.delete", id=top["id"]) is True


async def test_delete_is_refused_while_there_are_products(shop: Shop) -> None:
    """A category stays until its products are gone, with the seller for instance."""
    product = await make_product(shop)
    asked = product["category_id"]
    assert in_use("category", asked) == await refusal_of(shop.call("category.delete", id=asked))
    assert await shop.call("category.exists_by_id", id=asked) is True
    await shop.call("user.delete", id=product["seller_id"])
    assert await shop.call("category.delete", id=asked) is True


@pytest.mark.parametrize("name", ["Hats", "HATS", "Háts", "Ha\u00adts"])
async def test_create_refuses_an_equal_name_beside_it_for_two_databases(dual_shop: Shop, name: str) -> None:
    """The second database could not tell two equal names under one parent apart, so the second is refused."""
    parent = await make_category(dual_shop)
    for parent_id in (None, parent["id"]):
        hats = await make_category(dual_shop, name="Hats", parent_id=parent_id)
        before = await dual_shop.call("category.find_all")
        refused = refusal_of(make_category(dual_shop, name=name, parent_id=parent_id))
        assert key_collision(hats["id"]) == await refused
        assert before == await dual_shop.call("category.find_all")


async def test_create_refuses_an_equal_name_under_an_equally_named_parent_for_two_databases(dual_shop: Shop) -> None:
    """A category's key holds its parent's name, not the parent's id."""
    first, second = await make_category(dual_shop, name="first"), await make_category(dual_shop, name="second")
    toys = [await make_category(dual_shop, name="Toys", parent_id=parent["id"]) for parent in (first, second)]
    dolls = await make_category(dual_shop, name="Dolls", parent_id=toys[0]["id"])
    refused = refusal_of(make_category(dual_shop, name="DOLLS", parent_id=toys[1]["id"]))
    assert key_collision(dolls["id"]) == await refused
    assert [] == await dual_shop.call("category.find_child_categories", parent_id=toys[1]["id"])


async def test_update_refuses_what_would_collide_for_two_databases(dual_shop: Shop) -> None:
    """Neither a rename, nor a move, nor a rename of the parent may make two categories alike."""
    first, second = await make_category(dual_shop, name="first"), await make_category(dual_shop, name="second")
    hats = await make_category(dual_shop, name="Hats", parent_id=first["id"])
    caps = await make_category(dual_shop, name="Caps", parent_id=first["id"])
    other = await make_category(dual_shop, name="hats", parent_id=second["id"])
    inner = await make_category(dual_shop, name="SECOND", parent_id=first["id"])
    before = await dual_shop.call("category.find_all")
    assert key_collision(hats["id"]) == await refusal_of(update(dual_shop, caps, name="HATS"))
    assert key_collision(hats["id"]) == await refusal_of(update(dual_shop, other, parent_id=first["id"]))
    assert key_collision(second["id"]) == await refusal_of(update(dual_shop, inner, parent_id=None))
    assert key_collision(second["id"]) == await refusal_of(update(dual_shop, first, name="Second"))
    assert before == await dual_shop.call("category.find_all")


async def test_update_refuses_a_parents_name_under_which_children_collide_for_two_databases(dual_shop: Shop) -> None:
    """Parents of equal names may stand apart in the tree, but not with equal children."""
    root = await make_category(dual_shop, name="root of all")
    toys = await make_category(dual_shop, name="Toys")
    games = await make_category(dual_shop, name="Games", parent_id=root["id"])
    dolls = await make_category(dual_shop, name="Dolls", parent_id=toys["id"])
    same = await make_category(dual_shop, name="dolls", parent_id=games["id"])
    assert key_collision(dolls["id"]) == await refusal_of(update(dual_shop, games, name="TOYS"))
    await update(dual_shop, same, name="Cards")
    assert {**games, "name": "TOYS"} == await update(dual_shop, games, name="TOYS")


async def test_update_refuses_a_name_under_which_parent_and_child_collide_for_two_databases(dual_shop: Shop) -> None:
    """A category named like its parent, with a child of the same name, would have its child's key."""
    top = await make_category(dual_shop, name="a")
    middle = await make_category(dual_shop, name="b", parent_id=top["id"])
    bottom = await make_category(dual_shop, name="A", parent_id=middle["id"])
    failure = await failure_of(update(dual_shop, middle, name="a"))
    assert "key_collision" == failure.reason
    assert "a/b/A" == await path_names(dual_shop, bottom)


async def test_update_frees_the_old_name_for_two_databases(dual_shop: Shop) -> None:
    """Two categories swap names by way of a third, and a deleted one's name is free."""
    first, second = await make_category(dual_shop, name="first"), await make_category(dual_shop, name="second")
    child = await make_category(dual_shop, name="child", parent_id=first["id"])
    for category, name in ((first, "third"), (second, "first"), (first, "second")):
        await update(dual_shop, category, name=name)
    assert "second/child" == await path_names(dual_shop, child)
    await dual_shop.call("category.delete", id=second["id"])
    assert "FIRST" == (await make_category(dual_shop, name="FIRST"))["name"]


@pytest.mark.parametrize("name", ["ROOT", "root", "Röot"])
async def test_create_and_update_refuse_the_reserved_name_for_two_databases(dual_shop: Shop, name: str) -> None:
    """The second database says ROOT where there is no parent, so no category may be called that, at any depth."""
    category = await make_category(dual_shop)
    assert RESERVED_NAME == await refusal_of(make_category(dual_shop, name=name))
    assert RESERVED_NAME == await refusal_of(make_category(dual_shop, name=name, parent_id=category["id"]))
    assert RESERVED_NAME == await refusal_of(update(dual_shop, category, name=name))
    assert [category] == await dual_shop.call("category.find_all")


async def test_create_takes_equal_and_reserved_names_with_one_database(single_shop: Shop) -> None:
    """With one database names may be what they like."""
    made = [await make_category(single_shop, name=name) for name in ("Hats", "HATS", "ROOT", "root")]
    assert made == await single_shop.call("category.find_root_categories")
