"""Contract and mapping code: every disagreement is found at start, with its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.dynamodb.agreement import check_mapping
from adapters.dynamodb.contract import CONTRACT_FILE, load_contract
from adapters.dynamodb.contract_format import ContractError

Document = Any
"""A contract's JSON, to be changed."""


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[Document], object]], dict[str, str]]:
    """Checks the project's contract with something changed in it; the faults by place."""

    def check(change: Callable[[Document], object]) -> dict[str, str]:
        document = json.loads(CONTRACT_FILE.read_bytes())
        change({table["table"]: table for table in document["tables"]})
        path = tmp_path / "contract.json"
        path.write_text(json.dumps(document))
        contract = load_contract(path)
        try:
            check_mapping(contract)
        except ContractError as error:
            return {fault.place: fault.message for fault in error.faults}
        return {}

    return check


Changed = Callable[[Callable[[Document], object]], dict[str, str]]


def attribute(holder: Document, name: str) -> Document:
    """An attribute of an entity, or of a single-entity table."""
    return next(each for each in holder["attributes"] if each["name"] == name)


def entity(tables: Document, table: str, entity_type: str) -> Document:
    """An entity of a multi-entity table."""
    return next(each for each in tables[table]["entities"] if each["entity_type"] == entity_type)


def test_check_mapping_accepts_the_projects_own() -> None:
    """The contract that comes with the code is the one that it serves."""
    check_mapping(load_contract())


def test_check_mapping_follows_the_contract_where_it_may(changed: Changed) -> None:
    """Literals of keys, names and projections of indexes, and more indexes are the contract's affair."""

    def change(tables: Document) -> None:
        line = entity(tables, "Users", "CART")
        line["sk_template"] = attribute(line, "SK")["transformation"]["format"] = "LINE#{product_id}"
        tables["Users"]["gsis"][0]["index_name"] = "by_id"
        tables["Products"]["gsis"][0]["projection"] = "KEYS_ONLY"
        tables["Products"]["gsis"].append({"index_name": "GSI9", "pk": "GSI2PK", "sk": "GSI1SK"})

    assert {} == changed(change)


def test_check_mapping_names_tables_and_entities(changed: Changed) -> None:
    """What is missing and what nobody fills, both ways, and keys of other names."""

    def change(tables: Document) -> None:
        tables["Products"]["table"] = "Goods"
        tables["Support"]["entities"][0]["entity_type"] = "BY_ID"
        tables["Support"]["ttl_attribute"] = "created_at"
        tables["Users"]["ttl_attribute"] = "expires_at"
        tables["Fence"]["pk"] = "v"
        attribute(tables["Fence"], "v").update(
            type="S", transformation={"type": "string-format", "format": "{kind}#{id}"}
        )

    assert {
        "/tables": "the table Products is missing",
        "/tables/1": "no code fills the table Goods",
        "/tables/3": "the entity Support.UID is missing",
        "/tables/3/entities/0": "no code makes the entity Support.BY_ID",
        "/tables/3/ttl_attribute": "must be expires_at",
        "/tables/0/ttl_attribute": "must not be there",
        "/tables/4": "the key attributes must be PK",
        "/tables/4/attributes/1/type": "v must be N",
        "/tables/4/attributes/1/transformation": "v is written as it stands",
    } == changed(change)


def test_check_mapping_names_attributes(changed: Changed) -> None:
    """A renamed attribute is one missing and one unknown; type and source are compared as well."""

    def change(tables: Document) -> None:
        attribute(entity(tables, "Users", "USER"), "username")["name"] = "login"
        attribute(tables["Products"], "price")["type"] = "S"
        attribute(tables["Products"], "product_name")["source_column"] = "description"
        attribute(tables["Categories"], "category_path")["join"]["chain_separator"] = " > "
        attribute(tables["Categories"], "level")["calculation"]["select_column"] = "children.id"
        items = attribute(entity(tables, "Users", "ORDER"), "order_items")["join"]["construction"]
        items["select_columns"] = {"id": "id", "amount": "quantity"}
        attribute(entity(tables, "Support", "LOG"), "product_ids")["type"] = "L"

    lines = "order_items[id, product_id, quantity, price_at_time]"
    assert {
        "/tables/0/entities/0/attributes": "the attribute username is missing",
        "/tables/0/entities/0/attributes/3": "no code gives the attribute login a value",
        "/tables/0/entities/2/attributes/5": f"order_items must come from {lines}, and comes from "
        "order_items[id, amount=quantity]",
        "/tables/1/attributes/5": "product_name must come from products.name, and comes from products.description",
        "/tables/1/attributes/7/type": "price must be N",
        "/tables/2/attributes/6": "category_path must come from ancestors.name joined by '/', and comes from "
        "ancestors.name joined by ' > '",
        "/tables/2/attributes/7": "level must come from COUNT(ancestors.id), and comes from COUNT(children.id)",
        "/tables/3/entities/6/attributes/2/type": "product_ids must be SS",
    } == changed(change)


