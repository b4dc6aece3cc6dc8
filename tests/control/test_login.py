"""Logging in: what is told, what is counted, and what a session is worth."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from proxy.admin.login import ADDRESS_TRIES, NAME_TRIES
from tests.control.listeners import PASSWORD, Listeners, cookie_of, listening, plant_user
from tests.fleet.estate import Estate
from tests.fleet.proxies import serving
from tests.fleet.waiting import until

CONNECTIONS = 16
"""Enough for each of two workers to take some."""


@pytest.fixture(autouse=True)
async def fixture_without_former_tries(estate: Estate) -> None:
    """Tests come from one address: what one has tried does not count for the next."""
    await estate.rows("DELETE FROM crossfade_login_attempt")


async def test_a_login_opens_a_session(listeners: Listeners, admin_id: int) -> None:
    """Its cookie is out of reach of scripts and other sites, and with the form token it changes things."""
    reply = await listeners.log_in("root")
    assert (admin_id, "root") == (reply.data["user_id"], reply.data["username"])
    cookie = reply.cookies["crossfade_session"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/admin"} <= {part.strip() for part in cookie.split(";")}
    assert "Max-Age=28" in cookie
    assert "Secure" not in cookie
    cookies, token = {"crossfade_session": cookie_of(reply, "crossfade_session")}, reply.data["csrf_token"]
    assert (await listeners.send("GET", "/admin/flags/status", cookies=cookies)).data["migration_phase"] == 2
    changed = await listeners.send(
        "POST", "/admin/flags/reset", {"reason": "x"}, cookies=cookies, headers={"X-CSRF-Token": token}
    )
    assert changed.data["new_phase"] == 2


async def test_a_session_is_secure_outside_of_this_machine(estate: Estate, admin_id: int) -> None:
    """A browser then never sends its cookie unencrypted."""
    async with listening(estate, CROSSFADE_ALLOWED_HOSTS="admin.shop.test") as listeners:
        assert admin_id
        cookie = (await listeners.log_in("root", Host="admin.shop.test")).cookies["crossfade_session"]
        assert "Secure" in {part.strip() for part in cookie.split(";")}


async def test_an_unknown_name_is_told_like_a_wrong_password(listeners: Listeners) -> None:
    """Nobody learns who exists."""
    wrong = (await listeners.log_in("root", "wrong")).problem(401, "unauthenticated")
    unknown = (await listeners.log_in("nobody", "wrong")).problem(401, "unauthenticated")
    assert wrong["detail"] == unknown["detail"]


async def test_a_user_without_the_right_gets_no_session(listeners: Listeners) -> None:
    """The password is right, and the answer says what is missing."""
    reply = await listeners.log_in("ana")
    reply.problem(403, "forbidden")
    assert {} == reply.cookies


@pytest.mark.parametrize(
    "body", [{}, {"username": "root"}, {"username": "", "password": "x"}, {"username": 1, "password": "x"}]
)
async def test_a_login_needs_name_and_password(listeners: Listeners, body: dict[str, object]) -> None:
    """What is missing or of a wrong type is named, without its value."""
    members = (await listeners.send("POST", "/admin/login", body)).problem(400, "invalid_argument")
    assert members["errors"]


async def test_tries_are_limited_over_all_workers(estate: Estate, listeners: Listeners) -> None:
    """Side by side on two workers no more passwords are looked at than one could have; another name is not touched."""
    async with listening(estate) as second:
        tries = [each.log_in("root", f"wrong-{n}") for n in range(NAME_TRIES) for each in (listeners, second)]
        statuses = [reply.status for reply in await asyncio.gather(*tries)]  # noqa: TID251  # a volley
        assert {401, 429} == set(statuses)
        assert statuses.count(401) <= NAME_TRIES
        reply = await second.log_in("root")
        assert reply.problem(429, "unavailable")
        assert int(reply.headers["Retry-After"]) > 60
        assert (await second.log_in("ROOT")).status == 429
        assert (await second.log_in("ana")).status == 403


async def test_a_right_password_begins_anew(listeners: Listeners) -> None:
    """Who mistypes now and then is not locked out in the end."""
    for _ in range(3):
        for _ in range(NAME_TRIES - 1):
            assert (await listeners.log_in("root", "wrong")).status == 401
        assert (await listeners.log_in("root")).status == 200


async def test_tries_of_one_address_are_limited_over_all_names(listeners: Listeners) -> None:
    """Trying one password with many names is no way around."""
    for n in range(ADDRESS_TRIES // NAME_TRIES):
        tries = [listeners.log_in(f"name-{n}-{m}", "wrong") for m in range(NAME_TRIES)]
        assert {401} == {reply.status for reply in await asyncio.gather(*tries)}  # noqa: TID251  # a volley
    assert (await listeners.log_in("root")).status == 429


async def test_the_address_is_a_trusted_proxys_word_alone(estate: Estate, listeners: Listeners) -> None:
    """Others cannot get further tries by inventing addresses; behind a listed proxy each caller has his own."""
    for n in range(NAME_TRIES):
        assert (await listeners.log_in("root", "wrong", X_Forwarded_For=f"10.0.0.{n}")).status == 401
    assert (await listeners.log_in("root", X_Forwarded_For="10.0.0.99")).status == 429
    async with listening(estate, CROSSFADE_TRUSTED_PROXIES="127.0.0.1, 10.1.0.0/16") as behind:
        assert (await behind.log_in("root", X_Forwarded_For="10.0.0.99, 10.1.2.3")).status == 200
        assert (await behind.log_in("root", X_Forwarded_For="127.0.0.1")).status == 429
        assert (await behind.log_in("root", X_Forwarded_For="10.0.0.99, none")).status == 429


async def test_a_session_ends_with_the_right_and_with_the_password(estate: Estate, listeners: Listeners) -> None:
    """Both are looked up with each call."""
    await plant_user(estate, "eve", is_admin=True)
    cookies, _ = await listeners.session("eve")
    assert (await listeners.send("GET", "/admin/flags/status", cookies=cookies)).status == 200
    await plant_user(estate, "eve", is_admin=False)
    assert (await listeners.send("GET", "/admin/flags/status", cookies=cookies)).status == 403
    await plant_user(estate, "eve", is_admin=True, password_hash="$2b$04$" + "a" * 53)
    assert (await listeners.send("GET", "/admin/flags/status", cookies=cookies)).status == 401
    assert (await listeners.log_in("eve", PASSWORD)).status == 401


async def test_a_logout_clears_the_cookie(listeners: Listeners) -> None:
    """The browser forgets it at once."""
    cookies, token = await listeners.session()
    left = await listeners.send("POST", "/admin/logout", cookies=cookies, headers={"X-CSRF-Token": token})
    assert {} == left.data
    assert "Max-Age=0" in left.cookies["crossfade_session"]


async def test_a_session_holds_on_every_worker(estate: Estate, admin_id: int, tmp_path: Path) -> None:
    """Also where no secret is given, as in development: the workers of one start share one."""
    assert admin_id
    async with serving(estate, tmp_path / "log", CROSSFADE_WORKERS="2") as proxy:

        async def are_serving() -> bool:
            return len(proxy.events("serving_started")) == 2

        await until("both workers to serve", are_serving)
        async with aiohttp.ClientSession() as http:
            body = {"username": "root", "password": PASSWORD}
            async with http.post(f"http://{proxy.admin}/admin/login", json=body) as answer:
                headers = {"Cookie": f"crossfade_session={answer.cookies['crossfade_session'].value}"}
        seen = set()
        for _ in range(CONNECTIONS):
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"http://{proxy.admin}/admin/flags/status", headers=headers) as answer,
            ):
                seen.add(answer.status)
        assert {200} == seen
