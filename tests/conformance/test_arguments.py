"""Arguments of every operation: what is refused before anything happens, and ids that name no record."""

from decimal import Decimal

import pytest

from tests.conformance.refusals import FORBIDDEN, INVALID, failure_of, faults_of, missing
from tests.conformance.scene import Scene, calls_in, make_scene, picture_of
from tests.conformance.shop import OPERATIONS, CallFailed, Json, Refusal, Shop, encode
from tests.conformance.test_catalogue import READS, WRITES
from tests.factories import make_user

EVERY_OPERATION = [*READS, *WRITES]
BLANK = {"id": 1, "username": "x", "email": "x", "name": "x", "parent_id": 1, "price": Decimal(1)}
EXAMPLES = calls_in(Scene(BLANK, BLANK, BLANK, BLANK, BLANK))
REFUSED_IN_THE_SCENE = {
    "user.delete": "last_super_admin",
    "product.delete_product": "restrict",
    "category.delete": "restrict",
}
NULLABLE = {
    "user.create": {"first_name", "last_name"},
    "user.update": {"first_name", "last_name"},
    "product.create_product": {"description", "image_url"},
    "product.update_product": {"description", "image_url"},
    "category.find_by_parent_id": {"parent_id"},
    "category.validate_parent_id": {"parent_id"},
    "category.exists_by_name": {"exclude_id"},
    "category.would_create_cycle": {"new_parent_id"},
    "category.create": {"parent_id"},
    "category.update": {"parent_id"},
}
WRONG_TYPES = {
    int: ["1", "", 1.5, True, False, [], [1], {}],
    str: [5, 1.5, True, [], ["x"], {}],
    Decimal: ["1.00", True, [], {}],
    dict: ["", "{}", 5, True, [], [{}]],
}
IMPOSSIBLE_IDS = [0, -1, 2**31, 2**40, 10**30, -(10**30)]
NO_PRODUCTS = {"products": [], "total": 0, "page": 1, "limit": 20, "total_pages": 0}
BY_IMPOSSIBLE_ID: dict[tuple[str, str], Json] = {
    ("user.find_by_id", "id"): None,
    ("user.update", "id"): None,
    ("user.upgrade_to_seller", "id"): None,
    ("user.promote_to_super_admin", "id"): None,
    ("user.demote_from_super_admin", "id"): None,
    ("user.delete", "id"): False,
    ("product.get_product_by_id", "product_id"): None,
    ("product.get_product_with_details", "product_id"): None,
    ("product.get_products_by_seller", "seller_id"): NO_PRODUCTS,
    ("product.get_products_by_category", "category_id"): NO_PRODUCTS,
    ("product.has_inventory", "product_id"): False,
    ("product.create_product", "seller_id"): missing("user"),
    ("product.create_product", "category_id"): missing("category"),
    ("product.update_product", "product_id"): missing("product"),
    ("product.update_product", "seller_id"): FORBIDDEN,
    ("product.update_product", "category_id"): missing("category"),
    ("product.delete_product", "product_id"): missing("product"),
    ("product.delete_product", "seller_id"): FORBIDDEN,
    ("product.update_inventory", "product_id"): False,
    ("product.reduce_inventory", "product_id"): False,
    ("order.get_order_by_id", "order_id"): None,
    ("order.get_user_orders", "user_id"): [],
    ("order.get_user_order_count", "user_id"): 0,
    ("order.create_order", "user_id"): missing("user"),
    ("order.create_order_item", "order_id"): missing("order"),
    ("order.create_order_item", "product_id"): missing("product"),
    ("order.update_order_status", "order_id"): False,
    ("order.checkout", "user_id"): missing("user"),
    ("category.find_by_parent_id", "parent_id"): [],
    ("category.find_child_categories", "parent_id"): [],
    ("category.find_by_id", "id"): None,
    ("category.exists_by_name", "exclude_id"): True,
    ("category.exists_by_id", "id"): False,
    ("category.validate_parent_id", "parent_id"): False,
    ("category.would_create_cycle", "category_id"): False,
    ("category.would_create_cycle", "new_parent_id"): False,
    ("category.get_category_path", "category_id"): [],
    ("category.create", "parent_id"): missing("category"),
    ("category.update", "id"): None,
    ("category.update", "parent_id"): missing("category"),
    ("category.delete", "id"): False,
    ("cart.get_cart_items", "user_id"): [],
    ("cart.get_cart_item_count", "user_id"): 0,
    ("cart.get_cart_item_by_user_and_product", "user_id"): None,
    ("cart.get_cart_item_by_user_and_product", "product_id"): None,
    ("cart.validate_cart_inventory", "user_id"): {"valid": True, "issues": []},
    ("cart.add_item", "user_id"): missing("user"),
    ("cart.add_item", "product_id"): missing("product"),
    ("cart.update_item_quantity", "user_id"): False,
    ("cart.update_item_quantity", "product_id"): False,
    ("cart.remove_item", "user_id"): False,
    ("cart.remove_item", "product_id"): False,
    ("cart.clear_cart", "user_id"): True,
}


