"""The reads of categories: order, paths, and trees that are none."""

from datetime import UTC, datetime

import pytest

from adapters.mysql.category import CategoryReads
from adapters.mysql.connection import Connection
from adapters.records import Category
from adapters.values import INT_MAX, NO_RECORD
from tests.mysql_schema import insert_category

AT = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


async def test_find_by_id_returns_every_field(mysql_shop: Connection) -> None:
    """With a parent and a time, and with neither."""
    reads = CategoryReads(mysql_shop)
    root = await insert_category(mysql_shop, "Tee \U0001f375", created_at=None)
    leaf = await insert_category(mysql_shop, "Grün", parent_id=root, created_at=AT)
    assert Category(root, "Tee \U0001f375", None, None) == await reads.find_by_id(id=root)
    assert Category(leaf, "Grün", root, AT) == await reads.find_by_id(id=leaf)
    assert await reads.find_by_id(id=NO_RECORD) is None


async def test_lists_are_by_name_in_the_collation_then_id(mysql_shop: Connection) -> None:
    """Equal names, in the collation's eyes, stand by id; roots and children are told apart."""
    reads = CategoryReads(mysql_shop)
    names = ["Zebra", "éclair", "Eclair", "ECLAIR", "apple", "\U0001f980"]
    root = await insert_category(mysql_shop, "root")
    roots = {name: await insert_category(mysql_shop, name) for name in names}
    children = {name: await insert_category(mysql_shop, name, parent_id=root) for name in reversed(names)}
    by_name = ["\U0001f980", "apple", "éclair", "Eclair", "ECLAIR"]
    expected_roots = [*[roots[name] for name in by_name], root, roots["Zebra"]]
    by_name_child = ["\U0001f980", "apple", "ECLAIR", "Eclair", "éclair", "Zebra"]
    assert expected_roots == [c.id for c in await reads.find_root_categories()]
    assert expected_roots == [c.id for c in await reads.find_by_parent_id(parent_id=None)]
    assert [children[n] for n in by_name_child] == [c.id for c in await reads.find_child_categories(parent_id=root)]
    assert [children[n] for n in by_name_child] == [c.id for c in await reads.find_by_parent_id(parent_id=root)]
    everything = [c.id for c in await reads.find_all()]
    assert 13 == len(everything)
    assert expected_roots == [number for number in everything if number in {root, *roots.values()}]


@pytest.mark.parametrize("parent_id", [NO_RECORD, INT_MAX])
async def test_children_of_no_category_are_none(mysql_shop: Connection, parent_id: int) -> None:
    """No rows, rather than the roots."""
    await insert_category(mysql_shop)
    assert [] == await CategoryReads(mysql_shop).find_by_parent_id(parent_id=parent_id)
    assert [] == await CategoryReads(mysql_shop).find_child_categories(parent_id=parent_id)


async def test_exists_by_name_looks_in_the_whole_tree(mysql_shop: Connection) -> None:
    """By the collation's equality, one category left out if wished."""
    reads = CategoryReads(mysql_shop)
    root = await insert_category(mysql_shop, "Tea")
    leaf = await insert_category(mysql_shop, "Grün", parent_id=root)
    assert await reads.exists_by_name(name="GRUN")
    assert not await reads.exists_by_name(name="GRUN", exclude_id=leaf)
    assert await reads.exists_by_name(name="GRUN", exclude_id=root)
    assert await reads.exists_by_name(name="tea", exclude_id=NO_RECORD)
    assert not await reads.exists_by_name(name="tea ")
    await insert_category(mysql_shop, "grün")
    assert await reads.exists_by_name(name="GRUN", exclude_id=leaf)


async def test_exists_by_id_and_validate_parent_id_agree(mysql_shop: Connection) -> None:
    """But that nothing may be a parent as well."""
    reads = CategoryReads(mysql_shop)
    root = await insert_category(mysql_shop)
    for number, is_there in ((root, True), (root + 1, False), (NO_RECORD, False)):
        assert is_there is await reads.exists_by_id(id=number)
        assert is_there is await reads.validate_parent_id(parent_id=number)
    assert await reads.validate_parent_id(parent_id=None)


