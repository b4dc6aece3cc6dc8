"""What this code puts into the items of each entity, as data: the other half of the contract.

Attribute names, types and sources stand in the contract and are repeated here for one reason: `agreement` compares the
two at start, so that neither can change alone. Templates are not repeated, only the fields they must be made of; `*` is
any text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Generic, TypeVar

from adapters.changes import Aggregate, CartImage, CategoryImage, OrderImage, ProductImage, Ref, RowKind, UserImage
from adapters.dynamodb.templates import FieldValue
from adapters.dynamodb.typed_json import Attributes, AttributeValue, number_value, optional_texts, text_value
from adapters.records import OrderItem

ImageT = TypeVar("ImageT", UserImage, CartImage, OrderImage, ProductImage, CategoryImage)
Value = str | int | bool | Decimal | datetime | Attributes | list[AttributeValue] | None

OWNER: Final = "owner"
"""The attribute that says which aggregate owns an item."""
OWNER_SOURCE: Final = "crossfade_version.kind+id"


def owner_named(text: str) -> Aggregate | None:
    """The aggregate of this name; None where there can be none, as another program may have written it."""
    try:
        return Aggregate.parse(text)
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Column(Generic[ImageT]):
    """An attribute: its name, type and source as in the contract, and its value, None where it is to be absent."""

    name: str
    type: str
    source: str
    value: Callable[[ImageT], Value]


@dataclass(frozen=True, slots=True)
class Shape(Generic[ImageT]):
    """The items of one entity of the contract.

    `templates`: the rendered attributes, keys first, with the fields that each must be made of. `fields`: those fields'
    values. `columns`: all other attributes. `ref`: the row, from the fields of the key and the strings of the item, the
    key's word first. A pointer only says where another item lies.
    """

    entity: str
    templates: Mapping[str, str]
    fields: Callable[[ImageT], Mapping[str, FieldValue]]
    columns: tuple[Column[ImageT], ...]
    ref: Callable[[Mapping[str, str]], Ref]
    is_pointer: bool = False

    @property
    def table(self) -> str:
        """The table of its items."""
        return self.entity.partition(".")[0]

    @property
    def is_owned(self) -> bool:
        """Whether its items carry their owner."""
        return any(column.name == OWNER for column in self.columns)


def _user_fields(image: UserImage) -> Mapping[str, FieldValue]:
    return {"id": image.user.id, "username": image.user.username, "email": image.user.email}


def _user_ref(values: Mapping[str, str]) -> Ref:
    return Ref(RowKind.USER, int(values["id"]))


def _profile(image: UserImage) -> Attributes:
    return optional_texts({"first_name": image.user.first_name, "last_name": image.user.last_name})


_USER_COLUMNS: Final[tuple[Column[UserImage], ...]] = (
    Column("id", "S", "users.id", lambda image: image.user.id),
    Column("username", "S", "users.username", lambda image: image.user.username),
    Column("email", "S", "users.email", lambda image: image.user.email),
    Column("password_hash", "S", "users.password_hash", lambda image: image.user.password_hash),
    Column("profile_data", "M", "users{first_name, last_name}", _profile),
    Column("is_seller", "BOOL", "users.is_seller", lambda image: image.user.is_seller),
    Column("super_admin", "BOOL", "users.super_admin", lambda image: image.user.super_admin),
    Column("created_at", "S", "users.created_at", lambda image: image.user.created_at),
    Column("updated_at", "S", "users.updated_at", lambda image: image.user.updated_at),
    Column(OWNER, "S", OWNER_SOURCE, lambda image: str(image.owner)),
)


USER: Final[Shape[UserImage]] = Shape(
    entity="Users.USER",
    templates={
        "PK": "{email|key}",
        "SK": "*",
        "GSI1PK": "{id}",
        "GSI1SK": "{id}",
        "GSI2PK": "{username|key}",
        "GSI2SK": "{username|key}",
    },
    fields=_user_fields,
    columns=_USER_COLUMNS,
    ref=_user_ref,
)
USER_BY_ID: Final[Shape[UserImage]] = Shape(
    "Support.UID", {"PK": "*{id}", "SK": "*"}, _user_fields, _USER_COLUMNS, _user_ref
)
USER_BY_NAME: Final[Shape[UserImage]] = Shape(
    "Support.UNAME", {"PK": "*{username|key}", "SK": "*"}, _user_fields, _USER_COLUMNS, _user_ref
)
ADMIN: Final[Shape[UserImage]] = Shape(
    "Support.ADMIN", {"PK": "*", "SK": "{id:010d}"}, _user_fields, _USER_COLUMNS, _user_ref
)

CART: Final[Shape[CartImage]] = Shape(
    entity="Users.CART",
    templates={"PK": "{user_email|key}", "SK": "*{product_id}"},
    fields=lambda image: {"user_email": image.email, "product_id": image.item.product_id},
    columns=(
        Column("id", "S", "shopping_carts.id", lambda image: image.item.id),
        Column("user_id", "S", "shopping_carts.user_id", lambda image: image.item.user_id),
        Column("product_id", "S", "shopping_carts.product_id", lambda image: image.item.product_id),
        Column("quantity", "N", "shopping_carts.quantity", lambda image: image.item.quantity),
        Column("price", "N", "products.price", lambda image: image.price),
        Column("product_name", "S", "products.name", lambda image: image.product_name),
        Column("created_at", "S", "shopping_carts.created_at", lambda image: image.item.created_at),
        Column("updated_at", "S", "shopping_carts.updated_at", lambda image: image.item.updated_at),
        Column(OWNER, "S", OWNER_SOURCE, lambda image: str(image.owner)),
    ),
    ref=lambda values: Ref(RowKind.CART, int(values["user_id"]), int(values["product_id"])),
)


def _order_fields(image: OrderImage) -> Mapping[str, FieldValue]:
    order = image.order
    return {
        "order_id": order.id,
        "user_email": image.email,
        "created_at": order.created_at,
        "status": order.status,
    }


def _order_ref(values: Mapping[str, str]) -> Ref:
    return Ref(RowKind.ORDER, int(values["order_id"]))


def _order_item(item: OrderItem) -> AttributeValue:
    return {
        "M": {
            "id": text_value(item.id),
            "product_id": text_value(item.product_id),
            "quantity": number_value(item.quantity),
            "price_at_time": number_value(item.price_at_time),
        }
    }


_ORDER_ITEMS_SOURCE: Final = "order_items[id, product_id, quantity, price_at_time]"
ORDER_PARTITION: Final = "order_pk"
ORDER_SORT: Final = "order_sk"
"""The attributes of a pointer: the key of the order's own item."""
_ORDER_POINTER: Final = {ORDER_PARTITION: "{user_email|key}", ORDER_SORT: "*{created_at}*{order_id:010d}"}
_ORDER_OWNER: Final[Column[OrderImage]] = Column(OWNER, "S", OWNER_SOURCE, lambda image: str(image.owner))

