"""Whether contract and mapping code agree: checked once at start, both ways, every disagreement with its place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.dynamodb.contract import Attribute, Contract, Entity, Table
from adapters.dynamodb.contract_format import ContractError, ContractFault
from adapters.dynamodb.own_items import EXPIRY, OWN_ATTRIBUTES, OWN_TEMPLATES
from adapters.dynamodb.shapes import ORDER, ORDER_BY_ID, ORDER_BY_STATUS, ORDER_PARTITION, ORDER_SORT, SHAPES

Faults = Iterator[ContractFault]


@dataclass(frozen=True, slots=True)
class _Expected:
    """What the code makes of an attribute; `source` and `template` None are not compared, or must not be there."""

    type: str
    source: str | None = None
    template: str | None = None


def check_mapping(contract: Contract) -> None:
    """Raise ContractError where tables, keys, formats, attributes, types or sources are not as the code makes them."""
    faults = [*_table_faults(contract), *_expiry_faults(contract), *_pointer_faults(contract)]
    for name, expected in _EXPECTED.items():
        if name in contract.entities:
            faults += _attribute_faults(contract.entities[name], expected)
    if faults:
        raise ContractError(faults)


def _expected_entities() -> dict[str, dict[str, _Expected]]:
    entities = {
        shape.entity: {
            **{name: _Expected("S", template=pattern) for name, pattern in shape.templates.items()},
            **{column.name: _Expected(column.type, source=column.source) for column in shape.columns},
        }
        for shape in SHAPES
    }
    for name, types in OWN_ATTRIBUTES.items():
        keys = {key: _Expected("S", template=pattern) for key, pattern in OWN_TEMPLATES[name].items()}
        entities[name] = {**keys, **{attribute: _Expected(kind) for attribute, kind in types.items()}}
    return entities


_EXPECTED: Final[Mapping[str, Mapping[str, _Expected]]] = _expected_entities()
_EXPECTED_KEYS: Final = {
    name.partition(".")[0]: tuple(key for key in ("PK", "SK") if key in attributes)
    for name, attributes in _EXPECTED.items()
}


def _table_faults(contract: Contract) -> Faults:
    for name, keys in _EXPECTED_KEYS.items():
        if name not in contract.tables:
            yield ContractFault("/tables", f"the table {name} is missing")
        elif contract.tables[name].key_attributes != keys:
            yield ContractFault(contract.tables[name].place, f"the key attributes must be {' and '.join(keys)}")
    for table in contract.tables.values():
        if table.name not in _EXPECTED_KEYS:
            yield ContractFault(table.place, f"no code fills the table {table.name}")
        else:
            yield from _entity_faults(table)


def _entity_faults(table: Table) -> Faults:
    found = {entity.name: entity for entity in table.entities}
    wanted = [name for name in _EXPECTED if name.partition(".")[0] == table.name]
    for name in wanted:
        if name not in found:
            yield ContractFault(table.place, f"the entity {name} is missing")
    for name, entity in found.items():
        if name not in wanted:
            yield ContractFault(entity.place, f"no code makes the entity {name}")


def _attribute_faults(entity: Entity, expected: Mapping[str, _Expected]) -> Faults:
    for name in expected:
        if name not in entity.attributes:
            yield ContractFault(f"{entity.place}/attributes", f"the attribute {name} is missing")
    for name, attribute in entity.attributes.items():
        if name not in expected:
            yield ContractFault(attribute.place, f"no code gives the attribute {name} a value")
        else:
            yield from _differences(attribute, expected[name])


def _differences(attribute: Attribute, expected: _Expected) -> Faults:
    name, template = attribute.name, attribute.template
    if attribute.type != expected.type:
        yield ContractFault(f"{attribute.place}/type", f"{name} must be {expected.type}")
    if expected.source not in (None, attribute.source):
        message = f"{name} must come from {expected.source}, and comes from {attribute.source}"
        yield ContractFault(attribute.place, message)
    at = f"{attribute.place}/transformation"
    if expected.template is None:
        if template is not None:
            yield ContractFault(at, f"{name} is written as it stands")
    elif template is None or not _is_made_of(template.text, expected.template):
        yield ContractFault(at, f"the format of {name} must be {expected.template!r}, * being any text")


def _is_made_of(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^{}]+"), text) is not None


def _expiry_faults(contract: Contract) -> Faults:
    for table in contract.tables.values():
        expected = EXPIRY.get(table.name)
        if table.ttl_attribute != expected:
            message = "must not be there" if expected is None else f"must be {expected}"
            yield ContractFault(f"{table.place}/ttl_attribute", message)


def _pointer_faults(contract: Contract) -> Faults:
    """Pointers that would not lead to the order, their formats being other than those of its key."""
    order = contract.entities.get(ORDER.entity)
    for shape in (ORDER_BY_ID, ORDER_BY_STATUS):
        pointer = contract.entities.get(shape.entity)
        if order is None or order.sort is None or pointer is None:
            continue
        for name, key in ((ORDER_PARTITION, order.partition), (ORDER_SORT, order.sort)):
            attribute = pointer.attributes.get(name)
            if attribute and attribute.template and attribute.template.text != key.text:
                at = f"{attribute.place}/transformation/format"
                yield ContractFault(at, f"{name} must be the key of the order, {key.text!r}")
