"""A shop in phase 2 with a super admin and a user who is none, and a worker that serves it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.control.listeners import Listeners, listening, plant_user
from tests.fleet.estate import Estate
from tests.fleet.estate import estate as made_estate
from tests.servers import DynamoDBEndpoint, MySQLEndpoint


@pytest.fixture(scope="module")
def estate(mysql_server: MySQLEndpoint, dynamodb_server: DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 2, empty when the module begins."""
    with made_estate(mysql_server, dynamodb_server) as made:
        yield made


@pytest.fixture
async def admin_id(estate: Estate) -> int:
    """A super admin, called root."""
    return await plant_user(estate, "root", is_admin=True)


@pytest.fixture
async def user_id(estate: Estate) -> int:
    """A user who is none, called ana."""
    return await plant_user(estate, "ana")


@pytest.fixture
async def listeners(estate: Estate, admin_id: int, user_id: int) -> AsyncIterator[Listeners]:
    """A worker of this shop."""
    assert admin_id != user_id
    async with listening(estate) as opened:
        yield opened
