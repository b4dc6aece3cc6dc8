"""Products: single ones, and creating, changing and deleting them."""

from decimal import Decimal

import pytest

from tests.conformance.refusals import FORBIDDEN, faults_of, in_use, missing, refusal_of
from tests.conformance.shop import Record, Shop
from tests.factories import make_category, make_line, make_order, make_product, make_products, make_user

FOUR_BYTES = "\U0001f980"
INT_MAX = 2**31 - 1


async def detailed(shop: Shop, product: Record) -> Record | None:
    """The product with details."""
    details: Record | None = await shop.call("product.get_product_with_details", product_id=product["id"])
    return details


async def test_get_product_by_id_returns_the_product(shop: Shop) -> None:
    """A product is found by id, with every field of the record."""
    seller, category = await make_user(shop), await make_category(shop)
    product = await make_product(
        shop,
        seller_id=seller["id"],
        category_id=category["id"],
        name="Hat",
        description="of felt",
        price=Decimal("20.00"),
        inventory_quantity=7,
        image_url="https://shop.test/hat.png",
    )
    expected = {
        "id": product["id"],
        "seller_id": seller["id"],
        "category_id": category["id"],
        "name": "Hat",
        "description": "of felt",
        "price": Decimal("20.00"),
        "inventory_quantity": 7,
        "image_url": "https://shop.test/hat.png",
        "created_at": product["created_at"],
        "updated_at": product["updated_at"],
    }
    assert expected == await shop.call("product.get_product_by_id", product_id=product["id"])
    assert await shop.call("product.get_product_by_id", product_id=product["id"] + 1) is None


async def test_get_product_with_details_adds_live_names(shop: Shop) -> None:
    """Details are the product, its category's own name, and its seller's username and email, as they are now."""
    parent = await make_category(shop, name="Clothes")
    category = await make_category(shop, name="Hats", parent_id=parent["id"])
    seller = await make_user(shop, username="ana", email="ana@shop.test")
    product = await make_product(shop, seller_id=seller["id"], category_id=category["id"])
    names = {"category_name": "Hats", "seller_username": "ana", "seller_email": "ana@shop.test"}
    assert {**product, **names} == await detailed(shop, product)
    await shop.call("user.update", id=seller["id"], email="new@shop.test")
    await shop.call("category.update", id=category["id"], name="Caps")
    names = {"category_name": "Caps", "seller_username": "ana", "seller_email": "new@shop.test"}
    assert {**product, **names} == await detailed(shop, product)


async def test_get_product_with_details_returns_null_for_an_unknown_id(shop: Shop) -> None:
    """A product that does not exist is null."""
    assert await shop.call("product.get_product_with_details", product_id=1) is None


@pytest.mark.parametrize(("required", "expected"), [(0, True), (6, True), (7, True), (8, False), (INT_MAX, False)])
async def test_has_inventory_compares_with_the_stock(shop: Shop, required: int, expected: bool) -> None:  # noqa: FBT001  # a column of the table
    """The stock suffices up to its last piece."""
    product = await make_product(shop, inventory_quantity=7)
    answer = await shop.call("product.has_inventory", product_id=product["id"], required_quantity=required)
    assert expected is answer


async def test_has_inventory_is_false_for_an_unknown_product(shop: Shop) -> None:
    """There is nothing of what does not exist, not even nothing."""
    assert await shop.call("product.has_inventory", product_id=1, required_quantity=0) is False


async def test_create_product_returns_the_product_as_stored(shop: Shop) -> None:
    """The answer is what a read gives; what is left out is null; the seller need not be one."""
    product = await make_product(shop)
    assert (None, None) == (product["description"], product["image_url"])
    assert product["created_at"] == product["updated_at"]
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])


@pytest.mark.parametrize(
    ("price", "stored"),
    [
        ("0.01", "0.01"),
        ("99999999.99", "99999999.99"),
        ("5", "5.00"),
        ("12.5", "12.50"),
        ("19.9900009", "19.99"),
        ("19.9899991", "19.99"),
        ("0.0099995", "0.01"),
        ("1.10", "1.10"),
    ],
)
async def test_create_product_stores_prices_to_the_cent(shop: Shop, price: str, stored: str) -> None:
    """A price within a millionth of a cent's step is rounded to it, and comes back with two places."""
    product = await make_product(shop, price=Decimal(price))
    assert stored == str(product["price"])
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])


