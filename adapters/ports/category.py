"""The operations of `category`."""

from typing import Protocol

from adapters.ports import read, write
from adapters.records import Category
from adapters.values import UNSET, CategoryName, CategoryNameLookup, Id, Unset


class CategoryRepository(Protocol):
    """Categories, a forest. Lists are by (name by collation, id)."""

    @read
    async def find_all(self) -> list[Category]:
        """One statement; one request."""

    @read
    async def find_by_parent_id(self, *, parent_id: Id | None) -> list[Category]:
        """The children of a category; the roots for null. One statement; one request."""

    @read
    async def find_root_categories(self) -> list[Category]:
        """One statement; one request."""

    @read
    async def find_child_categories(self, *, parent_id: Id) -> list[Category]:
        """One statement; one request."""

    @read
    async def find_by_id(self, *, id: Id) -> Category | None:  # noqa: A002  # the wire's name
        """One statement; one request."""

    @read
    async def exists_by_name(self, *, name: CategoryNameLookup, exclude_id: Id | None = None) -> bool:
        """In the whole tree, by the collation's equality. One statement; one request."""

    @read
    async def exists_by_id(self, *, id: Id) -> bool:  # noqa: A002  # the wire's name
        """One statement; one request."""

    @read
    async def validate_parent_id(self, *, parent_id: Id | None) -> bool:
        """Whether it may be a parent: null, or the id of a category. One statement; one request."""

    @read
    async def would_create_cycle(self, *, category_id: Id, new_parent_id: Id | None) -> bool:
        """True when the new parent is the category or lies below it; false for unknown ids and null."""

    @read
    async def get_category_path(self, *, category_id: Id) -> list[Category]:
        """From the root down to the category; [] when unknown. One statement; one request."""

    @write
    async def create(self, *, name: CategoryName, parent_id: Id | None = None) -> Category:
        """Raises NotFound without such a parent.

        Where both databases are written also Conflict `key_collision` (an equal name under an equally named parent)
        and `reserved_name` (ROOT).
        """

    @write
    async def update(
        self,
        *,
        id: Id,  # noqa: A002  # the wire's name
        name: CategoryName | Unset = UNSET,
        parent_id: Id | Unset | None = UNSET,
    ) -> Category | None:
        """None when there is no such category. Raises NotFound without such a parent, Conflict `cycle`, and as create.

        A new name reaches every path below.
        """

    @write
    async def delete(self, *, id: Id) -> bool:  # noqa: A002  # the wire's name
        """False when there is no such category. Raises Conflict `restrict` while it has children or products."""
