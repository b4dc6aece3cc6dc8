"""The contract's tables on real DynamoDB, and items as it holds them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest

from adapters.changes import Image
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint, found_item
from adapters.dynamodb.contract import Contract, load_contract
from adapters.dynamodb.items import Item, ItemMapper
from adapters.dynamodb.keys import Key, Keys
from adapters.dynamodb.own_items import listing_change_from, log_entry
from adapters.dynamodb.tables import check_tables, create_tables
from adapters.dynamodb.typed_json import ITEM_MAX_BYTES, Attributes, item_size_bytes
from adapters.errors import PayloadTooLarge, Unavailable
from tests.images import cart_image, category_image, order_image, product_image, user_image
from tests.servers import DynamoDBEndpoint as Server

CONTRACT = load_contract()
KEYS = Keys(CONTRACT)
MAPPER = ItemMapper(CONTRACT)
ALL = {"ProjectionType": "ALL"}
KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}
ONLY_V = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]}
NAMES = ["Users", "Products", "Categories", "Support", "Fence"]


@pytest.fixture
async def client(dynamodb_server: Server) -> AsyncIterator[DynamoDBClient]:
    """A client with a table prefix of its own; the tables under it are deleted afterwards."""
    endpoint = DynamoDBEndpoint(
        dynamodb_server.region,
        dynamodb_server.url,
        f"t{uuid4().hex[:8]}_",
        dynamodb_server.access_key_id,
        dynamodb_server.secret_access_key,
    )
    async with DynamoDBClient(endpoint) as client:
        yield client
        listed = await client.request("ListTables", {"ExclusiveStartTableName": endpoint.table_prefix})
        for name in listed["TableNames"]:
            if name.startswith(endpoint.table_prefix):
                await client.request("DeleteTable", {"TableName": name})


@pytest.fixture
async def tables(client: DynamoDBClient) -> DynamoDBClient:
    """The client, with the contract's tables made."""
    await create_tables(client, CONTRACT, client.endpoint.table_prefix)
    return client


async def put(client: DynamoDBClient, item: Item) -> None:
    """Put an item as it is."""
    await client.request("PutItem", {"TableName": client.table_name(item.table), "Item": item.attributes})


async def get(client: DynamoDBClient, key: Key) -> Attributes | None:
    """The item under a key."""
    payload = {"TableName": client.table_name(key.table), "Key": KEYS.typed(key), "ConsistentRead": True}
    return found_item(await client.request("GetItem", payload))


async def test_create_tables_twice_makes_them_once(client: DynamoDBClient) -> None:
    """The first run makes all tables as the contract says, the second finds nothing to do."""
    prefix = client.endpoint.table_prefix
    assert [f"table {prefix}{name} is missing" for name in NAMES] == await check_tables(client, CONTRACT, prefix)
    assert [prefix + name for name in NAMES] == await create_tables(client, CONTRACT, prefix)
    assert [] == await check_tables(client, CONTRACT, prefix)
    assert [] == await create_tables(client, CONTRACT, prefix)
    assert [] == await check_tables(client, CONTRACT, prefix)


async def test_create_tables_twice_at_once_makes_them_once(client: DynamoDBClient) -> None:
    """Two proxies that start together make each table once, and both go on."""
    prefix = client.endpoint.table_prefix
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(create_tables(client, CONTRACT, prefix)) for _ in range(2)]
    assert sorted(prefix + name for name in NAMES) == sorted(name for run in runs for name in run.result())
    assert [] == await check_tables(client, CONTRACT, prefix)


async def test_create_tables_makes_what_is_missing(tables: DynamoDBClient) -> None:
    """A lost table comes back; the others keep their items."""
    prefix = tables.endpoint.table_prefix
    (item,) = MAPPER.items_of(product_image())
    await put(tables, item)
    await tables.request("DeleteTable", {"TableName": prefix + "Fence"})
    assert [prefix + "Fence"] == await create_tables(tables, CONTRACT, prefix)
    assert item.attributes == await get(tables, KEYS.product(7))


