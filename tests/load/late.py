"""A fixed delay, true to some microseconds: a timer of the kernel's, for the loop's own have whole milliseconds.

asyncio's own loop would do as well, at several times the cost of uvloop's; but what stands in for a network is not to
use up the core that it shares with the databases and the load.
"""

import asyncio
import ctypes
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

HOST: Final = "127.0.0.1"
TIMER_BYTES: Final = 8
NANOSECONDS: Final = 1_000_000_000
_TFD_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC
_libc: Final = ctypes.CDLL(None, use_errno=True)


class _Timer(ctypes.Structure):
    """`struct itimerspec` (timerfd_create(2)): the interval, 0 for once, and the time until it goes off."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("s", ctypes.c_long),
        ("ns", ctypes.c_long),
    )


class Late:
    """Does things in order, each `delay_s` after it was given, at once if that is 0; to be closed.

    To be made where the loop runs.
    """

    def __init__(self, delay_s: float) -> None:
        self._delay_ns = round(delay_s * NANOSECONDS)
        self._due: deque[tuple[int, Callable[..., object], tuple[Any, ...]]] = deque()
        self._timer = _libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_FLAGS)
        if self._timer < 0:
            raise OSError(ctypes.get_errno(), "no timer to be had")
        asyncio.get_running_loop().add_reader(self._timer, self._went_off)

    def do(self, what: Callable[..., object], *given: object) -> None:
        """Call this with that, late."""
        if not self._delay_ns:
            what(*given)
            return
        self._due.append((time.monotonic_ns() + self._delay_ns, what, given))
        if len(self._due) == 1:
            self._set(self._delay_ns)

    def close(self) -> None:
        """Forget what is still to be done."""
        asyncio.get_running_loop().remove_reader(self._timer)
        os.close(self._timer)

    def _went_off(self) -> None:
        os.read(self._timer, TIMER_BYTES)
        while self._due:
            left_ns = self._due[0][0] - time.monotonic_ns()
            if left_ns > 0:
                self._set(left_ns)
                return
            _, what, given = self._due.popleft()
            what(*given)

    def _set(self, ns: int) -> None:
        timer = _Timer(0, 0, *divmod(ns, NANOSECONDS))
        if _libc.timerfd_settime(self._timer, 0, ctypes.byref(timer), None):
            raise OSError(ctypes.get_errno(), "the timer cannot be set")
