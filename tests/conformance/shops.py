"""The kinds of shop that the suite is run over, and how large its tests are.

A shop of real databases joins by one entry in SINGLE_DATABASES or DUAL_DATABASES. Its maker is called before the
event loop runs, so that it may ask the request for any fixture, and gives what opens an empty shop in the loop, as
often as one likes.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

import pytest

from tests.conformance.drivers import ReferenceShop
from tests.conformance.mysql_shop import open_mysql_shop
from tests.conformance.proxy_shop import open_dual_shop, open_single_shop
from tests.conformance.shop import Shop

OpenShop = Callable[[], AbstractAsyncContextManager[Shop]]
ShopMaker = Callable[[pytest.FixtureRequest], OpenShop]


def reference(_request: pytest.FixtureRequest) -> OpenShop:
    """The reference."""
    return lambda: nullcontext(ReferenceShop())


def dual_reference(_request: pytest.FixtureRequest) -> OpenShop:
    """The reference with the rules that the second database adds."""
    return lambda: nullcontext(ReferenceShop(is_dual=True))


def mysql(request: pytest.FixtureRequest) -> OpenShop:
    """MySQL, without a proxy."""
    return partial(open_mysql_shop, request.getfixturevalue("mysql_endpoint"))


def proxy_phase_1(request: pytest.FixtureRequest) -> OpenShop:
    """A proxy in front of MySQL alone."""
    return partial(open_single_shop, request.getfixturevalue("proxy_in_phase_1"))


def proxy_phase_2(request: pytest.FixtureRequest) -> OpenShop:
    """A proxy that writes to both databases and reads from MySQL."""
    proxy = request.getfixturevalue("proxy_in_phase_2")
    return partial(open_dual_shop, proxy, request.getfixturevalue("databases_in_phase_2"))


def proxy_phase_3(request: pytest.FixtureRequest) -> OpenShop:
    """A proxy that writes to both databases, and fails every read that they answer differently; MySQL's answer goes."""
    proxy = request.getfixturevalue("proxy_in_phase_3")
    return partial(open_dual_shop, proxy, request.getfixturevalue("databases_in_phase_3"))


def proxy_phase_4(request: pytest.FixtureRequest) -> OpenShop:
    """As in phase 3, but DynamoDB's answer goes."""
    proxy = request.getfixturevalue("proxy_in_phase_4")
    return partial(open_dual_shop, proxy, request.getfixturevalue("databases_in_phase_4"))


SINGLE_DATABASES: Mapping[str, ShopMaker] = {"mysql": mysql, "proxy-phase-1": proxy_phase_1}
DUAL_DATABASES: Mapping[str, ShopMaker] = {
    "proxy-phase-2": proxy_phase_2,
    "proxy-phase-3": proxy_phase_3,
    "proxy-phase-4": proxy_phase_4,
}
DATABASES = {**SINGLE_DATABASES, **DUAL_DATABASES}
SINGLE_SHOPS = {"reference": reference, **SINGLE_DATABASES}
DUAL_SHOPS = {"reference-dual": dual_reference, **DUAL_DATABASES}
SHOPS = {**SINGLE_SHOPS, **DUAL_SHOPS}


def is_full_proof() -> bool:
    """Whether tests run at full size, rather than in the short form."""
    return os.environ.get("CROSSFADE_PROOF") == "full"
