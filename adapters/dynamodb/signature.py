"""Signature Version 4 for requests to DynamoDB, which differ in action and body alone."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

TARGET: Final = "DynamoDB_20120810."
CONTENT_TYPE: Final = "application/x-amz-json-1.0"
ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs. `token` belongs to credentials that expire."""

    access_key: str
    secret_key: str
    token: str | None = None


class Signer:
    """Signs for one endpoint. The key, which serves an identity for a day, is kept from request to request."""

    def __init__(self, *, host: str, path: str, region: str) -> None:
        self._host = host
        self._path = path
        self._region = region
        self._kept: tuple[str, Identity, bytes] | None = None

    def headers(self, action: str, body: bytes, identity: Identity, now: datetime) -> dict[str, str]:
        """The headers that a request goes with, signed; `now` is in UTC, the identity's texts are printable."""
        # What strftime does, in a third of its time.
        time = f"{now.isoformat(timespec='seconds').replace('-', '').replace(':', '')[:15]}Z"
        day = time[:8]
        # In the order of their names, as they are signed.
        headers = {"content-type": CONTENT_TYPE, "host": self._host, "x-amz-date": time}
        if identity.token:
            headers["x-amz-security-token"] = identity.token
        headers["x-amz-target"] = TARGET + action
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"POST\n{self._path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{self._region}/dynamodb/aws4_request"
        text = f"{ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key(day, identity), text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"{ALGORITHM} Credential={identity.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _key(self, day: str, identity: Identity) -> bytes:
        if self._kept is not None and self._kept[:2] == (day, identity):
            return self._kept[2]
        key = f"AWS4{identity.secret_key}".encode()
        for part in (day, self._region, "dynamodb", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._kept = (day, identity, key)
        return key
