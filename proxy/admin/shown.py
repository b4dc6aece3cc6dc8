"""The data of the admin API's answers, from the records of the control room; pure."""

from adapters.flags import ControlState
from adapters.records import User
from proxy.admin.records import Changed, Gate, Status
from proxy.flags.model import CUSTOM, phase_of, routes, shown


def state_data(state: ControlState) -> dict[str, object]:
    """The flags in force, and who set them."""
    return {
        "migration_phase": _phase(state),
        "flags": shown(state.flags),
        "routes": routes(state.flags),
        "version": state.epoch,
        "changed_by": state.changed_by,
        "changed_at": state.changed_at,
        "reason": state.reason,
    }


def changed_data(changed: Changed) -> dict[str, object]:
    """A change of flags."""
    flags = shown(changed.after.flags)
    return {
        "updated_flags": changed.updated,
        "current_flags": flags,
        "flags": flags,
        "previous_phase": _phase(changed.before),
        "new_phase": _phase(changed.after),
        "version": changed.after.epoch,
        "unconfirmed": changed.unconfirmed,
    }


def status_data(status: Status) -> dict[str, object]:
    """Everything to look at before a move."""
    return {
        "current_phase": CUSTOM if status.phase is None else status.phase,
        "phase_description": status.description,
        "flags": status.flags,
        "routes": status.routes,
        "version": status.state.epoch,
        "changed_by": status.state.changed_by,
        "changed_at": status.state.changed_at,
        "reason": status.state.reason,
        "copy_age_s": status.copy_age_s,
        "is_copy_stale": status.is_copy_stale,
        "database_status": status.databases,
        "validation": status.statistics,
        "pending_intents": status.pending_intents,
        "oldest_intent_age_s": status.oldest_intent_age_s,
        "jobs": status.jobs,
        "proxies": status.proxies,
        "faults": status.faults,
    }


def gate_data(gate: Gate) -> dict[str, object]:
    """The checks before a move."""
    return {"target": gate.target, "is_open": gate.is_open, "effects": gate.effects, "checks": gate.checks}


def user_data(user: User) -> dict[str, object]:
    """A user, without the hash of the password."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "is_seller": user.is_seller,
        "super_admin": user.super_admin,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def _phase(state: ControlState) -> int | str:
    phase = phase_of(state.flags)
    return CUSTOM if phase is None else phase
