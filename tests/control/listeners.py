"""A worker's two listeners in the test's own process, and callers of them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any, Final

import aiohttp
import bcrypt
import jwt
from aiohttp import web

from proxy.admin.tokens import Seals, seals_of
from tests.fleet.estate import Estate
from tests.workers import WorkerShop, open_worker

SECRET: Final = "a secret of tests, shared with the shop and long enough"
PASSWORD: Final = "planted-password-f3a1c9"
HASH: Final = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
HOST: Final = "127.0.0.1"

Json = Any
"""What a body says: JSON is shaped by the test that reads it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    text: str

    @property
    def json(self) -> Json:
        """What the body says."""
        return json.loads(self.text)

    @property
    def data(self) -> Json:
        """The data of a call that was done."""
        assert self.status < 300, self.text
        assert self.json["success"] is True
        return self.json["data"]

    def problem(self, status: int, code: str) -> Json:
        """The members of a problem, once it is this one."""
        assert (status, code) == (self.status, self.json["code"]), self.text
        assert self.headers["Content-Type"] == "application/problem+json"
        return self.json


@dataclass(frozen=True, slots=True)
class Listeners:
    """Both listeners of one worker."""

    shop: WorkerShop
    admin_port: int
    rpc_port: int
    application: web.Application
    http: aiohttp.ClientSession
    seals: Seals = field(default_factory=lambda: seals_of(SECRET))

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request to the admin listener, with the token as bearer, a body as JSON or a form as browsers do."""
        given = dict(headers or {})
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        if cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        url = f"http://{HOST}:{self.admin_port}{path}"
        async with self.http.request(method, url, json=body, data=form, headers=given, allow_redirects=False) as answer:
            set_cookies = {name: morsel.OutputString() for name, morsel in answer.cookies.items()}
            return Reply(answer.status, answer.headers.copy(), set_cookies, await answer.text())

    async def log_in(self, username: str, password: str = PASSWORD, **headers: str) -> Reply:
        """Try to log in; headers' names with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send("POST", "/admin/login", {"username": username, "password": password}, headers=given)

    async def session(self, username: str = "root") -> tuple[dict[str, str], str]:
        """Log in: the session's cookie, and the token of its forms."""
        reply = await self.log_in(username)
        return {"crossfade_session": cookie_of(reply, "crossfade_session")}, reply.data["csrf_token"]

    async def rpc(self, operation: str, cookie: str | None = None, **arguments: object) -> Reply:
        """Call an operation, with an override cookie."""
        headers = {} if cookie is None else {"Cookie": f"other=1; crossfade_flags={cookie}"}
        url = f"http://{HOST}:{self.rpc_port}/rpc/{operation.replace('.', '/')}"
        async with self.http.post(url, json=arguments, headers=headers) as answer:
            return Reply(answer.status, answer.headers.copy(), {}, await answer.text())


def cookie_of(reply: Reply, name: str) -> str:
    """The value of a cookie that an answer sets."""
    return SimpleCookie(reply.cookies[name])[name].value


@asynccontextmanager
async def listening(estate: Estate, **given: str) -> AsyncIterator[Listeners]:
    """A worker of the shop with both listeners open."""
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(open_worker(estate.settings(CROSSFADE_JWT_SECRET=SECRET, **given)))
        admin = shop.worker.admin_server(access_log=None, handler_cancellation=True)
        admin_port = await _open(stack, admin)
        rpc_port = await _open(stack, shop.worker.rpc_server(access_log=None))
        assert isinstance(admin, web.AppRunner)
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        yield Listeners(shop, admin_port, rpc_port, admin.app, http)


async def _open(stack: AsyncExitStack, runner: web.BaseRunner) -> int:
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, HOST, 0).start()
    port: int = runner.addresses[0][1]
    return port


async def plant_user(estate: Estate, username: str, *, is_admin: bool = False, password_hash: str = HASH) -> int:
    """A user in the source, unless there is one of that name already: its id."""
    sql = """INSERT INTO users (username, email, password_hash, super_admin) VALUES (%s, %s, %s, %s)
     ON DUPLICATE KEY UPDATE super_admin = VALUES(super_admin), password_hash = VALUES(password_hash)"""
    await estate.rows(sql, (username, f"{username}@shop.test", password_hash, is_admin))
    ((user_id,),) = await estate.rows("SELECT id FROM users WHERE username = %s", (username,))
    return int(user_id)


def token_for(
    user_id: object, *, key: str = SECRET, algorithm: str = "HS256", life_s: float = 60, **claims: object
) -> str:
    """A token as the shop makes it; `life_s` below zero has expired, and a claim that is None is left out."""
    values = {"userId": user_id, "exp": int((datetime.now(UTC) + timedelta(seconds=life_s)).timestamp()), **claims}
    given = {name: value for name, value in values.items() if value is not None}
    return jwt.encode(given, "" if algorithm == "none" else key, algorithm=algorithm)
