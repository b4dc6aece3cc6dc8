"""The catalogue of the operations, derived from the ports: kind, arguments with their checks, result type.

Introspection happens once, when `catalogue` is called; nothing else repeats a signature.
"""

import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.ports.cart import CartRepository
from adapters.ports.category import CategoryRepository
from adapters.ports.order import OrderRepository
from adapters.ports.product import ProductRepository
from adapters.ports.user import UserRepository
from adapters.values import Check, Unset

PORTS: Mapping[str, type] = {
    "user": UserRepository,
    "product": ProductRepository,
    "order": OrderRepository,
    "category": CategoryRepository,
    "cart": CartRepository,
}
"""Entity to its Protocol; the entities of the wire."""


class OperationKind(StrEnum):
    """What an operation does to the data."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Argument:
    """One named argument. `base` is bool or a frozen dataclass of further arguments where there is no check."""

    name: str
    base: type
    check: Check | None
    is_nullable: bool
    is_required: bool
    default: object


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the wire. `result` is the annotation of the method's answer."""

    entity: str
    name: str
    kind: OperationKind
    arguments: tuple[Argument, ...]
    result: object
    summary: str

    @property
    def full_name(self) -> str:
        """`cart.add_item`: URL, metric label and log field."""
        return f"{self.entity}.{self.name}"

    @property
    def is_write(self) -> bool:
        """Whether it changes data."""
        return self.kind is OperationKind.WRITE

    def absent(self) -> object:
        """The answer for a record that does not exist: None, [], 0 or False, by the result type."""
        if self.result is bool:
            return False
        if self.result is int:
            return 0
        return [] if typing.get_origin(self.result) is list else None


def catalogue(entities: Iterable[str] = tuple(PORTS)) -> Mapping[str, Operation]:
    """Full name -> operation, for the given entities, in the order of the ports."""
    found = [_operation(entity, method) for entity in entities for method in _methods(PORTS[entity])]
    return types.MappingProxyType({operation.full_name: operation for operation in found})


def fields_of(record: type) -> tuple[Argument, ...]:
    """The fields of a dataclass that is itself an argument, described like arguments."""
    hints = typing.get_type_hints(record, include_extras=True)
    parameters = inspect.signature(record).parameters.values()
    return tuple(_argument(parameter, hints[parameter.name]) for parameter in parameters)


def _methods(port: type) -> list[types.FunctionType]:
    return [method for method in vars(port).values() if hasattr(method, "__operation_kind__")]


def _operation(entity: str, method: types.FunctionType) -> Operation:
    hints = typing.get_type_hints(method, include_extras=True)
    parameters = [p for p in inspect.signature(method).parameters.values() if p.name != "self"]
    return Operation(
        entity=entity,
        name=method.__name__,
        kind=OperationKind(method.__operation_kind__),  # type: ignore[attr-defined]  # set by the decorators
        arguments=tuple(_argument(parameter, hints[parameter.name]) for parameter in parameters),
        result=hints["return"],
        summary=inspect.getdoc(method) or "",
    )


def _argument(parameter: inspect.Parameter, hint: object) -> Argument:
    members = typing.get_args(hint) if _is_union(hint) else (hint,)
    (member,) = [m for m in members if m is not type(None) and m is not Unset]
    is_annotated = typing.get_origin(member) is typing.Annotated
    base, *checks = typing.get_args(member) if is_annotated else (member,)
    return Argument(
        name=parameter.name,
        base=base,
        check=checks[0] if checks else None,
        is_nullable=type(None) in members,
        is_required=parameter.default is inspect.Parameter.empty,
        default=None if parameter.default is inspect.Parameter.empty else parameter.default,
    )


def _is_union(hint: object) -> bool:
    return typing.get_origin(hint) in {types.UnionType, typing.Union}
