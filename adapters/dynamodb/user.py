"""The reads of users from DynamoDB: base items by key, consistently; no index decides."""

from adapters.collation import sort_form
from adapters.dynamodb.caches import Caches
from adapters.dynamodb.items import user_from
from adapters.dynamodb.keys import Key
from adapters.dynamodb.reading import ItemReader
from adapters.records import User


class UserReads:
    """The reads of UserRepository, for one call."""

    def __init__(self, items: ItemReader, _caches: Caches) -> None:
        self._items = items
        self._keys = items.keys

    async def find_by_id(self, *, id: int) -> User | None:  # noqa: A002  # the wire's name
        """See UserRepository."""
        return await self._find(self._keys.user_by_id(id))

    async def find_by_username(self, *, username: str) -> User | None:
        """See UserRepository."""
        return await self._find(self._keys.user_by_name(username))

    async def find_by_email(self, *, email: str) -> User | None:
        """See UserRepository."""
        return await self._find(self._keys.user(email))

    async def exists_by_username(self, *, username: str) -> bool:
        """See UserRepository."""
        return await self._find(self._keys.user_by_name(username)) is not None

    async def exists_by_email(self, *, email: str) -> bool:
        """See UserRepository."""
        return await self._find(self._keys.user(email)) is not None

    async def find_all_super_admins(self) -> list[User]:
        """See UserRepository."""
        found = await self._items.all_of(self._keys.admins())
        return sorted(map(user_from, found), key=lambda user: (sort_form(user.username), user.id))

    async def _find(self, key: Key) -> User | None:
        item = await self._items.one(key)
        return None if item is None else user_from(item)
