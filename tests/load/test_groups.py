"""Each group of ratios runs, in a form too short to judge times by; what is counted, not timed, is judged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import servers
from tests.conformance.shops import is_full_proof
from tests.crash.shapes import EVERY
from tests.fleet.estate import estate
from tests.load.dual_reads import delayed_reads, dual_reads
from tests.load.items_read import items_read
from tests.load.listings import listings
from tests.load.pauses import pauses
from tests.load.point_reads import point_reads
from tests.load.report import Ratio, Verdict
from tests.load.round_trips import JUDGED, ROUND_TRIPS, count_on_the_wire
from tests.load.running import run
from tests.load.setting import Setting


def test_point_reads_are_measured_beside_handlers_that_answer_alike(setting: Setting) -> None:
    """The proxy and the bare handlers give the same bytes, all calls succeed, and each ratio has its figures."""
    ratios = point_reads(setting)
    assert [1, 1, 2, 2, 3, 3] == [ratio.number for ratio in ratios]
    assert all(ratio.value > 0 and ratio.noise is not None for ratio in ratios)


def test_pauses_are_seen_in_the_worker_itself(setting: Setting) -> None:
    """The collections asked for are among those seen."""
    (ratio,) = pauses(setting)
    assert ratio.value > 0


def test_add_item_waits_for_mysql_no_more_often_than_it_must(
    mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint, tmp_path: Path
) -> None:
    """A dual write of the most frequent kind costs four round trips at most, counted on the wire."""
    judged = [shape for shape in EVERY if shape.operation == JUDGED]
    with estate(mysql_server, dynamodb_server) as shop:
        counts = run(count_on_the_wire(judged, shop, tmp_path / "log"))
    assert Verdict.MISSED is not ROUND_TRIPS.verdict(counts[JUDGED]), counts
    assert counts[JUDGED] > 1


@pytest.mark.parametrize("group", [items_read, *([delayed_reads, dual_reads, listings] if is_full_proof() else [])])
def test_reads_are_measured_in_every_mode(group: Callable[[Setting], list[Ratio]], setting: Setting) -> None:
    """One proxy goes through the modes, and every call of it succeeds: under `raise` a difference would not."""
    ratios = group(setting)
    assert ratios
    assert all(ratio.value > 0 for ratio in ratios)
