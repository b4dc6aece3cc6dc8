"""The migration contract: tables, indexes, key templates and attributes, as the rest of the package uses them.

contract.json -> contract_format (is it in the format?) -> here (does it hold together?) -> agreement (can we serve it?)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from adapters.dynamodb.contract_format import (
    ContractError,
    ContractFault,
    RawAttribute,
    RawIndex,
    RawJoin,
    RawTable,
    read_document,
)
from adapters.dynamodb.templates import Template

CONTRACT_FILE: Final = Path(__file__).with_name("contract.json")
"""The project's own contract."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an entity. `source` says in one line where its value comes from; `place` is for messages."""

    name: str
    type: str
    source: str
    template: Template | None
    place: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of item. Its name is `Users.USER`, that of a single-entity table the table's."""

    name: str
    partition: Template
    sort: Template | None
    attributes: Mapping[str, Attribute]
    place: str


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index and its key attributes."""

    name: str
    partition_key: str
    sort_key: str | None
    projection: str
    projected_attributes: tuple[str, ...]

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """The names of its key attributes, partition key first."""
        return (self.partition_key,) if self.sort_key is None else (self.partition_key, self.sort_key)


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its name without prefix."""

    name: str
    partition_key: str
    sort_key: str | None
    ttl_attribute: str | None
    indexes: tuple[Index, ...]
    entities: tuple[Entity, ...]
    place: str

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """The names of its key attributes, partition key first."""
        return (self.partition_key,) if self.sort_key is None else (self.partition_key, self.sort_key)


@dataclass(frozen=True, slots=True)
class Contract:
    """The whole contract, tables and entities by name."""

    tables: Mapping[str, Table]
    entities: Mapping[str, Entity]


def load_contract(path: Path | None = None) -> Contract:
    """The contract in a file, the project's own by default.

    Raises ContractError with every fault of form, or else with every contradiction in it.
    """
    builder = _Builder()
    tables = builder.tables(read_document(path or CONTRACT_FILE)["tables"])
    if builder.faults:
        raise ContractError(builder.faults)
    return Contract(
        {table.name: table for table in tables},
        {entity.name: entity for table in tables for entity in table.entities},
    )


class _Builder:
    """Turns the document into values, and remembers what does not hold together."""

    def __init__(self) -> None:
        self.faults: list[ContractFault] = []

    def tables(self, raw: Sequence[RawTable]) -> list[Table]:
        tables = [self._table(table, f"/tables/{number}") for number, table in enumerate(raw)]
        self._refuse_repeated((f"/tables/{number}/table", table.name) for number, table in enumerate(tables))
        return tables

    def _table(self, raw: RawTable, place: str) -> Table:
        table = Table(
            name=raw["table"],
            partition_key=raw["pk"],
            sort_key=raw.get("sk"),
            ttl_attribute=raw.get("ttl_attribute"),
            indexes=tuple(_index(index) for index in raw.get("gsis", [])),
            entities=tuple(self._entities(raw, place)),
            place=place,
        )
        self._refuse_repeated(
            (f"{place}/gsis/{number}/index_name", index.name) for number, index in enumerate(table.indexes)
        )
        self._refuse_repeated((entity.place, entity.name) for entity in table.entities)
        self.faults += _index_faults(table, place)
        self.faults += _ambiguities(table)
        return table

    def _entities(self, raw: RawTable, place: str) -> Iterator[Entity]:
        if raw["type"] == "single-entity":
            yield self._entity(raw, raw["table"], raw["attributes"], place)
            return
        for number, entity in enumerate(raw["entities"]):
            at = f"{place}/entities/{number}"
            made = self._entity(raw, f"{raw['table']}.{entity['entity_type']}", entity["attributes"], at)
            self._require_equal(f"{at}/pk_template", entity["pk_template"], made.partition)
            self._require_equal(f"{at}/sk_template", entity["sk_template"], made.sort)
            yield made

    def _entity(self, raw: RawTable, name: str, raw_attributes: Sequence[RawAttribute], place: str) -> Entity:
        attributes = [
            self._attribute(attribute, f"{place}/attributes/{number}")
            for number, attribute in enumerate(raw_attributes)
        ]
        self._refuse_repeated((f"{attribute.place}/name", attribute.name) for attribute in attributes)
        by_name = {attribute.name: attribute for attribute in attributes}
        sort_key = raw.get("sk")
        return Entity(
            name=name,
            partition=self._key_template(by_name, raw["pk"], place),
            sort=None if sort_key is None else self._key_template(by_name, sort_key, place),
            attributes=by_name,
            place=place,
        )

    def _attribute(self, raw: RawAttribute, place: str) -> Attribute:
        return Attribute(raw["name"], raw["type"], _source(raw), self._template(raw, f"{place}/transformation"), place)

    def _template(self, raw: RawAttribute, place: str) -> Template | None:
        transformation = raw.get("transformation")
        if transformation is None:
            return None
        if transformation["type"] != "string-format" or "format" not in transformation:
            self.faults.append(ContractFault(place, "only string-format, with a format, is served"))
            return None
        try:
            return Template.parse(transformation["format"])
        except ValueError as error:
            self.faults.append(ContractFault(f"{place}/format", str(error)))
            return _NO_TEMPLATE

    def _key_template(self, attributes: Mapping[str, Attribute], key: str, place: str) -> Template:
        attribute = attributes.get(key)
        if attribute is None:
            self.faults.append(ContractFault(f"{place}/attributes", f"the key attribute {key} is missing"))
        elif attribute.type != "S":
            self.faults.append(ContractFault(f"{attribute.place}/type", "a key attribute must be S"))
        elif attribute.template is None:
            self.faults.append(ContractFault(attribute.place, "a key attribute needs a transformation string-format"))
        else:
            return attribute.template
        return _NO_TEMPLATE

    def _require_equal(self, place: str, stated: str, template: Template | None) -> None:
        if template is None:
            self.faults.append(ContractFault(place, "the table has no sort key"))
        elif template is not _NO_TEMPLATE and template.text != stated:
            self.faults.append(ContractFault(place, f"is not the format of the key attribute, {template.text!r}"))

    def _refuse_repeated(self, named: Iterable[tuple[str, str]]) -> None:
        """Add a fault for each name that an earlier one of the (place, name) pairs has."""
        seen: set[str] = set()
        for place, name in named:
            if name in seen:
                self.faults.append(ContractFault(place, f"{name} is there twice"))
            seen.add(name)


