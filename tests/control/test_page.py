"""The flag page without a browser: who sees it, what it says in an outage, and what it sends while it is looked at."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from control_ui.pages import PATH
from tests.control.listeners import HOST, PASSWORD, Listeners, Reply, cookie_of, listening, plant_user
from tests.crash.death import on_wires, wired
from tests.crash.moments import Place
from tests.fleet.estate import Estate
from tests.fleet.proxies import must
from tests.fleet.waiting import until

EVENT_LIMIT_S: Final = 30.0

Session = tuple[dict[str, str], str]
"""The cookies of an admin, and the token of the forms."""


class Stream:
    """The events of a page that is looked at."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    async def next(self, name: str) -> str:
        """The data of the next event of a name."""
        async with asyncio.timeout(EVENT_LIMIT_S):
            while True:
                block = (await self._content.readuntil(b"\n\n")).decode()
                head, _, rest = block.partition("\n")
                if head == f"event: {name}":
                    return "\n".join(line.removeprefix("data: ") for line in rest.splitlines()).strip()

    async def end(self) -> None:
        """Read to the end."""
        async with asyncio.timeout(EVENT_LIMIT_S):
            await self._content.read()


@asynccontextmanager
async def looking(listeners: Listeners, cookies: Mapping[str, str]) -> AsyncIterator[Stream]:
    """The stream of an admin's page."""
    url = f"http://{HOST}:{listeners.admin_port}{PATH}/events"
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    async with listeners.http.get(url, headers={"Cookie": cookie}) as response:
        assert 200 == response.status
        assert "text/event-stream; charset=utf-8" == response.headers["Content-Type"]
        assert "no-store" == response.headers["Cache-Control"]
        yield Stream(response.content)


async def typed(listeners: Listeners, username: str, password: str = PASSWORD) -> Reply:
    """What the form for strangers answers."""
    shown = await listeners.send("GET", PATH)
    token = cookie_of(shown, "crossfade_login")
    assert f'value="{token}"' in shown.text
    form = {"csrf": token, "username": username, "password": password}
    return await listeners.send("POST", f"{PATH}/login", form=form, cookies={"crossfade_login": token})


async def test_a_stranger_sees_the_form_and_an_admin_the_page(listeners: Listeners) -> None:
    """401 with the form; a wrong password is said above it; the right one leads to the page."""
    assert 401 == (await listeners.send("GET", PATH)).status
    wrong = await typed(listeners, "root", "wrong")
    assert 401 == wrong.status
    assert 'role="alert"' in wrong.text
    assert "crossfade_session" not in wrong.cookies
    right = await typed(listeners, "root")
    assert (303, PATH) == (right.status, right.headers["Location"])
    session = {"crossfade_session": cookie_of(right, "crossfade_session")}
    page = await listeners.send("GET", PATH, cookies=session)
    assert 200 == page.status
    assert "<h1>Migration control</h1>" in page.text


async def test_a_form_from_elsewhere_logs_nobody_in(listeners: Listeners) -> None:
    """A site that knows a password of its own cannot have somebody else logged in with it."""
    form = {"csrf": "guessed", "username": "root", "password": PASSWORD}
    for cookies in ({}, {"crossfade_login": ""}, {"crossfade_login": "another"}):
        reply = await listeners.send("POST", f"{PATH}/login", form=form, cookies=cookies)
        assert 403 == reply.status
        assert "crossfade_session" not in reply.cookies


async def test_a_user_without_the_right_is_told_how_to_get_it(listeners: Listeners, estate: Estate) -> None:
    """403 at the login, and as soon as a session's user has lost the right."""
    assert "crossfade admin promote" in (await typed(listeners, "ana")).text
    await plant_user(estate, "eve", is_admin=True)
    cookies, _ = await listeners.session("eve")
    await plant_user(estate, "eve")
    reply = await listeners.send("GET", PATH, cookies=cookies)
    assert 403 == reply.status
    assert "crossfade admin promote" in reply.text


async def test_an_answer_of_an_old_page_changes_nothing(listeners: Listeners, estate: Estate) -> None:
    """Whoever sets flags by a page that shows an older version is told so, and nothing is set."""
    cookies, token = await listeners.session()
    old = str(await estate.epoch())
    await post(listeners, (cookies, token), "flags", compare_percent=70)
    form = {"csrf": token, "version": old, "compare_percent": "10"}
    reply = await listeners.send("POST", f"{PATH}/flags", form=form, cookies=cookies)
    assert 409 == reply.status
    assert "Back to migration control" in reply.text
    assert [(70,)] == await estate.rows("SELECT compare_percent FROM crossfade_control")


async def test_a_page_that_is_looked_at_sees_changes_and_ends_with_the_right(
    listeners: Listeners, estate: Estate
) -> None:
    """What another admin does is sent within seconds; whoever is demoted is sent nothing more."""
    await plant_user(estate, "eve", is_admin=True)
    cookies, _ = await listeners.session("eve")
    async with looking(listeners, cookies) as stream:
        assert "Phase 2" in await stream.next("summary")
        assert "<svg" in await stream.next("status")
        assert "<table>" in await stream.next("validation")
        await must(estate, "flags", "set", "compare_percent=71")
        version = await estate.epoch()
        while f"Version {version}" not in await stream.next("summary"):
            pass
        await plant_user(estate, "eve")
        assert "" == await stream.next("end")


