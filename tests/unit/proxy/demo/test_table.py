"""The figures as text."""

from dataclasses import replace

import pytest

from proxy.demo.caller import Reading
from proxy.demo.expected import Answer, Judgement
from proxy.demo.table import TABLE_WIDTH, Figures, View, headings, view_lines, view_summary
from proxy.demo.tally import Tally
from proxy.demo.workload import MIX, Call

COMPARISONS = {
    ("user.find_by_id", "match"): 2,
    ("user.find_by_id", "transient"): 1,
    ("cart.get_cart_items", "match"): 4,
}


def view(*operations: str) -> View:
    """Two calls in two seconds of each operation, ten milliseconds each."""
    tally = Tally()
    tally._lasted_s = 2.0
    for operation in operations * 2:
        tally.note(Call(operation, {}), Answer(200, {}, 0.010, served_by="mysql", shadow="match"), Judgement())
    return View(Figures("phase 3", tally, Reading(COMPARISONS, 5, 7), 9), "10 s of calls", 8, 0)


def cells(lines: list[str], first: str) -> list[str]:
    """The cells of a row."""
    (line,) = (line for line in lines if line.split()[0] == first)
    return line.split()


def test_view_has_a_row_for_each_operation_and_one_for_all() -> None:
    """Calls, times and comparisons, by operation and together."""
    lines = view_lines(view("user.find_by_id", "cart.add_item"), width=TABLE_WIDTH, height=40)
    assert ["user.find_by_id", "2", "1.0", "10.2", "10.2", "3", "1", "0"] == cells(lines, "user.find_by_id")
    assert ["cart.add_item", "2", "1.0", "10.2", "10.2", "0", "0", "0"] == cells(lines, "cart.add_item")
    assert ["all", "4", "2.0", "10.2", "10.2", "7", "1", "0"] == cells(lines, "all")
    assert "phase 3: 10 s of calls; 8 clients" == lines[0]
    assert ["answered by mysql 4; shadow match 4", "intents open 5; unexpected answers 0"] == lines[-2:]


@pytest.mark.parametrize(("width", "height"), [(TABLE_WIDTH, 40), (80, 24), (60, 10)])
def test_view_fits_into_the_terminal(width: int, height: int) -> None:
    """No line is longer and no more lines are there than have room, and figures go before names."""
    lines = view_lines(view(*MIX), width=width, height=height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any("operations more" in line for line in lines) is (height < 28)


def test_view_shows_every_column_on_80_columns() -> None:
    """Names are cut there, not figures."""
    assert headings("operation", width=80).endswith("mismatched")
    assert 80 == len(headings("operation", width=80))


def test_summary_is_one_line() -> None:
    """All figures of all operations, for where there is no terminal."""
    line = view_summary(view("user.find_by_id"))
    assert line.startswith("phase 3: 10 s of calls; 2 calls, ")
    assert "compared 7, transient 1, mismatched 0; answered by mysql 2; shadow match 2; intents open 5" in line
    assert "\n" not in line


def test_summary_between_legs_repeats_no_figures() -> None:
    """What was told of the last leg is not told again while the next one is prepared."""
    between = replace(view("user.find_by_id"), doing="on to phase 4", is_between=True)
    assert "on to phase 4; intents open 5; unexpected answers 0" == view_summary(between)
