"""The short way to DynamoDB and the SDK's: every kind of request that the proxy makes, with the same results."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.deadline import Deadline
from adapters.dynamodb.client import DynamoDBClient, DynamoDBEndpoint, found_item
from adapters.dynamodb.errors import Failure, Verdict
from adapters.dynamodb.expressions import (
    absent_or_older,
    absent_or_owned,
    holds_fence,
    raise_fence,
    says_owner,
    within,
)
from adapters.dynamodb.typed_json import number_value, text_value
from proxy.environment import Address
from tests.servers import DynamoDBEndpoint as Server
from tests.wire_faults import Answer, Raw, WireFaults

ITEM = {
    "PK": text_value("Größe 東京 \x01 🫖"),
    "SK": text_value("#META"),
    "n": {"N": "-12.5"},
    "owner": text_value("user#1"),
    "v": number_value(3),
    "op": text_value("a"),
    "is": {"BOOL": False},
    "none": {"NULL": True},
    "empty": {"S": ""},
    "set": {"SS": ["a", "b"]},
    "map": {"M": {"inner": {"L": [{"M": {"id": {"S": "1"}}}, {"N": "2"}, {"L": []}]}, "bare": {"M": {}}}},
}
KEY = {name: ITEM[name] for name in ("PK", "SK")}
ABSENT = {"PK": text_value("none"), "SK": text_value("#META")}
LARGE = {**KEY, "text": text_value("x" * 390_000)}
TOO_LARGE = {**KEY, "text": text_value("x" * 410_000)}
HINTED = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKS = b'e\r\n{"Item": {"n":\r\nd\r\n {"N": "1"}}}\r\n0\r\n\r\n'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
SHOWN = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class Ways:
    """One client for each way to the same table. `T` in a payload stands for the table's name."""

    def __init__(self, short: DynamoDBClient, sdk: DynamoDBClient) -> None:
        self.clients = (short, sdk)
        self.table = short.table_name("T")

    async def outcomes(self, action: str, payload: Mapping[str, object]) -> list[object]:
        """What came of a request that changes nothing, either way."""
        return [await self._outcome(client, action, payload) for client in self.clients]

    async def _outcome(self, client: DynamoDBClient, action: str, payload: Mapping[str, object]) -> object:
        try:
            response = await client.send(action, self.named(payload))
        except Failure as failure:
            text = str(failure.error).split(", request ")
            told = text[0], text[-1].partition(": ")[2]
            return failure.verdict, type(failure.error), failure.cancellations, told
        return {name: value for name, value in response.items() if name != "ResponseMetadata"}

    def named(self, part: Any) -> Any:  # noqa: ANN401  # JSON
        """A payload with the table's name in the places of `T`."""
        if isinstance(part, dict):
            named = {name: self.named(value) for name, value in part.items()}
            return {self.table if name == "T" else name: value for name, value in named.items()}
        if isinstance(part, list):
            return [self.named(each) for each in part]
        return self.table if part == "T" else part


@pytest.fixture
async def ways(dynamodb_server: Server) -> AsyncIterator[Ways]:
    """Both ways to a table with one item and a hundred of another partition."""
    keys = (dynamodb_server.access_key_id, dynamodb_server.secret_access_key)
    endpoint = DynamoDBEndpoint(dynamodb_server.region, dynamodb_server.url, f"w{uuid4().hex[:8]}_", *keys)
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(DynamoDBClient(endpoint, has_fast_path=is_short, observe=lambda _: None))
            for is_short in (True, False)
        ]
        ways = Ways(opened[0], opened[1])
        create = {
            "TableName": ways.table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in KEY],
            "KeySchema": [
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
        }
        await opened[0].request("CreateTable", create)
        for number in range(10):
            row = {"PK": text_value("rows"), "SK": text_value(f"r{number}"), "text": text_value("x" * 150_000)}
            await opened[0].request("PutItem", {"TableName": ways.table, "Item": row})
        await opened[0].request("PutItem", {"TableName": ways.table, "Item": ITEM})
        yield ways
        await opened[0].request("DeleteTable", {"TableName": ways.table})


