"""Categories of the reference shop."""

# ruff: noqa: D102  # What an operation promises is written on its port.

from dataclasses import replace

from adapters.collation import key_form
from adapters.errors import Conflict, Reason, Subject
from adapters.records import Category
from adapters.values import UNSET, Unset
from tests.reference.rows import Rows, by_name, given, missing, names

NAME_MAX = 100
RESERVED_NAME = "ROOT"


class ReferenceCategories:
    """The operations of `category`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def find_all(self) -> list[Category]:
        return by_name(self._rows.categories.values())

    async def find_by_parent_id(self, *, parent_id: int | None) -> list[Category]:
        return by_name(category for category in self._rows.categories.values() if category.parent_id == parent_id)

    async def find_root_categories(self) -> list[Category]:
        return await self.find_by_parent_id(parent_id=None)

    async def find_child_categories(self, *, parent_id: int) -> list[Category]:
        return await self.find_by_parent_id(parent_id=parent_id)

    async def find_by_id(self, *, id: int) -> Category | None:  # noqa: A002  # the wire's name
        return self._rows.categories.get(id)

    async def exists_by_name(self, *, name: str, exclude_id: int | None = None) -> bool:
        others = [category for category in self._rows.categories.values() if category.id != exclude_id]
        return any(names(category.name, name, maximum=NAME_MAX) for category in others)

    async def exists_by_id(self, *, id: int) -> bool:  # noqa: A002  # the wire's name
        return id in self._rows.categories

    async def validate_parent_id(self, *, parent_id: int | None) -> bool:
        return parent_id is None or parent_id in self._rows.categories

    async def would_create_cycle(self, *, category_id: int, new_parent_id: int | None) -> bool:
        return category_id in [category.id for category in self._path(new_parent_id)]

    async def get_category_path(self, *, category_id: int) -> list[Category]:
        return self._path(category_id)

    async def create(self, *, name: str, parent_id: int | None = None) -> Category:
        self._demand_parent(parent_id)
        self._refuse_reserved(name)
        new_id = self._rows.new_id("categories")
        category = Category(id=new_id, name=name, parent_id=parent_id, created_at=self._rows.clock())
        return self._store(category)

    async def update(
        self,
        *,
        id: int,  # noqa: A002  # the wire's name
        name: str | Unset = UNSET,
        parent_id: int | Unset | None = UNSET,
    ) -> Category | None:
        category = self._rows.categories.get(id)
        changes = given(name=name, parent_id=parent_id)
        if category is None or not changes:
            return category
        if isinstance(name, str):
            self._refuse_reserved(name)
        changed: Category = replace(category, **changes)
        self._demand_parent(changed.parent_id)
        if await self.would_create_cycle(category_id=id, new_parent_id=changed.parent_id):
            raise Conflict("a cycle", reason=Reason.CYCLE, subject=Subject("category", id, ("parent_id",)))
        return self._store(changed)

    async def delete(self, *, id: int) -> bool:  # noqa: A002  # the wire's name
        if id not in self._rows.categories:
            return False
        has_children = any(category.parent_id == id for category in self._rows.categories.values())
        has_products = any(product.category_id == id for product in self._rows.products.values())
        if has_children or has_products:
            raise Conflict("in use", reason=Reason.RESTRICT, subject=Subject("category", id=id))
        del self._rows.categories[id]
        return True

    def _path(self, category_id: int | None) -> list[Category]:
        path: list[Category] = []
        category = None if category_id is None else self._rows.categories.get(category_id)
        while category is not None:
            path.insert(0, category)
            category = None if category.parent_id is None else self._rows.categories[category.parent_id]
        return path

    def _demand_parent(self, parent_id: int | None) -> None:
        if parent_id is not None and parent_id not in self._rows.categories:
            raise missing("category", parent_id)

    def _refuse_reserved(self, name: str) -> None:
        if self._rows.is_dual and key_form(name) == key_form(RESERVED_NAME):
            raise Conflict("reserved", reason=Reason.RESERVED_NAME, subject=Subject("category", None, ("name",)))

    def _store(self, category: Category) -> Category:
        if self._rows.is_dual:
            self._refuse_collision(category)
        self._rows.categories[category.id] = category
        return category

    def _refuse_collision(self, category: Category) -> None:
        tree = {**self._rows.categories, category.id: category}
        touched = [category, *[child for child in tree.values() if child.parent_id == category.id]]
        for member in touched:
            for other in tree.values():
                if other.id != member.id and _key(other, tree) == _key(member, tree):
                    subject = Subject("category", other.id, ("name",))
                    raise Conflict("a key twice", reason=Reason.KEY_COLLISION, subject=subject)


def _key(category: Category, tree: dict[int, Category]) -> tuple[str, str]:
    parent = RESERVED_NAME if category.parent_id is None else key_form(tree[category.parent_id].name)
    return parent, key_form(category.name)
