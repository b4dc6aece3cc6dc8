"""Who gets past the door of the admin listener: all of its routes are walked, so none is forgotten."""

from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.control.listeners import SECRET, Listeners, Reply, token_for

OPEN = {"/healthz", "/readyz", "/metrics"}
"""What machines ask; no admin's affair."""
PUBLIC = {
    ("POST", "/admin/login"): 400,
    ("POST", "/admin/migration-control/login"): 403,
    ("GET", "/admin/migration-control/live.js"): 200,
}
"""What anybody may ask under /admin, and what is said to a call without anything in it."""


def routes(application: web.Application) -> Iterator[tuple[str, str]]:
    """Every method and path under /admin, with a number for each id."""
    for route in application.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if path not in OPEN and route.method != "HEAD":
            assert path.startswith("/admin/"), f"{path} stands outside of what the door guards"
            yield route.method, path.replace("{id}", "1")


def bad_tokens(admin_id: int, user_id: int) -> dict[str, tuple[str | None, int]]:
    """Everything that must not pass, with the status that says so."""
    return {
        "none at all": (None, 401),
        "no token": ("no-token", 401),
        "of another key": (token_for(admin_id, key="x" * 40), 401),
        "expired": (token_for(admin_id, life_s=-1), 401),
        "alg none": (token_for(admin_id, algorithm="none"), 401),
        "another alg": (token_for(admin_id, algorithm="HS512", key=SECRET + "x" * 40), 401),
        "HS384 of the same key": (token_for(admin_id, algorithm="HS384"), 401),
        "without end": (token_for(admin_id, exp=None), 401),
        "with a far end": (token_for(admin_id, life_s=86_460), 401),
        "of nobody": (token_for(None), 401),
        "of an unknown user": (token_for(2**31 - 1), 401),
        "of a text": (token_for(str(admin_id)), 401),
        "of no admin": (token_for(user_id), 403),
    }


def tells_nothing(reply: Reply) -> bool:
    """Whether a refusal says nothing but that it is one."""
    return '"success"' not in reply.text and "crossfade_session" not in reply.cookies


async def test_every_route_refuses_whoever_is_no_admin(listeners: Listeners, admin_id: int, user_id: int) -> None:
    """Without, with a bad, an expired, an unsigned, an endless token, and with that of a user who is no admin."""
    walked = list(routes(listeners.application))
    assert len(walked) >= 16
    for method, path in walked:
        if (method, path) in PUBLIC:
            continue
        for name, (token, status) in bad_tokens(admin_id, user_id).items():
            reply = await listeners.send(method, path, {} if method == "POST" else None, token=token)
            assert status == reply.status, f"{method} {path} with a token {name}: {reply.text}"
            assert tells_nothing(reply), f"{method} {path} with a token {name}: {reply.text}"


async def test_every_change_by_cookie_needs_the_form_token(listeners: Listeners) -> None:
    """A page of another origin can make a browser send its cookie, but not what stands in our forms."""
    cookies, _ = await listeners.session()
    other = (await listeners.log_in("root")).data["csrf_token"]
    for method, path in routes(listeners.application):
        if method == "GET" or (method, path) in PUBLIC:
            continue
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": f"{other}x"}):
            reply = await listeners.send(method, path, {}, cookies=cookies, headers=headers)
            assert reply.status == 403, f"{method} {path} with {headers}: {reply.text}"


async def test_what_is_public_is_listed_here(listeners: Listeners) -> None:
    """Nothing else can be had without a token, and these give nothing away."""
    found = set(routes(listeners.application))
    assert PUBLIC.keys() <= found
    for (method, path), status in PUBLIC.items():
        reply = await listeners.send(method, path, {} if method == "POST" else None)
        assert status == reply.status, reply.text
        assert tells_nothing(reply)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.test"}, {"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_a_lured_browser_is_refused_everywhere(
    listeners: Listeners, admin_id: int, headers: dict[str, str]
) -> None:
    """Host, Origin and Sec-Fetch-Site each suffice, whatever token comes along."""
    for method, path in routes(listeners.application):
        reply = await listeners.send(
            method, path, {} if method == "POST" else None, token=token_for(admin_id), headers=headers
        )
        assert reply.status == 403, f"{method} {path}: {reply.text}"


async def test_every_answer_is_kept_by_nobody_and_framed_by_nobody(listeners: Listeners) -> None:
    """The security headers stand on refusals too, and on paths that do not exist."""
    for method, path in [*routes(listeners.application), ("GET", "/admin/nothing"), ("PUT", "/admin/login")]:
        headers = (await listeners.send(method, path)).headers
        assert headers["Cache-Control"] == "no-store", path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert headers["Referrer-Policy"], path
        assert headers["X-Correlation-Id"], path


async def test_a_token_of_the_proxy_is_none_of_the_shop(listeners: Listeners, admin_id: int) -> None:
    """Nor the other way round: each kind has a key of its own."""
    cookies, _ = await listeners.session()
    path = "/admin/flags/status"
    assert (await listeners.send("GET", path, token=cookies["crossfade_session"])).status == 401
    assert (await listeners.send("GET", path, cookies={"crossfade_session": token_for(admin_id)})).status == 401
    assert (await listeners.send("GET", path, cookies=cookies)).status == 200
    assert (await listeners.send("GET", path, token=token_for(admin_id))).status == 200
