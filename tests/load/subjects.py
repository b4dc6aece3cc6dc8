"""The processes under test, each on the core that is theirs, one at a time; and what a period of load makes of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp

from adapters.mysql.endpoint import MySQLEndpoint
from proxy.environment import Address, read_address
from tests.fleet.estate import Estate
from tests.fleet.proxies import serving
from tests.load.machine import cpu_s, keep_to
from tests.load.started import started
from tests.load.volley import BadAnswerError, Polling, fire

WARM_S: Final = 0.3
MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """A process under test."""

    name: str
    pid: int
    address: Address


@dataclass(frozen=True, slots=True)
class Measured:
    """One period of load: what the callers saw, and what it cost the subject.

    `busy_share` is how much of its core the subject used; far below 1, something else set the pace.
    """

    calls_per_s: float
    p50_us: float
    p99_us: float
    cpu_us_per_call: float
    busy_share: float


async def measure(
    subject: Subject, calls: Sequence[bytes], *, connections: int, period_s: float, polling: Polling | None = None
) -> Measured:
    """Load a subject for so long, after a short while that does not count."""
    load = partial(fire, subject.address, calls, connections=connections, polling=polling)
    await load(duration_s=WARM_S)
    before_s = cpu_s(subject.pid)
    seen = await load(duration_s=period_s)
    used_s = cpu_s(subject.pid) - before_s
    return Measured(
        calls_per_s=seen.calls / seen.duration_s,
        p50_us=seen.quantile_s(0.5) * MICROSECONDS,
        p99_us=seen.quantile_s(0.99) * MICROSECONDS,
        cpu_us_per_call=used_s / seen.calls * MICROSECONDS,
        busy_share=used_s / seen.duration_s,
    )


@asynccontextmanager
async def proxy(estate: Estate, log: Path, *, core: int, name: str = "proxy", **given: str) -> AsyncIterator[Subject]:
    """A proxy of one worker."""
    async with serving(estate, log, **given) as process:
        keep_to({core}, pid=process.pid)
        yield Subject(name, process.pid, read_address(process.rpc))


@asynccontextmanager
async def bare(mysql: MySQLEndpoint, protocol: str, *, core: int, name: str) -> AsyncIterator[Subject]:
    """A bare handler that speaks MySQL's `prepared` or `text` protocol."""
    given = ["--password", mysql.password] if mysql.password else []
    words = [mysql.host, str(mysql.port), mysql.user, mysql.database, protocol, *given]
    async with started("bare", *words) as program:
        keep_to({core}, pid=program.pid)
        yield Subject(name, program.pid, program.address)


async def must_agree(subjects: Sequence[Subject], calls: Mapping[str, Sequence[Mapping[str, int]]]) -> None:
    """Demand that all subjects answer these calls, arguments by path, with the same bytes. Raises BadAnswerError."""
    async with aiohttp.ClientSession() as client:
        for path, given in calls.items():
            for arguments in given:
                answers = {await _answer(client, subject, path, arguments) for subject in subjects}
                if len(answers) != 1:
                    raise BadAnswerError(f"{path} is answered in {len(answers)} ways: {answers}")


async def _answer(client: aiohttp.ClientSession, subject: Subject, path: str, arguments: Mapping[str, int]) -> bytes:
    url = f"http://{subject.address}{path}"
    async with client.post(url, json=arguments) as response:
        if response.status != 200:
            raise BadAnswerError(f"{subject.name} answered {response.status} to {path}")
        return await response.read()