async def test_tables_are_paid_per_request_and_expire_items(tables: DynamoDBClient) -> None:
    """No capacity to plan, and Support drops what is past its second."""
    for name in NAMES:
        found = await tables.request("DescribeTable", {"TableName": tables.table_name(name)})
        assert "PAY_PER_REQUEST" == found["Table"]["BillingModeSummary"]["BillingMode"]
    expiry = await tables.request("DescribeTimeToLive", {"TableName": tables.table_name("Support")})
    assert {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"} == expiry["TimeToLiveDescription"]


async def test_check_tables_names_every_difference(client: DynamoDBClient) -> None:
    """Keys, their types, indexes, projections and expiry are compared; another index more is nobody's fault."""
    prefix = client.endpoint.table_prefix
    await create_tables(client, changed_contract(), prefix)
    await client.request(
        "CreateTable",
        {
            "TableName": prefix + "Fence",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "PK", "AttributeType": "N"},
                {"AttributeName": "pend", "AttributeType": "S"},
            ],
            "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "GSI1",
                    "KeySchema": [{"AttributeName": "pend", "KeyType": "HASH"}],
                    "Projection": ONLY_V,
                }
            ],
        },
    )
    assert [
        f"table {prefix}Users: index GSI1: its key is GSI1PK, and must be GSI1PK and GSI1SK",
        f"table {prefix}Users: index GSI2: its projection is {KEYS_ONLY}, and must be {ALL}",
        f"table {prefix}Products: index GSI2 is missing",
        f"table {prefix}Support: items do not expire by expires_at",
        f"table {prefix}Fence: its key attribute PK has type N, and must have S",
        f"table {prefix}Fence: index GSI1: its key is pend, and must be pend and PK",
        f"table {prefix}Fence: index GSI1: its projection is {ONLY_V}, and must be {KEYS_ONLY}",
    ] == await check_tables(client, CONTRACT, prefix)


def changed_contract() -> Contract:
    """The contract with other indexes, without expiry and without Fence."""
    tables = dict(CONTRACT.tables)
    del tables["Fence"]
    first, second, third = tables["Users"].indexes
    other = (
        replace(first, sort_key=None),
        replace(second, projection="KEYS_ONLY"),
        third,
        replace(third, name="EXTRA"),
    )
    tables["Users"] = replace(tables["Users"], indexes=other)
    tables["Products"] = replace(tables["Products"], indexes=tables["Products"].indexes[:1])
    tables["Support"] = replace(tables["Support"], ttl_attribute=None)
    return replace(CONTRACT, tables=tables)


async def test_create_tables_honours_projections(client: DynamoDBClient) -> None:
    """An index that carries some attributes is made and found so."""
    users = CONTRACT.tables["Users"]
    some = replace(users.indexes[0], projection="INCLUDE", projected_attributes=("username", "email"))
    contract = Contract({"Users": replace(users, indexes=(some,))}, {})
    prefix = client.endpoint.table_prefix
    await create_tables(client, contract, prefix)
    assert [] == await check_tables(client, contract, prefix)


async def test_create_tables_says_when_there_is_no_database() -> None:
    """Nobody listens: the error of the client comes through."""
    endpoint = DynamoDBEndpoint("us-east-1", "http://127.0.0.1:9", "none_", "local", "local")
    async with DynamoDBClient(endpoint) as client:
        with pytest.raises(Unavailable, match="ListTables"):
            await create_tables(client, CONTRACT, "none_")


Payload = dict[str, Any]
Answer = dict[str, Any]


@dataclass
class Between:
    """Stands before the real client: may change what is asked, and what was answered to the n-th such request."""

    client: DynamoDBClient
    asked: Callable[[str, Payload], Payload] = lambda _, payload: payload
    answered: Callable[[str, int, Answer], Answer] = lambda _, __, answer: answer
    counts: Counter[str] = field(default_factory=Counter)

    async def request(self, action: str, payload: Mapping[str, object]) -> Mapping[str, Any]:
        """As the client's."""
        self.counts[action] += 1
        answer = await self.client.request(action, self.asked(action, dict(payload)))
        return self.answered(action, self.counts[action], dict(answer))


async def test_check_tables_reads_all_pages_of_names(tables: DynamoDBClient) -> None:
    """An account may have more tables than one answer names."""
    pages = Between(
        tables, asked=lambda action, payload: {**payload, **({"Limit": 1} if action == "ListTables" else {})}
    )
    assert [] == await check_tables(pages, CONTRACT, tables.endpoint.table_prefix)
    assert pages.counts["ListTables"] >= len(NAMES)


async def test_create_tables_yields_to_another_that_was_first(tables: DynamoDBClient) -> None:
    """Tables that appear between look and making are another's, and no failure."""

    def blind_at_first(action: str, number: int, answer: Answer) -> Answer:
        return {"TableNames": []} if (action, number) == ("ListTables", 1) else answer

    late = Between(tables, answered=blind_at_first)
    assert [] == await create_tables(late, CONTRACT, tables.endpoint.table_prefix)
    assert len(NAMES) == late.counts["CreateTable"]


