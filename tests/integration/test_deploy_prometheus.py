"""The rules and the dashboard's queries, judged by Prometheus' own tool."""

import json
import subprocess
from pathlib import Path

import pytest

from deploy.local.process import LOCAL
from deploy.local.promtool import find_promtool

DEPLOY = LOCAL.parent / "deploy"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "crossfade.json"


@pytest.fixture(scope="module")
def promtool() -> tuple[str, ...]:
    """The tool, downloaded where it is not installed."""
    return find_promtool()


def judge(promtool: tuple[str, ...], *arguments: str) -> None:
    """Run the tool; what it says against a file is the failure."""
    done = subprocess.run([*promtool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_configuration(promtool: tuple[str, ...]) -> None:
    """The configuration and the rules that it names can be loaded."""
    judge(promtool, "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))


def test_promtool_passes_the_rules_examples(promtool: tuple[str, ...]) -> None:
    """Every alert fires when it should and is silent when it should be."""
    judge(promtool, "test", "rules", str(DEPLOY / "prometheus" / "rules_test.yml"))


def test_promtool_understands_the_dashboard(promtool: tuple[str, ...], tmp_path: Path) -> None:
    """Every query of the dashboard is PromQL; they are put into a file of rules to have them read."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    judge(promtool, "check", "rules", str(file))
