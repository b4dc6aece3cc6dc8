"""The format of a migration contract: its JSON, and whether a file is written in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Final, NotRequired, TypedDict, cast

from jsonschema import Draft7Validator, ValidationError

SCHEMA_FILE: Final = Path(__file__).with_name("contract_schema.json")
_MESSAGE_WIDTH: Final = 200


@dataclass(frozen=True, slots=True)
class ContractFault:
    """One thing wrong in a contract: its place, as a JSON pointer, and what is wrong there."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place or '/'}: {self.message}"


class ContractError(Exception):
    """A contract that cannot be served by; `faults` are all that were found."""

    def __init__(self, faults: Sequence[ContractFault]) -> None:
        super().__init__("\n".join(["the contract has faults:", *(f"  {fault}" for fault in faults)]))
        self.faults = tuple(faults)


class RawConstruction(TypedDict):
    """The `construction` of a json-construction."""

    type: str
    select_columns: dict[str, str]


class RawChainPart(TypedDict):
    """One join of a chain."""

    select_column: str


class RawJoin(TypedDict):
    """A join; what it has besides `type` depends on that."""

    type: str
    target_table: NotRequired[str]
    select_column: NotRequired[str]
    chain_separator: NotRequired[str]
    joins: NotRequired[list[RawChainPart]]
    construction: NotRequired[RawConstruction]


class RawCalculation(TypedDict):
    """A calculation; only aggregates have the two optional members."""

    type: str
    operation: NotRequired[str]
    select_column: NotRequired[str]


class RawTransformation(TypedDict):
    """A transformation."""

    type: str
    format: NotRequired[str]


class RawAttribute(TypedDict):
    """An attribute of an item and where its value comes from."""

    name: str
    type: str
    source_table: str
    source_column: str | list[str]
    join: NotRequired[RawJoin]
    calculation: NotRequired[RawCalculation]
    transformation: NotRequired[RawTransformation]


class RawEntity(TypedDict):
    """An entity of a multi-entity table."""

    entity_type: str
    pk_template: str
    sk_template: str
    attributes: list[RawAttribute]


class RawIndex(TypedDict):
    """A global secondary index."""

    index_name: str
    pk: str
    sk: NotRequired[str | None]
    projection: NotRequired[str]
    projected_attributes: NotRequired[list[str]]


class RawTable(TypedDict):
    """A table: `attributes` where it is single-entity, else `entities`."""

    table: str
    type: str
    pk: str
    sk: NotRequired[str | None]
    gsis: NotRequired[list[RawIndex]]
    entities: NotRequired[list[RawEntity]]
    attributes: NotRequired[list[RawAttribute]]
    ttl_attribute: NotRequired[str]


class RawContract(TypedDict):
    """The whole document."""

    tables: list[RawTable]


def read_document(path: Path) -> RawContract:
    """The document in a file. Raises ContractError when it cannot be read, is no JSON or not in the format."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ContractError([ContractFault(str(path), f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:
        raise ContractError([ContractFault(str(path), f"is not JSON: {error}")]) from error
    if faults := [_fault_of(error) for error in _validator().iter_errors(document)]:
        raise ContractError(sorted(faults, key=str))
    return cast("RawContract", document)


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA_FILE.read_bytes()))


def _fault_of(error: ValidationError) -> ContractFault:
    place = "".join(f"/{part}" for part in error.absolute_path)
    return ContractFault(place, shorten(error.message, _MESSAGE_WIDTH))
