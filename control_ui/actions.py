"""What an admin does: each a form that was sent, carried out, and answered with where to look next."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from control_ui.forms import FLAGS, OVERRIDE_PHASES, Form
from control_ui.pages import PATH
from control_ui.ports import Change, Refused
from control_ui.visit import Visit, seen_at

Action = Callable[[Visit, Form], Awaitable[web.StreamResponse]]


def _done(what: str, change: Change | None = None) -> web.Response:
    said = {"done": what}
    if change is not None and change.unconfirmed:
        said["unconfirmed"] = str(len(change.unconfirmed))
    return seen_at(f"{PATH}?{urlencode(said)}")


async def move(visit: Visit, form: Form) -> web.Response:
    """Move to a phase."""
    change = await visit.visitor.desk.move(
        form.number("to"),
        reason=form.text("reason"),
        version=form.optional_number("version"),
        is_forced=form.is_ticked("force"),
    )
    return _done("moved", change)


async def roll_back(visit: Visit, form: Form) -> web.Response:
    """Go back, in one action."""
    change = await visit.visitor.desk.roll_back(
        reason=form.text("reason"), to=form.optional_number("to"), is_forced=form.is_ticked("force")
    )
    return _done("rolled-back", change)


async def set_flags(visit: Visit, form: Form) -> web.Response:
    """Set one flag or several."""
    changes = form.flags()
    if not changes:
        raise Refused(HTTPStatus.BAD_REQUEST, "No flag was chosen.")
    change = await visit.visitor.desk.set_flags(
        changes,
        reason=form.text("reason"),
        version=form.optional_number("version"),
        is_forced=form.is_ticked("force"),
    )
    return _done("set", change)


async def reset_flags(visit: Visit, form: Form) -> web.Response:
    """Set all flags to those of the phase."""
    change = await visit.visitor.desk.reset_flags(reason=form.text("reason"), version=form.optional_number("version"))
    return _done("reset", change)


async def validate(visit: Visit, form: Form) -> web.Response:
    """Start a comparison, and watch it."""
    if not form.entities:
        raise Refused(HTTPStatus.BAD_REQUEST, "Nothing to compare was chosen.")
    job = await visit.visitor.desk.start_validation(form.entities)
    return seen_at(f"{PATH}/jobs/{job.id}")


async def cancel(visit: Visit, form: Form) -> web.Response:
    """Stop a comparison."""
    await visit.visitor.desk.cancel_job(form.number("job"))
    return _done("cancelled")


async def promote(visit: Visit, form: Form) -> web.Response:
    """Make a user super admin."""
    await visit.visitor.desk.promote(form.number("user_id"))
    return _done("promoted")


async def demote(visit: Visit, form: Form) -> web.Response:
    """Take the right away."""
    await visit.visitor.desk.demote(form.number("user_id"))
    return _done("demoted")


async def set_override(visit: Visit, form: Form) -> web.Response:
    """Have this browser read as in another phase."""
    phase = form.number("migration_phase")
    if phase not in OVERRIDE_PHASES:
        raise Refused(HTTPStatus.BAD_REQUEST, f"Reads cannot be routed as in phase {phase}.")
    response = _done("override-set")
    await visit.visitor.set_override(response, {"migration_phase": phase})
    return response


async def clear_override(visit: Visit, _: Form) -> web.Response:
    """Have this browser read as all others do."""
    response = _done("override-cleared")
    visit.visitor.clear_override(response)
    return response


async def log_out(visit: Visit, _: Form) -> web.Response:
    """End the session."""
    response = seen_at(PATH)
    visit.door.log_out(response)
    return response


ALL: Final[Mapping[str, Action]] = {
    "move": move,
    "rollback": roll_back,
    "flags": set_flags,
    "flags/reset": reset_flags,
    "validate": validate,
    "cancel": cancel,
    "promote": promote,
    "demote": demote,
    "override": set_override,
    "override/clear": clear_override,
    "logout": log_out,
}
"""The actions by their paths below the page's own."""


def offer_force(visit: Visit, form: Form, refusal: Refused) -> web.Response:
    """The page after a gate was found shut: which checks hold it, and the same form once more, by force."""
    repeated = {name: text for name in ("to", "version", *(flag.name for flag in FLAGS)) if (text := form.text(name))}
    given = {"refusal": refusal, "repeated": repeated, "action": visit.request.path, "form": form}
    return visit.page("shut.html", given, code=HTTPStatus.CONFLICT)
