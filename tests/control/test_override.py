"""The override cookie: one browser reads by flags of its own, and nothing else of it changes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

import pytest

from adapters.flags import ControlState
from proxy.admin.tokens import Seal
from proxy.flags.override import reading_of, to_claims
from tests.control.listeners import SECRET, Listeners, Reply, cookie_of, plant_user, token_for
from tests.fleet.estate import Estate
from tests.fleet.proxies import must
from tests.fleet.waiting import until

PHASE_4: Final = {"migration_phase": 4}


@pytest.fixture(name="copied")
async def fixture_copied(listeners: Listeners) -> Listeners:
    """The shop in phase 2 with every row in both databases."""
    await listeners.shop.copy()
    return listeners


def cookie_for(
    listeners: Listeners,
    user_id: int,
    flags: Mapping[str, object],
    *,
    life_s: float = 60,
    claims: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """A cookie as the proxy makes it, for the flags in force unless `claims` say otherwise."""
    values = to_claims(reading_of(state_of(listeners), flags))
    expires_at = datetime.now(UTC) + timedelta(seconds=life_s)
    return listeners.seals.override.sign(user_id, expires_at, **{**values, **claims})


def state_of(listeners: Listeners) -> ControlState:
    """What the worker goes by."""
    return listeners.shop.worker.snapshot.current()


async def served(listeners: Listeners, cookie: str | None) -> tuple[str, str]:
    """The phase and the database of a read with a cookie."""
    reply = await listeners.rpc("user.find_by_username", cookie, username="root")
    assert reply.status == 200, reply.text
    assert reply.json["result"]["username"] == "root"
    return reply.headers["X-Crossfade-Phase"], reply.headers["X-Crossfade-Served-By"]


async def test_a_read_follows_the_cookie_and_no_other_read_does(copied: Listeners, admin_id: int) -> None:
    """The answer says so; without the cookie all is as before, and a write goes where all writes go."""
    cookie = cookie_for(copied, admin_id, PHASE_4)
    assert ("4; override", "dynamodb") == await served(copied, cookie)
    assert ("2", "mysql") == await served(copied, None)
    compared = await copied.rpc("user.find_by_id", cookie_for(copied, admin_id, {"migration_phase": 3}), id=admin_id)
    assert ("3; override", "match") == (compared.headers["X-Crossfade-Phase"], compared.headers["X-Crossfade-Shadow"])
    written = await copied.rpc("user.update", cookie, id=admin_id, first_name="Root")
    assert ("2", "mysql") == (written.headers["X-Crossfade-Phase"], written.headers["X-Crossfade-Served-By"])
    assert "Root" == (await copied.rpc("user.find_by_id", cookie, id=admin_id)).json["result"]["first_name"]


async def test_an_invalid_cookie_changes_nothing_and_fails_nothing(
    copied: Listeners, admin_id: int, user_id: int
) -> None:
    """Unsigned, expired, of another key, of another version of the flags, of no admin, of another form."""
    epoch = state_of(copied).epoch
    reading, soon = reading_of(state_of(copied), PHASE_4), datetime.now(UTC) + timedelta(minutes=1)
    strange = copied.seals.session.sign(admin_id, soon, **to_claims(reading))
    cookies = {
        "nothing": "",
        "no token": "abc",
        "quoted": '"a b;c"',
        "expired": cookie_for(copied, admin_id, PHASE_4, life_s=-1),
        "of a session's key": strange,
        "of the shop's key": Seal(SECRET.encode()).sign(admin_id, soon, **to_claims(reading)),
        "of another version": cookie_for(copied, admin_id, PHASE_4, claims={"epoch": epoch - 1}),
        "of no admin": cookie_for(copied, user_id, PHASE_4),
        "of nobody": cookie_for(copied, 2**31 - 1, PHASE_4),
        "of other flags": cookie_for(copied, admin_id, PHASE_4, claims={"flags": {"dual_write_enabled": False}}),
        "long": "x" * 5000,
    }
    for name, cookie in cookies.items():
        assert ("2", "mysql") == await served(copied, cookie), name


async def test_the_right_is_looked_up_again(estate: Estate, copied: Listeners, admin_id: int) -> None:
    """A demoted admin's browser reads as all others do, a second later at most."""
    cookie = cookie_for(copied, admin_id, PHASE_4)
    assert ("4; override", "dynamodb") == await served(copied, cookie)
    await plant_user(estate, "root", is_admin=False)

    async def is_over() -> bool:
        return await served(copied, cookie) == ("2", "mysql")

    await until("the override to end", is_over, limit_s=3.0)


async def test_an_override_ends_with_the_version_of_the_flags(copied: Listeners, admin_id: int) -> None:
    """Any change of the flags of all ends it: what was safe beside the old ones may not be beside the new."""
    cookie = cookie_for(copied, admin_id, PHASE_4)
    body = {"flags": {"compare_percent": 10}, "reason": "less"}
    assert (await copied.send("POST", "/admin/flags/set", body, token=token_for(admin_id))).status == 200

    async def is_over() -> bool:
        return await served(copied, cookie) == ("2", "mysql")

    await until("the new version", is_over)


async def override(listeners: Listeners, phase: int) -> Reply:
    """What the flag page answers when its form asks for an override."""
    cookies, token = await listeners.session()
    form = {"csrf": token, "migration_phase": str(phase)}
    return await listeners.send("POST", "/admin/migration-control/override", form=form, cookies=cookies)


async def test_an_override_before_the_backfill_is_refused(estate: Estate, listeners: Listeners, admin_id: int) -> None:
    """In phase 2 the other database may lack rows; once a backfill has ended the cookie is set, for an hour."""
    assert admin_id
    refused = await override(listeners, 4)
    assert (409, False) == (refused.status, "crossfade_flags" in refused.cookies)
    await must(estate, "backfill")
    granted = await override(listeners, 4)
    assert 303 == granted.status, granted.text
    attributes = {part.strip() for part in granted.cookies["crossfade_flags"].split(";")}
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=3600"} <= attributes
    assert ("4; override", "dynamodb") == await served(listeners, cookie_of(granted, "crossfade_flags"))
    page = await listeners.send("GET", "/admin/flags/status", token=token_for(admin_id))
    assert 2 == page.data["migration_phase"]


@pytest.mark.parametrize("phase", [1, 5])
async def test_an_override_never_sends_writes_elsewhere(listeners: Listeners, phase: int) -> None:
    """Phases that write to one database alone are none for a single browser."""
    refused = await override(listeners, phase)
    assert (400, False) == (refused.status, "crossfade_flags" in refused.cookies)
