"""The answers of the admin API: what each route asks of the control room, and in what form it is told.

Which routes there are stands in `routes.py`, HTTP itself in `entrance.py`.
"""

from typing import Final

from proxy.admin.calls import AdminAnswer, AdminCall
from proxy.admin.doorman_ports import Doorman
from proxy.admin.ports import ControlRoom
from proxy.admin.records import Job, LogKind
from proxy.admin.shown import changed_data, gate_data, state_data, status_data, user_data

LOG_LIMIT: Final = 50


class AdminApi:
    """The answers of the routes."""

    def __init__(self, room: ControlRoom, doorman: Doorman) -> None:
        self._room = room
        self._doorman = doorman

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