_NO_TEMPLATE: Final = Template.parse("")
"""Stands in for a template that has a fault, so that the rest can be looked at."""


def _index(raw: RawIndex) -> Index:
    return Index(
        name=raw["index_name"],
        partition_key=raw["pk"],
        sort_key=raw.get("sk"),
        projection=raw.get("projection", "ALL"),
        projected_attributes=tuple(raw.get("projected_attributes", [])),
    )


def _source(raw: RawAttribute) -> str:
    """Where a value comes from, in one line: `users.email`, `COUNT(products.id)`, `order_items[id, quantity]`."""
    if calculation := raw.get("calculation"):
        return f"{calculation.get('operation', calculation['type'])}({calculation.get('select_column', '')})"
    if join := raw.get("join"):
        return _joined(join)
    column = raw["source_column"]
    return f"{raw['source_table']}.{column if isinstance(column, str) else '+'.join(column)}"


def _joined(join: RawJoin) -> str:
    if construction := join.get("construction"):
        columns = construction["select_columns"].items()
        named = ", ".join(name if name == column else f"{name}={column}" for name, column in columns)
        return join.get("target_table", "") + (f"[{named}]" if construction["type"] == "array" else f"{{{named}}}")
    if parts := join.get("joins"):
        columns_text = ", ".join(part["select_column"] for part in parts)
        return f"{columns_text} joined by {join.get('chain_separator', '')!r}"
    return join.get("select_column", join["type"])


def _index_faults(table: Table, place: str) -> Iterator[ContractFault]:
    """Key attributes of indexes that no item has, or that are no strings."""
    for number, index in enumerate(table.indexes):
        for member, name in zip(("pk", "sk"), index.key_attributes, strict=False):
            found = [entity.attributes[name] for entity in table.entities if name in entity.attributes]
            if not found:
                yield ContractFault(f"{place}/gsis/{number}/{member}", f"no entity has the attribute {name}")
            for attribute in found:
                if attribute.type != "S":
                    yield ContractFault(f"{attribute.place}/type", f"a key attribute of {index.name} must be S")


def _ambiguities(table: Table) -> Iterator[ContractFault]:
    """Pairs of entities whose keys cannot be told apart by what they begin with."""
    for one, other in combinations(table.entities, 2):
        if _may_meet(one.partition, other.partition) and _may_meet(one.sort, other.sort):
            yield ContractFault(other.place, f"its keys cannot be told from those of {one.name}")


def _may_meet(one: Template | None, other: Template | None) -> bool:
    if one is _NO_TEMPLATE or other is _NO_TEMPLATE:
        return False
    first, second = (template.prefix if template else "" for template in (one, other))
    return first.startswith(second) or second.startswith(first)
