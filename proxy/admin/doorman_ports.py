"""Who may come in: what the admin API and the flag page ask about a request, and the cookies they set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Principal:
    """A super admin, as of now. `csrf_token` belongs to the session; forms carry it. `expires_at` ends the session."""

    user_id: int
    username: str
    csrf_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """A session just begun, and whose it is."""

    value: str = field(repr=False)
    principal: Principal


@dataclass(frozen=True, slots=True)
class Override:
    """The flags that a browser has set for itself, by name.

    `is_in_force` is False once the flags of all were changed after it was set: it is bound to their version.
    """

    flags: Mapping[str, object]
    expires_at: datetime
    is_in_force: bool


class Doorman(Protocol):
    """Knows callers by a token of the shop or by a session of its own, and whether they are super admins now."""

    async def principal(self, request: web.Request) -> Principal:
        """Whoever sends the request.

        Raises Unauthenticated without a valid token or session, Forbidden when the user is no super admin now,
        Unavailable when no database can say.
        """

    async def log_in(self, name: str, password: str, address: str) -> SessionCookie:
        """Begin a session.

        Raises Unauthenticated for an unknown name as for a wrong password, Forbidden for a user who is no super admin,
        TooManyAttempts after too many of either, Unavailable.
        """

    def address_of(self, request: web.BaseRequest) -> str:
        """The caller's address; what trusted proxies say of it counts, what others say does not."""

    def check_csrf(self, principal: Principal, token: str) -> None:
        """Raise Forbidden unless the token is the session's."""

    def set_session(self, request: web.Request, response: web.StreamResponse, cookie: SessionCookie) -> None:
        """Hand the session to the browser."""

    def clear_session(self, response: web.StreamResponse) -> None:
        """Have the browser forget the session."""

    def override_of(self, request: web.Request, principal: Principal) -> Override | None:
        """The override of this user's browser; None without a valid one."""

    async def set_override(
        self, request: web.Request, response: web.StreamResponse, principal: Principal, flags: Mapping[str, object]
    ) -> Override:
        """Have the browser read by other flags than all others, until it expires or the flags of all are changed.

        `flags` by name: `migration_phase`, or those that only say how reads are answered. Raises InvalidArgument for
        others and for wrong values, Conflict where reading so is not safe beside the flags in force.
        """

    def clear_override(self, response: web.StreamResponse) -> None:
        """Have the browser read as all others do."""
