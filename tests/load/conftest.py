"""What the tests of the benchmarks share."""

from pathlib import Path

import pytest

from tests import servers
from tests.load.machine import available_cores
from tests.load.setting import Setting


@pytest.fixture
def setting(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint, tmp_path: Path) -> Setting:
    """A run too short for its figures to tell anything."""
    return Setting(
        mysql_server, dynamodb_server, tmp_path, available_cores()[0], rounds=1, period_s=0.2, seed=1, records=50
    )
