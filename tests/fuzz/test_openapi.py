"""schemathesis over `/openapi.json`: whatever is called, however badly, the answer is one that the document describes.

Phase 2 on real databases: afterwards both are equal, whatever the calls have written.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from tests.conformance.shop import Shop
from tests.conformance.shops import is_full_proof
from tests.control.listeners import token_for
from tests.factories import make_admin, make_item, make_line, make_order, make_product
from tests.fleet.estate import ROOT, Estate
from tests.fleet.fixtures import Figures
from tests.fleet.proxies import ProxyProcess, must

PROGRAM: Final = Path(sys.executable).with_name("schemathesis")
EXAMPLES: Final = 200 if is_full_proof() else 10
ADMIN_EXAMPLES: Final = 50 if is_full_proof() else 5
SEED: Final = 42
TELLING_LINES: Final = 80


async def stock(shop: Shop) -> None:
    """Plant what the document's examples speak of: user, category, product, order and cart line 1."""
    await make_admin(shop)
    await make_admin(shop)
    product = await make_product(shop, seller_id=1)
    order = await make_order(shop, {"id": 1}, product)
    await make_item(shop, order, product)
    await make_line(shop, {"id": 1}, product)


async def run_schemathesis(proxy: ProxyProcess, folder: Path, *given: str) -> tuple[int, list[str]]:
    """Its exit code, and what it said; `given` say what is called, and how."""
    words = ["run", f"http://{proxy.rpc}/openapi.json", "--checks", "all", *given]
    child = await asyncio.create_subprocess_exec(
        *[str(PROGRAM), "--config-file", str(Path(__file__).with_name("schemathesis.toml"))],
        *[*words, "--seed", str(SEED), "--report-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    return child.returncode or 0, said.decode().splitlines()


async def test_every_answer_is_as_described(
    estate: Estate, proxy: ProxyProcess, shop: Shop, tmp_path: Path, figures: Figures
) -> None:
    """No 500, 503 and 504 only with their code, bad calls refused, good ones taken, all answers of their schema."""
    await stock(shop)
    code, said = await run_schemathesis(
        proxy, tmp_path, "--include-path-regex", "^/rpc/", "--max-examples", str(EXAMPLES)
    )
    figures(next((line for line in said if "generated" in line), "no summary").strip())
    assert 0 == code, "\n".join(said[-TELLING_LINES:])
    assert [] == proxy.events("call_broke") + proxy.events("task_failed") + proxy.events("library_spoke")
    await estate.drained()
    await estate.verify()


async def test_every_answer_to_an_admin_is_as_described(
    estate: Estate, proxy: ProxyProcess, shop: Shop, tmp_path: Path, figures: Figures
) -> None:
    """The same of the admin API: flags are set and phases entered at random, and nothing breaks."""
    admin = await make_admin(shop)
    # What may be set depends on the flags in force and on each other, which no schema says.
    unchecked = ("--exclude-checks", "positive_data_acceptance")
    code, said = await run_schemathesis(
        proxy,
        tmp_path,
        *unchecked,
        *["--include-path-regex", "^/admin/", "--exclude-path", "/admin/login", "--url", f"http://{proxy.admin}"],
        *["--header", f"Authorization: Bearer {token_for(admin['id'])}", "--max-examples", str(ADMIN_EXAMPLES)],
    )
    figures(next((line for line in said if "generated" in line), "no summary").strip())
    assert 0 == code, "\n".join(said[-TELLING_LINES:])
    assert [] == proxy.events("admin_call_broke") + proxy.events("task_failed")
    await must(estate, "phase", "set", "2", "--force", "--reason", "the drill is over")
