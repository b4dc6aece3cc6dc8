"""What an operator does with the page, from the first look to the way back, with scripts and without."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from playwright.async_api import Browser, Response, expect

from tests.browser.judges import barriers, faults_of_html
from tests.browser.operator import ADMIN, BUYER, BUYER_ID, PASSWORD, Operator
from tests.conformance.shops import is_full_proof
from tests.fleet.estate import Estate
from tests.fleet.proxies import ProxyProcess, must
from tests.page_sample import filled


class Tour:
    """A way through the pages, each of which is judged: by axe with scripts, by the validator without."""

    def __init__(self, operator: Operator, folder: Path, *, is_scripted: bool) -> None:
        self.operator = operator
        self._folder = folder
        self.is_scripted = is_scripted
        self._seen = 0
        self._answer: Response | None = None
        operator.page.on("response", self._keep)

    def _keep(self, answer: Response) -> None:
        if answer.request.is_navigation_request():
            self._answer = answer

    async def look(self) -> None:
        """Keep the page as the proxy sent it, and demand that nobody is kept from using it."""
        self._seen += 1
        page, answer = self.operator.page, self._answer
        assert answer is not None
        (self._folder / f"{self._seen:02}.html").write_text(await answer.text(), encoding="utf-8")
        if self.is_scripted:
            if is_full_proof():
                await page.screenshot(path=self._folder / f"{self._seen:02}.png", full_page=True)
            assert [] == await barriers(page), f"{self._seen}: {await self.operator.heading()}"

    async def judge(self) -> None:
        """Demand that all pages that were seen are valid, and so in all states that they can be in."""
        if not self.is_scripted:
            for name, text in filled().items():
                (self._folder / f"{name}.html").write_text(text, encoding="utf-8")
            assert [] == await faults_of_html(self._folder)


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
async def tour(
    request: pytest.FixtureRequest, browser: Browser, proxy: ProxyProcess, tmp_path: Path
) -> AsyncIterator[Tour]:
    """An operator before the page."""
    context = await browser.new_context(java_script_enabled=request.param)
    operator = Operator(await context.new_page(), proxy.admin)
    yield Tour(operator, tmp_path, is_scripted=request.param)
    await context.close()


async def phase_of_read(proxy: ProxyProcess, cookies: list[Any], *, status: int = 200) -> str | None:
    """The phase in which a call is answered that carries a browser's cookies."""
    async with (
        aiohttp.ClientSession(cookies={cookie["name"]: cookie["value"] for cookie in cookies}) as client,
        client.post(f"http://{proxy.rpc}/rpc/user/find_by_id", json={"id": BUYER_ID}) as response,
    ):
        assert status == response.status, await response.text()
        return response.headers.get("X-Crossfade-Phase")


async def test_operator_moves_the_shop_and_back(tour: Tour, estate: Estate, proxy: ProxyProcess) -> None:
    """Gates are looked at and passed by force, flags set, rows compared, rights given and taken, all with the page."""
    operator = tour.operator
    await arrive(tour)
    await operator.move(2, reason="the night of the move")
    assert "The phase was changed." in await operator.said()
    assert "Phase 2" in await operator.summary()
    await must(estate, "backfill")
    await operator.move(3, reason="compare")
    assert "Phase 3" in await operator.summary()
    await override(tour, proxy)
    await differ(tour, estate, proxy)
    await validate(tour)
    await operator.move(4, reason="DynamoDB answers")
    assert "Phase 4" in await operator.summary()
    await operator.press("Roll back now")
    assert "Phase 3" in await operator.summary()
    await flags(tour)
    await rights(tour)
    await operator.section("Roll back").get_by_label("To").select_option("1")
    await operator.press("Roll back now")
    assert "Rolled back." in await operator.said()
    assert "Phase 1" in await operator.summary()
    await log_and_leave(tour)
    await tour.judge()


async def arrive(tour: Tour) -> None:
    """The form for strangers, the page, and a gate that is shut; nothing is done."""
    operator = tour.operator
    await operator.page.goto(operator.url)
    await tour.look()
    await operator.log_in()
    assert "Phase 1" in await operator.summary()
    await operator.press("Look at the move to phase 2")
    await expect(operator.page.get_by_role("table")).to_contain_text("not yet measured")
    await tour.look()
    await operator.follow("Leave everything as it is")


async def override(tour: Tour, proxy: ProxyProcess) -> None:
    """Reads of this browser go their own way, others do not."""
    operator = tour.operator
    await operator.refresh_until(operator.page.get_by_text("Behind, or silent: 0."))
    await operator.page.get_by_label("Read as in").select_option("4")
    await operator.press("Set for this browser")
    assert "migration_phase 4" in await operator.page.locator("header").inner_text()
    assert "4; override" == await phase_of_read(proxy, await operator.page.context.cookies())
    assert "3" == await phase_of_read(proxy, [])
    await operator.press("Read as all others do")
    assert "migration_phase 4" not in await operator.page.locator("header").inner_text()
    assert "3" == await phase_of_read(proxy, await operator.page.context.cookies())


