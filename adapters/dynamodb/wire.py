"""The short way to DynamoDB: requests for data signed, sent and read without the SDK's model of the service.

    payload ── JSON ──▶ Signer ──▶ a connection, marked ──▶ checksum ── JSON ──▶ response, or ClientError

The SDK's model tells each member of each request and answer its type, which costs more than all the rest; here both are
in the service's own form already. Credentials, address and certificates are the SDK's, and so are the errors raised:
whoever asks cannot tell the ways apart. Only a binary value, which no item of the shop holds, stays Base64.
"""

import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final, cast

import aiohttp
import orjson
from aiobotocore.session import AioSession
from botocore.exceptions import ChecksumError, ClientError, HTTPClientError, NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.parsers import ResponseParserError
from botocore.utils import get_environ_proxies
from yarl import URL

from adapters.dynamodb.flight import LARGE_BODY_BYTES, TooLate, keepalive_socket, marking
from adapters.dynamodb.signature import Identity, Signer

Payload = Mapping[str, object]
Response = Mapping[str, Any]
"""An answer as the service gives it."""

USER_AGENT: Final = "crossfade"
IDLE_CONNECTION_S: Final = 60.0
"""How long a connection is kept that nobody uses."""
_FAILED_FROM: Final = 300
_CHECKSUM: Final = "x-amz-crc32"
_REQUEST_ID: Final = "x-amzn-requestid"


class Wire:
    """A pool of connections, used by one endpoint. Made by `opened`."""

    def __init__(self, http: aiohttp.ClientSession, url: URL, *, region: str, sdk: AioSession) -> None:
        self._http = http
        self._url = url
        self._sdk = sdk
        self._signer = Signer(host=url.raw_authority, path=url.raw_path, region=region)

    async def send(self, action: str, payload: Payload) -> Response:
        """The answer to a request, sent once. It has no limit of time but the caller's.

        Raises the SDK's ClientError for an answer that is an error, and BotoCoreError, ResponseParserError or OSError
        where there is no answer that could be read.
        """
        body = orjson.dumps(payload)
        headers = self._signer.headers(action, body, await self._identity(), datetime.now(UTC))
        # What is checked and read are the bytes as they came.
        headers["accept-encoding"] = "identity"
        data = BytesIO(body) if len(body) > LARGE_BODY_BYTES else body
        try:
            async with self._http.post(self._url, data=data, headers=headers, allow_redirects=False) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TooLate) as error:
            raise HTTPClientError(error=error) from error
        _check(content, answer.headers.get(_CHECKSUM))
        if answer.status >= _FAILED_FROM:
            raise _failure(action, answer.status, answer.headers.get(_REQUEST_ID), content)
        return _read(content)

    async def _identity(self) -> Identity:
        credentials = await self._sdk.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        # Those that expire are renewed here in time.
        frozen = await credentials.get_frozen_credentials()
        if frozen.access_key is None or frozen.secret_key is None:
            raise NoCredentialsError
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
    connector.connect = marking(connector.connect)  # type: ignore[method-assign]  # nothing else tells what was sent
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(),
        headers={"User-Agent": USER_AGENT},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as http:
        yield Wire(http, URL(address), region=region, sdk=sdk)


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