@pytest.mark.parametrize(
    "price",
    ["0", "0.00", "-0.01", "0.0000001", "19.999", "19.99001", "0.005", "100000000", "99999999.995", "1" + "0" * 400],
)
async def test_create_product_refuses_other_prices(shop: Shop, price: str) -> None:
    """A price is above zero, in whole cents, and at most what the column holds."""
    assert ["price"] == await faults_of(make_product(shop, price=Decimal(price)))


@pytest.mark.parametrize(("field", "maximum"), [("name", 200), ("image_url", 500)])
async def test_create_product_takes_texts_of_full_length_in_characters(shop: Shop, field: str, maximum: int) -> None:
    """Lengths count characters, not bytes, and no longer text is taken."""
    product = await make_product(shop, **{field: FOUR_BYTES * maximum})
    assert FOUR_BYTES * maximum == product[field]
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])
    assert [field] == await faults_of(make_product(shop, **{field: "x" * (maximum + 1)}))


@pytest.mark.parametrize("text", ["x" * 65_535, FOUR_BYTES * 16_383 + "xyz", "é" * 32_767])
async def test_create_product_takes_a_description_of_65535_bytes(shop: Shop, text: str) -> None:
    """A description's limit is in bytes, and no longer one is taken."""
    product = await make_product(shop, description=text)
    assert text == (await shop.call("product.get_product_by_id", product_id=product["id"]))["description"]
    assert ["description"] == await faults_of(make_product(shop, description=f"{text}é"))


@pytest.mark.parametrize("name", ["\u00ad", " ", "\\", "%", "'\"; --", "\u0000", "\n"])
async def test_create_product_takes_any_name_of_a_character(shop: Shop, name: str) -> None:
    """A product's name is no key: any character will do."""
    product = await make_product(shop, name=name)
    assert name == (await shop.call("product.get_product_by_id", product_id=product["id"]))["name"]


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""},
        {"name": None},
        {"inventory_quantity": -1},
        {"inventory_quantity": INT_MAX + 1},
        {"price": None},
        {"seller_id": None},
        {"description": 5, "image_url": "x" * 501},
    ],
)
async def test_create_product_refuses_bad_fields(shop: Shop, bad: Record) -> None:
    """Every wrong argument is named at once, and nothing is written."""
    assert sorted(bad) == await faults_of(make_product(shop, **bad))
    assert 0 == (await shop.call("product.search_products", search_term=""))["total"]


@pytest.mark.parametrize("quantity", [0, INT_MAX])
async def test_create_product_takes_any_stock(shop: Shop, quantity: int) -> None:
    """The stock goes from none to what the column holds."""
    assert quantity == (await make_product(shop, inventory_quantity=quantity))["inventory_quantity"]


async def test_create_product_refuses_an_unknown_category_or_seller(shop: Shop) -> None:
    """Category and seller must exist, the category is missed first, and nothing is written."""
    category, user = await make_category(shop), await make_user(shop)
    no_category, no_user = category["id"] + 1, user["id"] + 1
    refused = refusal_of(make_product(shop, seller_id=user["id"], category_id=no_category))
    assert missing("category", no_category) == await refused
    refused = refusal_of(make_product(shop, seller_id=no_user, category_id=category["id"]))
    assert missing("user", no_user) == await refused
    refused = refusal_of(make_product(shop, seller_id=no_user, category_id=no_category))
    assert missing("category", no_category) == await refused
    assert 0 == (await shop.call("product.search_products", search_term=""))["total"]


async def test_update_product_sets_the_fields_that_are_given(shop: Shop) -> None:
    """Fields given are stored, null included, others are left, and updated_at tells."""
    texts = {"name": "all", "description": "", "image_url": ""}
    changes: list[Record] = [
        {"name": "new name"},
        {"description": "new"},
        {"description": None},
        {"image_url": "new"},
        {"image_url": None},
        {"price": Decimal("0.01")},
        {"inventory_quantity": 0},
        {**texts, "price": Decimal("99999999.99"), "inventory_quantity": INT_MAX},
    ]
    products = await make_products(shop, len(changes), description="old", image_url="old")
    await shop.next_second()
    for product, fields in zip(products, changes, strict=True):
        updated = await update(shop, product, **fields)
        assert {**product, **fields, "updated_at": updated["updated_at"]} == updated
        assert product["updated_at"] < updated["updated_at"]
        assert updated == await shop.call("product.get_product_by_id", product_id=product["id"])


async def update(shop: Shop, product: Record, **fields: object) -> Record:
    """Update a product as its seller."""
    updated: Record = await shop.call(
        "product.update_product", **{"product_id": product["id"], "seller_id": product["seller_id"], **fields}
    )
    return updated