def test_examples_hold_every_argument_of_every_operation() -> None:
    """The tables of this file leave nothing out."""
    described = {name: {argument.name for argument in operation.arguments} for name, operation in OPERATIONS.items()}
    assert described == {name: set(arguments) for name, arguments in EXAMPLES.items()}
    every_argument = [(name, argument) for name, arguments in EXAMPLES.items() for argument in arguments]
    ids = {(name, argument) for name, argument in every_argument if argument == "id" or argument.endswith("_id")}
    assert ids == BY_IMPOSSIBLE_ID.keys()


@pytest.mark.parametrize("name", EVERY_OPERATION)
async def test_every_operation_takes_its_example(shop: Shop, name: str) -> None:
    """With all arguments given, and valid, an operation is refused by a rule of the shop or not at all."""
    answer = await outcome_of(shop, name, **calls_in(await make_scene(shop))[name])
    assert REFUSED_IN_THE_SCENE.get(name) == (answer.reason if isinstance(answer, Refusal) else None)


@pytest.mark.parametrize("name", WRITES)
async def test_every_write_with_an_unknown_argument_writes_nothing(shop: Shop, name: str) -> None:
    """One wrong argument beside valid ones refuses the call as a whole."""
    scene = await make_scene(shop)
    before = await picture_of(shop, scene)
    assert ["surprise"] == await faults_of(shop.call(name, **calls_in(scene)[name], surprise=1))
    assert before == await picture_of(shop, scene)


async def test_every_operation_refuses_unknown_arguments(shop: Shop) -> None:
    """An argument that the operation does not have is named, whatever its value; names are told apart by case."""
    for name, arguments in EXAMPLES.items():
        values: list[object] = [None, 1, "", {}]
        for value in values:
            assert ["Id", "surprise"] == await faults_of(shop.call(name, **arguments, surprise=value, Id=value))


async def test_every_operation_refuses_missing_arguments(shop: Shop) -> None:
    """Each argument that must be given is named when it is not."""
    for name, operation in OPERATIONS.items():
        required = sorted(argument.name for argument in operation.arguments if argument.is_required)
        optional = {key: value for key, value in EXAMPLES[name].items() if key not in required}
        if required:
            assert required == await faults_of(shop.call(name, **optional))


@pytest.mark.parametrize("name", [name for name, arguments in EXAMPLES.items() if arguments])
async def test_every_operation_refuses_wrong_types(shop: Shop, name: str) -> None:
    """A value of a wrong type is refused for each argument, null included where it means nothing."""
    arguments = EXAMPLES[name]
    for argument, example in arguments.items():
        wrong: list[object] = [*WRONG_TYPES[type(example)]]
        if argument not in NULLABLE.get(name, ()):
            wrong.append(None)
        for value in wrong:
            assert [argument] == await faults_of(shop.call(name, **{**arguments, argument: value})), value


