"""The contract's tables in the database: making them, and whether those that are there are as it says."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Protocol

from adapters.dynamodb.contract import Contract, Index, Table
from adapters.errors import Unavailable

READY_WITHIN_S: Final = 300.0
"""How long a new table, with its indexes, may take to be ready."""
_POLL_S: Final = 0.5
_READY: Final = "ACTIVE"
_USABLE: Final = (_READY, "UPDATING")
_EXPIRY_ON: Final = ("ENABLED", "ENABLING")

Response = Mapping[str, Any]


class TableClient(Protocol):
    """What is needed of the client: one request, by the service's own action name and members."""

    async def request(self, action: str, payload: Mapping[str, object]) -> Response:
        """The answer. Raises Unavailable, DeadlineExceeded."""


async def create_tables(
    client: TableClient, contract: Contract, prefix: str, *, ready_within_s: float = READY_WITHIN_S
) -> list[str]:
    """Make the tables that are not there, pay-per-request, and wait until all can be used; the names of those made.

    Tables that are there are left as they are, except that expiry is switched on where it is off: `check_tables` tells
    what is wrong with them. Safe to run twice, and by two at once. Needs the right to list the account's tables.
    Raises Unavailable, DeadlineExceeded.
    """
    there = await _table_names(client)
    missing = [table for table in contract.tables.values() if prefix + table.name not in there]
    made = [prefix + table.name for table in missing if await _create(client, prefix + table.name, table)]
    for table in contract.tables.values():
        await _wait_until_ready(client, prefix + table.name, ready_within_s)
        if table.ttl_attribute:
            await _switch_on_expiry(client, prefix + table.name, table.ttl_attribute)
    return made


async def check_tables(client: TableClient, contract: Contract, prefix: str) -> list[str]:
    """One line for each thing that is not as the contract says; more indexes than it names are no fault.

    Costs a request, and one or two a table. Raises Unavailable, DeadlineExceeded.
    """
    there = await _table_names(client)
    faults = []
    for table in contract.tables.values():
        name = prefix + table.name
        if name not in there:
            faults.append(f"table {name} is missing")
            continue
        found = (await client.request("DescribeTable", {"TableName": name}))["Table"]
        faults += [f"table {name}: {fault}" for fault in _table_faults(table, found)]
        if table.ttl_attribute:
            state, attribute = await _expiry(client, name)
            if state not in _EXPIRY_ON or attribute != table.ttl_attribute:
                faults.append(f"table {name}: items do not expire by {table.ttl_attribute}")
    return faults


async def _table_names(client: TableClient) -> set[str]:
    names: set[str] = set()
    start: dict[str, object] = {}
    while True:
        response = await client.request("ListTables", start)
        names.update(response["TableNames"])
        if "LastEvaluatedTableName" not in response:
            return names
        start = {"ExclusiveStartTableName": response["LastEvaluatedTableName"]}


async def _create(client: TableClient, name: str, table: Table) -> bool:
    """Whether it was made here; False when another made it at the same time."""
    try:
        await client.request("CreateTable", {"TableName": name, **_definition(table)})
    except Unavailable:
        if name in await _table_names(client):
            return False
        raise
    return True


async def _wait_until_ready(client: TableClient, name: str, within_s: float) -> None:
    state = "not known"
    try:
        async with asyncio.timeout(within_s):
            while True:
                state = await _state(client, name)
                if state == _READY:
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError as error:
        raise Unavailable(f"table {name} was not ready after {within_s:.0f} s, its state is {state}") from error


async def _state(client: TableClient, name: str) -> str:
    """_READY when the table and all its indexes can be used; else a state that is against it, or why none is known."""
    try:
        found = (await client.request("DescribeTable", {"TableName": name}))["Table"]
    except Unavailable as error:
        # The description of a table just made may come late.
        return str(error)
    states = [found["TableStatus"], *(index["IndexStatus"] for index in found.get("GlobalSecondaryIndexes", []))]
    return next((state for state in states if state not in _USABLE), _READY)


async def _expiry(client: TableClient, name: str) -> tuple[str, str | None]:
    """The state of a table's expiry, and the attribute it goes by."""
    found = (await client.request("DescribeTimeToLive", {"TableName": name}))["TimeToLiveDescription"]
    return found["TimeToLiveStatus"], found.get("AttributeName")


async def _switch_on_expiry(client: TableClient, name: str, attribute: str) -> None:
    state, _ = await _expiry(client, name)
    if state == "DISABLED":
        specification = {"Enabled": True, "AttributeName": attribute}
        try:
            await client.request("UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": specification})
        except Unavailable:
            # Another run may have been a moment faster, which the service takes for a mistake.
            if (await _expiry(client, name))[0] == state:
                raise


def _definition(table: Table) -> dict[str, object]:
    """What CreateTable needs besides the name; all key attributes are strings."""
    keys = dict.fromkeys((*table.key_attributes, *(key for index in table.indexes for key in index.key_attributes)))
    definition: dict[str, object] = {
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": _key_schema(table.key_attributes),
        "BillingMode": "PAY_PER_REQUEST",
    }
    if table.indexes:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.key_attributes),
                "Projection": _projection(index.projection, index.projected_attributes),
            }
            for index in table.indexes
        ]
    return definition


def _key_schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def _projection(kind: str, attributes: Collection[str]) -> dict[str, object]:
    return {"ProjectionType": kind, **({"NonKeyAttributes": sorted(attributes)} if attributes else {})}


def _table_faults(table: Table, found: Response) -> Iterator[str]:
    if found["TableStatus"] not in _USABLE:
        yield f"its status is {found['TableStatus']}"
    types = {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
    yield from _key_faults(table.key_attributes, found["KeySchema"], types)
    indexes = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", [])}
    for index in table.indexes:
        if index.name not in indexes:
            yield f"index {index.name} is missing"
        else:
            yield from (f"index {index.name}: {fault}" for fault in _index_faults(index, indexes[index.name], types))


def _index_faults(index: Index, found: Response, types: Mapping[str, str]) -> Iterator[str]:
    if found["IndexStatus"] not in _USABLE:
        yield f"its status is {found['IndexStatus']}"
    yield from _key_faults(index.key_attributes, found["KeySchema"], types)
    projection = _projection(found["Projection"]["ProjectionType"], found["Projection"].get("NonKeyAttributes", []))
    expected = _projection(index.projection, index.projected_attributes)
    if projection != expected:
        yield f"its projection is {projection}, and must be {expected}"


def _key_faults(keys: tuple[str, ...], found: list[dict[str, str]], types: Mapping[str, str]) -> Iterator[str]:
    if found != _key_schema(keys):
        yield f"its key is {' and '.join(each['AttributeName'] for each in found)}, and must be {' and '.join(keys)}"
        return
    for key in keys:
        if types[key] != "S":
            yield f"its key attribute {key} has type {types[key]}, and must have S"