ORDER: Final[Shape[OrderImage]] = Shape(
    entity="Users.ORDER",
    templates={
        "PK": "{user_email|key}",
        "SK": "*{created_at}*{order_id:010d}",
        "GSI3PK": "{order_id}",
        "GSI3SK": "{order_id}",
    },
    fields=_order_fields,
    columns=(
        Column("order_id", "S", "orders.id", lambda image: image.order.id),
        Column("user_id", "S", "orders.user_id", lambda image: image.order.user_id),
        Column("order_status", "S", "orders.status", lambda image: image.order.status),
        Column("total_amount", "N", "orders.total_amount", lambda image: image.order.total_amount),
        Column("order_items", "L", _ORDER_ITEMS_SOURCE, lambda image: [_order_item(item) for item in image.items]),
        Column("created_at", "S", "orders.created_at", lambda image: image.order.created_at),
        Column("updated_at", "S", "orders.updated_at", lambda image: image.order.updated_at),
        _ORDER_OWNER,
    ),
    ref=_order_ref,
)
ORDER_BY_ID: Final[Shape[OrderImage]] = Shape(
    entity="Support.OID",
    templates={"PK": "*{order_id}", "SK": "*", **_ORDER_POINTER},
    fields=_order_fields,
    columns=(_ORDER_OWNER,),
    ref=_order_ref,
    is_pointer=True,
)
ORDER_BY_STATUS: Final[Shape[OrderImage]] = Shape(
    entity="Support.STATUS",
    templates={"PK": "*{status}*{order_id|mod*}", "SK": "{created_at}*{order_id:010d}", **_ORDER_POINTER},
    fields=_order_fields,
    columns=(_ORDER_OWNER,),
    ref=_order_ref,
    is_pointer=True,
)

