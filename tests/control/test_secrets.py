"""Planted secrets, searched for in all that a proxy says: answers, pages, problems, reports, metrics, its log."""

from pathlib import Path
from typing import Final

import aiohttp
import pytest

from tests.control.listeners import HASH, PASSWORD, SECRET, Reply, plant_user, token_for
from tests.fleet.estate import Estate
from tests.fleet.proxies import ProxyProcess, must, serving
from tests.fleet.waiting import until

WRONG: Final = "wrong-planted-0b7e"
OTHER_HASH: Final = "$2b$04$" + "Zq" * 26 + "e"
RPC_TOKEN: Final = "planted-rpc-token-55d1e0aa71"
OWN_TABLES: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE 'crossfade%%'"
)
PAGE: Final = "/admin/migration-control"
PLACES: Final = (PAGE, f"{PAGE}/log", f"{PAGE}/move?to=4", "/metrics", "/healthz", "/readyz")
CALLS: Final = (
    "/admin/flags/status",
    "/admin/migration/status",
    "/admin/migration/gate?target=4",
    "/admin/migration/logs",
    "/admin/migration/logs?kind=mismatch",
    "/admin/users/super-admins",
)


class Ear:
    """Sends requests, and keeps all that is said."""

    def __init__(self, proxy: ProxyProcess, http: aiohttp.ClientSession) -> None:
        self._proxy = proxy
        self._http = http
        self.heard: list[tuple[str, str]] = []

    async def send(self, method: str, path: str, *, is_rpc: bool = False, **given: object) -> Reply:
        """A request to one of the listeners. What a login hands to the browser is heard by nobody else."""
        url = f"http://{self._proxy.rpc if is_rpc else self._proxy.admin}{path}"
        async with self._http.request(method, url, allow_redirects=False, **given) as answer:  # type: ignore[arg-type]  # of many types
            reply = Reply(
                answer.status,
                answer.headers.copy(),
                {n: m.value for n, m in answer.cookies.items()},
                await answer.text(),
            )
        kept = [f"{name}: {value}" for name, value in reply.headers.items() if name != "Set-Cookie"]
        if not (is_rpc and reply.status == 200):  # A record of the shop has its hash.
            self.heard.append((f"{method} {path} {reply.status}", "\n".join([*kept, reply.text])))
        return reply

    async def refused_logins(self) -> None:
        """A wrong password, one typed as the name, and tokens that do not hold."""
        for username, password in (("root", WRONG), (WRONG, "x"), (PASSWORD, PASSWORD), ("ana", PASSWORD)):
            body = {"username": username, "password": password}
            assert (await self.send("POST", "/admin/login", json=body)).status in {401, 403}
        for path in ("/admin/flags/status", PAGE):
            for token in (WRONG, token_for(1, life_s=-1), token_for(2)):
                headers = {"Authorization": f"Bearer {token}"}
                assert (await self.send("GET", path, headers=headers)).status in {401, 403}

    async def looked_at(self, token: str, cookie: str) -> None:
        """Everything there is to see, by token and by session."""
        for path in (*PLACES, *CALLS):
            assert (await self.send("GET", path, headers={"Authorization": f"Bearer {token}"})).status == 200
            assert (await self.send("GET", path, headers={"Cookie": f"crossfade_session={cookie}"})).status == 200

    async def faults(self, token: str) -> None:
        """Refusals that might quote what was sent."""
        headers = {"Authorization": f"Bearer {token}"}
        for body in ({"flags": {"x": PASSWORD}}, {"flags": {"compare_percent": PASSWORD}}, {"password": PASSWORD}):
            await self.send("POST", "/admin/flags/set", json=body, headers=headers)
        await self.send(
            "POST",
            "/admin/flags/set",
            data=f'{{"password": "{PASSWORD}"',
            headers={**headers, "Content-Type": "application/json"},
        )
        for given in ({}, {"Authorization": f"Bearer {WRONG}"}):
            assert (
                await self.send("POST", "/rpc/user/find_by_id", is_rpc=True, json={"id": 1}, headers=given)
            ).status == 401


@pytest.fixture(name="estate_in_3")
async def fixture_estate_in_3(estate: Estate) -> Estate:
    """Phase 3, and a hash that the other database has otherwise."""
    assert (1, 2) == (await plant_user(estate, "root", is_admin=True), await plant_user(estate, "ana"))
    await must(estate, "backfill")
    await must(estate, "phase", "set", "3", "--force", "--reason", "a drill")
    return estate


async def test_no_secret_is_ever_told(estate_in_3: Estate, tmp_path: Path) -> None:
    """Not the shared secret, no password, hash, token or session, nor what was tried as one."""
    estate, log = estate_in_3, tmp_path / "log"
    given = {"CROSSFADE_JWT_SECRET": SECRET, "CROSSFADE_RPC_TOKEN": RPC_TOKEN, "CROSSFADE_LOG_LEVEL": "debug"}
    async with (
        serving(estate, log, **given, CROSSFADE_LOG_SAMPLE_PERCENT="100", CROSSFADE_READ_REPAIR="false") as proxy,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        ear, token = Ear(proxy, http), token_for(1)
        await ear.refused_logins()
        cookie = (await ear.send("POST", "/admin/login", json={"username": "root", "password": PASSWORD})).cookies
        session = cookie["crossfade_session"]
        await estate.rows("UPDATE users SET password_hash = %s WHERE id = 2", (OTHER_HASH,))

        async def is_found() -> bool:
            headers = {"Authorization": f"Bearer {RPC_TOKEN}"}
            found = await ear.send("POST", "/rpc/user/find_by_id", is_rpc=True, json={"id": 2}, headers=headers)
            return found.status == 500 and found.json["code"] == "data_mismatch"

        await until("the mismatch", is_found)
        await ear.looked_at(token, session)
        await ear.faults(token)
        told = [*ear.heard, ("the log", log.read_text(encoding="utf-8"))]
    for (table,) in await estate.rows(OWN_TABLES):
        told.append((f"the table {table}", repr(await estate.rows(f"SELECT * FROM {table}"))))
    secrets = {SECRET, PASSWORD, HASH, OTHER_HASH, RPC_TOKEN, WRONG, token, session}
    found = [(secret, where) for secret in secrets for where, text in told if any(p in text for p in parts(secret))]
    assert [] == found
    assert any("password_hash" in text and "***" in text for where, text in told if "kind=mismatch" in where)


def parts(secret: str) -> list[str]:
    """A secret, and of a token its signature."""
    return [secret, *secret.split(".")[2:]] if secret.startswith("eyJ") else [secret]
