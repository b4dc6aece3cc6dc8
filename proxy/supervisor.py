"""The process around the workers: it opens the listeners, keeps the workers alive, and ends them in good order.

    serve --- opens both sockets --- forks --- worker 0, worker 1, ...   all accept on the same sockets
      |  SIGTERM or SIGINT: stop accepting, SIGTERM to the workers, wait for their drain, SIGKILL
      |  a worker's death: another in its place, ever later when it dies young
      +- its own death: the workers see their lifeline end and drain by themselves

SO_REUSEPORT would not do: a draining worker's queue of connections would be reset. One worker runs without a fork.
"""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from proxy.environment import Address
from proxy.logs import EventLog
from proxy.settings import ServerSettings

BACKLOG: Final = 1024
"""Connections that may wait to be accepted. A worker must pass it on, for asyncio calls `listen` again."""
EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_REFUSED: Final = 78
"""A worker's exit code for a fault that another try will not mend; sysexits.h calls it EX_CONFIG."""
STOP_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
CLEAN_CODES: Final = frozenset({EXIT_OK, *(-number for number in STOP_SIGNALS)})
"""Exit codes of a worker that did what it was told, be it before it had begun to serve."""
WATCHED_SIGNALS: Final = STOP_SIGNALS | {signal.SIGCHLD}
SETTLED_AFTER_S: Final = 10.0
RESTART_BASE_S: Final = 0.5
RESTART_CAP_S: Final = 30.0
DOUBLINGS: Final = 10
IDLE_WAIT_S: Final = 3600.0
KILL_GRACE_S: Final = 2.0
"""What a drain may take beyond its limit, so that the workers' own report comes before the kill."""

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class Listeners:
    """The two open sockets."""

    rpc: socket.socket
    admin: socket.socket

    def close(self) -> None:
        """Close them in this process."""
        self.rpc.close()
        self.admin.close()


RunWorker = Callable[[Listeners, int], int]
"""Serves as the worker of that number until SIGTERM or SIGINT, drains, and answers the exit code."""


def open_listeners(server: ServerSettings) -> Listeners:
    """Both sockets, bound and listening. Raises OSError naming the address that cannot be had."""
    rpc = _listen(server.listen)
    try:
        return Listeners(rpc, _listen(server.admin_listen))
    except OSError:
        rpc.close()
        raise


def serve(server: ServerSettings, run_worker: RunWorker, *, on_worker_gone: Callable[[int], None]) -> int:
    """Serve until told to stop; the exit code, which is 0 when every worker drained in time.

    To be called before any event loop or thread exists. `on_worker_gone` hears the number of a worker that has died.
    """
    listeners = open_listeners(server)
    log.info("listening_started", rpc=_name_of(listeners.rpc), admin=_name_of(listeners.admin), pid=os.getpid())
    try:
        if server.workers == 1:
            return run_worker(listeners, 0)
        return _Supervisor(server, listeners, run_worker, on_worker_gone).run()
    finally:
        listeners.close()


def settle_memory() -> None:
    """Exempt everything that exists from garbage collection: what start-up made stays, and looking at it takes 30 ms.

    To be called once a worker has started, before its first call.
    """
    gc.collect()
    gc.freeze()


def restart_delay_s(young_deaths: int) -> float:
    """How long to wait before a worker is replaced, after so many deaths in a row soon after the start."""
    return min(RESTART_BASE_S * 2.0 ** min(young_deaths - 1, DOUBLINGS), RESTART_CAP_S) if young_deaths else 0.0


@dataclass(slots=True)
class _Place:
    """A worker's number, with the process that has it: pid 0 between a death and its replacement."""

    number: int
    pid: int = 0
    started_s: float = 0.0
    start_at_s: float = 0.0
    young_deaths: int = 0


