"""The supervisor around real workers: one address for all of them, deaths, drains."""

import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxy.environment import Address
from proxy.settings import ServerSettings
from proxy.supervisor import EXIT_FAILED, EXIT_OK, EXIT_REFUSED, open_listeners, restart_delay_s

LIMIT_S = 20.0
ROOT = Path(__file__).parents[2]

Event = dict[str, object]


class Supervised:
    """The program under test: its process, its events, and calls of it."""

    def __init__(self, behaviour: str, **settings: str) -> None:
        given = {"CROSSFADE_ENV": "development", "CROSSFADE_WORKERS": "2", **settings}
        free = {"CROSSFADE_LISTEN": "127.0.0.1:0", "CROSSFADE_ADMIN_LISTEN": "127.0.0.1:0"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CROSSFADE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.supervised", behaviour],
            cwd=ROOT,
            env={**inherited, **free, **given},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._connections: list[http.client.HTTPConnection] = []
        self.rpc = str(self.event("listening_started")["rpc"])

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)

    def event(self, name: str, **fields: object) -> Event:
        """Wait for the next event of that name with those fields, passing over others."""
        while True:
            event: Event = json.loads(self._lines.get(timeout=LIMIT_S))
            if event["event"] == name and fields.items() <= event.items():
                return event

    def ready(self, workers: int) -> dict[int, int]:
        """Wait for that many workers: number to process id."""
        events = [self.event("worker_ready") for _ in range(workers)]
        return {int(str(event["worker"])): int(str(event["pid"])) for event in events}

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the address that the workers share."""
        self._connections.append(http.client.HTTPConnection(self.rpc, timeout=LIMIT_S))
        return self._connections[-1]

    def connect_to(self, pid: int) -> http.client.HTTPConnection:
        """A connection that is held by that worker; which one it is, the kernel decides."""
        while pid_on(connection := self.connect()) != pid:
            continue
        return connection

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the parent and wait for its end: its exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    def close(self) -> None:
        """Leave no process and no connection behind, whatever the test did."""
        for connection in self._connections:
            connection.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)


Start = Callable[..., Supervised]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the program; it is gone after the test."""
    started: list[Supervised] = []

    def begin(behaviour: str = "serve", **settings: str) -> Supervised:
        started.append(Supervised(behaviour, **settings))
        return started[-1]

    yield begin
    for supervised in started:
        supervised.close()


def body_of(connection: http.client.HTTPConnection, path: str) -> str:
    """The answer to a GET, which must be a good one."""
    connection.request("GET", path)
    response = connection.getresponse()
    text = response.read().decode()
    assert response.status == 200
    return text


def pid_on(connection: http.client.HTTPConnection) -> int:
    """The worker that holds a connection."""
    return int(body_of(connection, "/pid"))


def begin_slow_call(connection: http.client.HTTPConnection) -> None:
    """Send a call but for its body, so that it is under way until `end_slow_call`."""
    connection.putrequest("POST", "/slow")
    connection.putheader("Content-Length", "4")
    connection.endheaders()


def end_slow_call(connection: http.client.HTTPConnection) -> tuple[int, str]:
    """Send the body: the answer's status and text."""
    connection.send(b"body")
    response = connection.getresponse()
    return response.status, response.read().decode()


def is_refused(address: str) -> bool:
    """Whether nobody listens there any more."""
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=LIMIT_S).close()
    except ConnectionRefusedError:
        return True
    return False


def test_workers_share_one_address(start: Start) -> None:
    """Connections to the one address reach every worker."""
    supervised = start()
    pids = set(supervised.ready(2).values())
    assert len(pids) == 2
    assert supervised.process.pid not in pids
    for pid in pids:
        supervised.connect_to(pid)
    assert supervised.stop() == EXIT_OK
    assert is_refused(supervised.rpc)


def test_workers_share_a_burst_of_connections(start: Start) -> None:
    """Connections opened all at once do not end up with one worker, where they would stay."""
    supervised = start()
    pids = supervised.ready(2)
    connections = [supervised.connect() for _ in range(64)]
    for connection in connections:
        connection.connect()
    held = Counter(pid_on(connection) for connection in connections)
    assert min(held[pid] for pid in pids.values()) >= 8
    assert supervised.stop() == EXIT_OK


def test_killed_worker_is_replaced_and_others_notice_nothing(start: Start) -> None:
    """After kill -9 of a worker no connection to another breaks, new ones are served, and a successor comes."""
    supervised = start()
    pids = supervised.ready(2)
    survivor = supervised.connect_to(pids[1])
    begin_slow_call(survivor)
    supervised.event("slow_call_begun", pid=pids[1])
    os.kill(pids[0], signal.SIGKILL)
    died = supervised.event("worker_died", worker=0, pid=pids[0], code=-signal.SIGKILL)
    assert died["restart_in_s"] == 0.5
    for _ in range(100):
        assert pid_on(supervised.connect()) == pids[1]
    assert end_slow_call(survivor) == (200, "4 bytes")
    (successor,) = supervised.ready(1).items()
    assert successor[0] == 0
    supervised.connect_to(successor[1])
    assert supervised.stop() == EXIT_OK


