"""The project's own files, read."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # The package has no types of its own.

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
FLEET = DEPLOY / "compose.fleet.yml"
SIDECAR = DEPLOY / "kubernetes" / "sidecar.yaml"
DOCKERFILE = DEPLOY / "Dockerfile"
PROMETHEUS = DEPLOY / "prometheus"
GRAFANA = DEPLOY / "grafana"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # As above.
    """YAML with Compose's tag !override, which changes how files are merged and not what they say."""


_Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=_Loader))


def document(path: Path) -> dict[str, Any]:
    """The only document of a YAML file."""
    (only,) = documents(path)
    return only
