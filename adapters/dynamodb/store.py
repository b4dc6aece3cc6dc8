"""The shop in DynamoDB as the proxy uses it: the reads that there are, by entity."""

from collections.abc import Mapping
from typing import Any

from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient
from adapters.dynamodb.keys import Keys
from adapters.dynamodb.user import UserReads
from adapters.operations import Operation
from adapters.ports.store import Arguments

READERS: Mapping[str, type[Any]] = {"user": UserReads}
"""Entity to the class that reads it."""


class DynamoDBStore:
    """See Reader."""

    def __init__(self, client: DynamoDBClient, *, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def supports(self, operation: Operation) -> bool:
        """Whether this read can be asked of DynamoDB."""
        return operation.entity in READERS

    async def read(self, operation: Operation, arguments: Arguments, deadline: Deadline) -> object:
        """See Reader."""
        reader = READERS[operation.entity](self._client, self._keys, deadline)
        return await getattr(reader, operation.name)(**arguments)

    async def ping(self, deadline: Deadline) -> None:
        """Prove that the service answers; raises Unavailable or DeadlineExceeded."""
        table = self._client.table_name(self._keys.control().table)
        await self._client.request("DescribeTable", {"TableName": table}, deadline=deadline)