async def test_update_product_moves_to_another_category(shop: Shop) -> None:
    """A product is listed in its new category, and in the old one no longer."""
    product, category = await make_product(shop), await make_category(shop)
    await update(shop, product, category_id=category["id"])
    left = await shop.call("product.get_products_by_category", category_id=product["category_id"])
    entered = await shop.call("product.get_products_by_category", category_id=category["id"])
    assert (0, [product["id"]]) == (left["total"], [entry["id"] for entry in entered["products"]])
    assert await shop.call("category.delete", id=product["category_id"]) is True
    assert in_use("category", category["id"]) == await refusal_of(shop.call("category.delete", id=category["id"]))


async def test_update_product_to_the_same_values_sets_updated_at(shop: Shop) -> None:
    """A value that was the same counts as written."""
    product = await make_product(shop)
    await shop.next_second()
    same = {name: product[name] for name in ("name", "category_id", "price", "inventory_quantity", "image_url")}
    updated = await update(shop, product, **same)
    assert {**product, "updated_at": updated["updated_at"]} == updated
    assert product["updated_at"] < updated["updated_at"]


async def test_update_product_without_fields_writes_nothing(shop: Shop) -> None:
    """An update that names no field returns the product untouched, checks included."""
    product = await make_product(shop)
    await shop.next_second()
    assert product == await update(shop, product)
    assert FORBIDDEN == await refusal_of(update(shop, product, seller_id=product["seller_id"] + 1))
    assert missing("product", product["id"] + 1) == await refusal_of(
        update(shop, product, product_id=product["id"] + 1)
    )


@pytest.mark.parametrize("operation", ["update_product", "delete_product"])
async def test_update_and_delete_product_refuse_another_seller(shop: Shop, operation: str) -> None:
    """Only the seller may, whoever else asks; nothing is written."""
    product, other = await make_product(shop), await make_user(shop)
    for seller_id in (other["id"], other["id"] + 1, 0):
        asked = shop.call(f"product.{operation}", product_id=product["id"], seller_id=seller_id)
        assert FORBIDDEN == await refusal_of(asked)
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])


@pytest.mark.parametrize("operation", ["update_product", "delete_product"])
async def test_update_and_delete_product_miss_an_unknown_product(shop: Shop, operation: str) -> None:
    """A product that does not exist is an error here."""
    seller = await make_user(shop)
    asked = shop.call(f"product.{operation}", product_id=7, seller_id=seller["id"])
    assert missing("product", 7) == await refusal_of(asked)


async def test_update_product_refuses_an_unknown_category(shop: Shop) -> None:
    """A product cannot go where nothing is, and nothing else of the update is written."""
    product = await make_product(shop)
    no_category = product["category_id"] + 1
    assert missing("category", no_category) == await refusal_of(
        update(shop, product, name="x", category_id=no_category)
    )
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])


@pytest.mark.parametrize(
    "bad",
    [
        {"name": None},
        {"name": ""},
        {"price": None},
        {"price": Decimal(0)},
        {"inventory_quantity": None},
        {"category_id": None},
    ],
)
async def test_update_product_refuses_bad_fields(shop: Shop, bad: Record) -> None:
    """Bad values are refused as in create_product, and nothing is written."""
    product = await make_product(shop)
    assert sorted(bad) == await faults_of(update(shop, product, **{"description": "x", **bad}))
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])


async def test_delete_product_takes_it_out_of_every_cart(shop: Shop) -> None:
    """A deleted product is gone from lists and carts, and cannot be deleted again."""
    first, second = await make_products(shop, 2)
    users = [await make_user(shop) for _ in range(3)]
    for user in users:
        await make_line(shop, user, first)
        await make_line(shop, user, second, 2)
    assert await shop.call("product.delete_product", product_id=first["id"], seller_id=first["seller_id"]) is True
    for user in users:
        lines = await shop.call("cart.get_cart_items", user_id=user["id"])
        assert [(second["id"], 2)] == [(line["product_id"], line["quantity"]) for line in lines]
        assert 1 == await shop.call("cart.get_cart_item_count", user_id=user["id"])
        asked = {"user_id": user["id"], "product_id": first["id"]}
        assert await shop.call("cart.get_cart_item_by_user_and_product", **asked) is None
    assert await detailed(shop, first) is None
    again = shop.call("product.delete_product", product_id=first["id"], seller_id=first["seller_id"])
    assert missing("product", first["id"]) == await refusal_of(again)


