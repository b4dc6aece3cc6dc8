"""The kinds of shop that the suite is run over, and how large its tests are.

A shop of real databases joins by one entry in SINGLE_DATABASES or DUAL_DATABASES. Its maker is called before the
event loop runs, so that it may ask the request for any fixture; the shop is opened in the loop, without rows.
"""

import os
from collections.abc import Callable, Mapping
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


def is_full_proof() -> bool:
    """Whether tests run at full size, rather than in the short form."""
    return os.environ.get("CROSSFADE_PROOF") == "full"
