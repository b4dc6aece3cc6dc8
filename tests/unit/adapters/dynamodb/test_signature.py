"""Signing, against the SDK's own signer."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from adapters.dynamodb.signature import CONTENT_TYPE, TARGET, Identity, Signer

HOST = "dynamodb.eu-central-1.amazonaws.com"
NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
ANA = Identity("AKIDANA", "secret/of+ana")
BEN = Identity("AKIDBEN", "ben", "an/expiring+token==")


def made_by_sdk(
    action: str, body: bytes, identity: Identity, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The headers that the SDK signs with."""
    request = AWSRequest(
        method="POST",
        url=f"https://{HOST}/",
        data=body,
        headers={"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET + action},
    )
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: now)
    credentials = Credentials(identity.access_key, identity.secret_key, identity.token)
    SigV4Auth(credentials, "dynamodb", "eu-central-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def test_signature_is_that_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every action, body, identity and day, also where the kept key has to change."""
    signer = Signer(host=HOST, path="/", region="eu-central-1")
    for action, body in [("GetItem", b"{}"), ("Query", '{"a": "ß"}'.encode())]:
        for identity in (ANA, BEN, ANA):
            for now in (NOON, NOON + timedelta(days=1), NOON):
                expected = made_by_sdk(action, body, identity, now, monkeypatch)
                found = signer.headers(action, body, identity, now)
                assert expected == {name: value for name, value in found.items() if name != "host"}
                assert HOST == found["host"]