async def test_integers_may_be_written_with_an_empty_fraction(shop: Shop) -> None:
    """59.0 and 5.9e1 are 59, as in JSON Schema, and come back as an integer."""
    user = await make_user(shop)
    assert user == await shop.call("user.find_by_id", id=float(user["id"]))
    answer = await shop.send("product.get_products", b'{"page": 2.0, "limit": 1e1}')
    assert {**NO_PRODUCTS, "page": 2, "limit": 10} == answer
    assert int is type(answer["page"])


async def test_every_page_has_its_range(shop: Shop) -> None:
    """Pages count from 1 and hold 1 to 1000, an offset is not below zero, in every operation that has them."""
    outside = {"page": [0, -1, -(10**30)], "limit": [0, -1, 1001, 10**30], "offset": [-1, -(10**30)]}
    inside = {"page": [1, 2**31, 10**30], "limit": [1, 1000], "offset": [0, 2**31, 10**30]}
    for name, arguments in EXAMPLES.items():
        for argument in arguments.keys() & outside.keys():
            for value in outside[argument]:
                assert [argument] == await faults_of(shop.call(name, **{**arguments, argument: value})), (name, value)
            for value in inside[argument]:
                answer = await shop.call(name, **{**arguments, argument: value})
                assert [] == (answer["products"] if isinstance(answer, dict) else answer)


@pytest.mark.parametrize(("name", "argument"), BY_IMPOSSIBLE_ID)
async def test_every_id_may_be_impossible(shop: Shop, name: str, argument: str) -> None:
    """An integer that no id can be names no record, and nothing is written."""
    scene = await make_scene(shop)
    before = await picture_of(shop, scene)
    for value in IMPOSSIBLE_IDS:
        answer = await outcome_of(shop, name, **{**calls_in(scene)[name], argument: value})
        assert BY_IMPOSSIBLE_ID[name, argument] == answer, value
    assert before == await picture_of(shop, scene)


async def outcome_of(shop: Shop, name: str, /, **arguments: object) -> Json:
    """The result of a call, or its refusal."""
    try:
        return await shop.call(name, **arguments)
    except CallFailed as failure:
        return failure.refusal


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"id"',
        b"id=1",
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b'{"id": 1,}',
        b'{"id": 01}',
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b"\xef\xbb\xbf",
        b'{"id": 1} {"id": 2}',
    ],
)
async def test_every_operation_refuses_a_body_that_is_no_object(shop: Shop, body: bytes) -> None:
    """What is not JSON, or not an object, is refused as a whole."""
    for name in ("user.find_by_id", "user.delete"):
        failure = await failure_of(shop.send(name, body))
        assert INVALID == failure.refusal
        assert ["body"] == [error["path"] for error in failure.problem["errors"]]


async def test_every_operation_takes_an_empty_body_as_no_arguments(shop: Shop) -> None:
    """No body is an empty object."""
    assert [] == await shop.send("category.find_all", b"")
    assert [] == await shop.send("category.find_all", b"{}")
    assert ["id"] == await faults_of(shop.send("user.find_by_id", b""))


async def test_every_operation_takes_escapes_in_json(shop: Shop) -> None:
    """A pair of escaped surrogates is one character."""
    call = b'{"username": "\\ud83e\\udd80", "email": "\\u0061", "password_hash": "\\""}'
    user = await shop.send("user.create", call)
    assert ("\U0001f980", "a", '"') == (user["username"], user["email"], user["password_hash"])


async def test_errors_name_every_wrong_argument_and_no_value(shop: Shop) -> None:
    """All faults are told at once, by path and message, and what was sent is not repeated."""
    secret = "s3cr3t-value"
    arguments = {"username": [secret], "password_hash": "", "surprise": secret, "first_name": secret * 10}
    failure = await failure_of(shop.call("user.create", **arguments))
    assert INVALID == failure.refusal
    expected = ["email", "first_name", "password_hash", "surprise", "username"]
    assert expected == sorted(error["path"] for error in failure.problem["errors"])
    assert [{"path", "message"}] * len(expected) == [set(error) for error in failure.problem["errors"]]
    assert secret not in encode(failure.problem).decode()
