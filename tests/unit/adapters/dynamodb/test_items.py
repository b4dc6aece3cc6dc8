"""Rows to items and back: every item of every row, spelt out."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.changes import TREE, Aggregate, AggregateKind, Image, OrderImage, ProductImage, Ref, RowKind, UserImage
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import (
    Item,
    ItemMapper,
    UnmappableRow,
    cart_item_from,
    category_from,
    order_from,
    product_from,
    user_from,
)
from adapters.dynamodb.typed_json import Attributes
from adapters.records import Order, OrderItem, Product, User
from tests.images import cart_image, category_image, order_image, product_image, user_image

MAPPER = ItemMapper(load_contract())
USER_42 = Aggregate(AggregateKind.USER, 42)
NOON = "2026-01-31T09:15:00Z"
LATER = "2026-02-01T10:20:30Z"


def strings(**values: str) -> dict[str, object]:
    """String attributes."""
    return {name: {"S": value} for name, value in values.items()}


USER_BODY = {
    **strings(id="42", username="Ana", email="Ana@Shop.test", password_hash="$2b$12$x", owner="user#42"),
    **strings(created_at=NOON, updated_at=LATER),
    "profile_data": {"M": {"first_name": {"S": "Ana"}}},
    "is_seller": {"BOOL": True},
    "super_admin": {"BOOL": False},
}


def by_place(image: Image) -> dict[tuple[str, str, str], Item]:
    """The items of a row by table and key."""
    items = MAPPER.items_of(image)
    places = {(item.table, item.partition, item.sort): item for item in items}
    assert len(items) == len(places)
    return places


def test_items_of_user_gives_item_and_two_copies() -> None:
    """A user lies under the email, the id and the username, each time in full."""
    image = user_image()
    items = by_place(image)
    main, by_id, by_name = items.values()
    assert ("Users", "ana@shop.test", "#META") == (main.table, main.partition, main.sort)
    indexes = strings(GSI1PK="42", GSI1SK="42", GSI2PK="ana", GSI2SK="ana")
    assert {**strings(PK="ana@shop.test", SK="#META"), **indexes, **USER_BODY} == main.attributes
    assert {**strings(PK="uid#42", SK="U"), **USER_BODY} == by_id.attributes
    assert {**strings(PK="uname#ana", SK="U"), **USER_BODY} == by_name.attributes
    assert {"Support"} == {by_id.table, by_name.table}
    assert {(USER_42, image.ref, False)} == {(item.owner, item.ref, item.is_pointer) for item in items.values()}


def test_items_of_user_gives_super_admins_one_more() -> None:
    """All super admins lie in one partition, in the order of their ids."""
    items = by_place(user_image(is_admin=True))
    admin = items["Support", "ADMINS", "0000000042"]
    expected = {**strings(PK="ADMINS", SK="0000000042"), **USER_BODY, "super_admin": {"BOOL": True}}
    assert (4, expected, USER_42) == (len(items), admin.attributes, admin.owner)


def test_items_of_user_leaves_nulls_out() -> None:
    """A NULL is an absent attribute; an empty string is not."""
    main = MAPPER.items_of(user_image(first_name=None, created_at=None))[0].attributes
    assert {"M": {}} == main["profile_data"]
    assert "created_at" not in main
    assert {"M": {"first_name": {"S": ""}}} == MAPPER.items_of(user_image(first_name=""))[0].attributes["profile_data"]


def test_items_of_cart_gives_one_item() -> None:
    """A line carries its product's price and name as they were at its last write."""
    image = cart_image()
    (item,) = MAPPER.items_of(image)
    assert ("Users", "ana@shop.test", "CART#7") == (item.table, item.partition, item.sort)
    assert {
        **strings(PK="ana@shop.test", SK="CART#7", id="3", user_id="42", product_id="7", product_name="Tea"),
        **strings(created_at=NOON, updated_at=LATER, owner="user#42"),
        "quantity": {"N": "2"},
        "price": {"N": "12.5"},
    } == item.attributes
    assert (USER_42, image.ref, False) == (item.owner, item.ref, item.is_pointer)


