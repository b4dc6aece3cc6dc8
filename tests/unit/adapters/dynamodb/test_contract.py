"""The contract: its own file, and every fault of another's with its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.dynamodb.contract import CONTRACT_FILE, load_contract
from adapters.dynamodb.contract_format import ContractError

Document = Any
"""A contract's JSON, to be spoilt."""


def faults_of(path: Path) -> dict[str, str]:
    """The messages of a contract's faults by place."""
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    return {fault.place: fault.message for fault in caught.value.faults}


@pytest.fixture
def spoilt(tmp_path: Path) -> Callable[[Callable[[Document], object]], dict[str, str]]:
    """Loads the project's contract with something done to it; the faults by place."""

    def load(spoil: Callable[[Document], object]) -> dict[str, str]:
        document = json.loads(CONTRACT_FILE.read_bytes())
        spoil(document["tables"])
        path = tmp_path / "contract.json"
        path.write_text(json.dumps(document))
        return faults_of(path)

    return load


Spoilt = Callable[[Callable[[Document], object]], dict[str, str]]


def test_load_contract_reads_the_projects_own() -> None:
    """Without a path it is the contract that comes with the code."""
    contract = load_contract()
    assert ["Users", "Products", "Categories", "Support", "Fence"] == list(contract.tables)
    users, fence = contract.tables["Users"], contract.tables["Fence"]
    assert (("PK", "SK"), ["GSI1", "GSI2", "GSI3"]) == (users.key_attributes, [index.name for index in users.indexes])
    assert (("PK",), ("pend", "PK"), "KEYS_ONLY") == (
        fence.key_attributes,
        fence.indexes[0].key_attributes,
        fence.indexes[0].projection,
    )
    assert "expires_at" == contract.tables["Support"].ttl_attribute
    order = contract.entities["Users.ORDER"]
    assert ("{user_email|key}", "ORDER#{created_at}#{order_id:010d}") == (
        order.partition.text,
        order.sort and order.sort.text,
    )


def test_contract_says_why_it_differs() -> None:
    """Whatever is not as the modellers drew it carries its reason in one line."""
    tables = {table["table"]: table for table in json.loads(CONTRACT_FILE.read_bytes())["tables"]}
    assert tables["Support"]["justification"]
    assert tables["Fence"]["justification"]
    assert tables["Categories"]["gsis"][0]["justification"]
    reasons = {
        (name, attribute["name"]): attribute.get("justification")
        for table in ("Users", "Products", "Categories")
        for name, holder in [
            (table, tables[table]),
            *((entity["entity_type"], entity) for entity in tables[table].get("entities", [])),
        ]
        for attribute in holder.get("attributes", [])
    }
    different = [
        *(("USER", "PK"), ("USER", "GSI2PK"), ("USER", "id"), ("USER", "super_admin"), ("USER", "owner")),
        *(("CART", "PK"), ("CART", "id"), ("CART", "user_id"), ("CART", "owner")),
        *(("ORDER", "PK"), ("ORDER", "SK"), ("ORDER", "order_items"), ("ORDER", "owner")),
        *(("Products", "category_path"), ("Products", "order_refs")),
        *(("Categories", "PK"), ("Categories", "SK"), ("Categories", "category_path"), ("Categories", "level")),
        ("Categories", "owner"),
    ]
    assert [] == [place for place in different if not reasons[place] or "\n" in reasons[place]]


