"""One worker: the parts behind its two listeners, in the order they start, and drained in the opposite one."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from adapters.deadline import Deadline
from adapters.errors import CrossfadeError, InvalidArgument
from adapters.flags import WriteFailurePolicy
from adapters.ports.store import Reader
from proxy.admin.openapi import admin_appendix
from proxy.admin.tally import Tally
from proxy.background import Background, ServiceLoop
from proxy.breaker import Breaker
from proxy.confirm import Confirmation
from proxy.dispatch import Dispatch, DispatchParts
from proxy.dual_read import DualRead, DualReadParts, ReadMeters
from proxy.dual_write import DualWrite, Step, WriteParts
from proxy.flags.model import phase_of
from proxy.flags.snapshot import LEASE_S, ControlPoll, Snapshot
from proxy.guard import Guard, GuardedReader
from proxy.health import Health, ReadinessCheck, metrics_route
from proxy.inflight import Inflight
from proxy.logs import AccessLog, EventLog
from proxy.metrics import DualReadResult, DualWriteOutcome, Metrics
from proxy.phase import Side
from proxy.read_repair import Aftermath, AftermathParts
from proxy.repairer import Repairer, RepairParts
from proxy.rpc.parts import RpcParts, RpcRules
from proxy.rpc.routes import build_rpc_server
from proxy.settings import Settings
from proxy.shedding import Limiter
from proxy.supervisor import settle_memory
from proxy.wiring.admin import Gatehouse, Surroundings
from proxy.wiring.control_room import DISPLAY_NAMES, build_room
from proxy.wiring.databases import MIB, SOURCE_NAME, TARGET_NAME, Databases
from proxy.wiring.listeners import Listeners

POLL_S: Final = 0.8
"""With its jitter of a fifth under a second: so long a change of flags may take to be in force everywhere."""
REPAIR_S: Final = 1.0
TALLY_S: Final = 3.0
WARM_S: Final = 1.0
GAUGES_S: Final = 1.0
BACKLOG_S: Final = 5.0
SWEEP_S: Final = 3600.0
QUEUE_WAIT_S: Final = 1.0
PING_LIMIT_S: Final = 1.0
CUT_S: Final = 1.0
"""How long calls that a drain has cut short may take to end."""
WARM_LIMIT_S: Final = 30.0
SESSION_MARGIN_S: Final = 1.0
"""How long before the server drops its silent session a write is given up."""

log = EventLog(__name__)


class Worker:
    """Everything of one process that serves, built from opened databases."""

    def __init__(
        self,
        settings: Settings,
        databases: Databases,
        metrics: Metrics,
        *,
        instance: str,
        on_step: Callable[[Step], Awaitable[None]] | None = None,
    ) -> None:
        self.settings = settings
        self.databases = databases
        self.metrics = metrics
        self.instance = instance
        self.snapshot = Snapshot()
        self.background = Background()
        self.comparisons = Background(limit=settings.limits.pending_comparisons)
        self.jobs = Background()
        self.tally = Tally(databases.tallies)
        self.guards = {
            Side.SOURCE: Guard(SOURCE_NAME, Breaker(SOURCE_NAME), metrics),
            Side.TARGET: Guard(TARGET_NAME, Breaker(TARGET_NAME), metrics),
        }
        self.readers: Mapping[Side, Reader] = {
            Side.SOURCE: GuardedReader(databases.source, self.guards[Side.SOURCE]),
            Side.TARGET: GuardedReader(databases.target, self.guards[Side.TARGET]),
        }
        self.poll = ControlPoll(self.snapshot, databases.control, databases.mirror, instance=instance)
        self.repairer = Repairer(
            RepairParts(
                authority=databases.writer,
                journal=databases.journal,
                shadow=databases.shadow,
                snapshot=self.snapshot,
                count=metrics.repair_finished,
                is_shadow_there=self._is_target_there,
            )
        )
        self.repair_loop = ServiceLoop("repairer", self.repairer.run_once, interval_s=REPAIR_S)
        self.limiter = Limiter(
            "the proxy",
            slots=settings.limits.max_calls,
            queue=settings.limits.queue,
            wait_s=QUEUE_WAIT_S,
            on_shed=metrics.call_shed,
        )
        self.health = Health(self)
        self.inflight = Inflight()
        self.listeners = Listeners(
            self.inflight, idle_s=settings.server.idle_connection_s, on_broken=self._count_broken_request
        )
        self.dispatch = Dispatch(
            DispatchParts(
                snapshot=self.snapshot,
                readers=self.readers,
                names={Side.SOURCE: SOURCE_NAME, Side.TARGET: TARGET_NAME},
                dual_read=self._dual_read(),
                dual_write=self._dual_write(on_step),
                background=self.background,
            )
        )

        self.gatehouse = Gatehouse(settings, snapshot=self.snapshot, readers=self.readers, attempts=databases.attempts)
        self.room = build_room(settings, databases, self.snapshot, self.dispatch, readers=self.readers, jobs=self.jobs)

    def _dual_read(self) -> DualRead:
        databases = self.databases
        aftermath = Aftermath(
            AftermathParts(
                mismatches=databases.mismatches,
                journal=databases.journal,
                source=databases.sweep.source,
                target=databases.sweep.target,
                wake_repairer=self.repair_loop.wake,
                is_repairing=self.settings.limits.read_repair,
            )
        )
        return DualRead(
            DualReadParts(
                readers=self.readers,
                names=DISPLAY_NAMES,
                background=self.comparisons,
                meters=ReadMeters(self._dual_read_finished, self.metrics.attribute_mismatched),
                confirmation=Confirmation(self.readers, DISPLAY_NAMES, databases.witness, databases.operations),
                follow=aftermath.follow,
                has_values_logged=self.settings.logs.differences,
            )
        )

    def _dual_write(self, on_step: Callable[[Step], Awaitable[None]] | None) -> DualWrite:
        parts = WriteParts(
            authority=self.databases.writer,
            journal=self.databases.journal,
            shadow=self.databases.shadow,
            repairs=self.repairer,
            authority_guard=self.guards[Side.SOURCE],
            shadow_guard=self.guards[Side.TARGET],
            count=self._dual_write_finished,
            wake_repairer=self.repair_loop.wake,
            limit_s=self.settings.mysql.session_timeout_s - SESSION_MARGIN_S,
            **({} if on_step is None else {"on_step": on_step}),
        )
        return DualWrite(parts, reread=self.poll.reread)

    def rpc_server(self, **options: Any) -> web.BaseRunner:  # noqa: ANN401  # aiohttp's, of many types
        """What the shop calls; `options` are those of `web.Server`."""
        rules = RpcRules(
            allowed_hosts=frozenset(self.settings.server.allowed_hosts),
            token=self.settings.security.rpc_token or None,
            default_timeout_s=self.settings.limits.call_deadline_s,
            body_max_bytes=self.settings.server.body_limit_bytes,
        )
        parts = RpcParts(
            dispatcher=self.dispatch,
            recorder=self.metrics,
            access_log=AccessLog(EventLog("proxy.access"), sample_percent=self.settings.logs.sample_percent),
            limiter=self.limiter,
            rules=rules,
            inflight=self.inflight,
            is_draining=lambda: self.health.is_draining,
            overrides=self.gatehouse.overrides(),
        )
        routes = self.health.routes()
        server = build_rpc_server(self.databases.operations, parts, beside=routes, appendix=admin_appendix(), **options)
        return web.ServerRunner(server, shutdown_timeout=CUT_S)

    def admin_server(self, **options: Any) -> web.BaseRunner:  # noqa: ANN401  # aiohttp's, of many types
        """What machines and operators call; `options` are those of `web.Server`."""
        around = Surroundings(self.inflight, self.background, lambda: self.health.is_draining, self.metrics.call_shed)
        beside = [*self.health.routes(), metrics_route(self.metrics)]
        app = self.gatehouse.application(self.room, around, beside=beside)
        return web.AppRunner(app, shutdown_timeout=CUT_S, **options)

    async def check(self) -> Sequence[ReadinessCheck]:
        """What the present phase needs; see Readiness."""
        state = self.snapshot.latest
        if state is None or self.snapshot.age_s > LEASE_S:
            return [ReadinessCheck("control", "no copy of the control state could be read")]
        flags = state.flags
        checks = [ReadinessCheck("control", age_s=self.snapshot.age_s)]
        if flags.dual_write or not flags.read_from_dynamodb:
            checks.append(await _ping(SOURCE_NAME, self.databases.source.ping))
        # A journalling fleet serves through the target's outage; nobody may take it out of service for that.
        is_journalling = flags.write_failure_policy is WriteFailurePolicy.JOURNAL
        if flags.read_from_dynamodb or (flags.dual_write and not is_journalling):
            checks.append(await _ping(TARGET_NAME, self.databases.target.ping))
        return checks

    def loops(self) -> list[ServiceLoop]:
        """The services, the first to start first."""
        journal = self.databases.journal
        return [
            ServiceLoop("control_poll", self.poll.run_once, interval_s=POLL_S, backoff_cap_s=POLL_S),
            self.repair_loop,
            ServiceLoop("caches", self._warm, interval_s=WARM_S),
            ServiceLoop("backlog", self._see_backlog, interval_s=BACKLOG_S),
            ServiceLoop("tally", self.tally.run_once, interval_s=TALLY_S),
            ServiceLoop("journal_sweep", journal.sweep, interval_s=SWEEP_S),
            ServiceLoop("tally_sweep", self.databases.tallies.sweep, interval_s=SWEEP_S),
            ServiceLoop("gauges", self.metrics.run_once, interval_s=GAUGES_S),
        ]

    def set_gauges(self) -> None:
        """Tell the metrics what this worker sees now."""
        state = self.snapshot.latest
        if state is not None:
            self.metrics.control_seen(state.flags, phase=phase_of(state.flags), epoch=state.epoch)
            self.metrics.control_age_seen(self.snapshot.age_s)
        pools = self.databases.pools
        stats = [pool.stats() for pool in (pools.reads, pools.writes, pools.journal)]
        self.metrics.pool_seen(SOURCE_NAME, busy=sum(s.in_use for s in stats), idle=sum(s.idle for s in stats))
        self.metrics.inflight_seen(self.limiter.in_use)
        self.metrics.listing_seen(self.databases.target.kept_bytes / (self.settings.limits.listing_max_mb * MIB))
        for guard in self.guards.values():
            self.metrics.breaker_seen(guard.name, is_open=guard.breaker.is_open)

    def _dual_read_finished(self, operation: str, result: DualReadResult) -> None:
        self.metrics.dual_read_finished(operation, result)
        self.tally.read(operation, result)

    def _dual_write_finished(self, operation: str, outcome: DualWriteOutcome) -> None:
        self.metrics.dual_write_finished(operation, outcome)
        self.tally.written(operation, outcome)

    def _count_broken_request(self) -> None:
        self.metrics.rpc_finished("broken request", InvalidArgument.code, 0.0)

    async def _is_target_there(self) -> bool:
        """Whether repairs may be tried. Finding the target back closes its breaker: no more need be journalled."""
        breaker = self.guards[Side.TARGET].breaker
        if breaker.is_open:
            try:
                await self.databases.mirror.read()
            except CrossfadeError:
                return False
            breaker.succeeded()
        return True

    async def _warm(self) -> None:
        """Keep what reads of the target need at hand while there may be any, so that the first call finds it."""
        state = self.snapshot.latest
        if state is not None and (state.flags.dual_read or state.flags.read_from_dynamodb):
            await self.databases.target.warm(Deadline.after(WARM_LIMIT_S))

    async def _see_backlog(self) -> None:
        try:
            count, age_s = await self.databases.journal.backlog()
        except CrossfadeError:
            self.metrics.backlog_seen(None, None)
            raise
        self.metrics.backlog_seen(count, age_s if count else 0.0)


@asynccontextmanager
async def running(worker: Worker, *, rpc: socket.socket, admin: socket.socket) -> AsyncIterator[None]:
    """Start the parts in order, serve, and drain them in the opposite order on leaving.

    Drain: unready, take no more calls, finish those under way, stop the services, give up comparisons of all rows,
    finish the tasks of services and calls, leave the fleet.
    """
    worker.metrics.watch(worker.set_gauges)
    loops = worker.loops()
    await worker.poll.run_once()
    services = [worker.background.spawn(f"service.{i}", loop.run()) for i, loop in enumerate(loops)]
    await worker.listeners.open("rpc", worker.rpc_server, rpc)
    await worker.listeners.open("admin", worker.admin_server, admin, outlives_calls=True)
    settle_memory()
    log.info("serving_started", instance=worker.instance, rpc=str(rpc.getsockname()), admin=str(admin.getsockname()))
    try:
        yield
    finally:
        log.info("drain_started", instance=worker.instance)
        deadline = Deadline.after(worker.settings.server.drain_s)
        worker.health.begin_drain()
        cut = await worker.listeners.close(deadline)
        for loop in loops:
            loop.stop()
        await worker.jobs.drain(Deadline.after(0.0))
        left = await worker.comparisons.drain(deadline) + await worker.background.drain(deadline)
        await asyncio.wait(services, timeout=PING_LIMIT_S)
        await _bring_counts(worker)
        await _leave_fleet(worker)
        log.info("drain_finished", instance=worker.instance, calls_cut=cut, tasks_cut=left)


async def _bring_counts(worker: Worker) -> None:
    try:
        await worker.tally.run_once()
    except CrossfadeError as error:
        log.warning("counts_lost", error=error)


async def _leave_fleet(worker: Worker) -> None:
    """Say goodbye, so that no switch waits for this worker; without the word it counts as gone after some seconds."""
    try:
        await worker.databases.control.leave(worker.instance)
    except CrossfadeError as error:
        log.warning("fleet_not_left", error=error)


async def _ping(name: str, ping: Callable[[Deadline], Awaitable[None]]) -> ReadinessCheck:
    try:
        await ping(Deadline.after(PING_LIMIT_S))
    except CrossfadeError as error:
        return ReadinessCheck(name, str(error))
    return ReadinessCheck(name)