async def test_a_page_that_is_looked_at_does_not_hold_up_a_drain(listeners: Listeners) -> None:
    """The stream ends by itself."""
    cookies, _ = await listeners.session()
    async with looking(listeners, cookies) as stream:
        await stream.next("summary")
        listeners.shop.worker.health.begin_drain()
        await stream.end()


async def test_a_comparison_is_started_watched_and_stopped(listeners: Listeners) -> None:
    """Its page says how far it is, and that it has ended; the answer to its end leads back."""
    session = await listeners.session()
    started = await post(listeners, session, "validate", entity="user")
    location = started.headers["Location"]
    stopped = await post(listeners, session, "cancel", job=location.rpartition("/")[2])
    assert f"{PATH}?done=cancelled" == stopped.headers["Location"]

    async def ended() -> str:
        page = await listeners.send("GET", location, cookies=session[0])
        assert 200 == page.status, page.text
        return "" if "<strong>running</strong>" in page.text else page.text

    text = await until("the comparison to end", ended)
    assert "<strong>cancelled</strong>" in text or "<strong>done</strong>" in text
    assert "<progress" in text
    assert "Cancel verify" not in text


async def test_the_log_is_shown_a_page_at_a_time(listeners: Listeners) -> None:
    """What is older than an entry stands on the page that its cursor leads to, and nothing else."""
    cookies, token = await listeners.session()
    for percent, reason in ((80, "the older reason"), (81, "the newer reason")):
        await post(listeners, (cookies, token), "flags", compare_percent=percent, reason=reason)
    newest = await listeners.send("GET", "/admin/migration/logs?kind=audit&limit=1", cookies=cookies)
    first = await listeners.send("GET", f"{PATH}/log?kind=audit", cookies=cookies)
    assert first.text.index("the newer reason") < first.text.index("the older reason")
    cursor = newest.data["next_cursor"]
    older = await listeners.send("GET", f"{PATH}/log?kind=audit&cursor={cursor}", cookies=cookies)
    assert "the older reason" in older.text
    assert "the newer reason" not in older.text


async def test_an_admin_can_roll_back_while_the_target_is_away(estate: Estate, admin_id: int) -> None:
    """The page comes up, names what it cannot reach, and goes back in one action."""
    assert admin_id
    async with wired(estate) as wires, listening(estate, **on_wires(wires)) as listeners:
        cookies, token = await listeners.session()
        await post(listeners, (cookies, token), "move", to=3, force="yes")
        wires[Place.DYNAMODB].refuse()
        await until("the page to miss the target", lambda: misses(listeners, cookies, "dynamodb"))
        reply = await post(listeners, (cookies, token), "rollback")
        assert f"{PATH}?done=rolled-back" == reply.headers["Location"].partition("&")[0]
        assert "Phase 2" in (await listeners.send("GET", PATH, cookies=cookies)).text
        await wires[Place.DYNAMODB].restore()


async def test_the_page_comes_up_while_the_source_is_away(estate: Estate, admin_id: int) -> None:
    """In phase 4 the other database knows the admin; what lies in the source is said to be missing."""
    assert admin_id
    async with wired(estate) as wires, listening(estate, **on_wires(wires)) as listeners:
        await must(estate, "backfill")
        cookies, token = await listeners.session()
        for phase in (3, 4):
            await post(listeners, (cookies, token), "move", to=phase, force="yes")
        await until("the worker to serve phase 4", lambda: is_current(listeners, estate))
        wires[Place.MYSQL].refuse()
        wires[Place.MYSQL].cut_all()
        await until("the page to miss the source", lambda: misses(listeners, cookies, "mysql"))
        await wires[Place.MYSQL].restore()


async def post(listeners: Listeners, session: Session, action: str, **fields: object) -> Reply:
    """Send a form of the page, which is to be carried out."""
    cookies, token = session
    form = {"csrf": token, "reason": "a drill", **{name: str(value) for name, value in fields.items()}}
    reply = await listeners.send("POST", f"{PATH}/{action}", form=form, cookies=cookies)
    assert 303 == reply.status, reply.text
    return reply


async def is_current(listeners: Listeners, estate: Estate) -> bool:
    """Whether the worker serves the version in force."""
    state = listeners.shop.worker.snapshot.latest
    return state is not None and state.epoch == await estate.epoch()


async def misses(listeners: Listeners, cookies: Mapping[str, str], database: str) -> bool:
    """Whether the page is there and says that it cannot reach a database."""
    page = await listeners.send("GET", PATH, cookies=cookies)
    assert 200 == page.status, page.text
    return f'<tr><th scope="row">{database}</th><td>yes</td>\n<td><strong>no</strong>' in page.text
