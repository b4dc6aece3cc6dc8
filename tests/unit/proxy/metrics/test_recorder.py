"""The recorder: what is counted where, and by which labels."""

import asyncio
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.flags import Flags, MismatchPolicy
from adapters.operations import catalogue
from proxy.metrics import (
    WHOLE_RECORD,
    DatabaseResult,
    DualReadResult,
    DualWriteOutcome,
    Metrics,
    RepairResult,
    Values,
)


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of the whole catalogue, over two databases."""
    return Metrics(Values(), catalogue(), databases=("first", "second"), tables=("Users",), version="1.2.3")


def value_of(metrics: Metrics, name: str, **labels: str) -> float | None:
    """The value of a series on the page, None when it is not there."""
    lines = [line for line in metrics.values.render().decode().splitlines() if line.startswith(name)]
    for family in text_string_to_metric_families("\n".join([*lines, ""])):
        for sample in family.samples:
            if (sample.name, sample.labels) == (name, labels):
                return sample.value
    return None


def test_rpc_finished_counts_by_code_and_times_the_operation(metrics: Metrics) -> None:
    """A call adds to its code's counter and to its operation's histogram."""
    metrics.rpc_finished("cart.add_item", "ok", 0.004)
    metrics.rpc_finished("cart.add_item", "conflict", 0.3)
    labels = {"entity": "cart", "operation": "add_item"}
    assert value_of(metrics, "crossfade_rpc_requests_total", **labels, code="ok") == 1
    assert value_of(metrics, "crossfade_rpc_requests_total", **labels, code="conflict") == 1
    assert value_of(metrics, "crossfade_rpc_duration_seconds_count", **labels) == 2
    assert value_of(metrics, "crossfade_rpc_duration_seconds_bucket", **labels, le="0.005") == 1


def test_rpc_finished_bounds_what_callers_can_name(metrics: Metrics) -> None:
    """Operations and codes that do not exist make no new series."""
    before = metrics.values.render().count(b"\ncrossfade_rpc_requests_total")
    for number in range(50):
        metrics.rpc_finished(f"cart.{number}", "not_found", 0.001)
    metrics.rpc_finished("cart.add_item", "made_up", 0.001)
    assert value_of(metrics, "crossfade_rpc_requests_total", entity="other", operation="other", code="not_found") == 50
    assert value_of(metrics, "crossfade_rpc_requests_total", entity="cart", operation="add_item", code="internal") == 1
    assert metrics.values.render().count(b"\ncrossfade_rpc_requests_total") == before


def test_database_called_counts_by_database_and_result(metrics: Metrics) -> None:
    """The databases are told apart, and so is what they made of the call."""
    metrics.database_called("first", "user.find_by_id", DatabaseResult.OK, 0.002)
    metrics.database_called("second", "user.find_by_id", DatabaseResult.TIMED_OUT, 1.0)
    labels = {"entity": "user", "operation": "find_by_id"}
    name = "crossfade_database_calls_total"
    assert value_of(metrics, name, database="first", **labels, result="ok") == 1
    assert value_of(metrics, name, database="second", **labels, result="timed_out") == 1
    assert value_of(metrics, "crossfade_database_duration_seconds_sum", database="second", **labels) == 1


def test_dual_results_are_there_before_their_first_event(metrics: Metrics) -> None:
    """A mismatch's counter starts at zero, so that `increase` sees the first one; reads and writes have their own."""
    read = {"entity": "user", "operation": "find_by_id", "result": "mismatch"}
    write = {"entity": "user", "operation": "create", "outcome": "unknown"}
    assert value_of(metrics, "crossfade_dual_reads_total", **read) == 0
    assert value_of(metrics, "crossfade_dual_writes_total", **write) == 0
    metrics.dual_read_finished("user.find_by_id", DualReadResult.MISMATCH)
    metrics.dual_write_finished("user.create", DualWriteOutcome.UNKNOWN)
    assert value_of(metrics, "crossfade_dual_reads_total", **read) == 1
    assert value_of(metrics, "crossfade_dual_writes_total", **write) == 1


