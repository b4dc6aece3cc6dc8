"""The shop's rows as items: what every row looks like in every table, and the way back. Pure.

image -> ItemMapper.items_of -> items        attributes -> user_from, product_from, ... -> records
                                             key and attributes -> ItemMapper.ref_of -> the row's name
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, cast

from adapters.changes import (
    Aggregate,
    CartImage,
    CategoryImage,
    Image,
    OrderImage,
    ProductImage,
    Ref,
    UserImage,
)
from adapters.dynamodb.contract import Contract
from adapters.dynamodb.shapes import (
    ADMIN,
    CART,
    CATEGORY,
    ORDER,
    ORDER_BY_ID,
    ORDER_BY_STATUS,
    PRODUCT,
    TREE_NODE,
    USER,
    USER_BY_ID,
    USER_BY_NAME,
    ImageT,
    Shape,
    Value,
)
from adapters.dynamodb.templates import NullField, Template
from adapters.dynamodb.typed_json import (
    Attributes,
    AttributeValue,
    number_value,
    read_count,
    read_flag,
    read_id,
    read_map,
    read_maps,
    read_money,
    read_optional_id,
    read_optional_text,
    read_text,
    read_time,
    text_value,
)
from adapters.records import CartItem, Category, Order, OrderItem, Product, User
from adapters.values import parse_time

_Encoder = Callable[[object], AttributeValue]
_ENCODERS: Final = cast(
    "Mapping[str, _Encoder]",
    {
        "S": text_value,
        "N": number_value,
        "BOOL": lambda value: {"BOOL": value},
        "M": lambda value: {"M": value},
        "L": lambda value: {"L": value},
    },
)


class UnmappableRow(ValueError):
    """A row that cannot have its items: `column` is NULL, or empty as a key, and a key is made of it."""

    def __init__(self, ref: Ref, column: str, cause: str) -> None:
        super().__init__(f"{ref.kind} {ref.id}: {column} {cause}, and a key is made of it")
        self.ref = ref
        self.column = column


@dataclass(frozen=True, slots=True)
class Item:
    """One item, complete, as it is put.

    `table` is the contract's name, without prefix. `owner` None: the item is written unconditionally; else it carries
    the attribute `owner`, the aggregate that must own whatever lies under the key. `is_pointer`: the item only says
    where another lies, so it changes with that one's key alone. `attributes` has the keys; a NULL is absent.
    """

    table: str
    partition: str
    sort: str
    ref: Ref
    owner: Aggregate | None
    is_pointer: bool
    attributes: Attributes


class ItemMapper:
    """Makes items by a contract that `agreement.check_mapping` found to agree with this code."""

    def __init__(self, contract: Contract) -> None:
        self._user = _Maker(USER, contract)
        self._user_copies = (_Maker(USER_BY_ID, contract), _Maker(USER_BY_NAME, contract))
        self._admin = _Maker(ADMIN, contract)
        self._cart = _Maker(CART, contract)
        self._orders = (_Maker(ORDER, contract), _Maker(ORDER_BY_ID, contract), _Maker(ORDER_BY_STATUS, contract))
        self._product = _Maker(PRODUCT, contract)
        self._categories = (_Maker(CATEGORY, contract), _Maker(TREE_NODE, contract))
        self._readers: dict[str, list[_RefReader]] = defaultdict(list)
        users = (self._user, *self._user_copies, self._admin)
        for maker in (*users, self._cart, *self._orders, self._product, *self._categories):
            self._readers[maker.table].append(maker.ref_of)

    def items_of(self, image: Image) -> tuple[Item, ...]:
        """All items that show a row, the one in the shop's own table first.

        Raises UnmappableRow for a row that DynamoDB cannot hold.
        """
        match image:
            case UserImage():
                copies = (*self._user_copies, self._admin) if image.user.super_admin else self._user_copies
                return (self._user.item(image), *(maker.item(image) for maker in copies))
            case CartImage():
                return (self._cart.item(image),)
            case OrderImage():
                return tuple(maker.item(image) for maker in self._orders)
            case ProductImage():
                return (self._product.item(image),)
            case CategoryImage():
                return tuple(maker.item(image) for maker in self._categories)

    def ref_of(self, table: str, partition: str, sort: str, attributes: Attributes) -> Ref | None:
        """The row that an item shows; None where it shows none (a log entry, the control state, a fence).

        Where key and attributes contradict each other, the key is right.
        """
        for reader in self._readers[table]:
            if (ref := reader(partition, sort, attributes)) is not None:
                return ref
        return None


_RefReader = Callable[[str, str, Attributes], Ref | None]


class _Maker(Generic[ImageT]):
    """A shape and the contract's entity, put together once."""

    def __init__(self, shape: Shape[ImageT], contract: Contract) -> None:
        entity = contract.entities[shape.entity]
        self.table = shape.table
        self._shape: Shape[ImageT] = shape
        self._keys = contract.tables[self.table].key_attributes
        self._templates = [(name, cast("Template", entity.attributes[name].template)) for name in shape.templates]
        self._columns: list[tuple[str, _Encoder, Callable[[ImageT], Value]]] = [
            (column.name, _ENCODERS[column.type], column.value) for column in shape.columns
        ]
        self._partition = entity.partition
        self._sort = cast("Template", entity.sort)

    def item(self, image: ImageT) -> Item:
        """The item of this entity that shows a row. Raises UnmappableRow."""
        fields = self._shape.fields(image)
        attributes: dict[str, AttributeValue] = {}
        for name, template in self._templates:
            try:
                key = template.render(fields)
            except NullField as error:
                raise UnmappableRow(image.ref, error.field, "is NULL") from error
            if not key:
                raise UnmappableRow(image.ref, template.fields[0], "is empty as a key")
            attributes[name] = {"S": key}
        for name, encode, value_of in self._columns:
            if (value := value_of(image)) is not None:
                attributes[name] = encode(value)
        partition, sort = (read_text(attributes, name) for name in self._keys)
        owner = image.owner if self._shape.is_owned else None
        return Item(self.table, partition, sort, image.ref, owner, self._shape.is_pointer, attributes)

    def ref_of(self, partition: str, sort: str, attributes: Attributes) -> Ref | None:
        """The row that an item shows; None when its key is not of this entity, or the item not whole."""
        by_partition, by_sort = self._partition.match(partition), self._sort.match(sort)
        if by_partition is None or by_sort is None:
            return None
        strings = {name: cast("str", value["S"]) for name, value in attributes.items() if "S" in value}
        try:
            return self._shape.ref({**strings, **by_partition, **by_sort})
        except (KeyError, ValueError):
            return None


