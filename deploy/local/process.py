"""One server as a child process: started, tethered to this process, paused, killed, restarted, stopped."""

from __future__ import annotations

import atexit
import fcntl
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

LOCAL = Path(__file__).resolve().parents[2] / ".local"
PROGRAMS = LOCAL / "programs"
TETHER = Path(__file__).with_name("tether.py")
READY_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
PROBE_INTERVAL_S = 0.05
TCP_LISTEN = "0A"
PORT_ATTEMPTS = 5
LOG_TAIL_BYTES = 4000
LOG_TAIL_LINES = 15


class ServerError(Exception):
    """A local server that cannot be had, started or reached; the text says which, why, and where its log is."""


class PortTakenError(ServerError):
    """Another program listens on the port."""


def free_port() -> int:
    """Return a TCP port that nobody listened on a moment ago; whoever uses it must be ready to lose the race."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(pid: int, port: int) -> bool:
    """Whether this very process listens on the port: an answer alone may come from whoever took the port first."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    try:
        return bool(inodes) and any(str(fd.readlink()) in inodes for fd in Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, PermissionError):  # It closed a file while we were looking, or has ended.
        return False


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            _, local, _, state, *rest = line.split()
            if state == TCP_LISTEN and int(local.rpartition(":")[2], 16) == port:
                yield rest[5]


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock that only one process has at a time, waiting for it; the kernel frees it when the process dies."""
    with lock_file(path) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def lock_file(path: Path) -> IO[str]:
    """Open a lock file, making its folder; the caller locks and closes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+", encoding="utf-8")


@contextmanager
def claim(folder: Path, server: str) -> Iterator[ExitStack]:
    """Claim a data folder, at once or not at all; the block's stack, if its content is taken over, goes on holding it.

    The kernel gives a claim up when the process dies.
    """
    with ExitStack() as stack:
        handle = stack.enter_context(lock_file(folder / "in-use.lock"))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            message = f"{server}: {folder} is in use by process {handle.read().strip()}; end it or use another checkout"
            raise ServerError(message) from None
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield stack


def tethered(command: list[str]) -> list[str]:
    """Return the command that runs another, named by its whole path, and dies with the thread that starts it."""
    return [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command]


class _Spawner:
    """Starts children from one thread that lives as long as this process.

    The kernel sends the death signal when the *thread* that forked ends: a child started from a pool's thread would
    die with that thread, in the middle of somebody's test.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def spawn(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own, its output appended to the log."""
        with self._start_lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="spawner", daemon=True)
                self._thread.start()
        answer: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()
        self._jobs.put(lambda: answer.put(_popen(command, log)))
        child = answer.get()
        if isinstance(child, OSError):
            raise child
        return child

    def _work(self) -> None:
        while True:
            self._jobs.get()()


def _popen(command: list[str], log: Path) -> subprocess.Popen[bytes] | OSError:
    try:
        with log.open("ab") as output:
            return subprocess.Popen(
                tethered(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
    except OSError as error:
        return error


_SPAWNER = _Spawner()


@dataclass(slots=True, kw_only=True)
class Server:
    """A running server: what it is called, how it is started, how to see that it answers.

    `stop` asks it to end and waits; `kill` is SIGKILL; `pause` and `resume` are SIGSTOP and SIGCONT; `restart` starts
    it again on the same port with the same data, after a `kill` or a death of its own too. All return only when
    the effect is there. None is safe to call from two threads at once.
    """

    name: str
    command: list[str]
    log: Path
    port: int
    is_ready: Callable[[int], bool]
    port_taken_text: str
    owned: ExitStack = field(default_factory=ExitStack, init=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """The process id of the server itself; ServerError when it is not running."""
        if self._child is None or not self.is_running:
            raise ServerError(f"{self.name} is not running")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the process exists, paused or not."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers; ServerError with the last log lines when it does not."""
        log_start_bytes = self.log.stat().st_size if self.log.exists() else 0
        self._child = _SPAWNER.spawn(self.command, self.log)
        atexit.register(self.kill)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not (listens(self._child.pid, self.port) and self.is_ready(self.port)):
            if self._child.poll() is not None:
                self._raise_died(self._child.returncode, log_start_bytes)
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} did not answer within {READY_TIMEOUT_S:.0f} s{self._log_tail()}")
            time.sleep(PROBE_INTERVAL_S)

    def _raise_died(self, code: int, log_start_bytes: int) -> None:
        with self.log.open("rb") as log:
            log.seek(log_start_bytes)
            is_port_taken = self.port_taken_text.encode() in log.read()
        error = PortTakenError if is_port_taken else ServerError
        raise error(f"{self.name} ended with code {code} while starting on port {self.port}{self._log_tail()}")

    def _log_tail(self) -> str:
        text = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return "\n".join([f"; the end of {self.log}:", *text.splitlines()[-LOG_TAIL_LINES:]])

    def _end(self, number: signal.Signals) -> None:
        if self._child is None:
            return
        atexit.unregister(self.kill)
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGCONT)
            self._child.send_signal(number)
            try:
                self._child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._child = None

    def kill(self) -> None:
        """End the server with SIGKILL, as a crash would; its data stays as it was."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the server in good order (SIGKILL after 30 s) and give up its folder; harmless when repeated."""
        self._end(signal.SIGTERM)
        self.owned.close()

    def restart(self) -> None:
        """Start again on the same port with the same data, ending the server in good order if it still runs."""
        self._end(signal.SIGTERM)
        self.start()

    def pause(self) -> None:
        """Freeze the server: connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)


S = TypeVar("S", bound=Server)


def start_on_port(build: Callable[[int], S], port: int | None) -> S:
    """Build a server for the given port, or for a free one, and start it; a free port lost in a race is replaced."""
    if port is not None:
        server = build(port)
        server.start()
        return server
    for _ in range(PORT_ATTEMPTS - 1):
        server = build(free_port())
        try:
            server.start()
        except PortTakenError:
            continue
        return server
    return start_on_port(build, free_port())
