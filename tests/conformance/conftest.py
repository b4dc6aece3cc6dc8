"""The shops of the suite, one empty shop a test, and how large the tests are.

A shop of real databases joins by one entry in SINGLE_DATABASES or DUAL_DATABASES. Its maker is called before the
event loop runs, so that it may ask the request for any fixture; the shop is opened in the loop, without rows.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

import pytest

from tests.conformance.drivers import ReferenceShop
from tests.conformance.mysql_shop import open_mysql_shop
from tests.conformance.shop import Shop

Lease = AbstractAsyncContextManager[Shop]
ShopMaker = Callable[[pytest.FixtureRequest], Lease]


def reference(_request: pytest.FixtureRequest) -> Lease:
    """The reference."""
    return nullcontext(ReferenceShop())


def dual_reference(_request: pytest.FixtureRequest) -> Lease:
    """The reference with the rules that the second database adds."""
    return nullcontext(ReferenceShop(is_dual=True))


def mysql(request: pytest.FixtureRequest) -> Lease:
    """MySQL, without a proxy."""
    return open_mysql_shop(request.getfixturevalue("mysql_endpoint"))


SINGLE_DATABASES: Mapping[str, ShopMaker] = {"mysql": mysql}
DUAL_DATABASES: Mapping[str, ShopMaker] = {}
DATABASES = {**SINGLE_DATABASES, **DUAL_DATABASES}
SINGLE_SHOPS = {"reference": reference, **SINGLE_DATABASES}
DUAL_SHOPS = {"reference-dual": dual_reference, **DUAL_DATABASES}
SHOPS = {**SINGLE_SHOPS, **DUAL_SHOPS}


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


def is_full_proof() -> bool:
    """Whether tests run at full size, rather than in the short form."""
    return os.environ.get("CROSSFADE_PROOF") == "full"
