"""`crossfade serve`: the supervisor around the workers, and one worker's life."""

import asyncio
import signal
import sys
from typing import Final

import uvloop

from adapters.dynamodb.client import Observation
from adapters.operations import catalogue
from proxy import VERSION
from proxy.logs import setup_logging
from proxy.metrics import Metrics, Values, open_values
from proxy.settings import Settings
from proxy.supervisor import Listeners, serve
from proxy.wiring.admin import with_secret
from proxy.wiring.databases import SOURCE_NAME, TARGET_NAME, instance_name, load_checked_contract, open_databases
from proxy.wiring.worker import Worker, running

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run_server(settings: Settings) -> int:
    """Serve until told to stop; the exit code. Raises ContractError, OSError when an address cannot be had."""
    settings = with_secret(settings)
    setup_logging(settings.logs.level, sys.stdout)
    with open_values(workers=settings.server.workers) as values:
        metrics = build_metrics(settings, values)

        def run_worker(listeners: Listeners, number: int) -> int:
            values.attach(number)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_worker(settings, metrics, listeners))

        return serve(settings.server, run_worker, on_worker_gone=values.retire)


def build_metrics(settings: Settings, values: Values) -> Metrics:
    """The metrics of all workers; to be made before they are forked."""
    contract = load_checked_contract(settings)
    return Metrics(
        values,
        catalogue(settings.entities),
        databases=(SOURCE_NAME, TARGET_NAME),
        tables=list(contract.tables),
        version=VERSION,
    )


async def _worker(settings: Settings, metrics: Metrics, listeners: Listeners) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    instance = instance_name()
    async with open_databases(settings, instance=instance, observe=CapacityCounter(metrics)) as databases:
        worker = Worker(settings, databases, metrics, instance=instance)
        async with running(worker, rpc=listeners.rpc, admin=listeners.admin):
            await stopped.wait()
    return 0


class CapacityCounter:
    """Counts the capacity units of requests."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, seen: Observation) -> None:
        """Count what one attempt used."""
        kind = "read" if seen.is_read else "write"
        for used in seen.capacity:
            self._metrics.capacity_used(used.table, kind, used.units)
