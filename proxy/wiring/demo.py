"""`crossfade demo`: the demonstration, with a running proxy and both databases at its disposal."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping
from typing import Final

from adapters.deadline import Deadline
from adapters.errors import Fault, InvalidArgument, Unavailable
from adapters.records import User
from proxy.demo.caller import Caller, caller_session
from proxy.demo.course import Stopped
from proxy.demo.run import Demo
from proxy.demo.screen import Screen
from proxy.environment import Address
from proxy.flags.model import phase_label
from proxy.flags.switch import Request, Switch
from proxy.settings import Environment, Settings
from proxy.sync.backfill import backfill
from proxy.sync.report import BackfillReport, VerifyReport, Watcher
from proxy.sync.verify import verify
from proxy.wiring.commands import COMMAND_LIMIT_S, Report, opened, operator
from proxy.wiring.databases import Databases, listing_within, unserved

ANY_HOST: Final = ("0.0.0.0", "::")  # noqa: S104  # What others listen on; it is called on loopback.
FIND_USER: Final = "user.find_by_id"


async def demo(settings: Settings, options: argparse.Namespace) -> Report:
    """Show the whole way on a running proxy. Well only when all answers were right and all is equal in the end."""
    if settings.environment is Environment.PRODUCTION and not options.yes:
        raise InvalidArgument(
            "this is production, and a demonstration writes made-up users, products and orders into the shop",
            faults=[Fault("--yes", "say so where that is meant")],
        )
    url = options.url or _url(settings.server.listen)
    admin_url = options.admin_url or _url(settings.server.admin_listen)
    async with opened(settings) as databases, caller_session(settings.security.rpc_token) as http:
        caller = Caller(http, url.rstrip("/"), admin_url.rstrip("/"))
        shown = Demo(
            caller,
            DatabaseMigration(settings, databases),
            Screen(sys.stderr),
            clients=options.clients,
            leg_s=options.phase_s,
        )
        try:
            outcome = await shown.run(_unless_interrupted)
        except Stopped as error:
            raise Unavailable(str(error)) from error
    return Report(outcome.lines(), outcome.data(), is_well=outcome.is_well)


class DatabaseMigration:
    """See Migration."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._settings = settings
        self._databases = databases

    async def phase(self) -> str:
        """See Migration."""
        return phase_label((await self._databases.control.read()).flags)

    async def username(self, user_id: int) -> str | None:
        """See Migration."""
        operation = self._databases.operations[FIND_USER]
        user = await self._databases.source.read(operation, {"id": user_id}, Deadline.after(COMMAND_LIMIT_S))
        return user.username if isinstance(user, User) else None

    async def move(self, flags: Mapping[str, str], *, reason: str) -> int:
        """See Migration: past the gates, whose evidence takes days to gather, and on record."""
        switch = Switch(
            self._databases.control,
            self._databases.mirror,
            refuse=unserved(self._databases),
            prove_target=listing_within(self._settings, self._databases),
        )
        switched = await switch.change(flags, Request(who=operator(), address="localhost", reason=reason))
        return switched.after.epoch

    async def backfill(self, progress: Watcher) -> BackfillReport:
        """See Migration."""
        return await backfill(self._databases.sweep, progress=progress)

    async def verify(self, progress: Watcher) -> VerifyReport:
        """See Migration."""
        return await verify(self._databases.sweep, progress=progress)


async def _unless_interrupted(task: "asyncio.Task[None]") -> None:
    """Wait for a task, which the first Ctrl-C cancels; the next one ends the command."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        await asyncio.wait([task])
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _url(address: Address) -> str:
    host = "127.0.0.1" if address.host in ANY_HOST else address.host
    return f"http://{Address(host, address.port)}"
