"""Keys: where a caller has to look, agreed with where the items lie."""

from adapters.changes import LISTING, TREE, product_aggregate, user_aggregate
from adapters.dynamodb.contract import load_contract
from adapters.dynamodb.items import Item, ItemMapper
from adapters.dynamodb.keys import Key, Keys, Range
from tests.images import cart_image, category_image, order_image, product_image, user_image

KEYS = Keys(load_contract())
MAPPER = ItemMapper(load_contract())


def key_of(item: Item) -> Key:
    """Where an item lies."""
    return Key(item.table, item.partition, item.sort)


def is_in(item: Item, found: Range) -> bool:
    """Whether a range has an item."""
    place = (found.table, found.partition)
    return place == (item.table, item.partition) and item.sort.startswith(found.sort_prefix)


def test_keys_of_users_are_those_of_their_items() -> None:
    """A user is found by email, id and username in any spelling that the collation holds equal."""
    main, by_id, by_name, admin = MAPPER.items_of(user_image(is_admin=True))
    assert key_of(main) == KEYS.user("ANA@shop.TEST")
    assert key_of(by_id) == KEYS.user_by_id(42)
    assert key_of(by_name) == KEYS.user_by_name("ÁNA")
    assert is_in(admin, KEYS.admins())


def test_ranges_of_one_user_keep_cart_orders_and_user_apart() -> None:
    """One partition holds all three, and each range one of them."""
    (line,), order, user = (MAPPER.items_of(image) for image in (cart_image(), order_image(), user_image()))
    cart, orders = KEYS.cart("ana@shop.test"), KEYS.orders("ana@shop.test")
    assert [True, False, False] == [is_in(item, cart) for item in (line, order[0], user[0])]
    assert [False, True, False] == [is_in(item, orders) for item in (line, order[0], user[0])]
    assert key_of(line) == KEYS.cart_item(email="ana@shop.test", product_id=7)


def test_keys_of_orders_are_those_of_their_pointers() -> None:
    """An order is found by id in one place, by status in one of sixteen."""
    _, by_id, by_status = MAPPER.items_of(order_image(order_id=37))
    assert key_of(by_id) == KEYS.order_by_id(37)
    ranges = KEYS.orders_by_status("pending")
    assert (16, 16) == (len(ranges), len(set(ranges)))
    assert [number == 5 for number in range(16)] == [is_in(by_status, each) for each in ranges]


def test_keys_of_products_and_categories_are_those_of_their_items() -> None:
    """A product is found by id, a category under its parent's name, or in the tree."""
    (product,) = MAPPER.items_of(product_image())
    base, node = MAPPER.items_of(category_image())
    root, _ = MAPPER.items_of(category_image(path=("Drinks",)))
    assert key_of(product) == KEYS.product(7)
    assert key_of(base) == KEYS.category(parent_name="DRINKS", name="TEA")
    assert key_of(root) == KEYS.category(parent_name=None, name="drinks")
    assert is_in(node, KEYS.tree())


def test_keys_of_the_proxys_own_items() -> None:
    """The log is ordered by version, a fence lies under its aggregate's name."""
    assert Key("Support", "LOG", "0000000000000012") == KEYS.log_entry(12)
    assert Range("Support", "LOG", "") == KEYS.log()
    assert Key("Support", "CONTROL", "C") == KEYS.control()
    aggregates = [user_aggregate(42), product_aggregate(7), TREE, LISTING]
    assert [Key("Fence", str(aggregate)) for aggregate in aggregates] == [KEYS.fence(each) for each in aggregates]


def test_typed_names_the_parts_of_a_key_as_the_table_does() -> None:
    """A table with a sort key has two parts, one without has one."""
    assert {"PK": {"S": "7"}, "SK": {"S": "#META"}} == KEYS.typed(KEYS.product(7))
    assert {"PK": {"S": "tree#1"}} == KEYS.typed(KEYS.fence(TREE))
    assert (("PK", "SK"), ("PK",)) == (KEYS.names("Users"), KEYS.names("Fence"))
