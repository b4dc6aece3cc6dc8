"""A MySQL server of one's own: a `mysqld` on PATH if it will do, else the distribution's, unpacked without root."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.packages import AptTree, host_archive
from deploy.local.process import PROGRAMS, Server, ServerError, claim, exclusive, start_on_port

UNPACKED = PROGRAMS / "mysql"
STAMP = PROGRAMS / "mysql.complete"
CONFINEMENT = Path("/etc/apparmor.d/usr.sbin.mysqld")  # Ubuntu's profile: its mysqld may use no folder but its own.
SYSTEM_FOLDERS = ":/usr/sbin:/usr/local/sbin"
OLDEST = (8, 0, 22)
PACKAGE = re.compile(r"mysql-(?:server|client)-core(?:-(?P<version>[\d.]+))?")
INITIALIZE_TIMEOUT_S = 120
PROBE_TIMEOUT_S = 2.0
GREETING = 0x0A
HEADER_BYTES = 5


@dataclass(frozen=True, slots=True)
class Program:
    """How to run one mysqld: the words before its options, and its version."""

    command: tuple[str, ...]
    version: tuple[int, int, int]


@dataclass(slots=True, kw_only=True)
class MySQLServer(Server):
    """A running MySQL whose `root` has no password and reaches it over TCP from this machine only."""

    socket: Path
    host: str = "127.0.0.1"
    user: str = "root"
    password: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_mysql(folder: Path, *, port: int | None = None, keep: bool) -> MySQLServer:
    """Start a MySQL server in a folder of its own and wait until it greets.

    With keep, the data in the folder is used if it is there, and commits are durable; without, the server starts
    empty and a commit survives a kill of the server but not of the machine.
    ServerError when it cannot be downloaded or started, or when another process uses the folder.
    """
    program = find_program()
    folder = folder.resolve()
    with claim(folder, "MySQL") as in_use:
        data = folder / f"data-{program.version[0]}.{program.version[1]}"
        if not keep:
            shutil.rmtree(data, ignore_errors=True)
        if not (data / "initialized").exists():
            _initialize(program, folder, data)
        server = start_on_port(lambda number: _server(program, folder, data, port=number, keep=keep), port)
        server.owned.enter_context(in_use.pop_all())
        return server


def find_program() -> Program:
    """Return the mysqld to use, unpacking one first if there is none and it was not done before."""
    system = shutil.which("mysqld", path=os.environ.get("PATH", "") + SYSTEM_FOLDERS)
    if system is not None and not CONFINEMENT.exists():
        version = _version((system,))
        if version is not None and version >= OLDEST:
            return Program((system,), version)
    with exclusive(PROGRAMS / "mysql.lock"):
        if not STAMP.exists():
            _unpack()
            STAMP.touch()
    return _unpacked_program()


def _unpack() -> None:
    shutil.rmtree(UNPACKED, ignore_errors=True)
    apt = PROGRAMS / "mysql-apt"
    shutil.rmtree(apt, ignore_errors=True)
    tree = AptTree(apt, host_archive())
    tree.update()
    tree.unpack(choose_packages(tree.names("^mysql-(server|client)-core")), UNPACKED)
    shutil.rmtree(apt)


def choose_packages(names: list[str]) -> list[str]:
    """Return the server's and the client's package of the newest version on offer; ServerError when there is none.

    Debian's current names carry no version; Ubuntu's do (`mysql-server-core-8.4`).
    """
    matches = [match for name in names if (match := PACKAGE.fullmatch(name))]
    if not matches:
        raise ServerError("the distribution's archive has no mysql-server-core; install MySQL >= 8.0.22")
    by_version = {match["version"] or "": _numbers(match["version"] or "9999") for match in matches}
    newest = max(by_version, key=lambda version: by_version[version])
    return sorted(match[0] for match in matches if (match["version"] or "") == newest)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _unpacked_program() -> Program:
    # The packages bring their own libc: only their own loader runs them on an older host.
    triplet = next((UNPACKED / "usr/lib").glob("*-linux-gnu*")).name
    folders = [UNPACKED / top / triplet for top in ("usr/lib", "lib")]
    loader = next(path for folder in folders for path in sorted(folder.glob("ld-linux-*.so.*")))
    libraries = ":".join(str(folder) for folder in folders if folder.exists())
    command = (str(loader), "--library-path", libraries, str(UNPACKED / "usr/sbin/mysqld"))
    version = _version(command)
    if version is None:
        raise ServerError(f"MySQL: the program unpacked in {UNPACKED} does not run; delete {STAMP} to fetch it again")
    return Program(command, version)


def _version(command: tuple[str, ...]) -> tuple[int, int, int] | None:
    done = subprocess.run([*command, "--no-defaults", "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"Ver (\d+)\.(\d+)\.(\d+)", done.stdout)
    if match is None or "MariaDB" in done.stdout:
        return None
    return int(match[1]), int(match[2]), int(match[3])


def _options(program: Program, data: Path) -> list[str]:
    temporary = data.parent / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    options = ["--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}", "--secure-file-priv=NULL"]
    if program.command[-1] == str(UNPACKED / "usr/sbin/mysqld"):
        share = UNPACKED / "usr/share/mysql"
        options += [f"--lc-messages-dir={share}", f"--character-sets-dir={share / 'charsets'}"]
    return [*options, "--user=root"] if os.geteuid() == 0 else options


def _initialize(program: Program, folder: Path, data: Path) -> None:
    # The marker is written last: data without it is what an interrupted start left.
    shutil.rmtree(data, ignore_errors=True)
    log = folder / "mysql.log"
    with log.open("ab") as output:
        done = subprocess.run(
            [*program.command, *_options(program, data), "--initialize-insecure"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=INITIALIZE_TIMEOUT_S,
            check=False,
        )
    if done.returncode != 0:
        raise ServerError(f"MySQL could not make its data folder {data}; see {log}")
    (data / "initialized").touch()


def _server(program: Program, folder: Path, data: Path, *, port: int, keep: bool) -> MySQLServer:
    durability = [] if keep else ["--innodb-flush-log-at-trx-commit=2"]
    serving = [
        f"--port={port}",
        "--socket=mysql.sock",  # Taken relative to the data folder: a whole path may exceed the system's 107 bytes.
        f"--pid-file={folder / 'mysql.pid'}",
        "--bind-address=127.0.0.1",
        "--mysqlx=OFF",
        "--skip-log-bin",
        "--max-connections=500",
        "--innodb-buffer-pool-size=128M",
    ]
    return MySQLServer(
        name="MySQL",
        command=[*program.command, *_options(program, data), *serving, *durability],
        log=folder / "mysql.log",
        port=port,
        is_ready=_greets,
        port_taken_text="Bind on TCP/IP port: Address already in use",
        socket=data / "mysql.sock",
    )


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PROBE_TIMEOUT_S) as connection:
            header = connection.recv(HEADER_BYTES, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(header) == HEADER_BYTES and header[-1] == GREETING