def test_items_of_order_gives_item_and_two_pointers() -> None:
    """An order lies under its user's email; its id and its status only say where."""
    image = order_image()
    main, by_id, by_status = by_place(image).values()
    place = ("ana@shop.test", f"ORDER#{NOON}#0000000005")
    assert ("Users", *place) == (main.table, main.partition, main.sort)
    line = {**strings(id="1", product_id="7"), "quantity": {"N": "1"}, "price_at_time": {"N": "12.5"}}
    assert {
        **strings(PK=place[0], SK=place[1], GSI3PK="5", GSI3SK="5", order_id="5", user_id="42", order_status="pending"),
        **strings(created_at=NOON, updated_at=LATER, owner="user#42"),
        "total_amount": {"N": "25"},
        "order_items": {"L": [{"M": line}, {"M": {**line, "id": {"S": "2"}}}]},
    } == main.attributes
    target = strings(order_pk=place[0], order_sk=place[1], owner="user#42")
    assert {**strings(PK="oid#5", SK="O"), **target} == by_id.attributes
    assert {**strings(PK="status#pending#5", SK=f"{NOON}#0000000005"), **target} == by_status.attributes
    assert [False, True, True] == [item.is_pointer for item in (main, by_id, by_status)]
    assert {(USER_42, image.ref)} == {(item.owner, item.ref) for item in (main, by_id, by_status)}


def test_items_of_order_spreads_a_status_over_sixteen_partitions() -> None:
    """Neighbouring ids go to different partitions."""
    partitions = {MAPPER.items_of(order_image(order_id=number))[2].partition for number in range(1, 40)}
    assert {f"status#pending#{shard}" for shard in range(16)} == partitions


def test_items_of_product_gives_one_item_without_owner() -> None:
    """A product's key is its id, so nobody else can ever own it."""
    image = product_image()
    (item,) = MAPPER.items_of(image)
    assert ("Products", "7", "#META", None, image.ref) == (
        item.table,
        item.partition,
        item.sort,
        item.owner,
        item.ref,
    )
    assert {
        **strings(PK="7", SK="#META", GSI1PK="9", GSI1SK="Tea", GSI2PK="42", GSI2SK="Tea"),
        **strings(seller_id="42", category_id="9", category_path="Drinks/Tea", product_name="Tea", description="Green"),
        **strings(created_at=NOON, updated_at=LATER),
        "price": {"N": "12.5"},
        "inventory_quantity": {"N": "100"},
        "order_refs": {"N": "3"},
    } == item.attributes


def test_items_of_category_gives_base_and_tree_item() -> None:
    """A category lies under its parent's name, and with its four fields in the tree; both are the tree's."""
    image = category_image()
    base, node = by_place(image).values()
    assert ("Categories", "drinks", "tea") == (base.table, base.partition, base.sort)
    four = strings(category_id="9", category_name="Tea", parent_id="8", created_at=NOON, owner="tree#1")
    assert {
        **strings(PK="drinks", SK="tea", GSI1PK="9", GSI1SK="9", parent_name="Drinks", category_path="Drinks/Tea"),
        **four,
        "level": {"N": "1"},
        "children_count": {"N": "1"},
        "product_count": {"N": "4"},
    } == base.attributes
    assert {**strings(PK="TREE", SK="0000000009"), **four} == node.attributes
    assert ("Support", TREE, TREE) == (node.table, base.owner, node.owner)


def test_items_of_root_category_lies_under_root() -> None:
    """The literal ROOT is no name's key form, not even that of a category called so."""
    base = MAPPER.items_of(category_image(path=("Root",)))[0]
    assert ("ROOT", "root", {"N": "0"}) == (base.partition, base.sort, base.attributes["level"])
    assert not {"parent_id", "parent_name"} & set(base.attributes)


def test_items_of_refuses_an_order_without_time() -> None:
    """The time is part of two of its keys: the row and the column are named."""
    with pytest.raises(UnmappableRow, match="order 5: created_at is NULL") as caught:
        MAPPER.items_of(order_image(created_at=None))
    assert (Ref(RowKind.ORDER, 5), "created_at") == (caught.value.ref, caught.value.column)


@pytest.mark.parametrize(
    ("image", "column"),
    [
        (user_image(email="\u200b"), "email"),
        (user_image(username=""), "username"),
        (product_image(name=""), "name"),
        (category_image(path=("Drinks", "\u200b")), "category_name"),
    ],
)
def test_items_of_refuses_an_empty_key(image: Image, column: str) -> None:
    """DynamoDB has no empty keys, in tables or indexes."""
    with pytest.raises(UnmappableRow, match=f"{column} is empty as a key"):
        MAPPER.items_of(image)


@pytest.mark.parametrize(
    "image",
    [
        user_image(is_admin=True),
        cart_image(),
        order_image(),
        product_image(),
        category_image(),
        category_image(path=("A",)),
    ],
)
def test_ref_of_names_the_row_of_every_item(image: Image) -> None:
    """The reverse pass knows of each item which row to look for."""
    for item in MAPPER.items_of(image):
        assert image.ref == MAPPER.ref_of(item.table, item.partition, item.sort, item.attributes)


