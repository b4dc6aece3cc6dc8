"""Tokens: those of the shop, and the proxy's own behind its cookies, each kind by a key of its own.

    shared secret ──────────────> shop      the shop signs, the proxy only reads
      └─ HKDF ─┬─> session                  who logged in here
               ├─> override                 how one browser reads
               └─> marks                    which forms belong to a session, which password it was begun with

So no cookie of the proxy is a token of the shop, and none stands for another kind.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.errors import Unauthenticated

ALGORITHM: Final = "HS256"
LIFE_MAX: Final = timedelta(hours=24)
KEY_BYTES: Final = 32
USER_ID: Final = "userId"
TOKEN_MAX: Final = 4096
"""The most characters that a token may have."""

# The claims that count are checked; of the others the shop may make what it likes.
_CHECKS: Final[jwt.types.Options] = {
    "require": ["exp"],
    "verify_aud": False,
    "verify_iss": False,
    "verify_iat": False,
    "verify_jti": False,
    "verify_sub": False,
}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose it is, until when, and the rest."""

    user_id: int
    expires_at: datetime
    values: Mapping[str, object]


class Seal:
    """Signs claims with one key, and reads what it has signed."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, user_id: int, expires_at: datetime, **values: object) -> str:
        """A token."""
        claims = {**values, USER_ID: user_id, "exp": int(expires_at.timestamp())}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def read(self, token: str) -> Claims:
        """What a token says.

        Raises Unauthenticated unless it was signed with this key and algorithm, names a user, and ends, within 24 h.
        """
        if len(token) > TOKEN_MAX:
            raise Unauthenticated("the token is too long")
        try:
            values = jwt.decode(token, self._key, algorithms=[ALGORITHM], options=_CHECKS)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unauthenticated("the token is not valid") from None
        return Claims(_user_id(values), _end(values), values)


@dataclass(frozen=True, slots=True)
class Seals:
    """The keys of all kinds of tokens."""

    shop: Seal
    session: Seal
    override: Seal
    mark_key: bytes = field(repr=False)

    def csrf_token(self, credential: str) -> str:
        """The token of the forms that belong to a credential."""
        return self._mark("csrf", credential)

    def password_mark(self, password_hash: str) -> str:
        """What changes with the password and tells nothing of its hash."""
        return self._mark("password", password_hash)

    def _mark(self, kind: str, text: str) -> str:
        return hmac.new(self.mark_key, f"{kind}\0{text}".encode(errors="surrogateescape"), hashlib.sha256).hexdigest()


def seals_of(secret: str) -> Seals:
    """The keys that follow from the secret shared with the shop, which must not be empty."""
    if not secret:
        msg = "without a secret anybody could sign"
        raise ValueError(msg)
    shared = secret.encode()
    return Seals(
        shop=Seal(shared),
        session=Seal(_derived(shared, "session")),
        override=Seal(_derived(shared, "override")),
        mark_key=_derived(shared, "marks"),
    )


def is_same(given: str, expected: str) -> bool:
    """Compare two texts in a time that tells nothing of either."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode())


def _derived(secret: bytes, purpose: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"crossfade {purpose}".encode())
    return kdf.derive(secret)


def _user_id(values: Mapping[str, object]) -> int:
    user_id = values.get(USER_ID)
    if type(user_id) is int:
        return user_id
    raise Unauthenticated(f"the token has no claim {USER_ID} that is a user's id")


def _end(values: Mapping[str, object]) -> datetime:
    end = values["exp"]
    latest = datetime.now(UTC) + LIFE_MAX
    if type(end) in {int, float} and end <= latest.timestamp():  # type: ignore[operator]  # a number by now
        return datetime.fromtimestamp(end, UTC)  # type: ignore[arg-type]
    raise Unauthenticated("the token must end within 24 hours")
