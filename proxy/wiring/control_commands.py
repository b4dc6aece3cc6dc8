"""The commands of the control plane: what an admin can do, done on the host and on record with its user's name."""

import argparse
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Final

from adapters.deadline import Deadline
from adapters.errors import Conflict, CrossfadeError, Fault, InvalidArgument, NotFound, Reason
from adapters.flags import ControlState
from adapters.records import User
from proxy.admin.records import Actor, Changed, Gate, LogKind
from proxy.admin.room import Room
from proxy.flags.model import phase_label, shown
from proxy.metrics import Values
from proxy.settings import Settings
from proxy.wiring.commands import Report, operator
from proxy.wiring.databases import Databases, instance_name, open_databases
from proxy.wiring.serve import build_metrics
from proxy.wiring.worker import Worker

READ_LIMIT_S: Final = 5.0
DRAIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Host:
    """What a command has: the control room, and the databases beside it."""

    room: Room
    databases: Databases


@asynccontextmanager
async def opened_room(settings: Settings) -> AsyncIterator[Host]:
    """The control room of this command alone: a worker that serves nobody and joins no fleet."""
    instance = instance_name()
    async with open_databases(settings, instance=instance) as databases:
        worker = Worker(settings, databases, build_metrics(settings, Values()), instance=instance)
        with suppress(CrossfadeError):
            worker.snapshot.adopt(await databases.control.read(), is_deciding=True)
        try:
            yield Host(worker.room, databases)
        finally:
            await worker.background.drain(Deadline.after(DRAIN_S))


async def phase_show(settings: Settings, _: argparse.Namespace) -> Report:
    """The phase in force."""
    state = await _state(settings)
    return _state_report(state, [f"phase {phase_label(state.flags)}"])


async def phase_set(settings: Settings, options: argparse.Namespace) -> Report:
    """Move to a phase, forward through its gate."""
    async with opened_room(settings) as host:
        if options.kill:
            await host.databases.control.kill(options.kill)
        return await _changed_report(
            host.room.move(options.phase, actor=_actor(), reason=options.reason, is_forced=options.force)
        )


async def flags_show(settings: Settings, _: argparse.Namespace) -> Report:
    """All flags."""
    state = await _state(settings)
    return _state_report(state, [f"{name}={value}" for name, value in shown(state.flags).items()])


async def flags_set(settings: Settings, options: argparse.Namespace) -> Report:
    """Change flags, all of them or none."""
    pairs = [change.partition("=") for change in options.changes]
    faults = [Fault(name, "has the form NAME=VALUE") for name, equals, _ in pairs if not equals]
    if faults:
        raise InvalidArgument("the flags were not changed", faults=faults)
    changes = {name: value for name, _, value in pairs}
    async with opened_room(settings) as host:
        return await _changed_report(
            host.room.set_flags(
                changes, actor=_actor(), reason=options.reason, version=options.version, is_forced=options.force
            )
        )


async def flags_reset(settings: Settings, options: argparse.Namespace) -> Report:
    """Set all flags to the values of the present phase."""
    async with opened_room(settings) as host:
        return await _changed_report(host.room.reset_flags(actor=_actor(), reason=options.reason))


async def gate(settings: Settings, options: argparse.Namespace) -> Report:
    """What a move would do, and whether its gate is open."""
    async with opened_room(settings) as host:
        found = await host.room.gate(options.phase)
    lines = [*found.effects, *_check_lines(found)]
    lines.append("open" if found.is_open else f"closed by: {', '.join(check.name for check in found.closed_by)}")
    data = {**asdict(found), "is_open": found.is_open}
    return Report(lines, data, is_well=found.is_open)


async def logs(settings: Settings, options: argparse.Namespace) -> Report:
    """The newest entries of the log."""
    kind = None if options.kind is None else LogKind(options.kind)
    async with opened_room(settings) as host:
        page = await host.room.logs(kind=kind, limit=options.limit, cursor=options.cursor)
    lines = [f"{entry.at:%Y-%m-%dT%H:%M:%SZ} {entry.kind} {entry.id} {entry.summary}" for entry in page.entries]
    lines.append(f"{len(page.entries)} of {page.total_count}")
    lines += [f"older ones: --cursor {page.next_cursor}"] if page.next_cursor else []
    return Report(lines, asdict(page))


async def admin_promote(settings: Settings, options: argparse.Namespace) -> Report:
    """Make a user super admin."""
    async with opened_room(settings) as host:
        user = await _user_of(host, options.email)
        # A command has no poll that would keep its copy of the flags fresh.
        copies = host.room.copies
        copies.snapshot.adopt(await copies.control.read(), is_deciding=True)
        await host.room.promote(user.id, actor=_actor())
    return Report([f"{user.username} is super admin"], {"user_id": user.id, "username": user.username})


async def _user_of(host: Host, email: str) -> User:
    """The user of an email, as the database says that has all of them in every phase there is."""
    operation = host.databases.operations["user.find_by_email"]
    user = await host.databases.source.read(operation, {"email": email}, Deadline.after(READ_LIMIT_S))
    if not isinstance(user, User):
        raise NotFound("there is no user of this email")
    return user


def _actor() -> Actor:
    return Actor(operator(), "localhost")


async def _state(settings: Settings) -> ControlState:
    async with open_databases(settings, instance=instance_name()) as databases:
        return await databases.control.read()


def _state_report(state: ControlState, lines: list[str]) -> Report:
    by = f"version {state.epoch}, set by {state.changed_by} at {state.changed_at}: {state.reason or 'no reason given'}"
    data = {"flags": shown(state.flags), "version": state.epoch, "changed_by": state.changed_by}
    return Report([*lines, by], data)


async def _changed_report(changing: Coroutine[object, object, Changed]) -> Report:
    """What a change came to; a closed gate is said check by check."""
    try:
        changed = await changing
    except Conflict as error:
        if error.reason is not Reason.GATE_CLOSED:
            raise
        return _closed_report(error)
    old = shown(changed.before.flags)
    changes = [f"{name}: {old[name]} -> {new}" for name, new in changed.updated.items()]
    lines = [*(changes or ["nothing was different"]), f"version {changed.after.epoch}"]
    lines += [f"not confirmed by {instance}" for instance in changed.unconfirmed]
    data = {"flags": shown(changed.after.flags), "version": changed.after.epoch, "unconfirmed": changed.unconfirmed}
    return Report(lines, data)


def _closed_report(error: Conflict) -> Report:
    errors: list[Mapping[str, object]] = error.members["errors"]  # type: ignore[assignment]  # as `Moves` raises it
    lines = [f"{each['verdict']}: {each['name']}: {each['figure']}; needed: {each['threshold']}" for each in errors]
    hint = "nothing was changed; --force with a --reason goes past the gate"
    return Report([str(error), *lines, hint], {"gate": "closed", "errors": errors}, is_well=False)


def _check_lines(found: Gate) -> list[str]:
    return [f"{each.verdict}: {each.name}: {each.figure}; needed: {each.threshold}" for each in found.checks]