@dataclass(slots=True)
class _Supervisor:
    """The parent's loop, driven by signals alone: they stay blocked and are taken one by one."""

    server: ServerSettings
    listeners: Listeners
    run_worker: RunWorker
    on_worker_gone: Callable[[int], None]
    places: list[_Place] = field(init=False)
    lifeline: tuple[int, int] = field(init=False)
    kill_at_s: float | None = None
    exit_code: int = EXIT_OK

    def __post_init__(self) -> None:
        self.places = [_Place(number) for number in range(self.server.workers)]
        self.lifeline = os.pipe()

    def run(self) -> int:
        """Keep the workers until a stop; then see them off."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED_SIGNALS)
        try:
            while self.kill_at_s is None or self._running():
                self._start_due()
                self._await_signal()
                self._reap()
                self._kill_late()
            log.info("workers_stopped", exit_code=self.exit_code)
            return self.exit_code
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(self.lifeline[0])
            os.close(self.lifeline[1])

    def _running(self) -> list[_Place]:
        return [place for place in self.places if place.pid]

    def _start_due(self) -> None:
        for place in self.places:
            if self.kill_at_s is None and not place.pid and time.monotonic() >= place.start_at_s:
                self._start(place)

    def _start(self, place: _Place) -> None:
        _flush()
        place.started_s = time.monotonic()
        try:
            pid = os.fork()
        except OSError as error:
            log.warning("worker_not_started", worker=place.number, error=error, restart_in_s=_postpone(place))
            return
        if pid == 0:
            self._be_worker(place.number)
        place.pid = pid
        log.info("worker_started", worker=place.number, pid=pid)

    def _be_worker(self, number: int) -> NoReturn:
        code = EXIT_FAILED
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED_SIGNALS)
            os.close(self.lifeline[1])
            threading.Thread(target=_follow_parent, args=(self.lifeline[0],), name="lifeline", daemon=True).start()
            code = self.run_worker(self.listeners, number)
        finally:
            # Whatever happened, a child must not come back into its parent's code.
            if (error := sys.exception()) is not None:
                log.error("worker_broke", worker=number, error=error)
            _flush()
            os._exit(code)

    def _await_signal(self) -> None:
        taken = signal.sigtimedwait(WATCHED_SIGNALS, self._idle_s())
        if taken is None or taken.si_signo == signal.SIGCHLD:
            return
        if self.kill_at_s is None:
            log.info("drain_started", signal=signal.Signals(taken.si_signo).name, limit_s=self.server.drain_s)
            self._begin_stop(EXIT_OK)
        elif taken.si_signo == signal.SIGINT:
            # A second Ctrl-C: whoever sits there does not want to wait.
            self.kill_at_s = time.monotonic()

    def _idle_s(self) -> float:
        """Seconds until something is due by itself: a worker's start, or the kill."""
        if self.kill_at_s is not None:
            due_s = self.kill_at_s
        else:
            waiting_s = (place.start_at_s for place in self.places if not place.pid)
            due_s = min(waiting_s, default=time.monotonic() + IDLE_WAIT_S)
        return max(0.0, due_s - time.monotonic())

    def _begin_stop(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.kill_at_s = time.monotonic() + self.server.drain_s + KILL_GRACE_S
        # Once the last worker has closed them too, newcomers are refused instead of left waiting.
        self.listeners.close()
        for place in self._running():
            os.kill(place.pid, signal.SIGTERM)

    def _reap(self) -> None:
        for place in self._running():
            pid, status = os.waitpid(place.pid, os.WNOHANG)
            if pid:
                self._mourn(place, os.waitstatus_to_exitcode(status))

    def _mourn(self, place: _Place, code: int) -> None:
        """A worker is gone; a negative code is the signal that ended it."""
        pid, place.pid = place.pid, 0
        self.on_worker_gone(place.number)
        if self.kill_at_s is not None:
            if code not in CLEAN_CODES:
                self.exit_code = self.exit_code or EXIT_FAILED
            log.info("worker_stopped", worker=place.number, pid=pid, code=code)
        elif code == EXIT_REFUSED:
            log.error("worker_refused", worker=place.number, pid=pid, code=code)
            self._begin_stop(EXIT_REFUSED)
        else:
            log.error("worker_died", worker=place.number, pid=pid, code=code, restart_in_s=_postpone(place))

    def _kill_late(self) -> None:
        if self.kill_at_s is None or time.monotonic() < self.kill_at_s:
            return
        for place in self._running():
            log.error("worker_killed", worker=place.number, pid=place.pid)
            os.kill(place.pid, signal.SIGKILL)
        self.kill_at_s = time.monotonic() + KILL_GRACE_S


def _postpone(place: _Place) -> float:
    """Set when a place is filled again; how many seconds from now."""
    now_s = time.monotonic()
    place.young_deaths = place.young_deaths + 1 if now_s - place.started_s < SETTLED_AFTER_S else 0
    delay_s = restart_delay_s(place.young_deaths)
    place.start_at_s = now_s + delay_s
    return delay_s


def _flush() -> None:
    """Write out what is buffered, or a fork would double it and the end of a child lose it."""
    sys.stdout.flush()
    sys.stderr.flush()


def _follow_parent(lifeline: int) -> None:
    """Wait for the parent's end of the pipe to close, which only its death does; then drain like it had said so."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {address}: {error.strerror or error}") from error


def _name_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return str(Address(host, port))
