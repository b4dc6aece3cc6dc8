"""The short way to DynamoDB: requests for data signed, sent and read without the SDK's model of the service.

    payload ── JSON ──▶ Signer ──▶ a connection, marked ──▶ checksum ── JSON ──▶ response, or ClientError

The SDK's model tells each member of each request and answer its type, which costs more than all the rest; here both are
in the service's own form already. Credentials, address and certificates are the SDK's, and so are the errors raised:
whoever asks cannot tell the ways apart. Only a binary value, which no item of the shop holds, stays Base64.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast

import aiohttp
import orjson
from aiobotocore.session import AioSession
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from botocore.exceptions import BotoCoreError, ChecksumError, ClientError, HTTPClientError, NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.parsers import ResponseParserError
from botocore.utils import get_environ_proxies
from yarl import URL

from adapters.dynamodb.flight import Flight, TooLate, keepalive_socket
from adapters.dynamodb.signature import Identity, Signer

Payload = Mapping[str, object]
Response = Mapping[str, Any]
"""An answer as the service gives it."""

USER_AGENT: Final = "crossfade"
IDLE_CONNECTION_S: Final = 60.0
"""How long a connection is kept that nobody uses."""
UNSIGNED: Final = f"user-agent: {USER_AGENT}\r\naccept-encoding: identity\r\n"
"""What is checked and read are the bytes as they came."""
_NO_LIMIT: Final = aiohttp.ClientTimeout()
_FINAL_FROM: Final = 200
_FAILED_FROM: Final = 300
_CHECKSUM: Final = "x-amz-crc32"
_REQUEST_ID: Final = "x-amzn-requestid"


class UnprintableCredentialsError(BotoCoreError):
    """Credentials that no header can hold: most often the line break at the end of a file was taken along."""

    fmt = "the access key or the session token has a line break or another control character in it"


class Wire:
    """A pool of connections, used by one endpoint. Made by `opened`.

    The connections, their pool and the reading of answers are the HTTP library's; its own client around them would
    cost more than all else here, for freedoms that these requests do not need.
    """

    def __init__(self, connector: aiohttp.TCPConnector, url: URL, *, region: str, sdk: AioSession) -> None:
        self._connector = connector
        self._sdk = sdk
        self._signer = Signer(host=url.raw_authority, path=url.raw_path, region=region)
        self._start = f"POST {url.raw_path} HTTP/1.1\r\n"
        # Whom to connect to, as the connector wants to be told.
        self._peer = aiohttp.ClientRequest("POST", url)

    async def send(self, flight: Flight, payload: Payload) -> Response:
        """The answer to a request, sent once. It has no limit of time but the caller's.

        Raises the SDK's ClientError for an answer that is an error, and BotoCoreError, ResponseParserError or OSError
        where there is no answer that could be read.
        """
        body = orjson.dumps(payload)
        headers = self._signer.headers(flight.action, body, await self._identity(), datetime.now(UTC))
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"{self._start}{lines}{UNSIGNED}content-length: {len(body)}\r\n\r\n"
        try:
            answer, content = await self._exchange(flight, head.encode() + body)
        except (aiohttp.ClientError, HttpProcessingError, TooLate) as error:
            raise HTTPClientError(error=error) from error
        _check(content, answer.headers.get(_CHECKSUM))
        if answer.code >= _FAILED_FROM:
            raise _failure(flight.action, answer.code, answer.headers.get(_REQUEST_ID), content)
        return _read(content)

    async def _exchange(self, flight: Flight, request: bytes) -> tuple[RawResponseMessage, bytes]:
        """The head and the body of the answer to a request."""
        connection = await self._connector.connect(self._peer, [], _NO_LIMIT)
        try:
            protocol, transport = _ends(connection)
            flight.depart(connection)
            protocol.set_response_params(auto_decompress=False)
            transport.write(request)
            answer, body = await protocol.read()
            while answer.code < _FINAL_FROM:
                answer, body = await protocol.read()
            content = body.read_nowait() if body.is_eof() else await body.read()
        except BaseException:
            connection.close()
            raise
        connection.release()
        return answer, content

    async def _identity(self) -> Identity:
        credentials = await self._sdk.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        # Those that expire are renewed here in time.
        frozen = await credentials.get_frozen_credentials()
        if frozen.access_key is None or frozen.secret_key is None:
            raise NoCredentialsError
        # They go into headers as they are.
        if not f"{frozen.access_key}{frozen.token or ''}".isprintable():
            raise UnprintableCredentialsError
        return Identity(frozen.access_key, frozen.secret_key, frozen.token)


@asynccontextmanager
async def opened(sdk: AioSession, address: str, *, region: str, connections: int) -> AsyncIterator[Wire | None]:
    """A wire to this address with the SDK session's credentials; None where the way leads through a proxy of HTTP.

    Connects to nothing yet; all connections are closed on leaving.
    """
    if get_environ_proxies(address):
        yield None
        return
    connector = aiohttp.TCPConnector(
        limit=connections,
        ssl=_trusted(sdk) if address.startswith("https:") else True,
        keepalive_timeout=IDLE_CONNECTION_S,
        socket_factory=keepalive_socket,
    )
    async with connector:
        yield Wire(connector, URL(address), region=region, sdk=sdk)


def _ends(connection: Connection) -> tuple[ResponseHandler, asyncio.Transport]:
    """Where answers come in and requests go out. Raises ServerDisconnectedError where the peer has hung up already."""
    if connection.protocol is None or connection.transport is None:
        raise aiohttp.ServerDisconnectedError
    return connection.protocol, connection.transport


def _trusted(sdk: AioSession) -> ssl.SSLContext:
    """The certificates that the SDK trusts: those of its configuration, else those that it brings."""
    return ssl.create_default_context(cafile=sdk.get_config_variable("ca_bundle") or get_cert_path(verify=True))


def _check(content: bytes, expected: str | None) -> None:
    if expected is not None and expected != (actual := str(zlib.crc32(content))):
        raise ChecksumError(checksum_type="CRC32", expected_checksum=expected, actual_checksum=actual)


def _read(content: bytes) -> Response:
    try:
        members = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ResponseParserError(f"the answer is no JSON: {error}") from error
    if not isinstance(members, dict):
        raise ResponseParserError(f"the answer is no object of JSON but {type(members).__name__}")
    return {name: value for name, value in members.items() if value is not None}


def _failure(action: str, status: int, request_id: str | None, content: bytes) -> ClientError:
    """The error of an answer, with what it says of the request, as the SDK would raise it."""
    try:
        members = _read(content)
    except ResponseParserError:
        members = {"message": content.decode(errors="replace")}
    code = str(members.get("__type", status)).partition(":")[0].rpartition("#")[2]
    told: dict[str, Any] = {name: value for name, value in members.items() if name not in {"__type", "message"}}
    if reasons := told.get("CancellationReasons"):
        told["CancellationReasons"] = [
            {name: value for name, value in reason.items() if value is not None} for reason in reasons
        ]
    told["Error"] = {"Code": code, "Message": members.get("message", members.get("Message", ""))}
    told["ResponseMetadata"] = {"HTTPStatusCode": status, **({"RequestId": request_id} if request_id else {})}
    return ClientError(cast("Any", told), action)
