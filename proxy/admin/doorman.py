"""The doorman: sessions, tokens and their cookies on the admin listener. See Doorman."""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import hdrs, web

from adapters.errors import Forbidden, Unauthenticated
from adapters.flags import ControlState
from adapters.records import User
from proxy.admin.admins import Admins
from proxy.admin.doorman_ports import Override, Principal, SessionCookie
from proxy.admin.login import Login
from proxy.admin.overrides import LIFE, OverrideSeal
from proxy.admin.tokens import Claims, Seals, is_same
from proxy.environment import Network
from proxy.flags.override import Reading, reading_of, shown_reading
from proxy.flags.snapshot import Snapshot
from proxy.rpc.envelope import host_name
from proxy.rpc.routes import OVERRIDE_COOKIE
from proxy.settings import LOCAL_HOSTS

SESSION_COOKIE: Final = "crossfade_session"
SESSION_PATH: Final = "/admin"
FORWARDED: Final = "X-Forwarded-For"
NOBODY: Final = "unknown"
_PASSWORD: Final = "pwd"  # noqa: S105  # the name of a claim

CheckSafe = Callable[[ControlState, Reading], Awaitable[None]]
"""Raises Conflict unless it is safe to read so beside the flags in force."""


@dataclass(frozen=True, slots=True)
class DoormanParts:
    """What the doorman works with; `trusted_proxies` are those whose word about a caller's address counts."""

    seals: Seals
    admins: Admins
    login: Login
    snapshot: Snapshot
    check_safe: CheckSafe
    session_s: int
    trusted_proxies: tuple[Network, ...] = ()


class TokenDoorman:
    """See Doorman. It keeps nothing: a session is what its cookie says, on every worker of every proxy."""

    def __init__(self, parts: DoormanParts) -> None:
        self._parts = parts
        self._overrides = OverrideSeal(parts.seals.override)

    async def principal(self, request: web.Request) -> Principal:
        """See Doorman. A token in the header counts before a session."""
        token = bearer_of(request)
        if token is None:
            token = request.cookies.get(SESSION_COOKIE, "")
            if not token:
                raise Unauthenticated("log in, or send a token of the shop")
            claims = self._parts.seals.session.read(token)
        else:
            claims = self._parts.seals.shop.read(token)
        user = await self._parts.admins.by_id(claims.user_id)
        if user is None:
            raise Unauthenticated("the user of the token does not exist")
        self._check_password(claims, user)
        if not user.super_admin:
            raise Forbidden("this user is no super admin")
        return self._principal(user, token, claims.expires_at)

    async def log_in(self, name: str, password: str, address: str) -> SessionCookie:
        """See Doorman."""
        seals = self._parts.seals
        user = await self._parts.login.run(name, password, address)
        expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self._parts.session_s)
        value = seals.session.sign(user.id, expires_at, **{_PASSWORD: seals.password_mark(user.password_hash)})
        return SessionCookie(value, self._principal(user, value, expires_at))

    def address_of(self, request: web.BaseRequest) -> str:
        """See Doorman: the last hop that no trusted proxy is."""
        address = request.remote or NOBODY
        hops = ",".join(request.headers.getall(FORWARDED, [])).split(",")
        while hops and self._is_trusted(address):
            hop = _address(hops.pop())
            if hop is None:
                break
            address = hop
        return address

    def check_csrf(self, principal: Principal, token: str) -> None:
        """See Doorman."""
        if not is_same(token, principal.csrf_token):
            raise Forbidden("the form's token is missing or not of this session")

    def set_session(self, request: web.Request, response: web.StreamResponse, cookie: SessionCookie) -> None:
        """See Doorman."""
        life = cookie.principal.expires_at - datetime.now(UTC)
        _set(request, response, SESSION_COOKIE, cookie.value, path=SESSION_PATH, life=life, same_site="Strict")

    def clear_session(self, response: web.StreamResponse) -> None:
        """See Doorman."""
        response.del_cookie(SESSION_COOKIE, path=SESSION_PATH)

    def override_of(self, request: web.Request, principal: Principal) -> Override | None:
        """See Doorman."""
        found = self._overrides.read(request.cookies.get(OVERRIDE_COOKIE, ""))
        if found is None or found[0] != principal.user_id:
            return None
        _, expires_at, reading = found
        state = self._parts.snapshot.latest
        return Override(shown_reading(reading), expires_at, state is not None and state.epoch == reading.epoch)

    async def set_override(
        self, request: web.Request, response: web.StreamResponse, principal: Principal, flags: Mapping[str, object]
    ) -> Override:
        """See Doorman."""
        state = self._parts.snapshot.current()
        reading = reading_of(state, flags)
        await self._parts.check_safe(state, reading)
        value, expires_at = self._overrides.sign(principal.user_id, reading)
        # Lax, for the shop's pages to carry it when they are reached by a link.
        _set(request, response, OVERRIDE_COOKIE, value, path="/", life=LIFE, same_site="Lax")
        return Override(shown_reading(reading), expires_at, is_in_force=True)

    def clear_override(self, response: web.StreamResponse) -> None:
        """See Doorman."""
        response.del_cookie(OVERRIDE_COOKIE, path="/")

    def _check_password(self, claims: Claims, user: User) -> None:
        """A session ends with the password that it was begun with; the shop's tokens are the shop's affair."""
        mark = claims.values.get(_PASSWORD)
        if mark is not None and not is_same(str(mark), self._parts.seals.password_mark(user.password_hash)):
            raise Unauthenticated("the password was changed since the login")

    def _principal(self, user: User, credential: str, expires_at: datetime) -> Principal:
        return Principal(user.id, user.username, self._parts.seals.csrf_token(credential), expires_at)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._parts.trusted_proxies)


def bearer_of(request: web.BaseRequest) -> str | None:
    """The token in the header; None without the header, "" for what is no bearer token."""
    given = request.headers.get(hdrs.AUTHORIZATION)
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None


def _set(
    request: web.Request,
    response: web.StreamResponse,
    name: str,
    value: str,
    *,
    path: str,
    life: timedelta,
    same_site: str,
) -> None:
    host = host_name(request.headers.get(hdrs.HOST, "").lower())
    response.set_cookie(
        name,
        value,
        path=path,
        max_age=int(life.total_seconds()),
        httponly=True,
        secure=host not in LOCAL_HOSTS,
        samesite=same_site,
    )
