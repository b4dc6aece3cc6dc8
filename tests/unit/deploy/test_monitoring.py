"""Rules and dashboard: they ask for metrics, labels and values that exist, and every alert has an example."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.operations import catalogue
from proxy.metrics import Metrics, Values
from tests.unit.deploy.files import COMPOSE, GRAFANA, PROMETHEUS, document

DASHBOARD = json.loads((GRAFANA / "dashboards" / "crossfade.json").read_text(encoding="utf-8"))
RULES = [rule for group in document(PROMETHEUS / "rules.yml")["groups"] for rule in group["rules"]]
OF_THE_SCRAPE = {"job", "instance"}
SELECTOR = re.compile(r"(?P<name>[a-z][a-z_]+)\{(?P<labels>[^{}]*)\}")
LABEL = re.compile(r'(\w+)(=~|=)"([^"]*)"')


def targets() -> Iterator[str]:
    """The queries of the dashboard."""
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (annotation["expr"] for annotation in DASHBOARD["annotations"]["list"])


EXPRESSIONS = [*(rule["expr"] for rule in RULES), *targets()]


@pytest.fixture(scope="module")
def series() -> dict[str, list[dict[str, str]]]:
    """The labels of every series that a proxy can have, by the series' name."""
    metrics = Metrics(Values(), catalogue(), databases=("mysql", "dynamodb"), tables=("Users",), version="1")
    found: dict[str, list[dict[str, str]]] = {"up": [{}]}
    for metric in metrics.values.registry.collect():
        for sample in metric.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def is_met(labels: dict[str, str], wanted: list[tuple[str, str, str]]) -> bool:
    """Whether a series has the labels that a selector asks for."""
    asked = [(name, how, value) for name, how, value in wanted if name not in OF_THE_SCRAPE]
    return all(
        name in labels and (labels[name] == value if how == "=" else re.fullmatch(value, labels[name]) is not None)
        for name, how, value in asked
    )


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_metrics_exist(expression: str, series: dict[str, list[dict[str, str]]]) -> None:
    """Every name is one that a proxy has series of."""
    names = re.findall(r"\bcrossfade_\w+|\bup\b", expression)
    assert names
    assert set(names) <= set(series)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_selected_values_exist(expression: str, series: dict[str, list[dict[str, str]]]) -> None:
    """Every value that a selector names is one that a series has: a wrong one would be silent for ever."""
    for selector in SELECTOR.finditer(expression):
        for name, how, values in LABEL.findall(selector["labels"]):
            for value in values.split("|"):
                assert any(is_met(labels, [(name, how, value)]) for labels in series[selector["name"]])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_grouped_labels_exist(expression: str, series: dict[str, list[dict[str, str]]]) -> None:
    """A sum `by` a label that no series has would be one sum of all."""
    known = {name for labels in series.values() for each in labels for name in each} | OF_THE_SCRAPE
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {name.strip() for name in labels.split(",")} <= known


def test_every_alert_has_an_example() -> None:
    """rules_test.yml makes each alert fire once."""
    tested = [
        test for case in document(PROMETHEUS / "rules_test.yml")["tests"] for test in case.get("alert_rule_test", ())
    ]
    firing = {test["alertname"] for test in tested if test["exp_alerts"]}
    assert {rule["alert"] for rule in RULES} == firing


def test_alerts_say_what_is_wrong() -> None:
    """Each has one of three severities and a summary, and a name of its own."""
    assert {"page", "ticket", "note"} == {rule["labels"]["severity"] for rule in RULES}
    assert all(rule["annotations"]["summary"] for rule in RULES)
    names = [rule["alert"] for rule in RULES]
    assert sorted(set(names)) == sorted(names)


def test_panels_ask_the_provisioned_source() -> None:
    """Every panel names the data source that Grafana is given."""
    (source,) = document(GRAFANA / "provisioning/datasources/prometheus.yml")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    asking = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    assert all(panel["datasource"] == wanted for panel in asking)
    assert all(target["datasource"] == wanted for panel in asking for target in panel["targets"])
    host, port = source["url"].removeprefix("http://").split(":")
    assert host in document(COMPOSE)["services"]
    assert document(COMPOSE)["services"][host]["ports"][0].endswith(f":{port}")


def test_panels_do_not_overlap() -> None:
    """Every panel has an id and a place of its own on the grid of 24 columns."""
    taken: dict[tuple[int, int], int] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["id"]) == panel["id"]
    assert len(DASHBOARD["panels"]) == len(set(taken.values()))


def test_grafana_is_given_the_dashboard() -> None:
    """Its provider looks where the dashboards are mounted, and the first page is one of them."""
    (provider,) = document(GRAFANA / "provisioning/dashboards/crossfade.yml")["providers"]
    grafana = document(COMPOSE)["services"]["grafana"]
    mounts = dict(mount.split(":")[:2] for mount in grafana["volumes"])
    assert provider["options"]["path"] == mounts["./deploy/grafana/dashboards"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (GRAFANA / "dashboards" / home.name).exists()