def test_counts_survive_their_worker(start: Start) -> None:
    """Any worker's page shows what all have counted, the killed one too, but not its gauges; a successor goes on."""
    supervised = start()
    pids = supervised.ready(2)
    for pid in pids.values():
        page = body_of(supervised.connect_to(pid), "/count")
    assert "calls_total 2.0\n" in page
    assert "workers 2.0\n" in page
    survivor = supervised.connect_to(pids[1])
    os.kill(pids[0], signal.SIGKILL)
    supervised.event("worker_died")
    page = body_of(survivor, "/count")
    assert "calls_total 3.0\n" in page
    assert "workers 1.0\n" in page
    (successor,) = supervised.ready(1).values()
    page = body_of(supervised.connect_to(successor), "/count")
    assert "calls_total 4.0\n" in page
    assert "workers 2.0\n" in page
    assert supervised.stop() == EXIT_OK


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_drains_a_call_under_way(start: Start, workers: str, number: signal.Signals) -> None:
    """A call that has begun is answered after the signal, nobody new is let in, and the exit code is 0."""
    supervised = start(CROSSFADE_WORKERS=workers)
    supervised.ready(int(workers))
    connection = supervised.connect()
    begin_slow_call(connection)
    busy = supervised.event("slow_call_begun")["pid"]
    supervised.process.send_signal(number)
    supervised.event("worker_draining", pid=busy)
    assert end_slow_call(connection) == (200, "4 bytes")
    assert supervised.process.wait(LIMIT_S) == EXIT_OK
    assert is_refused(supervised.rpc)


def test_stop_refuses_newcomers_while_draining(start: Start) -> None:
    """Once both workers drain, a new connection is refused, though a call is still under way."""
    supervised = start()
    supervised.ready(2)
    connection = supervised.connect()
    begin_slow_call(connection)
    busy = supervised.event("slow_call_begun")["pid"]
    supervised.process.send_signal(signal.SIGTERM)
    (idle,) = {supervised.event("worker_draining")["pid"] for _ in range(2)} - {busy}
    supervised.event("worker_stopped", pid=idle, code=0)
    assert is_refused(supervised.rpc)
    assert end_slow_call(connection) == (200, "4 bytes")
    assert supervised.process.wait(LIMIT_S) == EXIT_OK


def test_stop_kills_what_does_not_drain(start: Start) -> None:
    """A worker that hangs is killed at the limit, which the exit code tells."""
    supervised = start("stuck", CROSSFADE_DRAIN_S="0")
    supervised.ready(2)
    assert supervised.stop() == EXIT_FAILED
    supervised.event("worker_killed")
    supervised.event("workers_stopped", exit_code=EXIT_FAILED)


def test_second_interrupt_kills_at_once(start: Start) -> None:
    """Whoever presses Ctrl-C twice does not wait for a drain of an hour."""
    supervised = start("stuck", CROSSFADE_DRAIN_S="3600")
    supervised.ready(2)
    supervised.process.send_signal(signal.SIGINT)
    supervised.event("worker_draining")
    supervised.event("worker_draining")
    assert supervised.stop(signal.SIGINT) == EXIT_FAILED


def test_refusal_of_a_worker_ends_all(start: Start) -> None:
    """A fault that no new try can mend stops the program with its own code instead of a restart for ever."""
    supervised = start("refuse")
    assert supervised.process.wait(LIMIT_S) == EXIT_REFUSED
    supervised.event("worker_refused")


def test_worker_that_dies_young_is_replaced_ever_later(start: Start) -> None:
    """A worker that cannot start is tried again with growing pauses, its error is in the log, a stop still works."""
    supervised = start("die")
    broke = supervised.event("worker_broke", worker=0)
    assert broke["error_message"] == "cannot start"
    pauses_s = [supervised.event("worker_died", worker=0, code=EXIT_FAILED)["restart_in_s"] for _ in range(2)]
    assert pauses_s == [0.5, 1.0]
    # A worker that happens to die of its fault during the stop counts as one that failed.
    assert supervised.stop() in {EXIT_OK, EXIT_FAILED}


def test_workers_drain_when_their_parent_is_killed(start: Start) -> None:
    """Nobody serves on without a parent: after its kill -9 the workers finish their calls and end."""
    supervised = start()
    supervised.ready(2)
    connection = supervised.connect()
    begin_slow_call(connection)
    supervised.event("slow_call_begun")
    supervised.process.kill()
    supervised.event("worker_draining")
    supervised.event("worker_draining")
    assert end_slow_call(connection) == (200, "4 bytes")
    supervised.process.wait(LIMIT_S)
    # The pipe ends when the last process that could write to it has ended.
    supervised._reader.join(LIMIT_S)
    assert not supervised._reader.is_alive()
    assert is_refused(supervised.rpc)


def test_open_listeners_names_the_address_that_is_taken() -> None:
    """An address in use is named, and the other socket is not left open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ServerSettings(listen=Address("127.0.0.1", 0), admin_listen=Address("127.0.0.1", port))
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: .*in use"):
            open_listeners(server)


def test_open_listeners_takes_ipv6() -> None:
    """An address in brackets is one of IPv6."""
    listeners = open_listeners(ServerSettings(listen=Address("::1", 0), admin_listen=Address("127.0.0.1", 0)))
    assert listeners.rpc.family == socket.AF_INET6
    listeners.close()


@pytest.mark.parametrize(
    ("young_deaths", "expected"), [(0, 0.0), (1, 0.5), (2, 1.0), (5, 8.0), (9, 30.0), (5000, 30.0)]
)
def test_restart_delay_doubles_up_to_its_cap(young_deaths: int, expected: float) -> None:
    """The first death after a long life costs nothing, later ones ever more."""
    assert restart_delay_s(young_deaths) == expected
