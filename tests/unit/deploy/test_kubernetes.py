"""The sidecar's manifest: settings that a start accepts, secrets by name, probes that exist, no rights."""

import re
from typing import Any

from proxy import VERSION
from proxy.settings import Environment, Settings, load_settings
from tests.unit.deploy.files import SIDECAR, documents

MANIFEST = {document["kind"]: document for document in documents(SIDECAR)}
SECRETS = set(re.findall(r"--from-literal=(\w+)", SIDECAR.read_text(encoding="utf-8")))


def sidecar() -> dict[str, Any]:
    """The proxy's container beside the shop."""
    (container,) = pod()["initContainers"]
    assert container["restartPolicy"] == "Always"
    return container  # type: ignore[no-any-return]  # YAML has no types.


def pod() -> dict[str, Any]:
    """The pod of the shop."""
    return MANIFEST["Deployment"]["spec"]["template"]["spec"]  # type: ignore[no-any-return]  # YAML has no types.


def preparation() -> dict[str, Any]:
    """The container that prepares the databases."""
    (container,) = MANIFEST["Job"]["spec"]["template"]["spec"]["containers"]
    return container  # type: ignore[no-any-return]  # YAML has no types.


def settings() -> Settings:
    """The settings of the map, with secrets of some length."""
    return load_settings({**MANIFEST["ConfigMap"]["data"], **dict.fromkeys(SECRETS, "x" * 32)})


def test_settings_are_accepted_in_production() -> None:
    """Together with the secrets that the comment names they are all that a start in production demands."""
    assert settings().environment is Environment.PRODUCTION


def test_both_containers_have_settings_and_secrets() -> None:
    """All come from the map and the secret of the manifest, none is written into a container."""
    for container in (sidecar(), preparation()):
        assert container["envFrom"] == [{"configMapRef": {"name": "crossfade"}}, {"secretRef": {"name": "crossfade"}}]
        assert "env" not in container
    assert MANIFEST["ConfigMap"]["metadata"]["name"] == "crossfade"


def test_the_shop_gets_the_token_that_the_proxy_asks_for() -> None:
    """The secret's key is one that the comment tells to make."""
    (shop,) = pod()["containers"]
    (key,) = [each["valueFrom"]["secretKeyRef"]["key"] for each in shop["env"] if "valueFrom" in each]
    assert key == "CROSSFADE_RPC_TOKEN"
    assert key in SECRETS


def test_the_shop_alone_reaches_the_calls() -> None:
    """The RPC listener is on loopback, which the containers of a pod share, where the shop looks for it."""
    assert settings().server.listen.host == "127.0.0.1"
    (shop,) = pod()["containers"]
    assert f"http://{settings().server.listen}" in [each.get("value") for each in shop["env"]]


def test_probes_ask_the_admin_listener() -> None:
    """Their port is the admin listener's, and no probe can fail because of a database."""
    (port,) = sidecar()["ports"]
    assert port["containerPort"] == settings().server.admin_listen.port
    assert "readinessProbe" not in sidecar()
    for probe in ("startupProbe", "livenessProbe"):
        assert sidecar()[probe]["httpGet"] == {"path": "/healthz", "port": port["name"]}


def test_the_proxy_has_time_to_drain() -> None:
    """The pod is killed later than the proxy gives up on its calls."""
    assert pod()["terminationGracePeriodSeconds"] > settings().server.drain_s + 2


def test_the_containers_have_no_rights() -> None:
    """Not root, no capability, nothing to write to; the image is this version's."""
    for container in (sidecar(), preparation()):
        context = container["securityContext"]
        assert context["runAsNonRoot"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert ["ALL"] == context["capabilities"]["drop"]
        assert f"crossfade:{VERSION}" == container["image"]
