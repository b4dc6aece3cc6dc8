"""`make bench`: measure the ratios, print them beside their bars, write all figures to `.local/bench.json`.

    python -m tests.load.bench [--rounds N] [--period S] [--only GROUP]

Each group begins with a control, the same thing measured twice, whose spread is the noise. The order within a round is
drawn; the seed is printed. Any answer but 200 ends the run. The exit code is 1 when a ratio misses its `must`.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from deploy.local.dynamodb import start_dynamodb
from deploy.local.mysql import start_mysql
from deploy.local.process import LOCAL
from tests import servers
from tests.load.dual_reads import delayed_reads, dual_reads
from tests.load.items_read import items_read
from tests.load.listings import listings
from tests.load.machine import available_cores, keep_to, take_precedence
from tests.load.pauses import pauses
from tests.load.point_reads import point_reads
from tests.load.report import Ratio, Verdict, as_json, table
from tests.load.round_trips import round_trips
from tests.load.setting import Setting

GROUPS: Final[Mapping[str, Callable[[Setting], list[Ratio]]]] = {
    "point_reads": point_reads,
    "pauses": pauses,
    "round_trips": round_trips,
    "delayed_reads": delayed_reads,
    "dual_reads": dual_reads,
    "listings": listings,
    "items_read": items_read,
}
"""A group of ratios is a module with one function; further ones join here."""

RESULTS: Final = LOCAL / "bench.json"
ROUNDS: Final = 7
PERIOD_S: Final = 2.0


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds, five at least for figures worth telling")
    parser.add_argument("--period", type=float, default=PERIOD_S, help="seconds under load for each figure")
    parser.add_argument("--only", choices=list(GROUPS), action="append", help="measure only this group")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="repeats the order of an earlier run")
    return parser.parse_args()


@contextmanager
def databases(folder: Path) -> Iterator[tuple[servers.MySQLEndpoint, servers.DynamoDBEndpoint]]:
    """Both databases: given by the environment as for the tests, or started for this run."""
    with ExitStack() as stack:
        if url := os.environ.get(servers.MYSQL_URL):
            mysql = servers.parse_mysql_url(url)
        else:
            started = stack.enter_context(start_mysql(folder / "mysql", keep=False))
            take_precedence(started.pid)
            mysql = servers.MySQLEndpoint(started.host, started.port, started.user, started.password)
        if url := os.environ.get(servers.DYNAMODB_ENDPOINT):
            dynamodb = servers.DynamoDBEndpoint(url)
        else:
            local = stack.enter_context(start_dynamodb(folder / "dynamodb", keep=False))
            take_precedence(local.pid)
            dynamodb = servers.DynamoDBEndpoint(local.endpoint)
        yield mysql, dynamodb


def machine(setting: Setting, cores: list[int], *, has_precedence: bool) -> dict[str, object]:
    """Where the figures come from."""
    given = [name for name in (servers.MYSQL_URL, servers.DYNAMODB_ENDPOINT) if os.environ.get(name)]
    return {
        "python": platform.python_version(),
        "cores": cores,
        "core_under_test": setting.core,
        "rounds": setting.rounds,
        "period_s": setting.period_s,
        "seed": setting.seed,
        "load_average": os.getloadavg(),
        "has_precedence": has_precedence,
        "databases_not_pinned": given,
    }


def main() -> int:
    """Measure; the exit code."""
    given = arguments()
    cores = available_cores()
    under_test, others = cores[0], set(cores[1:]) or set(cores)
    keep_to(others)
    has_precedence = take_precedence()
    LOCAL.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=LOCAL, prefix="bench-") as name, databases(Path(name)) as (mysql, dynamodb):
        setting = Setting(mysql, dynamodb, Path(name), under_test, given.rounds, given.period, given.seed)
        ratios = [ratio for group in given.only or GROUPS for ratio in GROUPS[group](setting)]
        told = as_json(ratios, machine(setting, cores, has_precedence=has_precedence))
        RESULTS.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    sys.stdout.write(f"{table(ratios)}\n\nseed {given.seed}; all figures are in {RESULTS}\n")
    return int(any(ratio.verdict is Verdict.MISSED for ratio in ratios))


if __name__ == "__main__":
    sys.exit(main())