@asynccontextmanager
async def answering(answer: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Address, list[object]]]:
    """A server that answers every request with this, byte by byte; where it is and where each request came from."""
    requests: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                await reader.readexactly(int(length))
                requests.append(writer.get_extra_info("peername"))
                for at in range(len(answer)):
                    writer.write(answer[at : at + 1])
                    await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1]), requests


def self_signed(host: str, folder: Path) -> tuple[Path, Path]:
    """A certificate for a host that only itself vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    places = folder / "certificate.pem", folder / "key.pem"
    places[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    places[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return places


def get(key: Mapping[str, object], table: str = "T") -> dict[str, object]:
    """A Get of a transaction."""
    return {"Get": {"TableName": table, "Key": key}}


ROWS = within(("PK", "SK"), "rows", "r")
FENCE = {"TableName": "T", "Key": KEY}
WRITES: Sequence[tuple[str, Mapping[str, object]]] = (
    ("PutItem", {"TableName": "T", "Item": ITEM}),
    (
        "PutItem",
        {
            "TableName": "T",
            "Item": ITEM,
            **absent_or_owned("PK", ["user#1", "user#2"], showing={"v": [number_value(3)]}),
        },
    ),
    (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "T", "Item": {**LARGE, "SK": text_value(f"large{number}")}}}
                for number in range(4)
            ]
        },
    ),
    ("TransactWriteItems", {"TransactItems": [{"Update": {**FENCE, **raise_fence(4, "b", counts={"orders": 2})}}]}),
    ("TransactWriteItems", {"TransactItems": [{"ConditionCheck": {**FENCE, **holds_fence(4, "b")}}]}),
    (
        "TransactWriteItems",
        {"TransactItems": [{"Delete": {"TableName": "T", "Key": {**KEY, "SK": text_value("large0")}}}]},
    ),
    ("DeleteItem", {"TableName": "T", "Key": {**KEY, "SK": text_value("large1")}}),
)
READS: Sequence[tuple[str, Mapping[str, object]]] = (
    ("GetItem", {"TableName": "T", "Key": KEY, "ConsistentRead": True}),
    ("GetItem", {"TableName": "T", "Key": ABSENT, "ConsistentRead": True}),
    ("BatchGetItem", {"RequestItems": {"T": {"Keys": [KEY, ABSENT], "ConsistentRead": True}}}),
    ("TransactGetItems", {"TransactItems": [get(KEY), get(ABSENT)]}),
    ("Query", {"TableName": "T", "ConsistentRead": True, "ScanIndexForward": False, "Limit": 3, **ROWS}),
    ("Query", {"TableName": "T", "ConsistentRead": True, **within(("PK", "SK"), "rows", "")}),
    ("Query", {"TableName": "T", "ConsistentRead": True, **within(("PK", "SK"), "nobody", "")}),
    (
        "Query",
        {"TableName": "T", "ExclusiveStartKey": {"PK": text_value("rows"), "SK": text_value("r4")}, **ROWS},
    ),
    ("Scan", {"TableName": "T", "ConsistentRead": True}),
    ("Scan", {"TableName": "T", "ConsistentRead": True, "ExclusiveStartKey": KEY}),
    ("DescribeTable", {"TableName": "T"}),
)
FAILURES: Sequence[tuple[str, Mapping[str, object]]] = (
    ("GetItem", {"TableName": "nobody", "Key": KEY}),
    ("GetItem", {"TableName": "T", "Key": {"PK": text_value("a")}}),
    ("GetItem", {"TableName": "T", "Key": {"PK": text_value(""), "SK": text_value("")}}),
    ("BatchGetItem", {"RequestItems": {"T": {"Keys": [KEY, KEY]}}}),
    ("Query", {"TableName": "T", "KeyConditionExpression": "PK = "}),
    ("PutItem", {"TableName": "T", "Item": ITEM, **absent_or_older("v", 3)}),
    ("PutItem", {"TableName": "T", "Item": TOO_LARGE}),
    ("DeleteItem", {"TableName": "T", "Key": KEY, **says_owner("user#2")}),
    ("DeleteItem", {"TableName": "T", "Key": KEY, **says_owner(None)}),
    ("TransactGetItems", {"TransactItems": [get(KEY), get(KEY)]}),
    ("TransactGetItems", {"TransactItems": [get(KEY, "nobody")]}),
    ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "T", "Item": TOO_LARGE}}]}),
    (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Update": {"TableName": "T", "Key": KEY, **SHOWN, **raise_fence(3, "b", counts={"orders": 2})}},
                {"Put": {"TableName": "T", "Item": ABSENT}},
                {"ConditionCheck": {"TableName": "T", "Key": {**KEY, "SK": text_value("x")}, **holds_fence(3, "b")}},
            ],
            "ClientRequestToken": "refused",
        },
    ),
)


@pytest.mark.parametrize(("action", "payload"), READS, ids=lambda part: part if isinstance(part, str) else "")
async def test_reads_give_the_same(ways: Ways, action: str, payload: Mapping[str, object]) -> None:
    """Items, places, capacity: member by member."""
    short, sdk = await ways.outcomes(action, payload)
    assert isinstance(sdk, dict)
    assert sdk == short


@pytest.mark.parametrize(("action", "payload"), FAILURES, ids=lambda part: part if isinstance(part, str) else "")
async def test_failures_are_the_same(ways: Ways, action: str, payload: Mapping[str, object]) -> None:
    """Verdict, error, text, and for a transaction the reason of each action with the item that stood in its way."""
    short, sdk = await ways.outcomes(action, payload)
    assert isinstance(sdk, tuple)
    assert sdk == short


async def test_writes_do_the_same(ways: Ways) -> None:
    """Every kind of action, alone and in a transaction, larger than a megabyte too."""
    left = []
    for client in ways.clients:
        for action, payload in WRITES:
            await client.send(action, ways.named(payload))
        mine = within(("PK", "SK"), str(ITEM["PK"]["S"]), "")
        left.append(await client.send("Query", {"TableName": ways.table, "ConsistentRead": True, **mine}))
    short, sdk = ({**response, "ResponseMetadata": None} for response in left)
    assert sdk == short
    items = {item["SK"]["S"]: item for item in sdk["Items"]}
    assert {"N": "4"} == items["#META"]["v"]


async def test_large_answers_come_whole(ways: Ways) -> None:
    """A page as large as the service gives."""
    for client in ways.clients:
        pages = [page async for page in client.pages("Query", {"TableName": ways.table, **ROWS})]
        assert [f"r{number}" for number in range(10)] == [str(item["SK"]["S"]) for page in pages for item in page]
        assert len(pages) > 1


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Raw("HTTP/1.1 200 OK\r\nx-amz-crc32: 1\r\n", b'{"Item": {}}'), Verdict.AMBIGUOUS),
        (Raw("HTTP/1.1 200 OK\r\n", b'{"Item": '), Verdict.AMBIGUOUS),
        (Raw("HTTP/1.1 200 OK\r\n", b"[]"), Verdict.AMBIGUOUS),
        (Raw("HTTP/1.1 503 No\r\n", b"<html>no</html>"), Verdict.AMBIGUOUS),
        (Raw("HTTP/1.1 400 No\r\n", b""), Verdict.REJECTED),
        (Raw("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n", b""), Verdict.REJECTED),
        (Answer(400, "LimitExceededException", {"Message": "slowly"}), Verdict.REJECTED),
    ],
)
async def test_strange_answers_are_no_success(
    ways: Ways, dynamodb_server: Server, answer: Raw | Answer, verdict: Verdict
) -> None:
    """Damaged on the way, cut off, by something that is not DynamoDB: of a write nothing is known then."""
    async with WireFaults(dynamodb_server.url) as wire:
        endpoint = replace(ways.clients[0].endpoint, endpoint_url=wire.url)
        async with DynamoDBClient(endpoint) as client:
            wire.script.append(answer)
            with pytest.raises(Failure) as caught:
                await client.send("PutItem", {"TableName": ways.table, "Item": ITEM})
    assert verdict is caught.value.verdict


@pytest.mark.parametrize("is_short", [True, False])
async def test_credentials_are_renewed(
    ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_short: bool
) -> None:
    """The SDK's own chain finds and renews them, in time for each request."""
    given, calls = ways.clients[0].endpoint, tmp_path / "calls"
    keys = {"Version": 1, "AccessKeyId": given.access_key, "SecretAccessKey": given.secret_key, "SessionToken": "t"}
    soon = datetime.now(UTC) + timedelta(minutes=1)  # So near that nobody waits longer with asking for new ones.
    answer = json.dumps({**keys, "Expiration": soon.isoformat()})
    (tmp_path / "process").write_text(f"echo called >> {calls}\necho '{answer}'")
    (tmp_path / "config").write_text(f"[default]\ncredential_process = sh {tmp_path / 'process'}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    async with DynamoDBClient(replace(given, access_key=None, secret_key=None), has_fast_path=is_short) as client:
        asked = []
        for _ in range(2):
            assert ITEM == found_item(await client.send("GetItem", {"TableName": ways.table, "Key": KEY}))
            asked.append(len(calls.read_text().splitlines()))
    assert 1 < asked[0] < asked[1]


@pytest.mark.parametrize(
    ("answer", "item"),
    [
        (HINTED, None),
        (CHUNKED, {"n": {"N": "1"}}),
    ],
    ids=["an answer that precedes the answer", "a body in chunks"],
)
@pytest.mark.parametrize("is_short", [True, False])
async def test_answers_are_read_as_http_allows_them(
    ways: Ways, answer: bytes, item: Mapping[str, object] | None, *, is_short: bool
) -> None:
    """Byte by byte too, and twice on the same connection."""
    async with answering(answer) as (address, requests):
        endpoint = replace(ways.clients[0].endpoint, endpoint_url=f"http://{address}")
        async with DynamoDBClient(endpoint, has_fast_path=is_short) as client:
            for _ in range(2):
                assert item == found_item(await client.send("GetItem", {"TableName": "T", "Key": KEY}))
    assert 2 == len(requests)


@pytest.mark.parametrize("is_short", [True, False])
async def test_a_request_too_late_to_be_sent_leaves_its_connection_to_the_next(ways: Ways, *, is_short: bool) -> None:
    """Else a proxy that is behind would spend its time on connecting."""
    payload = {"TableName": "T", "Key": KEY}
    async with answering(HINTED) as (address, requests):
        endpoint = replace(ways.clients[0].endpoint, endpoint_url=f"http://{address}")
        async with DynamoDBClient(endpoint, has_fast_path=is_short) as client:
            await client.send("GetItem", payload)
            with pytest.raises(Failure) as caught:
                await client.send("GetItem", payload, deadline=Deadline.after(-1))
            await client.send("GetItem", payload)
    assert Verdict.UNSENT is caught.value.verdict
    assert 2 == len(requests)
    assert requests[0] == requests[1]


@pytest.mark.parametrize("is_short", [True, False])
async def test_certificates_are_checked_against_those_the_sdk_trusts(
    ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_short: bool
) -> None:
    """A server that nobody vouches for gets no request; one that the SDK is told to trust is spoken to."""
    certificate, key = self_signed("localhost", tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with answering(HINTED, context) as (address, requests):
        endpoint = replace(ways.clients[0].endpoint, endpoint_url=f"https://localhost:{address.port}")
        async with DynamoDBClient(endpoint, has_fast_path=is_short) as client:
            with pytest.raises(Failure, match=r"(?i)certificate.verify.failed") as caught:
                await client.send("GetItem", {"TableName": "T", "Key": KEY})
        assert Verdict.UNSENT is caught.value.verdict
        assert [] == requests
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        async with DynamoDBClient(endpoint, has_fast_path=is_short) as client:
            assert found_item(await client.send("GetItem", {"TableName": "T", "Key": KEY})) is None
    assert 1 == len(requests)


async def test_credentials_that_no_header_holds_are_told_as_such(ways: Ways) -> None:
    """A line break taken along from a file."""
    endpoint = replace(ways.clients[0].endpoint, access_key="KEY\n")
    async with DynamoDBClient(endpoint) as client:
        with pytest.raises(Failure, match="line break") as caught:
            await client.send("GetItem", {"TableName": "T", "Key": KEY})
    assert Verdict.UNSENT is caught.value.verdict
