"""The admin listener of a worker, and what its RPC listener needs of the control plane."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from adapters.ports.attempts import LoginAttempts
from adapters.ports.store import Reader
from proxy.admin.admins import Admins
from proxy.admin.api import AdminApi
from proxy.admin.doorman import DoormanParts, TokenDoorman
from proxy.admin.entrance import EntranceParts, admin_application
from proxy.admin.login import Login
from proxy.admin.overrides import BackfillCheck, CookieOverrides, OverrideSeal
from proxy.admin.passwords import Passwords
from proxy.admin.ports import ControlRoom
from proxy.admin.tokens import seals_of
from proxy.background import Background
from proxy.flags.snapshot import Snapshot
from proxy.inflight import Inflight
from proxy.phase import Side
from proxy.rpc.parts import RpcRules
from proxy.settings import Settings
from proxy.shedding import Limiter
from proxy.wiring.page import page_routes

COMPARISONS: Final = 2
"""Passwords compared at once in a worker: each takes a core."""
COMPARISONS_QUEUE: Final = 16
COMPARISONS_WAIT_S: Final = 5.0
FORM_MAX_BYTES: Final = 65_536
CALL_S: Final = 5.0
"""How long the body of an admin call may take to come."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker has beside the control plane: its calls under way and its tasks."""

    inflight: Inflight
    background: Background
    is_draining: Callable[[], bool]
    on_shed: Callable[[], None]


class Gatehouse:
    """Who knows admins: on the admin listener by token, session or password, on the RPC listener by a cookie."""

    def __init__(
        self, settings: Settings, *, snapshot: Snapshot, readers: Mapping[Side, Reader], attempts: LoginAttempts
    ) -> None:
        self._settings = settings
        self._snapshot = snapshot
        self._attempts = attempts
        self._seals = seals_of(with_secret(settings).security.jwt_secret)
        self._admins = Admins(snapshot, readers)

    def overrides(self) -> CookieOverrides:
        """How one browser reads."""
        return CookieOverrides(OverrideSeal(self._seals.override), self._admins)

    def application(
        self, room: ControlRoom, around: Surroundings, *, beside: Iterable[web.RouteDef]
    ) -> web.Application:
        """The application of the admin listener: the API, the page, and other routes `beside` them."""
        limiter = Limiter(
            "the login",
            slots=COMPARISONS,
            queue=COMPARISONS_QUEUE,
            wait_s=COMPARISONS_WAIT_S,
            on_shed=around.on_shed,
        )
        doorman = TokenDoorman(
            DoormanParts(
                seals=self._seals,
                admins=self._admins,
                login=Login(self._admins, self._attempts, Passwords(limiter)),
                snapshot=self._snapshot,
                check_safe=BackfillCheck(room),
                session_s=self._settings.security.session_s,
                trusted_proxies=self._settings.server.trusted_proxies,
            )
        )
        allowed_hosts = frozenset(self._settings.server.allowed_hosts)
        page = page_routes(room, doorman, is_draining=around.is_draining)
        rules = RpcRules(
            allowed_hosts=allowed_hosts,
            token=None,
            default_timeout_s=CALL_S,
            body_max_bytes=min(FORM_MAX_BYTES, self._settings.server.body_limit_bytes),
        )
        parts = EntranceParts(doorman, rules, around.inflight, around.background)
        return admin_application(AdminApi(room, doorman), parts, beside=[*page, *beside])


def with_secret(settings: Settings) -> Settings:
    """The settings with a secret of this start's own where none is given, as development may leave it.

    To be called before workers are forked: what one has signed the others shall know.
    """
    if settings.security.jwt_secret:
        return settings
    return replace(settings, security=replace(settings.security, jwt_secret=secrets.token_urlsafe(32)))
