"""One empty shop a test, of each kind that the test is for."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.shop import Shop
from tests.conformance.shops import DATABASES, DUAL_SHOPS, SHOPS, SINGLE_SHOPS, Lease, is_full_proof


async def visit(lease: Lease) -> AsyncIterator[Shop]:
    """The shop of a lease, whose databases must agree at the end."""
    async with lease as shop:
        yield shop
        await shop.settle_and_compare()


@pytest.fixture(params=SHOPS)
def any_lease(request: pytest.FixtureRequest) -> Lease:
    """A shop of each kind, not open yet."""
    return SHOPS[request.param](request)


@pytest.fixture(params=SINGLE_SHOPS)
def single_lease(request: pytest.FixtureRequest) -> Lease:
    """A shop of each kind that has one database, not open yet."""
    return SHOPS[request.param](request)


@pytest.fixture(params=DUAL_SHOPS)
def dual_lease(request: pytest.FixtureRequest) -> Lease:
    """A shop of each kind whose writes go to both databases, not open yet."""
    return SHOPS[request.param](request)


@pytest.fixture(params=DATABASES)
def database_lease(request: pytest.FixtureRequest) -> Lease:
    """A shop of each kind that is made of real databases, not open yet."""
    return DATABASES[request.param](request)


@pytest.fixture
async def shop(any_lease: Lease) -> AsyncIterator[Shop]:
    """An empty shop of each kind."""
    async for opened in visit(any_lease):
        yield opened


@pytest.fixture
async def single_shop(single_lease: Lease) -> AsyncIterator[Shop]:
    """An empty shop of each kind that has one database."""
    async for opened in visit(single_lease):
        yield opened


@pytest.fixture
async def dual_shop(dual_lease: Lease) -> AsyncIterator[Shop]:
    """An empty shop of each kind whose writes go to both databases."""
    async for opened in visit(dual_lease):
        yield opened


@pytest.fixture
async def database_shop(database_lease: Lease) -> AsyncIterator[Shop]:
    """An empty shop of each kind that is made of real databases."""
    async for opened in visit(database_lease):
        yield opened


@pytest.fixture(scope="session")
def order_count() -> int:
    """The number of orders of a user with many: in the short form still more than one transaction moves."""
    return 200 if is_full_proof() else 30
