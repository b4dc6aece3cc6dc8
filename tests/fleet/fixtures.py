"""Fixtures of tests with real proxies: a shop of the module's own, a proxy that serves it, and callers of it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from adapters.flags import WriteFailurePolicy
from tests import servers
from tests.conformance.drivers import HttpShop
from tests.conformance.shop import Shop
from tests.fleet.estate import Estate, EstateBackstage
from tests.fleet.estate import estate as made_estate
from tests.fleet.proxies import ProxyProcess, must, serving
from tests.fleet.waiting import until

__all__ = ["estate", "figures", "policy", "proxy", "shop"]

Figures = Callable[[str], None]


@pytest.fixture(scope="module")
def estate(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 2, empty when the module begins."""
    with made_estate(mysql_server, dynamodb_server) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProxyProcess]:
    """A proxy of the shop, for the whole module."""
    log: Path = tmp_path_factory.mktemp("proxy") / "log"
    async with serving(estate, log) as ready:
        yield ready


@pytest.fixture
async def shop(estate: Estate, proxy: ProxyProcess) -> AsyncIterator[Shop]:
    """The shop as the proxy's callers see it."""
    async with aiohttp.ClientSession() as http:
        yield shop_of(estate, proxy, http)


@pytest.fixture
async def policy(
    request: pytest.FixtureRequest, estate: Estate, proxy: ProxyProcess
) -> AsyncIterator[WriteFailurePolicy]:
    """The policy that a test is parametrised with is in force; `rollback` is again after it."""
    given = WriteFailurePolicy(request.param)
    if given is not WriteFailurePolicy.ROLLBACK:
        await must(estate, "flags", "set", f"write_failure_policy={given}")
    yield given
    if given is not WriteFailurePolicy.ROLLBACK:
        await must(estate, "flags", "set", "write_failure_policy=rollback")
        await until("the proxy to be up to date", proxy.is_ready)


def shop_of(estate: Estate, proxy: ProxyProcess, http: aiohttp.ClientSession) -> Shop:
    """The shop as callers of a proxy see it."""
    return HttpShop(http, f"http://{proxy.rpc}", is_dual=True, backstage=EstateBackstage(estate))


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    """Writes a line of measured figures to the terminal, whether the test passes or not."""
    plugins = pytestconfig.pluginmanager
    terminal, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
    assert terminal is not None
    assert capture is not None

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(f"    {line}")

    return write