async def test_would_create_cycle_sees_what_lies_below(mysql_shop: Connection) -> None:
    """True for itself and for all below; false for above, beside, null and ids that nobody has."""
    reads = CategoryReads(mysql_shop)
    top = await insert_category(mysql_shop, "top")
    middle = await insert_category(mysql_shop, "middle", parent_id=top)
    leaf = await insert_category(mysql_shop, "leaf", parent_id=middle)
    beside = await insert_category(mysql_shop, "beside", parent_id=top)
    below_top = [await reads.would_create_cycle(category_id=top, new_parent_id=n) for n in (top, middle, leaf, beside)]
    assert [True, True, True, True] == below_top
    above_leaf = [await reads.would_create_cycle(category_id=leaf, new_parent_id=n) for n in (top, middle, beside)]
    assert [False, False, False] == above_leaf
    odd = [(top, None), (top, NO_RECORD), (NO_RECORD, top), (NO_RECORD, NO_RECORD), (INT_MAX, INT_MAX)]
    found = [await reads.would_create_cycle(category_id=c, new_parent_id=p) for c, p in odd]
    assert [False] * 5 == found


async def test_get_category_path_goes_from_the_root_down(mysql_shop: Connection) -> None:
    """The category itself comes last; an unknown one has no path."""
    reads = CategoryReads(mysql_shop)
    top = await insert_category(mysql_shop, "top", created_at=AT)
    middle = await insert_category(mysql_shop, "middle", parent_id=top, created_at=AT)
    leaf = await insert_category(mysql_shop, "leaf", parent_id=middle, created_at=AT)
    expected = [Category(top, "top", None, AT), Category(middle, "middle", top, AT), Category(leaf, "leaf", middle, AT)]
    assert expected == await reads.get_category_path(category_id=leaf)
    assert expected[:1] == await reads.get_category_path(category_id=top)
    assert [] == await reads.get_category_path(category_id=NO_RECORD)


async def test_get_category_path_is_whole_in_a_tree_deeper_than_a_server_recurses(mysql_shop: Connection) -> None:
    """The server's own limit is 1,000 levels."""
    reads = CategoryReads(mysql_shop)
    parents = ", ".join(f"({n}, 'level {n}', {n - 1 or 'NULL'})" for n in range(1, 1502))
    await mysql_shop.batch(f"INSERT INTO categories (id, name, parent_id) VALUES {parents}")
    path = await reads.get_category_path(category_id=1501)
    assert list(range(1, 1502)) == [category.id for category in path]
    assert await reads.would_create_cycle(category_id=1, new_parent_id=1501)


async def test_circles_in_old_data_end(mysql_shop: Connection) -> None:
    """A circle of parents, which the proxy refuses to make, is walked once."""
    reads = CategoryReads(mysql_shop)
    one = await insert_category(mysql_shop, "one")
    two = await insert_category(mysql_shop, "two", parent_id=one)
    await mysql_shop.execute("UPDATE categories SET parent_id = %s WHERE id = %s", (two, one))
    leaf = await insert_category(mysql_shop, "leaf", parent_id=two)
    self_made = await insert_category(mysql_shop, "self")
    await mysql_shop.execute("UPDATE categories SET parent_id = id WHERE id = %s", (self_made,))
    assert [one, two, leaf] == [c.id for c in await reads.get_category_path(category_id=leaf)]
    assert [two, one] == [c.id for c in await reads.get_category_path(category_id=one)]
    assert [self_made] == [c.id for c in await reads.get_category_path(category_id=self_made)]
    assert not await reads.would_create_cycle(category_id=self_made, new_parent_id=leaf)
    assert await reads.would_create_cycle(category_id=one, new_parent_id=leaf)