async def differ(tour: Tour, estate: Estate, proxy: ProxyProcess) -> None:
    """What differs between the databases is shown with both values, once a read has met it; a secret is not."""
    first_name, secret = uuid4().hex, uuid4().hex
    await estate.rows(
        "UPDATE users SET first_name = %s, password_hash = %s WHERE id = %s", (first_name, secret, BUYER_ID)
    )
    await phase_of_read(proxy, [], status=500)
    shown = tour.operator.page.get_by_role("row", name=f"user.find_by_id first_name {first_name}")
    await tour.operator.refresh_until(shown)
    assert secret not in await tour.operator.page.content()
    await tour.look()


async def validate(tour: Tour) -> None:
    """A comparison is started, watched and seen to end."""
    operator = tour.operator
    await operator.section("Validation").get_by_label("order").uncheck()
    await operator.press("Start a validation")
    state = operator.page.get_by_text("Both databases are equal.")
    if tour.is_scripted:
        await expect(state).to_be_visible()
    else:
        await operator.refresh_until(state)
    await tour.look()
    await operator.follow("Back to all comparisons")


async def flags(tour: Tour) -> None:
    """One flag, several at once, what is refused, what a gate holds, and all of them back."""
    operator = tour.operator
    page, section = operator.page, operator.section("Flags")
    await page.locator("#one-compare_percent").fill("50")
    await operator.press("Set compare_percent")
    assert "50" == await page.locator("#one-compare_percent").input_value()
    await page.locator("#several-compare_percent").fill("25")
    await page.locator("#several-mismatch_policy").select_option("report")
    await operator.press("Set several flags")
    assert "mismatch_policy: report" in await section.inner_text()
    assert "compare_percent: 25" in await section.inner_text()
    await page.locator("#one-validation_enabled").select_option("off")
    await operator.press("Set validation_enabled")
    assert "Custom flags" in await operator.summary()
    await page.locator("#one-dual_write_enabled").select_option("off")
    await operator.press("Set dual_write_enabled")
    assert "Not done" == await operator.heading()
    await tour.look()
    await operator.follow("Back to migration control")
    await page.locator("#one-read_from_dynamodb").select_option("on")
    await operator.press("Set read_from_dynamodb")
    assert "The gate is shut" == await operator.heading()
    await tour.look()
    await operator.follow("Leave everything as it is")
    await operator.press("Reset the flags")
    assert "The flags were reset" in await operator.said()


async def rights(tour: Tour) -> None:
    """A user is given the right, and it is taken away again; the last super admin keeps it."""
    operator = tour.operator
    admins = operator.section("Super admins")
    await operator.page.get_by_label("Id of a user of the shop").fill(str(BUYER_ID))
    await operator.press("Promote")
    assert BUYER in await admins.inner_text()
    await operator.press(f"Demote {BUYER}")
    assert BUYER not in await admins.inner_text()
    await operator.press(f"Demote {ADMIN}")
    assert "Not done" == await operator.heading()
    await operator.follow("Back to migration control")


async def log_and_leave(tour: Tour) -> None:
    """Everything is on record, with who did it and why; a session that ended opens nothing."""
    operator = tour.operator
    await operator.follow("Log")
    await expect(operator.page.get_by_role("table")).to_contain_text(ADMIN)
    await operator.page.locator("details").first.click()
    assert "the night of the move" in await operator.page.content()
    await tour.look()
    await operator.press("Log out")
    assert "Log in" == await operator.heading()
    await operator.page.goto(f"{operator.url}/log")
    assert "Log in" == await operator.heading()


async def test_page_follows_what_others_do(browser: Browser, proxy: ProxyProcess, estate: Estate) -> None:
    """Flags that the command line sets are seen without a hand, and announced to those who listen; forms stay."""
    operator = Operator(await browser.new_page(), proxy.admin)
    await operator.log_in()
    await operator.page.locator("#several-reason").fill("half a sentence")
    await must(estate, "flags", "set", "compare_percent=42")
    version = await estate.epoch()
    await expect(operator.page.get_by_role("status").first).to_contain_text(f"Version {version}")
    row = operator.page.get_by_role("row", name="compare_percent", exact=False).first
    await expect(row).to_contain_text("42")
    assert "half a sentence" == await operator.page.locator("#several-reason").input_value()
    await must(estate, "flags", "set", "compare_percent=100")


async def test_keyboard_alone_moves_and_rolls_back(browser: Browser, proxy: ProxyProcess) -> None:
    """Tab, letters, space and enter: log in, pass a gate by force, go back, log out."""
    operator = Operator(await browser.new_page(), proxy.admin)
    await operator.page.goto(operator.url)
    await operator.tab_to("User name")
    await operator.page.keyboard.type(ADMIN)
    await operator.tab_to("Password")
    await operator.page.keyboard.type(PASSWORD)
    await operator.enter()
    await operator.tab_to("Look at the move to phase 2")
    await operator.enter()
    await operator.tab_to("Reason")
    await operator.page.keyboard.type("no mouse at hand")
    await operator.tab_to("Do it although the gate is shut; force and reason go on record")
    await operator.page.keyboard.press("Space")
    await operator.tab_to("Move to phase 2")
    await operator.enter()
    assert "Phase 2" in await operator.summary()
    await operator.tab_to("Roll back now")
    await operator.enter()
    assert "Phase 1" in await operator.summary()
    await operator.tab_to("Log out")
    await operator.enter()
    assert "Log in" == await operator.heading()
