"""An operator at the page: what is read there, typed and pressed."""

from typing import Final

from playwright.async_api import Locator, Page

from control_ui.pages import PATH
from tests.fleet.waiting import until

ADMIN: Final = "anna"
ADMIN_ID: Final = 1
BUYER: Final = "ben <b>&"
BUYER_ID: Final = 2
PASSWORD: Final = "correct horse"
TABS_MAX: Final = 100
FOCUSED: Final = "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
"""What the control that has the focus is called."""


class Operator:
    """Works the page at an address."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.url = f"http://{address}{PATH}"

    async def log_in(self, name: str = ADMIN, password: str = PASSWORD) -> None:
        """Open the page and fill in the form that it shows a stranger."""
        await self.page.goto(self.url)
        await self.page.get_by_label("User name").fill(name)
        await self.page.get_by_label("Password").fill(password)
        await self.press("Log in")

    async def press(self, name: str) -> None:
        """Press the one button of that name, and wait for the page that follows."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=name, exact=True).click()

    async def follow(self, name: str) -> None:
        """Follow the first link of that name."""
        await self.page.get_by_role("link", name=name).first.click()

    async def tab_to(self, name: str) -> None:
        """Press the tab key until the control of that name has the focus."""
        for _ in range(TABS_MAX):
            await self.page.keyboard.press("Tab")
            if name == await self.page.evaluate(FOCUSED):
                return
        raise AssertionError(f"nothing called {name!r} can be reached with the tab key")

    async def enter(self) -> None:
        """Press enter, and wait for the page that follows."""
        async with self.page.expect_navigation():
            await self.page.keyboard.press("Enter")

    async def heading(self) -> str:
        """What the page calls itself."""
        return await self.page.locator("h1").inner_text()

    async def said(self) -> str:
        """What the page says of what was done last."""
        return await self.page.get_by_role("alert").inner_text()

    async def summary(self) -> str:
        """The one line that tells the state."""
        return await self.page.locator("[data-live=summary]").inner_text()

    async def refresh_until(self, shown: Locator) -> None:
        """Look again until something is to be seen."""

        async def is_shown() -> bool:
            if await shown.is_visible():
                return True
            await self.follow("Refresh")
            return await shown.is_visible()

        await until(f"the page to show {shown}", is_shown)

    def section(self, name: str) -> Locator:
        """A section of the page by its heading."""
        return self.page.get_by_role("region", name=name, exact=True)

    async def move(self, phase: int, *, reason: str) -> None:
        """Look at a gate that is shut, and go past it."""
        await self.press(f"Look at the move to phase {phase}")
        await self.page.get_by_label("Reason", exact=True).fill(reason)
        await self.page.get_by_label("Do it although the gate is shut").check()
        await self.press(f"Move to phase {phase}")