@pytest.mark.parametrize(
    ("table", "partition", "sort"),
    [
        ("Support", "LOG", "0000000000000001"),
        ("Support", "CONTROL", "C"),
        ("Support", "NEXTID", "users"),
        ("Support", "idem#abc", "I"),
        ("Support", "job#abc", "J"),
        ("Fence", "user#42", ""),
        ("Users", "ana@shop.test", "OTHER"),
        ("Users", "ana@shop.test", "#META"),
        ("Support", "uid#x", "U"),
        ("Elsewhere", "a", "b"),
    ],
)
def test_ref_of_knows_no_row_of_other_items(table: str, partition: str, sort: str) -> None:
    """The proxy's own items, and what is no whole item of the shop, show no row."""
    assert MAPPER.ref_of(table, partition, sort, {"PK": {"S": partition}}) is None


def test_ref_of_trusts_the_key() -> None:
    """An item under another's key is that other's: it is that row's items that decide what belongs there."""
    attributes: Attributes = {"id": {"S": "6"}}
    assert Ref(RowKind.USER, 5) == MAPPER.ref_of("Support", "uid#5", "U", attributes)


TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
TIMES = st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2038, 1, 1)).map(  # noqa: DTZ001  # made aware below
    lambda time: time.replace(microsecond=0, tzinfo=UTC)
)
IDS = st.integers(1, 2**31 - 1)
AMOUNTS = st.integers(0, 99_999_999_99).map(lambda cents: Decimal(cents).scaleb(-2))
USERS = st.builds(
    User,
    id=IDS,
    username=TEXTS.map("u".__add__),
    email=TEXTS.map("e".__add__),
    password_hash=TEXTS,
    first_name=st.none() | TEXTS,
    last_name=st.none() | TEXTS,
    is_seller=st.booleans(),
    super_admin=st.booleans(),
    created_at=TIMES,
    updated_at=TIMES,
)
PRODUCTS = st.builds(
    Product,
    id=IDS,
    seller_id=IDS,
    category_id=IDS,
    name=TEXTS.filter(bool),
    description=st.none() | TEXTS,
    price=AMOUNTS,
    inventory_quantity=st.integers(0, 2**31 - 1),
    image_url=st.none() | TEXTS,
    created_at=TIMES,
    updated_at=TIMES,
)
ORDERS = st.builds(
    Order,
    id=IDS,
    user_id=IDS,
    total_amount=AMOUNTS,
    status=st.sampled_from(["pending", "completed", "cancelled"]),
    created_at=TIMES.filter(lambda time: time is not None),
    updated_at=TIMES,
)
LINES = st.builds(OrderItem, id=IDS, order_id=IDS, product_id=IDS, quantity=IDS, price_at_time=AMOUNTS)


@given(user=USERS)
def test_user_from_reads_every_copy_exactly(user: User) -> None:
    """Each of a user's items gives the row back, None and "" kept apart."""
    for item in MAPPER.items_of(UserImage(user)):
        assert user == user_from(item.attributes)


@given(product=PRODUCTS)
def test_product_from_reads_the_item_exactly(product: Product) -> None:
    """A product's item gives the row back, with the two places of its price."""
    read = product_from(MAPPER.items_of(ProductImage(product, ("A",), 0))[0].attributes)
    assert (product, str(product.price.quantize(Decimal("0.01")))) == (read, str(read.price))


@given(order=ORDERS, lines=st.lists(LINES, max_size=3))
def test_order_from_reads_order_and_lines_exactly(order: Order, lines: list[OrderItem]) -> None:
    """An order's item gives its row back and the rows of its items, in their order."""
    items = tuple(replace(line, order_id=order.id) for line in lines)
    assert (order, items) == order_from(MAPPER.items_of(OrderImage(order, "ana@shop.test", items))[0].attributes)


def test_cart_item_from_reads_the_item_exactly() -> None:
    """A line's item gives the row back."""
    image = cart_image(product_id=2**31 - 1, quantity=2**31 - 1)
    assert image.item == cart_item_from(MAPPER.items_of(image)[0].attributes)


@pytest.mark.parametrize("path", [("Drinks",), ("Drinks", "Tea")])
def test_category_from_reads_both_items_exactly(path: tuple[str, ...]) -> None:
    """The base item and the tree's give the row back."""
    image = category_image(path=path)
    assert [image.category] * 2 == [category_from(item.attributes) for item in MAPPER.items_of(image)]