def test_attribute_mismatched_counts_fields_of_the_entity(metrics: Metrics) -> None:
    """A field is counted by name, a whole record as `record`, anything else as `other`."""
    for attribute in ("email", WHOLE_RECORD, "made up"):
        metrics.attribute_mismatched("user", attribute)
    for attribute in ("email", WHOLE_RECORD, "other"):
        assert value_of(metrics, "crossfade_mismatched_attributes_total", entity="user", attribute=attribute) == 1


def test_repair_finished_and_call_shed_add_up(metrics: Metrics) -> None:
    """Intents are counted by result, shed calls in all."""
    metrics.repair_finished(RepairResult.REPAIRED, intents=3)
    metrics.repair_finished(RepairResult.BUSY)
    metrics.call_shed()
    assert value_of(metrics, "crossfade_repairs_total", result="repaired") == 3
    assert value_of(metrics, "crossfade_repairs_total", result="busy") == 1
    assert value_of(metrics, "crossfade_shed_calls_total") == 1


def test_capacity_used_adds_units_by_table_and_kind(metrics: Metrics) -> None:
    """Units are fractions; a table of another contract is `other`."""
    metrics.capacity_used("Users", "read", 0.5)
    metrics.capacity_used("Users", "read", 1)
    metrics.capacity_used("Strange", "write", 2)
    name = "crossfade_dynamodb_capacity_units_total"
    assert value_of(metrics, name, table="Users", kind="read") == 1.5
    assert value_of(metrics, name, table="other", kind="write") == 2


def test_gauges_show_what_was_seen_last(metrics: Metrics) -> None:
    """State, backlog, pools, breakers and calls under way are on the page once somebody has seen them."""
    assert value_of(metrics, "crossfade_phase") is None
    flags = Flags(dual_write=True, mismatch_policy=MismatchPolicy.REPORT, compare_percent=25)
    metrics.control_seen(flags, phase=2, epoch=7)
    metrics.control_age_seen(0.5)
    metrics.backlog_seen(3, 12.5)
    metrics.pool_seen("first", busy=4, idle=1)
    metrics.inflight_seen(6)
    metrics.breaker_seen("second", is_open=True)
    seen = {
        "crossfade_phase": 2,
        "crossfade_control_epoch": 7,
        "crossfade_control_age_seconds": 0.5,
        "crossfade_intents_open": 3,
        "crossfade_intent_oldest_age_seconds": 12.5,
        "crossfade_inflight_calls": 6,
    }
    assert seen == {name: value_of(metrics, name) for name in seen}
    flag_values = {"dual_write_enabled": 1, "dual_read_enabled": 0, "mismatch_raises": 0, "compare_percent": 25}
    assert flag_values == {flag: value_of(metrics, "crossfade_flag", flag=flag) for flag in flag_values}
    assert value_of(metrics, "crossfade_pool_connections", database="first", state="busy") == 4
    assert value_of(metrics, "crossfade_breaker_open", database="second") == 1
    assert value_of(metrics, "crossfade_breaker_open", database="first") is None


def test_gauges_can_be_unknown(metrics: Metrics) -> None:
    """A backlog that cannot be counted is no backlog of zero; flags that are no phase are phase 0."""
    metrics.backlog_seen(3, 1.0)
    metrics.backlog_seen(None, None)
    metrics.control_seen(Flags(), phase=None, epoch=1)
    assert value_of(metrics, "crossfade_intents_open") is None
    assert value_of(metrics, "crossfade_phase") == 0


async def test_render_asks_the_callbacks_and_leaves_the_loop_free(metrics: Metrics) -> None:
    """The page is made in another thread, after every callback has run on this one."""
    threads: list[int] = []

    def look() -> None:
        threads.append(threading.get_ident())
        metrics.inflight_seen(len(threads))

    metrics.watch(look)
    ran_meanwhile = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran_meanwhile.set)
    page = await metrics.render()
    assert ran_meanwhile.is_set()
    assert threads == [threading.get_ident()]
    assert b"\ncrossfade_inflight_calls 1.0\n" in page
    assert b'\ncrossfade_build_info{version="1.2.3"} 1.0\n' in page
    await metrics.run_once()
    assert value_of(metrics, "crossfade_inflight_calls") == 2
