"""The instruments: what counts as an answer, what noise is, where a ratio lies."""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest

from proxy.environment import Address
from tests.load.late import Late
from tests.load.machine import PRECEDENCE
from tests.load.report import Bar, Ratio, Verdict, as_json, table
from tests.load.rounds import interleaved, noise, ratio
from tests.load.volley import BadAnswerError, Volley, fire, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
AT_LEAST = Bar(must=0.6, stretch=0.7, is_least=True)
AT_MOST = Bar(must=4, stretch=3, is_least=False)


@asynccontextmanager
async def speaking(*pieces: bytes) -> AsyncIterator[Address]:
    """A server that gives every request the same answer, in these pieces."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"{}"):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client has what it wanted.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])


async def volley(*pieces: bytes) -> Volley:
    """A short load on such a server."""
    async with speaking(*pieces) as address:
        return await fire(address, [post("/", b"{}")], connections=2, duration_s=0.05)


async def test_volley_counts_every_answer_however_it_comes() -> None:
    """An answer in several pieces is one answer."""
    for pieces in ((OK,), (OK[:9], OK[9:40], OK[40:])):
        seen = await volley(*pieces)
        assert seen.calls >= 2
        assert seen.duration_s > max(seen.latencies_s) > 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_volley_takes_nothing_but_success(answer: bytes) -> None:
    """One bad answer, and what was measured is worth nothing."""
    with pytest.raises(BadAnswerError):
        await volley(answer)


async def test_volley_takes_no_end_of_a_connection_for_an_answer() -> None:
    """A server that hangs up fails the run."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(BadAnswerError, match="the connection ended"):
            await fire(address, [post("/", b"{}")], connections=1, duration_s=1)


@pytest.mark.parametrize("delay_s", [0.0, 0.002])
async def test_late_is_in_order_and_not_early(delay_s: float) -> None:
    """Whatever comes meanwhile."""
    loop = asyncio.get_running_loop()
    seen: list[tuple[int, float]] = []
    done = loop.create_future()

    def note(number: int, given_s: float) -> None:
        seen.append((number, time.monotonic() - given_s))
        if number == 99:
            done.set_result(None)

    with closing(Late(delay_s)) as late:
        for number in range(100):
            late.do(note, number, time.monotonic())
            await asyncio.sleep(0.0003)
        await done
    assert list(range(100)) == [number for number, _ in seen]
    assert all(after_s >= delay_s for _, after_s in seen)


async def test_rounds_measure_all_in_each_in_changing_order() -> None:
    """Nobody is always first, and nobody is left out."""
    order: list[str] = []

    async def measure(name: str) -> str:
        order.append(name)
        return name

    subjects = {name: lambda name=name: measure(name) for name in "abc"}
    found = await interleaved(subjects, rounds=20, draw=random.Random(1))
    assert {name: [name] * 20 for name in "abc"} == found
    rounds = ["".join(order[first : first + 3]) for first in range(0, 60, 3)]
    assert {"abc"} == {"".join(sorted(each)) for each in rounds}
    assert len(set(rounds)) > 3


def test_ratio_is_that_of_the_medians() -> None:
    """One wild round changes nothing."""
    assert 2.0 == ratio([4, 4, 1000], [2, 2, 0.001])


def test_noise_is_what_lies_between_two_measurements_of_the_same_thing() -> None:
    """Round by round, or of the medians, whichever is more."""
    assert 0.0 == noise([5, 5, 5], [5, 5, 5])
    assert pytest.approx(0.1) == noise([110, 90, 110], [100, 100, 100])


@pytest.mark.parametrize(
    ("bar", "value", "verdict"),
    [
        (AT_LEAST, 0.70, Verdict.STRETCH),
        (AT_LEAST, 0.69, Verdict.MUST),
        (AT_LEAST, 0.60, Verdict.MUST),
        (AT_LEAST, 0.59, Verdict.MISSED),
        (AT_MOST, 3, Verdict.STRETCH),
        (AT_MOST, 4, Verdict.MUST),
        (AT_MOST, 5, Verdict.MISSED),
    ],
)
def test_bar_says_what_a_value_has_reached(bar: Bar, value: float, verdict: Verdict) -> None:
    """The limits themselves are reached."""
    assert verdict is bar.verdict(value)


def test_report_shows_the_ratio_its_bar_and_both_figures() -> None:
    """For people as a table with notes, for machines with all that was measured."""
    one = Ratio(1, "reads", 0.654, AT_LEAST, ours="65/s", theirs="100/s", noise=0.02, raw={"ours": [65.4]})
    two = Ratio(14, "writes", 5, AT_MOST, ours="5", theirs="-", notes=("a: 5", "b: 6"))
    heading, first, second, _, notes = table([one, two]).splitlines()
    assert heading.split() == ["#", "ratio", "is", "noise", "must", "stretch", "verdict", "ours", "theirs"]
    assert "1 reads 0.654 2.0% >= 0.6 >= 0.7 must 65/s 100/s" == " ".join(first.split())
    assert "14 writes 5 <= 4 <= 3 MISSED 5 -" == " ".join(second.split())
    assert notes == "#14: a: 5, b: 6"
    told = as_json([one, two], {"cores": 2})
    assert {"cores": 2} == told["machine"]
    assert "MISSED" in str(told["ratios"])
    assert "65.4" in str(told["ratios"])


def test_precedence_is_told_as_it_is() -> None:
    """What stands in the figures is whether the run went before others. In a session of its own, for it would stay."""
    look = "import os; from tests.load.machine import take_precedence; print(take_precedence(), os.nice(0))"
    seen = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, check=True, text=True, start_new_session=True
    ).stdout.split()
    assert ["True", str(PRECEDENCE)] == seen or ("False" == seen[0] and int(seen[1]) > PRECEDENCE)
