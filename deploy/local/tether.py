"""`python tether.py PARENT_PID PROGRAM ARGUMENT...`: becomes a program that dies with the process that started it.

A file of its own, run by path: it replaces itself with the program, so the pid stays, and setting the death signal
here keeps Python code out of the moment between fork and exec, where threads of the parent may hold locks.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGKILL when the starter dies, then become the program."""
    parent_pid, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent_pid):  # The starter died before the request; the signal will not come any more.
        sys.exit(f"process {parent_pid} is gone")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
