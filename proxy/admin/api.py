"""The admin API: its routes, and what each asks of the control room. HTTP itself is in `entrance.py`."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs

from adapters.operations import PORTS
from adapters.values import INT_MAX
from proxy.admin.calls import AdminAnswer, AdminCall, AdminRoute
from proxy.admin.doorman_ports import Doorman
from proxy.admin.fields import Field, Place, boolean, choice, choices, mapping, text, whole
from proxy.admin.ports import ControlRoom
from proxy.admin.records import Job, LogKind
from proxy.admin.shown import changed_data, gate_data, state_data, status_data, user_data
from proxy.flags.model import FLAGS, PHASE, PHASES, ROUTES
from proxy.rpc.schemas import Schema

LOG_LIMIT_MAX: Final = 500
LOG_LIMIT: Final = 50
CURSOR_MAX: Final = 200
VERSION_MAX: Final = 2**63 - 1
FLAG_SCHEMAS: Final[dict[str, Schema]] = {
    PHASE: {"enum": list(PHASES)},
    **{name: {"type": "boolean"} for name in (*ROUTES, *FLAGS)},
    "mismatch_policy": {"enum": ["raise", "report"]},
    "write_failure_policy": {"enum": ["rollback", "journal"]},
    "compare_percent": {"type": "integer", "minimum": 0, "maximum": 100},
}
"""The flags by name, the views among them."""

_REASON: Final = text("reason")
_FORCE: Final = boolean("force")
_VERSION: Final = whole("version", 0, VERSION_MAX)
_GET: Final = hdrs.METH_GET
_POST: Final = hdrs.METH_POST


def _id(place: Place = Place.PATH) -> Field:
    return whole("id", 1, INT_MAX, place=place, is_required=True)


def _phase(name: str, *, place: Place = Place.BODY, is_required: bool = False) -> Field:
    return whole(name, min(PHASES), max(PHASES), place=place, is_required=is_required)


class AdminApi:
    """The answers of the routes."""

    def __init__(self, room: ControlRoom, doorman: Doorman) -> None:
        self._room = room
        self._doorman = doorman

    def routes(self) -> Sequence[AdminRoute]:
        """All routes, in the order in which they are described."""
        return (*self._flag_routes(), *self._migration_routes(), *self._job_routes(), *self._user_routes())

    def _flag_routes(self) -> Sequence[AdminRoute]:
        flags = mapping("flags", FLAG_SCHEMAS)
        return (
            AdminRoute(_GET, "/admin/flags/status", "flags.status", "The flags in force.", self.flags_status),
            AdminRoute(
                _POST,
                "/admin/flags/set",
                "flags.set",
                "Set one or several flags, all or none; `force` goes past a shut gate and needs a reason.",
                self.set_flags,
                (flags, _REASON, _VERSION, _FORCE),
            ),
            AdminRoute(
                _POST,
                "/admin/flags/reset",
                "flags.reset",
                "Set all flags to the values of the phase.",
                self.reset_flags,
                (_REASON, _VERSION),
            ),
        )

    def _migration_routes(self) -> Sequence[AdminRoute]:
        return (
            AdminRoute(
                _POST,
                "/admin/migration/phase",
                "migration.phase",
                "Move to a phase: forward through its gate, backward at once.",
                self.move,
                (_phase("phase", is_required=True), _REASON, _VERSION, _FORCE),
            ),
            AdminRoute(
                _GET, "/admin/migration/status", "migration.status", "Everything to look at before a move.", self.status
            ),
            AdminRoute(
                _GET,
                "/admin/migration/gate",
                "migration.gate",
                "The checks before a move, measured now.",
                self.gate,
                (_phase("target", place=Place.QUERY, is_required=True),),
            ),
            AdminRoute(
                _POST,
                "/admin/migration/rollback",
                "migration.rollback",
                "Move to the previous phase, or a lower one; `force` goes on without workers that are silent.",
                self.roll_back,
                (_phase("to"), _REASON, _FORCE),
            ),
        )

    def _job_routes(self) -> Sequence[AdminRoute]:
        kind = choice("kind", LogKind, place=Place.QUERY)
        limit = whole("limit", 1, LOG_LIMIT_MAX, place=Place.QUERY)
        cursor = text("cursor", maximum=CURSOR_MAX, place=Place.QUERY)
        return (
            AdminRoute(
                _POST,
                "/admin/migration/validate",
                "migration.validate",
                "Start a comparison of all rows of these entities, or of all.",
                self.start_validation,
                (choices("entities", PORTS), choice("mode", ("full",))),
                HTTPStatus.ACCEPTED,
            ),
            AdminRoute(
                _GET,
                "/admin/migration/validate/{id}",
                "migration.validation",
                "How far a comparison has come, and what it found.",
                self.job,
                (_id(),),
            ),
            AdminRoute(
                _POST,
                "/admin/migration/validate/{id}/cancel",
                "migration.cancel",
                "Stop a comparison, wherever it runs.",
                self.cancel,
                (_id(),),
            ),
            AdminRoute(
                _GET,
                "/admin/migration/logs",
                "migration.logs",
                "What was done and what went wrong, the newest first.",
                self.logs,
                (kind, limit, cursor),
            ),
        )

    def _user_routes(self) -> Sequence[AdminRoute]:
        return (
            AdminRoute(
                _POST, "/admin/users/{id}/promote", "users.promote", "Make a user super admin.", self.promote, (_id(),)
            ),
            AdminRoute(
                _POST, "/admin/users/{id}/demote", "users.demote", "Take the right away.", self.demote, (_id(),)
            ),
            AdminRoute(
                _GET, "/admin/users/super-admins", "users.super_admins", "Who has the right.", self.super_admins
            ),
            AdminRoute(
                _POST,
                "/admin/login",
                "login",
                "Begin a session, whose cookie is set.",
                self.log_in,
                (text("username", is_required=True), text("password", is_required=True)),
                is_public=True,
            ),
            AdminRoute(_POST, "/admin/logout", "logout", "Have the browser forget its session.", self.log_out),
        )

    async def flags_status(self, _call: AdminCall) -> AdminAnswer:
        """GET /admin/flags/status."""
        return AdminAnswer(state_data(await self._room.state()))

    async def set_flags(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/flags/set."""
        changed = await self._room.set_flags(
            call.mapping("flags"),
            actor=call.actor,
            reason=call.text("reason"),
            version=call.optional_number("version"),
            is_forced=call.is_set("force"),
        )
        return AdminAnswer(changed_data(changed))

    async def reset_flags(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/flags/reset."""
        changed = await self._room.reset_flags(
            actor=call.actor, reason=call.text("reason"), version=call.optional_number("version")
        )
        return AdminAnswer(changed_data(changed))

    async def move(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/migration/phase."""
        changed = await self._room.move(
            call.number("phase"),
            actor=call.actor,
            reason=call.text("reason"),
            version=call.optional_number("version"),
            is_forced=call.is_set("force"),
        )
        return AdminAnswer(changed_data(changed))

    async def roll_back(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/migration/rollback."""
        changed = await self._room.roll_back(
            actor=call.actor,
            reason=call.text("reason"),
            to=call.optional_number("to"),
            is_forced=call.is_set("force"),
        )
        return AdminAnswer(changed_data(changed))

    async def status(self, _call: AdminCall) -> AdminAnswer:
        """GET /admin/migration/status."""
        return AdminAnswer(status_data(await self._room.status()))

    async def gate(self, call: AdminCall) -> AdminAnswer:
        """GET /admin/migration/gate."""
        return AdminAnswer(gate_data(await self._room.gate(call.number("target"))))

    async def start_validation(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/migration/validate."""
        mode = call.text("mode", "full")
        return _job(await self._room.start_validation(call.names("entities"), actor=call.actor, mode=mode))

    async def job(self, call: AdminCall) -> AdminAnswer:
        """GET /admin/migration/validate/{id}."""
        return _job(await self._room.job(call.number("id")))

    async def cancel(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/migration/validate/{id}/cancel."""
        return _job(await self._room.cancel_job(call.number("id"), actor=call.actor))

    async def logs(self, call: AdminCall) -> AdminAnswer:
        """GET /admin/migration/logs."""
        kind = call.text("kind")
        page = await self._room.logs(
            kind=LogKind(kind) if kind else None,
            limit=call.optional_number("limit") or LOG_LIMIT,
            cursor=call.text("cursor") or None,
        )
        return AdminAnswer({"logs": page.entries, "total_count": page.total_count, "next_cursor": page.next_cursor})

    async def promote(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/users/{id}/promote."""
        return AdminAnswer({"user": user_data(await self._room.promote(call.number("id"), actor=call.actor))})

    async def demote(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/users/{id}/demote."""
        return AdminAnswer({"user": user_data(await self._room.demote(call.number("id"), actor=call.actor))})

    async def super_admins(self, _call: AdminCall) -> AdminAnswer:
        """GET /admin/users/super-admins."""
        found = [user_data(user) for user in await self._room.super_admins()]
        return AdminAnswer({"super_admins": found, "total_count": len(found)})

    async def log_in(self, call: AdminCall) -> AdminAnswer:
        """POST /admin/login."""
        cookie = await self._doorman.log_in(call.text("username"), call.text("password"), call.actor.address)
        admin = cookie.principal
        data = {
            "user_id": admin.user_id,
            "username": admin.username,
            "csrf_token": admin.csrf_token,
            "expires_at": admin.expires_at,
        }
        return AdminAnswer(data, lambda response: self._doorman.set_session(call.request, response, cookie))

    async def log_out(self, _call: AdminCall) -> AdminAnswer:
        """POST /admin/logout."""
        return AdminAnswer({}, self._doorman.clear_session)


def _job(job: Job) -> AdminAnswer:
    return AdminAnswer({"id": job.id, "job": job})