_PATH_SOURCE: Final = "ancestors.name joined by '/'"

PRODUCT: Final[Shape[ProductImage]] = Shape(
    entity="Products",
    templates={
        "PK": "{id}",
        "SK": "*",
        "GSI1PK": "{category_id}",
        "GSI1SK": "{name}",
        "GSI2PK": "{seller_id}",
        "GSI2SK": "{name}",
    },
    fields=lambda image: {
        "id": image.product.id,
        "category_id": image.product.category_id,
        "seller_id": image.product.seller_id,
        "name": image.product.name,
    },
    columns=(
        Column("seller_id", "S", "products.seller_id", lambda image: image.product.seller_id),
        Column("category_id", "S", "products.category_id", lambda image: image.product.category_id),
        Column("category_path", "S", _PATH_SOURCE, lambda image: "/".join(image.category_path)),
        Column("product_name", "S", "products.name", lambda image: image.product.name),
        Column("description", "S", "products.description", lambda image: image.product.description),
        Column("price", "N", "products.price", lambda image: image.product.price),
        Column(
            "inventory_quantity", "N", "products.inventory_quantity", lambda image: image.product.inventory_quantity
        ),
        Column("image_url", "S", "products.image_url", lambda image: image.product.image_url),
        Column("order_refs", "N", "COUNT(order_items.id)", lambda image: image.order_refs),
        Column("created_at", "S", "products.created_at", lambda image: image.product.created_at),
        Column("updated_at", "S", "products.updated_at", lambda image: image.product.updated_at),
    ),
    ref=lambda values: Ref(RowKind.PRODUCT, int(values["id"])),
)


def _category_fields(image: CategoryImage) -> Mapping[str, FieldValue]:
    return {
        "category_id": image.category.id,
        "category_name": image.category.name,
        "parent_name": _parent_name(image),
    }


def _parent_name(image: CategoryImage) -> str | None:
    return image.path[-2] if len(image.path) > 1 else None


def _category_ref(values: Mapping[str, str]) -> Ref:
    return Ref(RowKind.CATEGORY, int(values["category_id"]))


_FOUR_FIELDS: Final[tuple[Column[CategoryImage], ...]] = (
    Column("category_id", "S", "categories.id", lambda image: image.category.id),
    Column("category_name", "S", "categories.name", lambda image: image.category.name),
    Column("parent_id", "S", "categories.parent_id", lambda image: image.category.parent_id),
    Column("created_at", "S", "categories.created_at", lambda image: image.category.created_at),
    Column(OWNER, "S", OWNER_SOURCE, lambda image: str(image.owner)),
)

CATEGORY: Final[Shape[CategoryImage]] = Shape(
    entity="Categories",
    templates={
        "PK": "{parent_name?ROOT|key}",
        "SK": "{category_name|key}",
        "GSI1PK": "{category_id}",
        "GSI1SK": "{category_id}",
    },
    fields=_category_fields,
    columns=(
        *_FOUR_FIELDS,
        Column("parent_name", "S", "parent.name", _parent_name),
        Column("category_path", "S", _PATH_SOURCE, lambda image: "/".join(image.path)),
        Column("level", "N", "COUNT(ancestors.id)", lambda image: len(image.path) - 1),
        Column("children_count", "N", "COUNT(children.id)", lambda image: image.children_count),
        Column("product_count", "N", "COUNT(products.id)", lambda image: image.product_count),
    ),
    ref=_category_ref,
)
TREE_NODE: Final[Shape[CategoryImage]] = Shape(
    "Support.TREE", {"PK": "*", "SK": "{category_id:010d}"}, _category_fields, _FOUR_FIELDS, _category_ref
)

SHAPES: Final = (
    USER,
    USER_BY_ID,
    USER_BY_NAME,
    ADMIN,
    CART,
    ORDER,
    ORDER_BY_ID,
    ORDER_BY_STATUS,
    PRODUCT,
    CATEGORY,
    TREE_NODE,
)
"""All shapes of the shop's rows."""
