"""Progress of long work on standard error: a bar on a terminal, plain lines elsewhere, at most one a second."""

import sys
import time
from typing import Final, TextIO

from proxy.sync.report import Progress

BAR_WIDTH: Final = 30
EVERY_TTY_S: Final = 0.2
EVERY_S: Final = 5.0


class ProgressPrinter:
    """A Watcher that prints step, share, rate and time left."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._step = ""
        self._started_s = self._last_s = time.monotonic()
        self._printed_s = 0.0

    def __call__(self, progress: Progress) -> None:
        """Print, unless it was printed a moment ago."""
        now_s = time.monotonic()
        if progress.step != self._step:
            self._step, self._started_s, self._printed_s = progress.step, self._last_s, 0.0
        self._last_s = now_s
        is_last = progress.total is not None and progress.done >= progress.total
        if not is_last and now_s - self._printed_s < (EVERY_TTY_S if self._is_terminal else EVERY_S):
            return
        self._printed_s = now_s
        line = described(progress, seconds_s=now_s - self._started_s)
        self._stream.write(f"\r{line:<78}" + ("\n" if is_last else "") if self._is_terminal else f"{line}\n")
        self._stream.flush()


def described(progress: Progress, *, seconds_s: float) -> str:
    """The progress in words: `user [#####     ] 50/100, 25/s, 2 s left`."""
    rate = progress.done / seconds_s if seconds_s > 0 else 0.0
    if progress.total is None:
        return f"{progress.step}: {progress.done}, {rate:.0f}/s"
    share = progress.done / progress.total if progress.total else 1.0
    bar = ("#" * round(share * BAR_WIDTH)).ljust(BAR_WIDTH)
    left = f", {(progress.total - progress.done) / rate:.0f} s left" if rate else ""
    return f"{progress.step} [{bar}] {progress.done}/{progress.total}, {rate:.0f}/s{left}"
