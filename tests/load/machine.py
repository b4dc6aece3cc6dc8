"""The machine: the process under test has a core for itself; the load, the databases and all else have the others."""

import os
import time
from pathlib import Path
from typing import Final

CPU_CLOCK_OF_PROCESS: Final = 2
PRECEDENCE: Final = -15


def available_cores() -> list[int]:
    """The cores that this process may use, ascending."""
    return sorted(os.sched_getaffinity(0))


def keep_to(cores: set[int], *, pid: int | None = None) -> None:
    """Keep a process, this one by default, with its threads and whatever they start, to these cores."""
    for thread in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def take_precedence(pid: int | None = None) -> bool:
    """Let a process, this one by default, and those that it starts go before all others, as far as it may; whether so.

    On a machine with other work a subject that needs more of its core is else held back more often, out of proportion.
    Where Linux weighs sessions against each other, niceness counts within one alone, so that of the session is set too.
    """
    session = Path(f"/proc/{pid or os.getpid()}/autogroup")
    try:
        os.setpriority(os.PRIO_PROCESS, pid or 0, PRECEDENCE)
        if session.exists():
            session.write_text(str(PRECEDENCE))
    except PermissionError:
        return False
    return True


def cpu_s(pid: int) -> float:
    """The processor time that a process has used so far, ended threads included."""
    return time.clock_gettime((~pid << 3) | CPU_CLOCK_OF_PROCESS)  # clock_getcpuclockid(3), which Python lacks.


def resident_bytes(pid: int) -> int:
    """The memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