def user_from(attributes: Attributes) -> User:
    """The user in a `#META` item or in one of its copies."""
    profile = read_map(attributes, "profile_data")
    return User(
        id=read_id(attributes, "id"),
        username=read_text(attributes, "username"),
        email=read_text(attributes, "email"),
        password_hash=read_text(attributes, "password_hash"),
        first_name=read_optional_text(profile, "first_name"),
        last_name=read_optional_text(profile, "last_name"),
        is_seller=read_flag(attributes, "is_seller"),
        super_admin=read_flag(attributes, "super_admin"),
        created_at=read_time(attributes, "created_at"),
        updated_at=read_time(attributes, "updated_at"),
    )


def product_from(attributes: Attributes) -> Product:
    """The product in its item; its id is the partition key.

    Lists make one for each product that they show, so it does by itself what the readers of `typed_json` do.
    """
    values = cast("Mapping[str, Mapping[str, str]]", attributes)
    created_at, updated_at = values.get("created_at"), values.get("updated_at")
    return Product(
        id=int(values["PK"]["S"]),
        seller_id=int(values["seller_id"]["S"]),
        category_id=int(values["category_id"]["S"]),
        name=values["product_name"]["S"],
        description=values["description"]["S"] if "description" in values else None,
        price=read_money(attributes, "price"),
        inventory_quantity=int(values["inventory_quantity"]["N"]),
        image_url=values["image_url"]["S"] if "image_url" in values else None,
        created_at=None if created_at is None else parse_time(created_at["S"]),
        updated_at=None if updated_at is None else parse_time(updated_at["S"]),
    )


def category_from(attributes: Attributes) -> Category:
    """The category in a tree item or a base item."""
    return Category(
        id=read_id(attributes, "category_id"),
        name=read_text(attributes, "category_name"),
        parent_id=read_optional_id(attributes, "parent_id"),
        created_at=read_time(attributes, "created_at"),
    )


def cart_item_from(attributes: Attributes) -> CartItem:
    """The line of a cart in its item."""
    return CartItem(
        id=read_id(attributes, "id"),
        user_id=read_id(attributes, "user_id"),
        product_id=read_id(attributes, "product_id"),
        quantity=read_count(attributes, "quantity"),
        created_at=read_time(attributes, "created_at"),
        updated_at=read_time(attributes, "updated_at"),
    )


def order_from(attributes: Attributes) -> tuple[Order, tuple[OrderItem, ...]]:
    """The order in its item, and its own items by id."""
    order = Order(
        id=read_id(attributes, "order_id"),
        user_id=read_id(attributes, "user_id"),
        total_amount=read_money(attributes, "total_amount"),
        status=read_text(attributes, "order_status"),
        created_at=read_time(attributes, "created_at"),
        updated_at=read_time(attributes, "updated_at"),
    )
    items = tuple(
        OrderItem(
            id=read_id(line, "id"),
            order_id=order.id,
            product_id=read_id(line, "product_id"),
            quantity=read_count(line, "quantity"),
            price_at_time=read_money(line, "price_at_time"),
        )
        for line in read_maps(attributes, "order_items")
    )
    return order, items
