"""The compose files: pinned, closed to the outside, in agreement with the code, and what they mount is there."""

import re
from typing import Any

import pytest

from deploy.local.maven import ROOT as DYNAMODB_LOCAL
from proxy import VERSION
from proxy.settings import Environment, load_settings
from tests.unit.deploy.files import COMPOSE, DOCKERFILE, FLEET, ROOT, document

MAIN = document(COMPOSE)["services"]
SERVICES: dict[str, dict[str, Any]] = {**MAIN, **document(FLEET)["services"]}
PROXIES = ("prepare", "proxy", "proxy-2")
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
ONE_SHOT = {"prepare"}


def resolved(name: str) -> dict[str, Any]:
    """A service with what it extends, as far as these tests look."""
    service = SERVICES[name]
    if "extends" not in service:
        return service
    assert service["extends"]["file"] == COMPOSE.name
    parent = resolved(service["extends"]["service"])
    return {**parent, **service, "environment": {**parent["environment"], **service["environment"]}}


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    """Every image has a tag with three numbers, so that the same thing runs tomorrow."""
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", resolved(name)["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_alone(name: str) -> None:
    """No port is reachable from another machine; each can be moved."""
    for port in resolved(name).get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z0-9_]+:-\d+\}:\d+", port)


def test_no_two_services_publish_one_port() -> None:
    """All defaults, those of the fleet too, can be published at once."""
    ports = [re.findall(r":-(\d+)", port)[0] for name in SERVICES for port in resolved(name).get("ports", ())]
    assert sorted(ports) == sorted(set(ports))


@pytest.mark.parametrize("name", SERVICES)
def test_mounted_files_are_there(name: str) -> None:
    """A path that does not exist would be made as an empty folder; a volume has to be declared."""
    for mount in resolved(name).get("volumes", ()):
        source = mount.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in document(COMPOSE)["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_dependencies_can_be_met(name: str) -> None:
    """One waits for the health of services that have a check, and for the end of those that end."""
    for other, how in resolved(name).get("depends_on", {}).items():
        assert how["condition"] in CONDITIONS
        assert (how["condition"] == "service_completed_successfully") == (other in ONE_SHOT)
        if how["condition"] == "service_healthy":
            assert "test" in resolved(other)["healthcheck"]


@pytest.mark.parametrize("name", PROXIES)
def test_settings_of_the_proxies_are_right(name: str) -> None:
    """They are read as a start reads them, which refuses unknown names; each proxy may be called by its own name."""
    service = resolved(name)
    settings = load_settings(service["environment"])
    assert settings.environment is Environment.DEVELOPMENT
    assert {"localhost", "127.0.0.1"} <= set(settings.server.allowed_hosts)
    assert name in ONE_SHOT or name in settings.server.allowed_hosts
    assert settings.mysql.host in MAIN
    for port in service.get("ports", ()):
        assert int(port.rpartition(":")[2]) in {settings.server.listen.port, settings.server.admin_listen.port}


def test_the_mysql_account_is_the_proxys() -> None:
    """Name, password and database stand in three places."""
    settings = load_settings(MAIN["proxy"]["environment"])
    environment = MAIN["mysql"]["environment"]
    named = (environment["MYSQL_USER"], environment["MYSQL_PASSWORD"], environment["MYSQL_DATABASE"])
    assert named == (settings.mysql.user, settings.mysql.password, settings.mysql.database)
    grants = (ROOT / "deploy/mysql/grants.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"TO '(\w+)'", grants)) == {settings.mysql.user}


@pytest.mark.parametrize("name", PROXIES)
def test_the_image_is_this_versions(name: str) -> None:
    """The tag is the version that the proxy tells; one service builds it, the others take what that one built."""
    service = resolved(name)
    assert service["image"] == f"crossfade:{VERSION}"
    assert service["image"] in DOCKERFILE.read_text(encoding="utf-8")
    builds = "build" in service
    assert builds == (name == "prepare")
    assert builds or service["pull_policy"] == "never"


def test_dynamodb_local_is_the_one_that_the_tests_run() -> None:
    """The image's version is that of the locked jars."""
    assert MAIN["dynamodb"]["image"] == f"amazon/dynamodb-local:{DYNAMODB_LOCAL.rpartition(':')[2]}"


def test_the_proxy_has_time_to_drain() -> None:
    """The engine kills later than the proxy gives up on its calls."""
    seconds = int(MAIN["proxy"]["stop_grace_period"].removesuffix("s"))
    assert seconds > load_settings(MAIN["proxy"]["environment"]).server.drain_s + 2


def test_prometheus_finds_every_proxy() -> None:
    """It asks for one name, under which the second proxy is known as well."""
    (job,) = document(ROOT / "deploy/prometheus/prometheus.yml")["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    assert discovery["names"] == ["proxy"]
    assert SERVICES["proxy-2"]["networks"]["default"]["aliases"] == discovery["names"]
    assert discovery["port"] == load_settings(MAIN["proxy"]["environment"]).server.admin_listen.port
