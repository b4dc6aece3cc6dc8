"""The fixtures of real proxies, whose admins' tokens the tests can sign."""

from collections.abc import Iterator

import pytest

from tests.control.listeners import SECRET
from tests.fleet.estate import Estate
from tests.fleet.estate import estate as made_estate
from tests.fleet.fixtures import figures, proxy, shop
from tests.servers import DynamoDBEndpoint, MySQLEndpoint

__all__ = ["estate", "figures", "proxy", "shop"]


@pytest.fixture(scope="module")
def estate(mysql_server: MySQLEndpoint, dynamodb_server: DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 2, empty when the module begins."""
    with made_estate(mysql_server, dynamodb_server, CROSSFADE_JWT_SECRET=SECRET) as made:
        yield made
