"""Everything at a glance: what could not be read is left out, and said."""

import asyncio
from collections.abc import Sequence
from typing import Final

from adapters.flags import Flags, Heartbeat
from proxy.admin.evidence import Books, Desk, either
from proxy.admin.gates import statistics
from proxy.admin.moves import Copies
from proxy.admin.records import DatabaseStatus, Proxy, Status
from proxy.admin.validations import job_of
from proxy.admin.words import Names, description, named
from proxy.flags.model import phase_of, routes, shown
from proxy.flags.snapshot import LEASE_S
from proxy.flags.switch import SILENT_AFTER_S
from proxy.phase import Side

JOBS_SHOWN: Final = 10


class Overview:
    """Looks at everything at once, within a few seconds whatever is out of reach."""

    def __init__(self, copies: Copies, desk: Desk, books: Books, names: Names) -> None:
        self._copies = copies
        self._desk = desk
        self._books = books
        self._names = names

    async def status(self) -> Status:
        """See ControlRoom. Raises Unavailable where no copy of the flags is known at all."""
        faults: list[str] = []
        present = await self._copies.state()
        age_s = self._copies.snapshot.age_s
        async with asyncio.TaskGroup() as tasks:
            reachable = tasks.create_task(self._desk.reachable())
            compared = tasks.create_task(either(self._desk.compared(), faults))
            backlog = tasks.create_task(either(self._books.backlog.backlog(), faults))
            jobs = tasks.create_task(either(self._books.jobs.newest(limit=JOBS_SHOWN), faults))
            fleet = tasks.create_task(either(self._copies.control.fleet(), faults))
        count, oldest_age_s = backlog.result() or (None, None)
        totals, living = compared.result(), fleet.result()
        return Status(
            present,
            phase=phase_of(present.flags),
            description=named(description(present.flags), self._names),
            flags=shown(present.flags),
            routes=routes(present.flags),
            copy_age_s=age_s,
            is_copy_stale=age_s > LEASE_S,
            databases=_databases(present.flags, reachable.result()),
            statistics=None if totals is None else statistics(totals),
            pending_intents=count,
            oldest_intent_age_s=oldest_age_s if count else None,
            jobs=tuple(job_of(row) for row in jobs.result() or ()),
            proxies=None if living is None else _proxies(living, present.epoch),
            faults=tuple(dict.fromkeys(faults)),
        )


def _databases(flags: Flags, reachable: "dict[Side, tuple[str, str | None]]") -> tuple[DatabaseStatus, ...]:
    """By the names of the wire. The source is in use wherever writes or reads go to it, as is the target."""
    is_in_use = {
        Side.SOURCE: flags.dual_write or not flags.read_from_dynamodb,
        Side.TARGET: flags.dual_write or flags.read_from_dynamodb,
    }
    return tuple(
        DatabaseStatus(name, is_in_use[side], is_reachable=fault is None, fault=fault)
        for side, (name, fault) in reachable.items()
    )


def _proxies(fleet: Sequence[Heartbeat], epoch: int) -> tuple[Proxy, ...]:
    return tuple(
        Proxy(each.instance, each.epoch, each.age_s, is_behind=each.epoch < epoch or each.age_s > SILENT_AFTER_S)
        for each in fleet
    )
