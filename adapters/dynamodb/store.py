"""The shop in DynamoDB as the proxy uses it: every read, and the caches of a worker."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.deadline import Deadline
from adapters.dynamodb.caches import Caches, listing_bytes
from adapters.dynamodb.cart import CartReads
from adapters.dynamodb.category import CategoryReads
from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.order import OrderReads
from adapters.dynamodb.product import ProductReads
from adapters.dynamodb.reading import ItemReader
from adapters.dynamodb.user import UserReads
from adapters.errors import Unreadable
from adapters.operations import Operation
from adapters.ports.store import Arguments

READERS: Mapping[str, type[Any]] = {
    "user": UserReads,
    "product": ProductReads,
    "order": OrderReads,
    "category": CategoryReads,
    "cart": CartReads,
}
"""Entity to the class that reads it."""
WARMING: Final = "warming"
MEASURING: Final = "measuring"
"""What the observer of requests is told that they serve when no call is behind them."""


class DynamoDBStore:
    """See Reader."""

    def __init__(self, client: DynamoDBClient, *, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self.caches = Caches(keys)

    def supports(self, operation: Operation) -> bool:
        """Whether this read can be asked of DynamoDB."""
        return operation.entity in READERS

    async def read(self, operation: Operation, arguments: Arguments, deadline: Deadline) -> object:
        """See Reader. Raises Unreadable for an item that lacks what its record needs."""
        items = ItemReader(self._client, self._keys, deadline=deadline, operation=operation.full_name)
        reader = READERS[operation.entity](items, self.caches)
        try:
            return await getattr(reader, operation.name)(**arguments)
        except (KeyError, ValueError) as error:
            raise Unreadable(f"{operation.full_name} met an item that is not as the contract says") from error

    async def warm(self, deadline: Deadline) -> None:
        """Bring the caches up before a call needs them; a deadline that cuts it short loses nothing."""
        items = ItemReader(self._client, self._keys, deadline=deadline, operation=WARMING)
        await self.caches.warm(items)

    @property
    def kept_bytes(self) -> int:
        """About what the listing that this worker keeps takes in memory; 0 before it is needed."""
        kept = self.caches.listing.kept
        return 0 if kept is None else kept.value.size_bytes

    async def needed_bytes(self, deadline: Deadline, *, enough_bytes: int) -> int:
        """About what the listing would take in a worker, found by a Scan that stops once it is above `enough_bytes`."""
        items = ItemReader(self._client, self._keys, deadline=deadline, operation=MEASURING)
        return await listing_bytes(items, enough_bytes=enough_bytes)

    async def ping(self, deadline: Deadline) -> None:
        """Prove that the service answers; raises Unavailable or DeadlineExceeded."""
        table = self._client.table_name(self._keys.control().table)
        await self._client.request("DescribeTable", {"TableName": table}, deadline=deadline)
