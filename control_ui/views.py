"""What an admin looks at: the page itself, a move before it is made, a job, the log."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web

from control_ui.forms import LOG_KINDS, PHASES, whole
from control_ui.pages import Rules
from control_ui.ports import Refused, Status
from control_ui.visit import Missing, Visit, learned

LATEST: Final = 10
LOG_PAGE: Final = 50
DONE: Final = {
    "moved": "The phase was changed.",
    "rolled-back": "Rolled back.",
    "set": "The flags were set.",
    "reset": "The flags were reset to those of the phase.",
    "cancelled": "The validation was asked to stop.",
    "promoted": "The user is a super admin now.",
    "demoted": "The user is no super admin any more.",
    "override-set": "This browser reads by flags of its own now.",
    "override-cleared": "This browser reads as all others do.",
}
"""What an action says on the page that follows it."""


async def overview(visit: Visit) -> web.Response:
    """Everything on one page. What cannot be learned is said in its place."""
    desk, query = visit.visitor.desk, visit.request.query
    async with asyncio.TaskGroup() as group:  # Beside one another: in an outage each may take its whole time limit.
        status = group.create_task(learned(desk.status()))
        mismatches = group.create_task(learned(desk.logs(kind="mismatch", limit=LATEST, cursor=None)))
        audit = group.create_task(learned(desk.logs(kind="audit", limit=LATEST, cursor=None)))
        admins = group.create_task(learned(desk.super_admins()))
        gates = {target: group.create_task(learned(desk.gate(target))) for target in PHASES}
    found = {
        "gates": {target: task.result() for target, task in gates.items()},
        "mismatches": mismatches.result(),
        "audit": audit.result(),
        "admins": admins.result(),
    }
    said = {"done": DONE.get(query.get("done", "")), "unconfirmed": query.get("unconfirmed", "")}
    return visit.page("overview.html", {**parts(status.result(), visit.pages.rules), **found, **said})


def parts(seen: Status | Missing, rules: Rules) -> dict[str, object]:
    """What the live parts of the page show."""
    status = None if isinstance(seen, Missing) else seen
    why = seen.why if isinstance(seen, Missing) else ""
    return {"status": status, "why": why, "routes": None if status is None else Routes(status, rules)}


class Routes:
    """Where calls go now, for the drawing."""

    def __init__(self, status: Status, rules: Rules) -> None:
        flags, routes = status.flags, status.routes
        is_target_asked = flags["read_from_dynamodb"] is True
        reads = {False: routes["READ_MYSQL"], True: routes["READ_DDB"]}
        is_compared = flags["validation_enabled"] is True
        beside = "reads, compared" if is_compared else "reads, not compared"
        self.writes = {"source": routes["WRITE_MYSQL"], "target": routes["WRITE_DDB"]}
        self.reads = {
            side: "reads, answered" if is_target is is_target_asked else beside if reads[is_target] else None
            for side, is_target in (("source", False), ("target", True))
        }
        names = {"source": rules.source, "target": rules.target}
        written = " and ".join(names[side] for side, is_written in self.writes.items() if is_written)
        answering, other = ("target", "source") if is_target_asked else ("source", "target")
        comparing = f" and {'compared with' if is_compared else 'sent, without comparing, to'} {names[other]}"
        answered = f"Reads are answered by {names[answering]}{comparing if self.reads[other] else ''}."
        self.sentence = f"Writes go to {written}. {answered}"


async def confirm_move(visit: Visit) -> web.Response:
    """What a move does, what its gate says, and the form that makes it."""
    target = whole(visit.request.query.get("to", ""), "to")
    if target not in PHASES:
        raise Refused(HTTPStatus.NOT_FOUND, f"There is no phase {target}.")
    desk = visit.visitor.desk
    gate, seen = await learned(desk.gate(target)), await learned(desk.status())
    return visit.page("move.html", {"target": target, "gate": gate, **parts(seen, visit.pages.rules)})


async def job(visit: Visit) -> web.Response:
    """A job: how far it has come, and what it found."""
    found = await visit.visitor.desk.job(whole(visit.request.match_info["id"], "id"))
    return visit.page("job.html", {"job": found})


async def log(visit: Visit) -> web.Response:
    """The log, a page at a time."""
    query = visit.request.query
    kind = query.get("kind") or None
    if kind is not None and kind not in LOG_KINDS:
        raise Refused(HTTPStatus.NOT_FOUND, "There is no such kind of entry.")
    found = await visit.visitor.desk.logs(kind=kind, limit=LOG_PAGE, cursor=query.get("cursor") or None)
    return visit.page("log.html", {"kind": kind, "log": found})