async def test_delete_product_frees_its_category_but_not_its_id(shop: Shop) -> None:
    """A category without products may go; an id is never used again."""
    product = await make_product(shop)
    await shop.call("product.delete_product", product_id=product["id"], seller_id=product["seller_id"])
    assert await shop.call("category.delete", id=product["category_id"]) is True
    assert product["id"] < (await make_product(shop))["id"]


async def test_a_product_in_place_of_the_only_one_of_a_seller_keeps_its_details(shop: Shop) -> None:
    """Deleting one and creating the next, with no list read between; the seller has another email by then."""
    seller, category = await make_user(shop), await make_category(shop)
    one = await make_product(shop, seller_id=seller["id"], category_id=category["id"])
    assert await detailed(shop, one) is not None
    await shop.call("product.delete_product", product_id=one["id"], seller_id=seller["id"])
    await shop.call("user.update", id=seller["id"], email="moved@shop.test")
    other = await make_product(shop, seller_id=seller["id"], category_id=category["id"])
    details = await detailed(shop, other)
    assert details is not None
    assert "moved@shop.test" == details["seller_email"]
    page = await shop.call("product.get_products_by_seller", seller_id=seller["id"])
    assert [other["id"]] == [each["id"] for each in page["products"]]


async def test_delete_product_is_refused_while_an_order_refers_to_it(shop: Shop) -> None:
    """What was ordered stays, in the carts too."""
    product, user = await make_product(shop), await make_user(shop)
    await make_order(shop, user, product)
    await make_line(shop, user, product)
    asked = shop.call("product.delete_product", product_id=product["id"], seller_id=product["seller_id"])
    assert in_use("product", product["id"]) == await refusal_of(asked)
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])
    assert 1 == await shop.call("cart.get_cart_item_count", user_id=user["id"])


async def test_update_inventory_sets_the_stock_alone(shop: Shop) -> None:
    """The stock is set, also to the same number, updated_at tells, and nothing else changes."""
    quantities = [0, 1, 100, INT_MAX]
    products = await make_products(shop, len(quantities), inventory_quantity=100)
    await shop.next_second()
    for product, quantity in zip(products, quantities, strict=True):
        assert await shop.call("product.update_inventory", product_id=product["id"], quantity=quantity) is True
        updated = await shop.call("product.get_product_by_id", product_id=product["id"])
        assert {**product, "inventory_quantity": quantity, "updated_at": updated["updated_at"]} == updated
        assert product["updated_at"] < updated["updated_at"]


async def test_reduce_inventory_takes_from_the_stock(shop: Shop) -> None:
    """What is there is taken, down to the last piece, and updated_at tells."""
    product = await make_product(shop, inventory_quantity=7)
    await shop.next_second()
    assert await shop.call("product.reduce_inventory", product_id=product["id"], quantity=3) is True
    updated = await shop.call("product.get_product_by_id", product_id=product["id"])
    assert {**product, "inventory_quantity": 4, "updated_at": updated["updated_at"]} == updated
    assert product["updated_at"] < updated["updated_at"]
    assert await shop.call("product.reduce_inventory", product_id=product["id"], quantity=4) is True
    assert 0 == (await shop.call("product.get_product_by_id", product_id=product["id"]))["inventory_quantity"]


async def test_reduce_inventory_never_goes_below_zero(shop: Shop) -> None:
    """Where there is too little nothing is taken, and nothing is written."""
    product = await make_product(shop, inventory_quantity=7)
    await shop.next_second()
    for quantity in (8, INT_MAX):
        assert await shop.call("product.reduce_inventory", product_id=product["id"], quantity=quantity) is False
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])


@pytest.mark.parametrize("operation", ["update_inventory", "reduce_inventory"])
async def test_update_and_reduce_inventory_are_false_for_an_unknown_product(shop: Shop, operation: str) -> None:
    """Nothing is written for a product that does not exist."""
    assert await shop.call(f"product.{operation}", product_id=1, quantity=1) is False


@pytest.mark.parametrize(
    ("operation", "quantity"),
    [("update_inventory", -1), ("update_inventory", INT_MAX + 1), ("reduce_inventory", 0), ("reduce_inventory", -1)],
)
async def test_update_and_reduce_inventory_refuse_bad_quantities(shop: Shop, operation: str, quantity: int) -> None:
    """A quantity outside its range is refused, and nothing is written."""
    product = await make_product(shop)
    asked = shop.call(f"product.{operation}", product_id=product["id"], quantity=quantity)
    assert ["quantity"] == await faults_of(asked)
    assert product == await shop.call("product.get_product_by_id", product_id=product["id"])
