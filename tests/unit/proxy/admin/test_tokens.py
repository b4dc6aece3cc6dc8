"""What `proxy.admin.tokens` promises: only its own key, one algorithm, and an end that is near."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import Unauthenticated
from proxy.admin.tokens import LIFE_MAX, TOKEN_MAX, Seal, is_same, seals_of

SECRET: Final = "a secret of tests, shared with the shop and long enough"
KEY: Final = SECRET.encode()


def soon() -> datetime:
    """A minute from now."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)


def signed(**claims: object) -> str:
    """A token with these claims and no others."""
    return jwt.encode(claims, KEY, algorithm="HS256")


def test_a_seal_reads_what_it_signed() -> None:
    """The user, the end to the second, and the rest."""
    end = soon()
    claims = Seal(KEY).read(Seal(KEY).sign(7, end, epoch=3))
    assert (7, end, 3) == (claims.user_id, claims.expires_at, claims.values["epoch"])


def test_a_seal_takes_what_the_shop_adds() -> None:
    """Audience, issuer, subject and issue time are the shop's affair, of whatever type."""
    token = signed(userId=7, exp=soon().timestamp(), aud="shop", iss="shop", sub=7, iat=2**31, jti=1)
    assert 7 == Seal(KEY).read(token).user_id


@pytest.mark.parametrize("end", [None, "tomorrow", True, [1], 0, 10**400, float(10**300)])
def test_a_seal_refuses_an_end_that_is_none(end: object) -> None:
    """Of another type, past, or so far away that it is none."""
    with pytest.raises(Unauthenticated):
        Seal(KEY).read(signed(userId=7, exp=end))


def test_a_seal_refuses_a_token_without_a_near_end() -> None:
    """None at all, one as a text, and one in more than 24 hours; the last minute before that is well."""
    end = soon().timestamp()
    far = (soon() + LIFE_MAX).timestamp()
    for claims in ({}, {"exp": str(int(end))}, {"exp": far}, {"exp": end, "nbf": end}):
        with pytest.raises(Unauthenticated):
            Seal(KEY).read(signed(userId=7, **claims))
    assert 7 == Seal(KEY).read(signed(userId=7, exp=far - 120)).user_id


@pytest.mark.parametrize("claims", [{}, {"userId": None}, {"userId": "7"}, {"userId": True}, {"userId": 7.0}])
def test_a_seal_refuses_a_token_of_nobody(claims: dict[str, object]) -> None:
    """Only an integer is a user's id."""
    with pytest.raises(Unauthenticated, match="userId"):
        Seal(KEY).read(signed(exp=soon().timestamp(), **claims))


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_a_seal_knows_one_algorithm(algorithm: str) -> None:
    """What a token's head says of it does not count."""
    token = jwt.encode({"userId": 7, "exp": soon()}, "" if algorithm == "none" else KEY * 2, algorithm=algorithm)
    with pytest.raises(Unauthenticated):
        Seal(KEY * 2).read(token)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "\udcff", "eyJ" * 10, "x" * (TOKEN_MAX + 1)])
def test_a_seal_refuses_what_is_no_token(token: str) -> None:
    """As an error of the wire, whatever the bytes."""
    with pytest.raises(Unauthenticated):
        Seal(KEY).read(token)


ANY: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["HS256", "none", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["exp", "alg"]), inner, max_size=2),
    max_leaves=4,
)
HEADS: Final = st.dictionaries(st.sampled_from(["alg", "crit", "b64", "kid", "typ"]), ANY, max_size=4)
CLAIMS: Final = st.dictionaries(st.sampled_from(["exp", "userId", "nbf", "iat", "aud", "sub"]), ANY, max_size=5)


@given(head=HEADS, claims=CLAIMS | ANY, alg=st.sampled_from([{}, {"alg": "HS256"}]))
@settings(max_examples=300, deadline=None)
def test_a_seal_refuses_or_reads_whatever_is_signed(
    head: dict[str, object], claims: object, alg: dict[str, object]
) -> None:
    """A rightly signed token of any form at all is no fault of the proxy."""
    message = ".".join(_packed(json.dumps(part).encode()) for part in ({**head, **alg}, claims))
    _reads(Seal(KEY), f"{message}.{_packed(hmac.digest(KEY, message.encode(), 'sha256'))}")


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_each_kind_has_a_key_of_its_own() -> None:
    """No token of one kind stands for another, and the secret itself is the shop's key."""
    seals = seals_of(SECRET)
    kinds = [seals.shop, seals.session, seals.override]
    for signer in kinds:
        token = signer.sign(7, soon())
        assert [seal for seal in kinds if _reads(seal, token)] == [signer]
    assert _reads(Seal(KEY), seals.shop.sign(7, soon()))
    assert seals.csrf_token("x") != seals.password_mark("x")


def _reads(seal: Seal, token: str) -> bool:
    try:
        return seal.read(token).user_id == 7
    except Unauthenticated:
        return False


def test_nobody_signs_without_a_secret() -> None:
    """Keys that follow from nothing would be known to all."""
    with pytest.raises(ValueError, match="secret"):
        seals_of("")


def test_keys_are_in_no_repr() -> None:
    """A record that comes into a log tells none."""
    assert "mark_key" not in repr(seals_of(SECRET))
    assert SECRET not in repr(seals_of(SECRET))


def test_texts_are_compared_whole() -> None:
    """Bytes that are no text are different like any others."""
    assert is_same("abc", "abc")
    assert not is_same("ab", "abc")
    assert not is_same("\udcff", "abc")