def test_check_mapping_names_sources_that_it_does_not_know(changed: Changed) -> None:
    """A join or calculation of a kind that no attribute here has is told as what it is."""

    def change(tables: Document) -> None:
        attribute(tables["Products"], "description")["calculation"] = {"type": "concat"}
        attribute(tables["Products"], "image_url")["join"] = {
            "type": "multi-column",
            "target_table": "images",
            "join_conditions": [],
            "select_column": "images.url",
        }

    assert {
        "/tables/1/attributes/6": "description must come from products.description, and comes from concat()",
        "/tables/1/attributes/9": "image_url must come from products.image_url, and comes from images.url",
    } == changed(change)


@pytest.mark.parametrize(
    ("table", "entity_type", "name", "template"),
    [
        ("Users", "USER", "PK", "{email}"),
        ("Users", "USER", "PK", "u#{email|key}"),
        ("Users", "USER", "PK", "{username|key}"),
        ("Users", "USER", "SK", "#META#{id}"),
        ("Users", "ORDER", "SK", "ORDER#{created_at}#{order_id}"),
        ("Users", "ORDER", "SK", "ORDER#{order_id:010d}"),
        ("Support", "UNAME", "PK", "uname#{username}"),
        ("Support", "STATUS", "PK", "status#{status}#{order_id}"),
        ("Support", "LOG", "SK", "{v}"),
    ],
)
def test_check_mapping_refuses_keys_that_mean_something_else(
    changed: Changed, table: str, entity_type: str, name: str, template: str
) -> None:
    """A key without its key form, its padding or its fields would be unlike what readers look for."""

    def change(tables: Document) -> None:
        holder = entity(tables, table, entity_type)
        member = "pk_template" if name == "PK" else "sk_template"
        holder[member] = attribute(holder, name)["transformation"]["format"] = template

    faults = changed(change)
    assert any(message.startswith(f"the format of {name} must be") for message in faults.values()), faults


def test_check_mapping_refuses_index_keys_that_mean_something_else(changed: Changed) -> None:
    """The keys of indexes are held to their fields as well."""

    def change(tables: Document) -> None:
        del attribute(tables["Products"], "GSI1SK")["transformation"]
        attribute(tables["Products"], "GSI2PK")["transformation"]["format"] = "{category_id}"

    assert {
        "/tables/1/attributes/14/transformation": "the format of GSI1SK must be '{name}', * being any text",
        "/tables/1/attributes/15/transformation": "the format of GSI2PK must be '{seller_id}', * being any text",
    } == changed(change)


def test_check_mapping_refuses_pointers_that_lead_nowhere(changed: Changed) -> None:
    """A pointer says the key of the order as the order's own templates make it."""

    def change(tables: Document) -> None:
        order = entity(tables, "Users", "ORDER")
        order["sk_template"] = attribute(order, "SK")["transformation"]["format"] = "O#{created_at}#{order_id:010d}"

    message = "order_sk must be the key of the order, 'O#{created_at}#{order_id:010d}'"
    assert {
        "/tables/3/entities/3/attributes/3/transformation/format": message,
        "/tables/3/entities/4/attributes/3/transformation/format": message,
    } == changed(change)


def test_check_mapping_survives_missing_orders(changed: Changed) -> None:
    """Without orders there is nothing to compare pointers with, and that alone is told."""

    def change(tables: Document) -> None:
        tables["Users"]["entities"].pop()
        tables["Users"]["gsis"].pop()

    assert {"/tables/0": "the entity Users.ORDER is missing"} == changed(change)
