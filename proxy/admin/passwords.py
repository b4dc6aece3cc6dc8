"""Passwords against the shop's hashes, beside the event loop and in a time that tells nothing of who exists."""

import asyncio
import re
from collections.abc import Iterable
from typing import Final

import bcrypt

from adapters.deadline import Deadline
from proxy.logs import EventLog
from proxy.shedding import Limiter

COST: Final = 12
"""The cost of a comparison with nobody's hash in a shop that has no bcrypt hash."""
PASSWORD_MAX_BYTES: Final = 72
"""What bcrypt looks at; the shop's own library cuts off what is beyond, so what is beyond never counted."""
_HASH: Final = re.compile(r"\$2[abxy]\$(0[4-9]|1\d|20)\$[./A-Za-z0-9]{53}")
"""A bcrypt hash that can be compared with: at a cost of more than 20 that would take minutes."""
_NOBODY: Final = "$2b${cost:02d}$" + "." * 53

log = EventLog(__name__)


class Passwords:
    """Compares passwords, few at a time: each takes a core for a quarter of a second."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._cost: int | None = None

    @property
    def is_tuned(self) -> bool:
        """Whether it is known how long a comparison takes in this shop."""
        return self._cost is not None

    @property
    def nobody(self) -> str:
        """The hash of no password, which takes as long to compare with as the shop's."""
        return _NOBODY.format(cost=self._cost or COST)

    def tune(self, password_hashes: Iterable[str]) -> None:
        """Take as long for nobody's password as for the slowest of these."""
        costs = [int(match[1]) for match in map(_HASH.fullmatch, password_hashes) if match is not None]
        self._cost = max(costs, default=COST)

    async def is_right(self, password: str, password_hash: str | None, deadline: Deadline) -> bool:
        """Whether the password belongs to the hash; to None, and to what is no bcrypt hash, none does.

        Raises Unavailable while too many are compared.
        """
        is_hash = password_hash is not None and _HASH.fullmatch(password_hash) is not None
        await self._limiter.enter(deadline)
        try:
            return await asyncio.to_thread(_is_right, password, password_hash if is_hash else None, self.nobody)
        finally:
            self._limiter.leave()


def _is_right(password: str, password_hash: str | None, nobody: str) -> bool:
    given = password.encode(errors="surrogateescape")[:PASSWORD_MAX_BYTES]
    if password_hash is not None:
        try:
            return bcrypt.checkpw(given, password_hash.encode())
        except ValueError:  # It looks like a hash, and is none: its salt or its cost cannot be.
            log.warning("password_hash_unreadable")
    bcrypt.checkpw(given, nobody.encode())
    return False
