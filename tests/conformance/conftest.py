"""The shops of the suite, one empty shop a test, and how large the tests are.

A shop of real databases joins by one entry in SINGLE_SHOPS or DUAL_SHOPS. Its maker gets the fixture request, through
which it may ask for fixtures that are not async, and gives a shop without rows for the time of one test.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.conformance.drivers import ReferenceShop
from tests.conformance.shop import Shop

ShopMaker = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Shop]]


@asynccontextmanager
async def reference(_request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """The reference."""
    yield ReferenceShop()


@asynccontextmanager
async def dual_reference(_request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """The reference with the rules that the second database adds."""
    yield ReferenceShop(is_dual=True)


SINGLE_SHOPS: Mapping[str, ShopMaker] = {"reference": reference}
DUAL_SHOPS: Mapping[str, ShopMaker] = {"reference-dual": dual_reference}
SHOPS: Mapping[str, ShopMaker] = {**SINGLE_SHOPS, **DUAL_SHOPS}


@asynccontextmanager
async def make_shop(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """An empty shop, whose databases must agree at the end."""
    async with SHOPS[kind](request) as shop:
        yield shop
        await shop.settle_and_compare()


@pytest.fixture(params=SHOPS)
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """An empty shop of each kind."""
    async with make_shop(request.param, request) as made:
        yield made


@pytest.fixture(params=SINGLE_SHOPS)
async def single_shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """An empty shop of each kind that has one database."""
    async with make_shop(request.param, request) as made:
        yield made


@pytest.fixture(params=DUAL_SHOPS)
async def dual_shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """An empty shop of each kind whose writes go to both databases."""
    async with make_shop(request.param, request) as made:
        yield made


@pytest.fixture(scope="session")
def order_count() -> int:
    """The number of orders of a user with many: in the short form still more than one transaction moves."""
    return 200 if is_full_proof() else 30


def is_full_proof() -> bool:
    """Whether tests run at full size, rather than in the short form."""
    return os.environ.get("CROSSFADE_PROOF") == "full"
