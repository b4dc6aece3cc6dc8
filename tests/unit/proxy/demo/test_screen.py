"""Writing to a terminal, and elsewhere."""

import io

from proxy.demo.caller import Reading
from proxy.demo.screen import Screen
from proxy.demo.table import Figures, View
from proxy.demo.tally import Tally

VIEW = View(Figures("phase 3", Tally(), Reading()), "verify", 2, 0)
TABLE_LINES = 5


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_terminal_draws_the_table_over_the_last_one() -> None:
    """The cursor goes up by as many lines as were drawn, and a line that stays goes above the table."""
    terminal = Terminal()
    screen = Screen(terminal)
    screen.draw(VIEW)
    drawn = terminal.getvalue()
    assert TABLE_LINES == drawn.count("\n")
    screen.draw(VIEW)
    again = f"\x1b[{TABLE_LINES}A\x1b[J"
    assert f"{drawn}{again}" == terminal.getvalue()[: len(drawn) + len(again)]
    screen.say("it stays")
    assert terminal.getvalue().endswith(f"{again}it stays\n")
    screen.clear()
    assert terminal.getvalue().endswith("it stays\n")


def test_file_gets_a_line_now_and_then() -> None:
    """No control characters, and not a line for every look."""
    stream = io.StringIO()
    screen = Screen(stream)
    for _ in range(10):
        screen.draw(VIEW)
    screen.say("phase 3 is over")
    first, second = stream.getvalue().splitlines()
    assert first.startswith("phase 3: verify; 0 calls")
    assert "phase 3 is over" == second
