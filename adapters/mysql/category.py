"""The reads of categories."""

from adapters.mysql.connection import Connection, Row
from adapters.mysql.rows import category_of, sql
from adapters.records import Category
from adapters.values import NO_RECORD

FIND_ALL = sql("SELECT $CATEGORY FROM categories ORDER BY name, id")
FIND_ROOT_CATEGORIES = sql("SELECT $CATEGORY FROM categories WHERE parent_id IS NULL ORDER BY name, id")
FIND_CHILD_CATEGORIES = sql("SELECT $CATEGORY FROM categories WHERE parent_id = %s ORDER BY name, id")
FIND_BY_ID = sql("SELECT $CATEGORY FROM categories WHERE id = %s")
EXISTS_BY_NAME = "SELECT 1 FROM categories WHERE name = %s AND id <> %s LIMIT 1"
EXISTS_BY_ID = "SELECT 1 FROM categories WHERE id = %s"
# UNION, not UNION ALL: a category met again adds no row, so that a circle of parents ends.
UPWARDS = """WITH RECURSIVE upwards AS (
 SELECT id, name, parent_id, created_at FROM categories WHERE id = %s
 UNION SELECT c.id, c.name, c.parent_id, c.created_at FROM upwards JOIN categories c ON c.id = upwards.parent_id)"""
WOULD_CREATE_CYCLE = sql("$UPWARDS SELECT 1 FROM upwards WHERE id = %s", UPWARDS=UPWARDS)
GET_CATEGORY_PATH = sql("$UPWARDS SELECT $CATEGORY FROM upwards", UPWARDS=UPWARDS)


class CategoryReads:
    """The reads of CategoryRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_all(self) -> list[Category]:
        """See CategoryRepository."""
        return [category_of(row) for row in await self._connection.rows(FIND_ALL)]

    async def find_by_parent_id(self, *, parent_id: int | None) -> list[Category]:
        """See CategoryRepository."""
        if parent_id is None:
            return await self.find_root_categories()
        return await self.find_child_categories(parent_id=parent_id)

    async def find_root_categories(self) -> list[Category]:
        """See CategoryRepository."""
        return [category_of(row) for row in await self._connection.rows(FIND_ROOT_CATEGORIES)]

    async def find_child_categories(self, *, parent_id: int) -> list[Category]:
        """See CategoryRepository."""
        return [category_of(row) for row in await self._connection.rows(FIND_CHILD_CATEGORIES, (parent_id,))]

    async def find_by_id(self, *, id: int) -> Category | None:  # noqa: A002  # the wire's name
        """See CategoryRepository."""
        rows = await self._connection.rows(FIND_BY_ID, (id,))
        return category_of(rows[0]) if rows else None

    async def exists_by_name(self, *, name: str, exclude_id: int | None = None) -> bool:
        """See CategoryRepository."""
        excluded = NO_RECORD if exclude_id is None else exclude_id
        return bool(await self._connection.rows(EXISTS_BY_NAME, (name, excluded)))

    async def exists_by_id(self, *, id: int) -> bool:  # noqa: A002  # the wire's name
        """See CategoryRepository."""
        return bool(await self._connection.rows(EXISTS_BY_ID, (id,)))

    async def validate_parent_id(self, *, parent_id: int | None) -> bool:
        """See CategoryRepository."""
        return parent_id is None or await self.exists_by_id(id=parent_id)

    async def would_create_cycle(self, *, category_id: int, new_parent_id: int | None) -> bool:
        """See CategoryRepository."""
        if new_parent_id is None:
            return False
        return bool(await self._connection.rows(WOULD_CREATE_CYCLE, (new_parent_id, category_id)))

    async def get_category_path(self, *, category_id: int) -> list[Category]:
        """See CategoryRepository. In a circle of parents: from the last category not met yet on the way up."""
        by_id = {row[0]: row for row in await self._connection.rows(GET_CATEGORY_PATH, (category_id,))}
        path: list[Row] = []
        at: int | None = category_id
        while at in by_id:
            path.append(by_id.pop(at))
            at = path[-1][2]
        return [category_of(row) for row in reversed(path)]
