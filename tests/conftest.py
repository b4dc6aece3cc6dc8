"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
from botocore.loaders import create_loader

pytest_plugins = ["tests.servers", "tests.mysql_schema", "tests.sweeping", "tests.workers"]


@pytest.fixture(scope="session", autouse=True)
def sdk_models() -> Iterator[None]:
    """Have the SDK read its description of the service once, and not for every client that a test opens."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda _path: loader)
        yield
