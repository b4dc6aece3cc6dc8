"""The metrics declared: METRICS.md, names, and no series that a call would have to make."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from adapters.operations import catalogue
from proxy.metrics import DatabaseResult, DualReadResult, DualWriteOutcome, Metrics, RepairResult, Values

METRICS_PAGE = Path(__file__).parents[4] / "METRICS.md"
Declared = dict[str, tuple[str, tuple[str, ...], str]]


@pytest.fixture
def registry() -> CollectorRegistry:
    """What a proxy declares."""
    return Metrics(Values(), catalogue(), databases=("first", "second"), tables=("Users",), version="1").values.registry


@pytest.fixture
def declared(registry: CollectorRegistry) -> Declared:
    """The metrics by name: type, labels, meaning."""
    return {
        metric.name + ("_total" if metric.type == "counter" else ""): (
            metric.type,
            tuple(name for name in metric.samples[0].labels if name != "le"),
            metric.documentation,
        )
        for metric in registry.collect()
    }


def test_metrics_page_describes_the_registry(declared: Declared) -> None:
    """METRICS.md lists every metric with its type, labels and meaning, and none besides; each has its alert."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in METRICS_PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| crossfade_")
    ]
    found = {(name, kind, ", ".join(labels), meaning) for name, (kind, labels, meaning) in declared.items()}
    assert found == {(name, kind, labels, meaning) for name, kind, labels, meaning, _ in rows}
    assert all(alert for *_, alert in rows)
    assert len(declared) == len(rows)


def test_metrics_page_names_every_label_value(registry: CollectorRegistry) -> None:
    """Values that are not names of operations, fields or tables are explained in METRICS.md."""
    text = METRICS_PAGE.read_text(encoding="utf-8")
    values = [*DatabaseResult, *DualReadResult, *DualWriteOutcome, *RepairResult]
    labels = [sample.labels for metric in registry.collect() for sample in metric.samples]
    flags = [each["flag"] for each in labels if "flag" in each]
    assert len(flags) == 7
    assert [value for value in [*values, *flags] if f"`{value}`" not in text] == []


def test_metric_names_follow_the_conventions(declared: Declared) -> None:
    """Counters end in `_total`, times in `_seconds`, all begin with the program's name."""
    for name, (kind, _, _) in declared.items():
        assert name.startswith("crossfade_")
        assert name.endswith("_total") == (kind == "counter")
        assert ("age" in name or "duration" in name) == name.endswith("_seconds")


def test_registry_has_a_series_for_every_operation(registry: CollectorRegistry) -> None:
    """None is made by a call: each operation has its series of each code and database from the start."""
    made = {
        (sample.name, *sorted(sample.labels.values())) for metric in registry.collect() for sample in metric.samples
    }
    for operation in catalogue().values():
        labels = (operation.entity, operation.name)
        assert ("crossfade_rpc_requests_total", *sorted((*labels, "internal"))) in made
        assert ("crossfade_rpc_duration_seconds_count", *sorted(labels)) in made
        assert ("crossfade_database_calls_total", *sorted((*labels, "second", "timed_out"))) in made
        assert ("crossfade_database_duration_seconds_count", *sorted((*labels, "second"))) in made
