"""The categories as one forest, in memory. Pure."""

from collections.abc import Iterable, Sequence

from adapters.collation import key_form, sort_form
from adapters.records import Category


class Tree:
    """All categories; never changed, a new version is a new tree."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self.all: Sequence[Category] = sorted(categories, key=lambda each: (sort_form(each.name), each.id))
        """By (name by collation, id)."""
        self._by_id = {each.id: each for each in self.all}
        self._children: dict[int | None, list[Category]] = {}
        self._ids_by_name: dict[str, list[int]] = {}
        for each in self.all:
            self._children.setdefault(each.parent_id, []).append(each)
            self._ids_by_name.setdefault(key_form(each.name), []).append(each.id)

    def get(self, category_id: int) -> Category | None:
        """A category."""
        return self._by_id.get(category_id)

    def children(self, parent_id: int | None) -> Sequence[Category]:
        """The categories right below one, the roots for None, by (name, id)."""
        return self._children.get(parent_id, ())

    def ids_named(self, name: str) -> Sequence[int]:
        """The categories whose names the collation holds equal to this one."""
        return self._ids_by_name.get(key_form(name), ())

    def upwards(self, category_id: int | None) -> list[Category]:
        """A category and those above it, up to the root; a circle of parents ends where it closes."""
        found: dict[int, Category] = {}
        while category_id is not None and category_id not in found and category_id in self._by_id:
            found[category_id] = self._by_id[category_id]
            category_id = found[category_id].parent_id
        return list(found.values())

    def with_children(self, category_id: int) -> frozenset[int]:
        """The ids of a category, if there is one, and of those right below it."""
        itself = (category_id,) if category_id in self._by_id else ()
        return frozenset((*itself, *(child.id for child in self.children(category_id))))