async def test_create_tables_waits_until_tables_and_indexes_can_be_used(client: DynamoDBClient) -> None:
    """A new table is not described at first, then in the making, then its indexes are."""

    def slow(action: str, number: int, answer: Answer) -> Answer:
        if action != "DescribeTable":
            return answer
        if number == 1:
            raise Unavailable("ResourceNotFoundException")
        if number == 2:
            return {"Table": {**answer["Table"], "TableStatus": "CREATING"}}
        if number == 3:
            indexes = [{**index, "IndexStatus": "CREATING"} for index in answer["Table"]["GlobalSecondaryIndexes"]]
            return {"Table": {**answer["Table"], "GlobalSecondaryIndexes": indexes}}
        return answer

    waiting = Between(client, answered=slow)
    assert len(NAMES) == len(await create_tables(waiting, CONTRACT, client.endpoint.table_prefix))
    assert len(NAMES) + 3 == waiting.counts["DescribeTable"]


async def test_create_tables_says_what_it_waited_for_in_vain(client: DynamoDBClient) -> None:
    """A table that never gets ready ends the wait with its name and state."""

    def stuck(action: str, _: int, answer: Answer) -> Answer:
        return {"Table": {"TableStatus": "CREATING"}} if action == "DescribeTable" else answer

    prefix = client.endpoint.table_prefix
    with pytest.raises(Unavailable, match=f"table {prefix}Users was not ready after 1 s, its state is CREATING"):
        await create_tables(Between(client, answered=stuck), CONTRACT, prefix, ready_within_s=1)


async def test_check_tables_names_tables_that_cannot_be_used(tables: DynamoDBClient) -> None:
    """An archived table, or an index on its way out, serves nobody."""

    def leaving(action: str, _: int, answer: Answer) -> Answer:
        if action != "DescribeTable" or not answer["Table"]["TableName"].endswith("Fence"):
            return answer
        indexes = [{**index, "IndexStatus": "DELETING"} for index in answer["Table"]["GlobalSecondaryIndexes"]]
        return {"Table": {**answer["Table"], "TableStatus": "ARCHIVED", "GlobalSecondaryIndexes": indexes}}

    prefix = tables.endpoint.table_prefix
    assert [
        f"table {prefix}Fence: its status is ARCHIVED",
        f"table {prefix}Fence: index GSI1: its status is DELETING",
    ] == await check_tables(Between(tables, answered=leaving), CONTRACT, prefix)


async def test_create_tables_leaves_another_expiry_alone(client: DynamoDBClient) -> None:
    """Tables that are there are not changed; the check tells of them."""
    prefix = client.endpoint.table_prefix
    support = replace(CONTRACT.tables["Support"], ttl_attribute="other")
    await create_tables(client, replace(CONTRACT, tables={"Support": support}), prefix)
    await create_tables(client, CONTRACT, prefix)
    assert [f"table {prefix}Support: items do not expire by expires_at"] == await check_tables(client, CONTRACT, prefix)


@pytest.mark.parametrize(
    "image",
    [
        user_image(is_admin=True, first_name=""),
        user_image(username="Zoë 😀", email="ZOË@shop.test", first_name=None, created_at=None),
        cart_image(price="0.01", product_name=""),
        order_image(total_amount="99999999.99", status="completed"),
        order_image(total_amount="0.00", lines=0),
        product_image(name="%_\\", description="", price="100.00", image_url=""),
        product_image(name="n" * 200, description=None),
        category_image(),
        category_image(path=("Root",)),
    ],
)
async def test_items_come_back_as_they_were_put(tables: DynamoDBClient, image: Image) -> None:
    """DynamoDB holds every item and gives it back unchanged, numbers included, so that items compare by `==`."""
    for item in MAPPER.items_of(image):
        await put(tables, item)
        assert item.attributes == await get(tables, Key(item.table, item.partition, item.sort))


async def test_log_entries_come_back(tables: DynamoDBClient) -> None:
    """Sets come back in any order, and say the same."""
    entry = log_entry(KEYS, version=3, product_ids=range(1, 30), seller_ids=[], now_s=2**31)
    await tables.request("PutItem", {"TableName": tables.table_name("Support"), "Item": entry})
    found = await get(tables, KEYS.log_entry(3))
    assert found is not None
    assert listing_change_from(entry) == listing_change_from(found)


@pytest.mark.parametrize("lines", [0, 100, 1000])
async def test_item_size_bytes_is_what_dynamodb_counts(tables: DynamoDBClient, lines: int) -> None:
    """An item of the greatest size by our count is taken; one larger by more than our rounding is refused."""
    item = MAPPER.items_of(order_image(lines=lines))[0]
    slack = 10 + 4 * lines  # A byte for each number, and two for the rounding of the service itself.
    room = ITEM_MAX_BYTES - item_size_bytes(item.attributes) - len("filler")
    await put(tables, replace(item, attributes={**item.attributes, "filler": {"S": "x" * room}}))
    too_large = {**item.attributes, "filler": {"S": "x" * (room + slack)}}
    with pytest.raises(PayloadTooLarge):
        await put(tables, replace(item, attributes=too_large))
