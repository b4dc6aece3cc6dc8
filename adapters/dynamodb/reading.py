"""Consistent reads for one call: items by key, items of a range, items together as of one moment.

None but `together` is atomic with a transaction that is under way: others may see one of its items old, another new.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient, found_item, found_items
from adapters.dynamodb.expressions import within
from adapters.dynamodb.keys import Key, Keys, Range
from adapters.dynamodb.typed_json import Attributes, read_text

TOGETHER_MAX: Final = 100
"""Items that one transaction reads."""

T = TypeVar("T")
Place = Attributes | None
"""Where a page begins; None for the first one, and behind the last."""
Page = tuple[Sequence[Attributes], Place]
"""Items, and where the next page begins."""


class ItemReader:
    """Reads under a call's deadline, in the name of its operation. Raises Unavailable, DeadlineExceeded."""

    def __init__(self, client: DynamoDBClient, keys: Keys, *, deadline: Deadline, operation: str) -> None:
        self.keys = keys
        self.deadline = deadline
        self._client = client
        self._operation = operation

    async def one(self, key: Key) -> Attributes | None:
        """The item under a key. One request; none for a text that weighs nothing, which is the key of no item."""
        typed = self.keys.typed(key)
        if not all(part["S"] for part in typed.values()):
            return None
        payload = {"TableName": self._client.table_name(key.table), "Key": typed, "ConsistentRead": True}
        response = await self._client.request("GetItem", payload, deadline=self.deadline, operation=self._operation)
        return found_item(response)

    async def many(self, keys: Iterable[Key]) -> Mapping[Key, Attributes]:
        """The items under keys; missing ones are left out. A request for each hundred, one after another."""
        wanted: dict[str, dict[tuple[str, str], Key]] = {}
        for key in keys:
            wanted.setdefault(key.table, {})[key.partition, key.sort] = key
        if not wanted:
            return {}
        named = {
            self._client.table_name(table): [self.keys.typed(key) for key in those.values()]
            for table, those in wanted.items()
        }
        found = await self._client.batch_get(named, deadline=self.deadline, operation=self._operation)
        return {
            those[self._place(table, item)]: item
            for table, those in wanted.items()
            for item in found[self._client.table_name(table)]
        }

    async def together(self, keys: Sequence[Key]) -> list[Attributes | None]:
        """The items under keys as of one moment, in the order of the keys; None for one that is not there.

        At most TOGETHER_MAX keys, all different; one request, repeated while a write to any of them is under way.
        """
        gets = [{"Get": {"TableName": self._client.table_name(key.table), "Key": self.keys.typed(key)}} for key in keys]
        response = await self._client.request(
            "TransactGetItems", {"TransactItems": gets}, deadline=self.deadline, operation=self._operation
        )
        return [found_item(each) for each in response["Responses"]]

    async def page(
        self, place: Range, start: Place = None, *, is_descending: bool = False, items_max: int | None = None
    ) -> Page:
        """At most `items_max` items, and a megabyte, of a range by sort key, from a place on."""
        query = within(self.keys.names(place.table), place.partition, place.sort_prefix)
        limit = {} if items_max is None else {"Limit": items_max}
        return await self._page("Query", place.table, start, {"ScanIndexForward": not is_descending, **query, **limit})

    async def all_of(self, place: Range) -> list[Attributes]:
        """All items of a range, by sort key."""
        found, start = await self.page(place)
        items = list(found)
        while start is not None:
            found, start = await self.page(place, start)
            items += found
        return items

    async def scan_page(self, table: str, start: Place) -> Page:
        """A page of a whole table from a place on."""
        return await self._page("Scan", table, start, {})

    def key_of(self, table: str, item: Attributes) -> Key:
        """The key that an item lies under."""
        return Key(table, *self._place(table, item))

    def _place(self, table: str, item: Attributes) -> tuple[str, str]:
        """The texts of a key, the second empty where the table has one part alone."""
        partition, *sort = self.keys.names(table)
        return read_text(item, partition), read_text(item, sort[0]) if sort else ""

    async def _page(self, action: str, table: str, start: Place, parameters: Mapping[str, object]) -> Page:
        payload = {
            "TableName": self._client.table_name(table),
            "ConsistentRead": True,
            **parameters,
            **({} if start is None else {"ExclusiveStartKey": start}),
        }
        response = await self._client.request(action, payload, deadline=self.deadline, operation=self._operation)
        return found_items(response), response.get("LastEvaluatedKey")


async def side_by_side(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, in their order. The first error is raised once the others have been cancelled."""
    try:
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(work) for work in works]
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    return [task.result() for task in started]
