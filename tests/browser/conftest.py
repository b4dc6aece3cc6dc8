"""A headless Chromium, and a shop with a proxy and an admin for it to look at."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import bcrypt
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from deploy.local.chromium import find_chromium
from tests import servers
from tests.browser.operator import ADMIN, ADMIN_ID, BUYER, BUYER_ID, PASSWORD
from tests.fleet.estate import Estate
from tests.fleet.estate import estate as made_estate
from tests.fleet.proxies import ProxyProcess, serving

COST: Final = 4
"""Of a password's hash: as little as bcrypt takes."""
OPTIONS: Final = (
    "--no-sandbox",  # As root there is none; the pages are our own.
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The program, downloaded where it is not installed."""
    return find_chromium()


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """A browser that remembers nothing."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def estate(mysql_server: servers.MySQLEndpoint, dynamodb_server: servers.DynamoDBEndpoint) -> Iterator[Estate]:
    """A shop in phase 1."""
    with made_estate(mysql_server, dynamodb_server, phase=1, CROSSFADE_JWT_SECRET="s" * 32) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProxyProcess]:
    """A proxy of the shop, which has an admin and a buyer."""
    password_hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(COST)).decode()
    await estate.rows(
        "INSERT INTO users (id, username, email, password_hash, super_admin)"
        " VALUES (%s, %s, 'anna@shop.test', %s, TRUE), (%s, %s, 'ben@shop.test', %s, FALSE)",
        (ADMIN_ID, ADMIN, password_hash, BUYER_ID, BUYER, password_hash),
    )
    async with serving(estate, tmp_path_factory.mktemp("proxy") / "log") as ready:
        yield ready
