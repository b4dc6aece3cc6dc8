"""The reads of users from DynamoDB: base items by key, consistently; no index decides."""

from adapters.collation import sort_form
from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient, found_item
from adapters.dynamodb.expressions import within
from adapters.dynamodb.items import user_from
from adapters.dynamodb.keys import Key, Keys
from adapters.records import User


class UserReads:
    """The reads of UserRepository, for one call."""

    def __init__(self, client: DynamoDBClient, keys: Keys, deadline: Deadline) -> None:
        self._client = client
        self._keys = keys
        self._deadline = deadline

    async def find_by_id(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        """See UserRepository."""
        return await self._find(self._keys.user_by_id(id), "user.find_by_id")

    async def find_by_username(self, *, username: str) -> User | None:
        """See UserRepository."""
        return await self._find(self._keys.user_by_name(username), "user.find_by_username")

    async def find_by_email(self, *, email: str) -> User | None:
        """See UserRepository."""
        return await self._find(self._keys.user(email), "user.find_by_email")

    async def exists_by_username(self, *, username: str) -> bool:
        """See UserRepository."""
        return await self._find(self._keys.user_by_name(username), "user.exists_by_username") is not None

    async def exists_by_email(self, *, email: str) -> bool:
        """See UserRepository."""
        return await self._find(self._keys.user(email), "user.exists_by_email") is not None

    async def find_all_super_admins(self) -> list[User]:
        """See UserRepository."""
        admins = self._keys.admins()
        payload = {
            "TableName": self._client.table_name(admins.table),
            "ConsistentRead": True,
            **within(self._keys.names(admins.table), admins.partition, admins.sort_prefix),
        }
        operation = "user.find_all_super_admins"
        pages = self._client.pages("Query", payload, deadline=self._deadline, operation=operation)
        found = [user_from(item) async for page in pages for item in page]
        return sorted(found, key=lambda user: (sort_form(user.username), user.id))

    async def _find(self, key: Key, operation: str) -> User | None:
        typed = self._keys.typed(key)
        if not all(part["S"] for part in typed.values()):
            return None  # A text that weighs nothing is the key of no item.
        payload = {"TableName": self._client.table_name(key.table), "Key": typed, "ConsistentRead": True}
        response = await self._client.request("GetItem", payload, deadline=self._deadline, operation=operation)
        item = found_item(response)
        return None if item is None else user_from(item)
