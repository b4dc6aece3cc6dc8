"""The routes of the admin API, as data: served, described and tested by the same table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs

from adapters.operations import PORTS
from adapters.values import INT_MAX
from proxy.admin.api import AdminApi
from proxy.admin.calls import AdminAnswer, AdminCall
from proxy.admin.fields import Field, Place, boolean, choice, choices, mapping, text, whole
from proxy.admin.records import LogKind
from proxy.flags.model import FLAGS, PHASE, PHASES
from proxy.flags.model import ROUTES as VIEW
from proxy.rpc.schemas import Schema

LOG_LIMIT_MAX: Final = 500
CURSOR_MAX: Final = 200
VERSION_MAX: Final = 2**63 - 1
FLAG_SCHEMAS: Final[dict[str, Schema]] = {
    PHASE: {"enum": list(PHASES)},
    **{name: {"type": "boolean"} for name in (*VIEW, *FLAGS)},
    "mismatch_policy": {"enum": ["raise", "report"]},
    "write_failure_policy": {"enum": ["rollback", "journal"]},
    "compare_percent": {"type": "integer", "minimum": 0, "maximum": 100},
}
"""The flags by name, the views among them."""

_REASON: Final = text("reason")
_FORCE: Final = boolean("force")
_VERSION: Final = whole("version", 0, VERSION_MAX)
_ID: Final = whole("id", 1, INT_MAX, place=Place.PATH, is_required=True)
_GET: Final = hdrs.METH_GET
_POST: Final = hdrs.METH_POST


def _phase(name: str, *, place: Place = Place.BODY, is_required: bool = False) -> Field:
    return whole(name, min(PHASES), max(PHASES), place=place, is_required=is_required)


@dataclass(frozen=True, slots=True)
class AdminRoute:
    """One route. `name` is its operation's; `summary` stands in the description of the API."""

    method: str
    path: str
    name: str
    summary: str
    answer: Callable[[AdminApi, AdminCall], Awaitable[AdminAnswer]]
    fields: tuple[Field, ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    is_public: bool = False

    @property
    def is_change(self) -> bool:
        """Whether it does something, rather than look at it."""
        return self.method != hdrs.METH_GET


ADMIN_ROUTES: Final = (
    AdminRoute(_GET, "/admin/flags/status", "flags.status", "The flags in force.", AdminApi.flags_status),
    AdminRoute(
        _POST,
        "/admin/flags/set",
        "flags.set",
        "Set one or several flags, all or none; `force` goes past a shut gate and needs a reason.",
        AdminApi.set_flags,
        (mapping("flags", FLAG_SCHEMAS), _REASON, _VERSION, _FORCE),
    ),
    AdminRoute(
        _POST,
        "/admin/flags/reset",
        "flags.reset",
        "Set all flags to the values of the phase.",
        AdminApi.reset_flags,
        (_REASON, _VERSION),
    ),
    AdminRoute(
        _POST,
        "/admin/migration/phase",
        "migration.phase",
        "Move to a phase: forward through its gate, backward at once.",
        AdminApi.move,
        (_phase("phase", is_required=True), _REASON, _VERSION, _FORCE),
    ),
    AdminRoute(
        _GET, "/admin/migration/status", "migration.status", "Everything to look at before a move.", AdminApi.status
    ),
    AdminRoute(
        _GET,
        "/admin/migration/gate",
        "migration.gate",
        "The checks before a move, measured now.",
        AdminApi.gate,
        (_phase("target", place=Place.QUERY, is_required=True),),
    ),
    AdminRoute(
        _POST,
        "/admin/migration/rollback",
        "migration.rollback",
        "Move to the previous phase, or a lower one; `force` goes on without workers that are silent.",
        AdminApi.roll_back,
        (_phase("to"), _REASON, _FORCE),
    ),
    AdminRoute(
        _POST,
        "/admin/migration/validate",
        "migration.validate",
        "Start a comparison of all rows of these entities, or of all.",
        AdminApi.start_validation,
        (choices("entities", PORTS), choice("mode", ("full",))),
        HTTPStatus.ACCEPTED,
    ),
    AdminRoute(
        _GET,
        "/admin/migration/validate/{id}",
        "migration.validation",
        "How far a comparison has come, and what it found.",
        AdminApi.job,
        (_ID,),
    ),
    AdminRoute(
        _POST,
        "/admin/migration/validate/{id}/cancel",
        "migration.cancel",
        "Stop a comparison, wherever it runs.",
        AdminApi.cancel,
        (_ID,),
    ),
    AdminRoute(
        _GET,
        "/admin/migration/logs",
        "migration.logs",
        "What was done and what went wrong, the newest first.",
        AdminApi.logs,
        (
            choice("kind", LogKind, place=Place.QUERY),
            whole("limit", 1, LOG_LIMIT_MAX, place=Place.QUERY),
            text("cursor", maximum=CURSOR_MAX, place=Place.QUERY),
        ),
    ),
    AdminRoute(
        _POST, "/admin/users/{id}/promote", "users.promote", "Make a user super admin.", AdminApi.promote, (_ID,)
    ),
    AdminRoute(_POST, "/admin/users/{id}/demote", "users.demote", "Take the right away.", AdminApi.demote, (_ID,)),
    AdminRoute(_GET, "/admin/users/super-admins", "users.super_admins", "Who has the right.", AdminApi.super_admins),
    AdminRoute(
        _POST,
        "/admin/login",
        "login",
        "Begin a session, whose cookie is set.",
        AdminApi.log_in,
        (text("username", is_required=True), text("password", is_required=True)),
        is_public=True,
    ),
    AdminRoute(_POST, "/admin/logout", "logout", "Have the browser forget its session.", AdminApi.log_out),
)
"""All routes, in the order in which they are described."""
