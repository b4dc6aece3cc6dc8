"""A call of the admin API with its values, and its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from proxy.admin.doorman_ports import Principal
from proxy.admin.records import Actor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AdminCall:
    """A call with its values checked. `actor` is for the record; without a principal the route is public."""

    request: web.Request
    values: Mapping[str, object]
    actor: Actor
    principal: Principal | None

    def text(self, name: str, default: str = "") -> str:
        """A text, or the default where it was not given."""
        return _typed(self.values.get(name, default), str)

    def number(self, name: str) -> int:
        """A number that the route demands."""
        return _typed(self.values[name], int)

    def optional_number(self, name: str) -> int | None:
        """A number; None where it was not given."""
        return None if name not in self.values else self.number(name)

    def is_set(self, name: str) -> bool:
        """Whether a boolean was given and true."""
        return self.values.get(name) is True

    def mapping(self, name: str) -> dict[str, object]:
        """An object that the route demands."""
        return _typed(self.values[name], dict)

    def names(self, name: str) -> list[str] | None:
        """A list of names; None where it was not given."""
        return None if name not in self.values else _typed(self.values[name], list)


@dataclass(frozen=True, slots=True)
class AdminAnswer:
    """The data of an answer, and what else is done to its response."""

    data: Mapping[str, object]
    dress: Callable[[web.StreamResponse], None] | None = None


def _typed(value: object, kind: type[T]) -> T:
    """What the field's reader has checked already, for the type checker."""
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