def test_load_contract_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The path is the place."""
    path = tmp_path / "none.json"
    assert {str(path): "cannot be read: No such file or directory"} == faults_of(path)


@pytest.mark.parametrize("content", [b'{"tables": [', b"\xff"])
def test_load_contract_refuses_what_is_no_json(tmp_path: Path, content: bytes) -> None:
    """Half a file, or one in no encoding, is told from one with faults."""
    path = tmp_path / "contract.json"
    path.write_bytes(content)
    assert faults_of(path)[str(path)].startswith("is not JSON: ")


def test_load_contract_reports_all_faults_of_form_at_once(spoilt: Spoilt) -> None:
    """Missing members, wrong types and unknown words, each with its own place."""

    def spoil(tables: Document) -> None:
        del tables[0]["entities"][1]["pk_template"]
        tables[0]["gsis"][2]["projection"] = "SOME"
        tables[1]["attributes"][3]["type"] = "STRING"
        tables[2]["attributes"] = {}
        del tables[3]["entities"]
        tables[4]["estimated_item_size_bytes"] = "few"

    assert {
        "/tables/0/entities/1": "'pk_template' is a required property",
        "/tables/0/gsis/2/projection": "'SOME' is not one of ['ALL', 'KEYS_ONLY', 'INCLUDE']",
        "/tables/1/attributes/3/type": (
            "'STRING' is not one of ['S', 'N', 'B', 'SS', 'NS', 'BS', 'M', 'L', 'BOOL', 'NULL']"
        ),
        "/tables/2/attributes": "{} is not of type 'array'",
        "/tables/3": "'entities' is a required property",
        "/tables/4/estimated_item_size_bytes": "'few' is not of type 'number'",
    } == spoilt(spoil)


def test_load_contract_shortens_long_messages(tmp_path: Path) -> None:
    """A fault of the whole document does not repeat the document."""
    path = tmp_path / "contract.json"
    path.write_text(json.dumps({"table": ["x"] * 1000, "tables": "x " * 1000}))
    assert len(faults_of(path)["/tables"]) <= 200


def test_load_contract_reports_all_contradictions_at_once(spoilt: Spoilt) -> None:
    """What is in the format and still cannot be meant is found in one go."""

    def spoil(tables: Document) -> None:
        user, cart, order = tables[0]["entities"]
        user["attributes"][0]["transformation"]["format"] = "{email|lower}"
        user["attributes"][1]["type"] = "N"
        cart["sk_template"] = "LINE#{product_id}"
        del cart["attributes"][0]["transformation"]
        order["attributes"][0]["transformation"] = {"type": "json-parse"}
        order["attributes"].append(order["attributes"][2])
        del tables[1]["attributes"][0]
        tables[1]["gsis"][1]["index_name"] = "GSI1"
        tables[2]["gsis"][0]["sk"] = "GSI7SK"
        tables[2]["attributes"][-1]["type"] = "N"
        tables[2]["gsis"].append({"index_name": "GSI2", "pk": "GSI1SK"})
        by_status = tables[3]["entities"][4]
        by_status["pk_template"] = by_status["attributes"][0]["transformation"]["format"] = "oid#{status}"
        tables.append(tables[4])

    assert {
        "/tables/0/entities/0/attributes/0/transformation/format": "'{email|lower}' has braces that hold no field",
        "/tables/0/entities/0/attributes/1/type": "a key attribute must be S",
        "/tables/0/entities/1/attributes/0": "a key attribute needs a transformation string-format",
        "/tables/0/entities/1/sk_template": "is not the format of the key attribute, 'CART#{product_id}'",
        "/tables/0/entities/2/attributes/0": "a key attribute needs a transformation string-format",
        "/tables/0/entities/2/attributes/0/transformation": "only string-format, with a format, is served",
        "/tables/0/entities/2/attributes/12/name": "user_id is there twice",
        "/tables/1/attributes": "the key attribute PK is missing",
        "/tables/1/gsis/1/index_name": "GSI1 is there twice",
        "/tables/2/gsis/0/sk": "no entity has the attribute GSI7SK",
        "/tables/2/attributes/13/type": "a key attribute of GSI2 must be S",
        "/tables/3/entities/4": "its keys cannot be told from those of Support.OID",
        "/tables/5/table": "Fence is there twice",
    } == spoilt(spoil)


def test_load_contract_refuses_a_sort_template_without_sort_key(spoilt: Spoilt) -> None:
    """An entity cannot have a sort key that its table has not."""

    def spoil(tables: Document) -> None:
        tables[3]["sk"] = None
        tables[3]["entities"] = tables[3]["entities"][:1]

    assert {"/tables/3/entities/0/sk_template": "the table has no sort key"} == spoilt(spoil)


def test_load_contract_refuses_keys_that_could_meet(spoilt: Spoilt) -> None:
    """Two kinds of item under one key would overwrite each other."""

    def spoil(tables: Document) -> None:
        line = tables[0]["entities"][1]
        line["sk_template"] = line["attributes"][1]["transformation"]["format"] = "ORDER#{product_id}"

    assert {"/tables/0/entities/2": "its keys cannot be told from those of Users.CART"} == spoilt(spoil)


def test_contract_error_reads_as_one_line_a_fault(spoilt: Spoilt, tmp_path: Path) -> None:
    """The terminal shows all faults below each other."""
    spoilt(lambda tables: tables[0].pop("pk"))
    with pytest.raises(ContractError) as caught:
        load_contract(tmp_path / "contract.json")
    assert "the contract has faults:\n  /tables/0: 'pk' is a required property" == str(caught.value)
