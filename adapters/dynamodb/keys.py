"""Where things lie: keys and ranges of keys by what a caller knows, rendered from the contract's templates.

A key form can be empty (a text of ignorable characters, or none): no item has such a key, and DynamoDB refuses to look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from adapters.changes import Aggregate
from adapters.dynamodb.contract import Contract
from adapters.dynamodb.templates import FieldValue, Template
from adapters.dynamodb.typed_json import Attributes


@dataclass(frozen=True, slots=True)
class Key:
    """The key of one item; `sort` is empty in a table without sort key."""

    table: str
    partition: str
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """All items of a partition whose sort keys begin with a prefix, which may be empty."""

    table: str
    partition: str
    sort_prefix: str


class Keys:
    """The keys of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def typed(self, key: Key) -> Attributes:
        """A key in typed JSON, under the names that the table gives its parts."""
        names = self._contract.tables[key.table].key_attributes
        return {name: {"S": text} for name, text in zip(names, (key.partition, key.sort), strict=False)}

    def names(self, table: str) -> tuple[str, ...]:
        """The names of a table's key attributes, partition key first."""
        return self._contract.tables[table].key_attributes

    def user(self, email: str) -> Key:
        """A user's own item."""
        return self._key("Users.USER", {"email": email})

    def user_by_id(self, user_id: int) -> Key:
        """The copy of a user under the id."""
        return self._key("Support.UID", {"id": user_id})

    def user_by_name(self, username: str) -> Key:
        """The copy of a user under the username."""
        return self._key("Support.UNAME", {"username": username})

    def admins(self) -> Range:
        """The copies of all super admins, by id."""
        return self._range("Support.ADMIN", {})

    def cart_item(self, *, email: str, product_id: int) -> Key:
        """A line of a user's cart."""
        return self._key("Users.CART", {"user_email": email, "product_id": product_id})

    def cart(self, email: str) -> Range:
        """A user's cart."""
        return self._range("Users.CART", {"user_email": email})

    def orders(self, email: str) -> Range:
        """A user's orders, by time and id."""
        return self._range("Users.ORDER", {"user_email": email})

    def order_by_id(self, order_id: int) -> Key:
        """The pointer to an order under the id."""
        return self._key("Support.OID", {"order_id": order_id})

    def orders_by_status(self, status: str) -> tuple[Range, ...]:
        """The pointers to the orders of a status: each range is by time and id, the id decides which range."""
        shards = self._contract.entities["Support.STATUS"].partition.modulus
        return tuple(self._range("Support.STATUS", {"status": status, "order_id": shard}) for shard in range(shards))

    def product(self, product_id: int) -> Key:
        """A product."""
        return self._key("Products", {"id": product_id})

    def category(self, *, parent_name: str | None, name: str) -> Key:
        """A category under its parent's name, None for a root."""
        return self._key("Categories", {"parent_name": parent_name, "category_name": name})

    def tree(self) -> Range:
        """The four fields of all categories, by id."""
        return self._range("Support.TREE", {})

    def log_entry(self, version: int) -> Key:
        """What a version of the listing changed."""
        return self._key("Support.LOG", {"v": version})

    def log(self) -> Range:
        """What each version of the listing changed, by version."""
        return self._range("Support.LOG", {})

    def control(self) -> Key:
        """The mirror of the control state."""
        return self._key("Support.CONTROL", {})

    def fence(self, aggregate: Aggregate) -> Key:
        """The fence of an aggregate."""
        return self._key("Fence", {"kind": aggregate.kind.name.lower(), "id": aggregate.id})

    def _key(self, entity_name: str, fields: Mapping[str, FieldValue]) -> Key:
        entity = self._contract.entities[entity_name]
        sort = entity.sort.render(fields) if entity.sort else ""
        return Key(_table_of(entity_name), entity.partition.render(fields), sort)

    def _range(self, entity_name: str, fields: Mapping[str, FieldValue]) -> Range:
        entity = self._contract.entities[entity_name]
        sort = cast("Template", entity.sort)
        return Range(_table_of(entity_name), entity.partition.render(fields), sort.prefix)


def _table_of(entity_name: str) -> str:
    return entity_name.partition(".")[0]
