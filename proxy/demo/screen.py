"""Where the demonstration shows itself: a table that renews itself on a terminal, plain lines elsewhere."""

import shutil
import time
from typing import Final, TextIO

from proxy.demo.table import View, view_lines, view_summary

PLAIN_EVERY_S: Final = 5.0
UP: Final = "\x1b[{lines}A"
ERASE_BELOW: Final = "\x1b[J"


class Screen:
    """A stream to write to: lines that stay, and below them, on a terminal alone, the table as it is now."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._drawn = 0
        self._plain_s = 0.0

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self._erase()
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def draw(self, view: View) -> None:
        """Show the figures of this moment; elsewhere than on a terminal a line of them now and then."""
        if not self._is_terminal:
            self._draw_plain(view)
            return
        size = shutil.get_terminal_size()
        lines = view_lines(view, width=size.columns - 1, height=size.lines - 1)
        self._erase()
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._drawn = len(lines)

    def clear(self) -> None:
        """Take the table away."""
        self._erase()
        self._stream.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(UP.format(lines=self._drawn) + ERASE_BELOW)
            self._drawn = 0

    def _draw_plain(self, view: View) -> None:
        now_s = time.monotonic()
        if now_s - self._plain_s < PLAIN_EVERY_S:
            return
        self._plain_s = now_s
        self.say(view_summary(view))
