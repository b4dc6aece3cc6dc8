"""The reads of categories from DynamoDB: the tree's fence, and the tree that a worker keeps."""

from adapters.dynamodb.caches import Caches
from adapters.dynamodb.fenced import stamp_of
from adapters.dynamodb.reading import ItemReader
from adapters.dynamodb.tree import Tree
from adapters.records import Category


class CategoryReads:
    """The reads of CategoryRepository, for one call."""

    def __init__(self, items: ItemReader, caches: Caches) -> None:
        self._items = items
        self._caches = caches

    async def find_all(self) -> list[Category]:
        """See CategoryRepository."""
        return list((await self._tree()).all)

    async def find_by_parent_id(self, *, parent_id: int | None) -> list[Category]:
        """See CategoryRepository."""
        return list((await self._tree()).children(parent_id))

    async def find_root_categories(self) -> list[Category]:
        """See CategoryRepository."""
        return list((await self._tree()).children(None))

    async def find_child_categories(self, *, parent_id: int) -> list[Category]:
        """See CategoryRepository."""
        return list((await self._tree()).children(parent_id))

    async def find_by_id(self, *, id: int) -> Category | None:  # noqa: A002  # the wire's name
        """See CategoryRepository."""
        return (await self._tree()).get(id)

    async def exists_by_name(self, *, name: str, exclude_id: int | None = None) -> bool:
        """See CategoryRepository."""
        return any(found != exclude_id for found in (await self._tree()).ids_named(name))

    async def exists_by_id(self, *, id: int) -> bool:  # noqa: A002  # the wire's name
        """See CategoryRepository."""
        return (await self._tree()).get(id) is not None

    async def validate_parent_id(self, *, parent_id: int | None) -> bool:
        """See CategoryRepository."""
        return parent_id is None or await self.exists_by_id(id=parent_id)

    async def would_create_cycle(self, *, category_id: int, new_parent_id: int | None) -> bool:
        """See CategoryRepository."""
        if new_parent_id is None:
            return False
        return any(category.id == category_id for category in (await self._tree()).upwards(new_parent_id))

    async def get_category_path(self, *, category_id: int) -> list[Category]:
        """See CategoryRepository. In a circle of parents: from the last category not met yet on the way up."""
        return list(reversed((await self._tree()).upwards(category_id)))

    async def _tree(self) -> Tree:
        seen = stamp_of(await self._items.one(self._caches.tree_fence))
        return await self._caches.tree.at(seen, self._items)
