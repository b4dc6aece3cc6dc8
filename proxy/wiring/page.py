"""The flag page's way into the control plane: each act under its visitor's name, errors of the wire as refusals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeGuard

from aiohttp import web

from adapters.errors import Conflict, CrossfadeError, InvalidArgument, Reason, Unavailable
from adapters.operations import PORTS
from adapters.records import User
from control_ui.app import build_ui
from control_ui.pages import Rules
from control_ui.ports import Refused
from proxy.admin.doorman_ports import Doorman, Override, Principal
from proxy.admin.ports import ControlRoom
from proxy.admin.records import Actor, Changed, Gate, Job, LogKind, LogPage, Status
from proxy.admin.words import named
from proxy.flags.model import PHASE_NAMES
from proxy.phase import Side
from proxy.rpc.problem import problem_members
from proxy.wiring.control_room import DISPLAY_NAMES


def page_routes(room: ControlRoom, doorman: Doorman, *, is_draining: Callable[[], bool]) -> list[web.RouteDef]:
    """The paths of the flag page."""
    rules = Rules(
        source=DISPLAY_NAMES[Side.SOURCE],
        target=DISPLAY_NAMES[Side.TARGET],
        phases={phase: named(name, DISPLAY_NAMES) for phase, name in PHASE_NAMES.items()},
        entities=tuple(PORTS),
        is_draining=is_draining,
    )
    return build_ui(PageDoor(room, doorman), rules)


class PageDoor:
    """See control_ui's Door."""

    def __init__(self, room: ControlRoom, doorman: Doorman) -> None:
        self._room = room
        self._doorman = doorman

    async def admit(self, request: web.Request) -> "PageVisitor":
        """See Door."""
        with told():
            principal = await self._doorman.principal(request)
        return PageVisitor(self._room, self._doorman, request, principal)

    async def log_in(self, request: web.Request, response: web.StreamResponse, *, name: str, password: str) -> None:
        """See Door."""
        with told():
            cookie = await self._doorman.log_in(name, password, self._doorman.address_of(request))
        self._doorman.set_session(request, response, cookie)

    def log_out(self, response: web.StreamResponse) -> None:
        """See Door."""
        self._doorman.clear_session(response)


class PageVisitor:
    """See control_ui's Visitor."""

    def __init__(self, room: ControlRoom, doorman: Doorman, request: web.Request, principal: Principal) -> None:
        self._doorman = doorman
        self._request = request
        self._principal = principal
        self.username: Final = principal.username
        self.csrf_token: Final = principal.csrf_token
        self.expires_at: Final = principal.expires_at
        actor = Actor(principal.username, doorman.address_of(request), principal.user_id)
        self.desk: Final = PageDesk(room, actor)

    @property
    def override(self) -> Override | None:
        """See Visitor."""
        return self._doorman.override_of(self._request, self._principal)

    def check_csrf(self, token: str) -> None:
        """See Visitor."""
        with told():
            self._doorman.check_csrf(self._principal, token)

    async def set_override(self, response: web.StreamResponse, flags: Mapping[str, object]) -> None:
        """See Visitor."""
        with told():
            await self._doorman.set_override(self._request, response, self._principal, flags)

    def clear_override(self, response: web.StreamResponse) -> None:
        """See Visitor."""
        self._doorman.clear_override(response)


class PageDesk:
    """See control_ui's Desk."""

    def __init__(self, room: ControlRoom, actor: Actor) -> None:
        self._room = room
        self._actor = actor

    async def status(self) -> Status:
        """See Desk."""
        with told():
            return await self._room.status()

    async def gate(self, target: int) -> Gate:
        """See Desk."""
        with told():
            return await self._room.gate(target)

    async def set_flags(
        self, changes: Mapping[str, object], *, reason: str, version: int | None, is_forced: bool
    ) -> Changed:
        """See Desk."""
        with told():
            return await self._room.set_flags(
                changes, actor=self._actor, reason=reason, version=version, is_forced=is_forced
            )

    async def reset_flags(self, *, reason: str, version: int | None) -> Changed:
        """See Desk."""
        with told():
            return await self._room.reset_flags(actor=self._actor, reason=reason, version=version)

    async def move(self, phase: int, *, reason: str, version: int | None, is_forced: bool) -> Changed:
        """See Desk."""
        with told():
            return await self._room.move(phase, actor=self._actor, reason=reason, version=version, is_forced=is_forced)

    async def roll_back(self, *, reason: str, to: int | None, is_forced: bool) -> Changed:
        """See Desk."""
        with told():
            return await self._room.roll_back(actor=self._actor, reason=reason, to=to, is_forced=is_forced)

    async def start_validation(self, entities: Sequence[str]) -> Job:
        """See Desk."""
        with told():
            return await self._room.start_validation(entities, actor=self._actor)

    async def job(self, job_id: int) -> Job:
        """See Desk."""
        with told():
            return await self._room.job(job_id)

    async def cancel_job(self, job_id: int) -> Job:
        """See Desk."""
        with told():
            return await self._room.cancel_job(job_id, actor=self._actor)

    async def logs(self, *, kind: str | None, limit: int, cursor: str | None) -> LogPage:
        """See Desk."""
        with told():
            return await self._room.logs(kind=LogKind(kind) if kind else None, limit=limit, cursor=cursor)

    async def promote(self, user_id: int) -> None:
        """See Desk."""
        with told():
            await self._room.promote(user_id, actor=self._actor)

    async def demote(self, user_id: int) -> None:
        """See Desk."""
        with told():
            await self._room.demote(user_id, actor=self._actor)

    async def super_admins(self) -> Sequence[User]:
        """See Desk."""
        with told():
            return await self._room.super_admins()


@contextmanager
def told() -> Iterator[None]:
    """Let errors of the wire leave as refusals that the page can show."""
    try:
        yield
    except CrossfadeError as error:
        raise refusal_of(error) from error


def refusal_of(error: CrossfadeError) -> Refused:
    """What the page says of an error."""
    members = problem_members(error, correlation_id="", is_write=False)
    status, sentence = members["status"], str(members["detail"])
    return Refused(
        status if isinstance(status, int) else 500,
        f"{sentence[:1].upper()}{sentence[1:]}.",
        details=details_of(error),
        is_gate_closed=is_gate_closed(error),
        retry_after_s=error.retry_after_s if isinstance(error, Unavailable) else None,
    )


def details_of(error: CrossfadeError) -> list[str]:
    """What is wrong one by one: faults of arguments, or the checks that hold a gate shut."""
    if isinstance(error, InvalidArgument):
        return [f"{fault.path}: {fault.message}" for fault in error.faults]
    if not is_gate_closed(error):
        return []
    checks = error.members["errors"]
    assert isinstance(checks, Sequence)  # noqa: S101  # As the control room makes it.
    return [
        "{sentence} Verdict: {verdict}. Found: {figure}. Asked for: {threshold}.".format_map(check) for check in checks
    ]


def is_gate_closed(error: CrossfadeError) -> TypeGuard[Conflict]:
    """Whether a gate stands against what was asked for."""
    return isinstance(error, Conflict) and error.reason is Reason.GATE_CLOSED
