"""The writes of categories: `MySQLCategories` is the whole CategoryRepository.

Every write holds the tree for itself, in phase 1 too: two moves must not close a circle, and a parent must not vanish
under a new child.
"""

from adapters.changes import TREE, CategoryImage, Image, Ref, RowKind
from adapters.collation import key_form
from adapters.errors import Conflict, NotFound, Reason, Subject
from adapters.mysql.category import CategoryReads
from adapters.mysql.statements import Statement
from adapters.mysql.transaction import Created, Transaction
from adapters.records import Category
from adapters.values import UNSET, Unset

CREATE = "INSERT INTO categories (name, parent_id) VALUES (%s, %s)"
UPDATE_NAME = "UPDATE categories SET name = %s WHERE id = %s"
UPDATE_PARENT = "UPDATE categories SET parent_id = %s WHERE id = %s"
DELETE = "DELETE FROM categories WHERE id = %s"
IS_USED = """SELECT EXISTS (SELECT 1 FROM categories WHERE parent_id = %s),
 EXISTS (SELECT 1 FROM products WHERE category_id = %s)"""
BELOW = """WITH RECURSIVE below AS (
 SELECT id FROM categories WHERE parent_id = %s
 UNION SELECT c.id FROM categories c JOIN below ON c.parent_id = below.id) SELECT id FROM below"""
PRODUCTS_BELOW = """WITH RECURSIVE below AS (
 SELECT id FROM categories WHERE id = %s
 UNION SELECT c.id FROM categories c JOIN below ON c.parent_id = below.id)
 SELECT p.id FROM products p JOIN below ON p.category_id = below.id"""
COLLISION = """SELECT d.id FROM categories c LEFT JOIN categories p ON p.id = c.parent_id
 JOIN categories d ON d.name = c.name AND d.id <> c.id LEFT JOIN categories q ON q.id = d.parent_id
 WHERE (c.id = %s OR c.parent_id = %s) AND p.name <=> q.name LIMIT 1"""

RESERVED_NAME = "ROOT"
"""Stands for "no parent" in the keys of categories."""


class MySQLCategories(CategoryReads):
    """CategoryRepository. Categories belong to the aggregate of the tree."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work.connection)
        self._work = work

    async def create(self, *, name: str, parent_id: int | None = None) -> Category:
        parents = [] if parent_id is None else [_ref(parent_id)]
        await self._work.lock(TREE, before=parents)
        self._demand_parent(parent_id)
        self._refuse_reserved(name)
        await self._work.write(Statement(CREATE, (name, parent_id)), created=Created(RowKind.CATEGORY), after=parents)
        (category,) = [i.category for ref, i in self._after().items() if ref not in parents]
        await self._refuse_collision(category.id)
        return category

    async def update(
        self,
        *,
        id: int,  # noqa: A002  # the wire's name
        name: str | Unset = UNSET,
        parent_id: int | Unset | None = UNSET,
    ) -> Category | None:
        given_parents = [] if parent_id is UNSET or parent_id is None else [_ref(parent_id)]
        await self._work.lock(TREE, before=[_ref(id), *given_parents])
        category = self._before(id)
        if category is None:
            return None
        statements = await self._checked(category, name, parent_id)
        if not statements:
            return category
        parents = {p for p in (category.parent_id, parent_id) if p is not None and p is not UNSET}
        others = [_ref(p) for p in parents] if self._work.is_dual else []
        self._work.change.before.update(await self._work.images([_ref(id), *others]))
        below = await self._images_below(id)
        await self._work.write(*statements, after=[_ref(id), *others])
        await self._refuse_collision(id)
        await self._defer_below(id, below)
        return self._after()[_ref(id)].category

    async def delete(self, *, id: int) -> bool:  # noqa: A002  # the wire's name
        await self._work.lock(TREE, before=[_ref(id)])
        category = self._before(id)
        if category is None:
            return False
        (used,) = await self._work.read(Statement(IS_USED, (id, id)))
        if any(used.rows[0]):
            msg = f"category {id} still has {'children' if used.rows[0][0] else 'products'}"
            raise Conflict(msg, reason=Reason.RESTRICT, subject=Subject("category", id))
        parents = [] if category.parent_id is None or not self._work.is_dual else [_ref(category.parent_id)]
        self._work.change.before.update(await self._work.images(parents))
        await self._work.write(Statement(DELETE, (id,)), after=parents)
        return True

    async def _checked(self, category: Category, name: str | Unset, parent_id: int | Unset | None) -> list[Statement]:
        """The statements of an update whose arguments may stand."""
        statements: list[Statement] = []
        if name is not UNSET:
            self._refuse_reserved(name)
            statements.append(Statement(UPDATE_NAME, (name, category.id)))
        if parent_id is not UNSET:
            self._demand_parent(parent_id)
            if await self.would_create_cycle(category_id=category.id, new_parent_id=parent_id):
                msg = f"category {parent_id} lies in the subtree of category {category.id}"
                raise Conflict(msg, reason=Reason.CYCLE, subject=Subject("category", category.id, ("parent_id",)))
            statements.append(Statement(UPDATE_PARENT, (parent_id, category.id)))
        return statements

    async def _images_below(self, category_id: int) -> dict[Ref, Image]:
        """The categories below, as their base items show them: parent's name, path, level."""
        if not self._work.is_dual:
            return {}
        (found,) = await self._work.read(Statement(BELOW, (category_id,)))
        return await self._work.images([_ref(row[0]) for row in found.rows])

    async def _defer_below(self, category_id: int, below: dict[Ref, Image]) -> None:
        """Paths and base items below are seen by nobody: the reads go by the tree's own items."""
        before, after = self._work.change.before[_ref(category_id)], self._after()[_ref(category_id)]
        if not self._work.is_dual or (isinstance(before, CategoryImage) and before.path == after.path):
            return
        self._work.change.deferred += [*below.values(), *(await self._work.images(below)).values()]
        (products,) = await self._work.read(Statement(PRODUCTS_BELOW, (category_id,)))
        self._work.change.deferred += [Ref(RowKind.PRODUCT, row[0]) for row in products.rows]

    async def _refuse_collision(self, category_id: int) -> None:
        """Refuse what would give two categories one key: an equal name under an equally named parent."""
        if not self._work.is_dual:
            return
        (found,) = await self._work.read(Statement(COLLISION, (category_id, category_id)))
        if found.rows:
            msg = f"category {found.rows[0][0]} has an equal name under a parent of equal name"
            raise Conflict(msg, reason=Reason.KEY_COLLISION, subject=Subject("category", found.rows[0][0], ("name",)))

    def _refuse_reserved(self, name: str) -> None:
        if self._work.is_dual and key_form(name) == key_form(RESERVED_NAME):
            msg = f"no category may be called {RESERVED_NAME}"
            raise Conflict(msg, reason=Reason.RESERVED_NAME, subject=Subject("category", None, ("name",)))

    def _demand_parent(self, parent_id: int | None) -> None:
        if parent_id is not None and self._before(parent_id) is None:
            msg = f"category {parent_id} does not exist"
            raise NotFound(msg, subject=Subject("category", parent_id or None))

    def _before(self, category_id: int) -> Category | None:
        image = self._work.change.before.get(_ref(category_id))
        return image.category if isinstance(image, CategoryImage) else None

    def _after(self) -> dict[Ref, CategoryImage]:
        return {ref: i for ref, i in self._work.change.after.items() if isinstance(i, CategoryImage)}


def _ref(category_id: int) -> Ref:
    return Ref(RowKind.CATEGORY, category_id)
