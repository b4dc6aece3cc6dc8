"""One empty shop a test, of each kind that the test is for. All tests of this folder share one event loop."""

from collections.abc import AsyncIterator
from pathlib import Path
from zlib import crc32

import pytest
import pytest_asyncio

from tests.conformance.proxies import (
    databases_in_phase_2,
    databases_in_phase_3,
    databases_in_phase_4,
    proxy_in_phase_1,
    proxy_in_phase_2,
    proxy_in_phase_3,
    proxy_in_phase_4,
)
from tests.conformance.shop import Shop
from tests.conformance.shops import DATABASES, DUAL_SHOPS, SHOPS, SINGLE_SHOPS, OpenShop, is_full_proof

__all__ = [
    "databases_in_phase_2",
    "databases_in_phase_3",
    "databases_in_phase_4",
    "proxy_in_phase_1",
    "proxy_in_phase_2",
    "proxy_in_phase_3",
    "proxy_in_phase_4",
]

FOLDER = Path(__file__).parent
ONE_IN = {"proxy-phase-1": 20, "proxy-phase-2": 10, "proxy-phase-3": 15, "proxy-phase-4": 15}
"""The short form runs one in so many of the tests over a proxy, always the same ones; all run over MySQL itself."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests of this folder in the loop of their fixtures, and in the short form a share of those over proxies."""
    left_out = [item for item in items if FOLDER in item.path.parents and not is_chosen(item.nodeid)]
    kept = set(items) - set(left_out)
    items[:] = [item for item in items if item in kept]
    config.hook.pytest_deselected(items=left_out)
    for item in items:
        if FOLDER in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def is_chosen(name: str) -> bool:
    """Whether a test of this name is run: at full size every one."""
    shares = [share for shop, share in ONE_IN.items() if shop in name]
    return is_full_proof() or all(crc32(name.encode()) % share == 0 for share in shares)


@pytest.fixture(params=SHOPS)
def open_any(request: pytest.FixtureRequest) -> OpenShop:
    """A shop of each kind."""
    return SHOPS[request.param](request)


@pytest.fixture(params=SINGLE_SHOPS)
def open_single(request: pytest.FixtureRequest) -> OpenShop:
    """A shop of each kind that has one database."""
    return SINGLE_SHOPS[request.param](request)


@pytest.fixture(params=DUAL_SHOPS)
def open_dual(request: pytest.FixtureRequest) -> OpenShop:
    """A shop of each kind whose writes go to both databases."""
    return DUAL_SHOPS[request.param](request)


@pytest.fixture(params=DATABASES)
def open_database(request: pytest.FixtureRequest) -> OpenShop:
    """A shop of each kind that is made of real databases."""
    return DATABASES[request.param](request)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(open_any: OpenShop) -> AsyncIterator[Shop]:
    """An empty shop of each kind."""
    async for opened in visit(open_any):
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def single_shop(open_single: OpenShop) -> AsyncIterator[Shop]:
    """An empty shop of each kind that has one database."""
    async for opened in visit(open_single):
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def dual_shop(open_dual: OpenShop) -> AsyncIterator[Shop]:
    """An empty shop of each kind whose writes go to both databases."""
    async for opened in visit(open_dual):
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def database_shop(open_database: OpenShop) -> AsyncIterator[Shop]:
    """An empty shop of each kind that is made of real databases."""
    async for opened in visit(open_database):
        yield opened


async def visit(open_shop: OpenShop) -> AsyncIterator[Shop]:
    """A shop for one test, whose databases must agree at the end."""
    async with open_shop() as opened:
        yield opened
        await opened.settle_and_compare()


@pytest.fixture(scope="session")
def order_count() -> int:
    """The number of orders of a user with many: in the short form still more than one transaction moves."""
    return 200 if is_full_proof() else 30
