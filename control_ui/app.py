"""The page's paths, and what each request passes before its view or its action.

who -> (a form: its token) -> view or action -> page, or 303 to one

Foreign hosts and origins are turned away before; so is a body over the limit.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from secrets import compare_digest, token_urlsafe
from typing import Final

from aiohttp import web

from control_ui import actions, views
from control_ui.forms import Form, typed
from control_ui.live import stream
from control_ui.pages import FOLDER, HEADERS, PATH, Pages, Rules
from control_ui.ports import Door, Refused
from control_ui.visit import Visit, seen_at

LOGIN_COOKIE: Final = "crossfade_login"
LOGIN_LIMIT_S: Final = 3600

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
View = Callable[[Visit], Awaitable[web.StreamResponse]]
Action = Callable[[Visit, Form], Awaitable[web.StreamResponse]]


def build_ui(door: Door, rules: Rules) -> list[web.RouteDef]:
    """All paths of the page."""
    entrance = Entrance(door, Pages(rules))
    return [
        web.get(PATH, entrance.shows(views.overview)),
        web.get(f"{PATH}/live.js", entrance.script),
        web.post(f"{PATH}/login", entrance.log_in),
        web.get(f"{PATH}/events", entrance.shows(stream)),
        web.get(f"{PATH}/log", entrance.shows(views.log)),
        web.get(f"{PATH}/move", entrance.shows(views.confirm_move)),
        web.get(f"{PATH}/jobs/{{id}}", entrance.shows(views.job)),
        *(web.post(f"{PATH}/{name}", entrance.takes(action)) for name, action in actions.ALL.items()),
    ]


class Entrance:
    """Lets visitors in, and turns what is refused into a page that says so."""

    def __init__(self, door: Door, pages: Pages) -> None:
        self._door = door
        self._pages = pages

    def shows(self, view: View) -> Handler:
        """A handler that shows something to an admin."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._visited(request, view)

        return handle

    def takes(self, action: Action) -> Handler:
        """A handler that does what an admin's form says."""

        async def act(visit: Visit) -> web.StreamResponse:
            form = await _form(visit.request)
            visit.visitor.check_csrf(form.secret("csrf"))
            try:
                return await action(visit, form)
            except Refused as refusal:
                if not refusal.is_gate_closed:
                    raise
                return actions.offer_force(visit, form, refusal)

        return self.shows(act)

    async def _visited(self, request: web.Request, view: View) -> web.StreamResponse:
        try:
            visitor = await self._door.admit(request)
        except Refused as refusal:
            return self._turned_away(request, refusal)
        visit = Visit(request, visitor, self._door, self._pages)
        try:
            return await view(visit)
        except Refused as refusal:
            return _retry(refusal, visit.page("refused.html", {"refusal": refusal}, code=refusal.status))

    def _turned_away(self, request: web.Request, refusal: Refused) -> web.Response:
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            return self._login_form(request, refusal=refusal if request.method == "POST" else None)
        page = "forbidden.html" if refusal.status == HTTPStatus.FORBIDDEN else "closed.html"
        return _retry(refusal, self._pages.page(page, {"refusal": refusal}, code=refusal.status))

    def _login_form(self, request: web.Request, refusal: Refused | None) -> web.Response:
        # A form sent from elsewhere cannot know the cookie, so nobody is logged in as somebody else unawares.
        token = request.cookies.get(LOGIN_COOKIE) or token_urlsafe()
        code = HTTPStatus.UNAUTHORIZED if refusal is None else refusal.status
        response = self._pages.page("login.html", {"refusal": refusal, "token": token}, code=code)
        response.headers["WWW-Authenticate"] = 'Bearer realm="crossfade"'
        response.set_cookie(
            LOGIN_COOKIE,
            token,
            path=PATH,
            max_age=LOGIN_LIMIT_S,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response if refusal is None else _retry(refusal, response)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Begin a session; what is refused is said above the form."""
        form = await _form(request)
        if not _is_own(form, request.cookies.get(LOGIN_COOKIE, "")):
            return self._login_form(request, Refused(HTTPStatus.FORBIDDEN, "The form was too old; please try again."))
        response = seen_at(PATH)
        name, password = form.secret("username"), form.secret("password")
        try:
            await self._door.log_in(request, response, name=name, password=password)
        except Refused as refusal:
            if refusal.status == HTTPStatus.FORBIDDEN:
                return self._turned_away(request, refusal)
            return self._login_form(request, refusal)
        response.del_cookie(LOGIN_COOKIE, path=PATH)
        return response

    async def script(self, _: web.Request) -> web.StreamResponse:
        """The one script, which is nobody's secret."""
        return web.FileResponse(FOLDER / "static" / "live.js", headers={**HEADERS, "Content-Type": "text/javascript"})


def _is_own(form: Form, expected: str) -> bool:
    return bool(expected) and compare_digest(expected.encode(), form.secret("csrf").encode())


def _retry(refusal: Refused, response: web.Response) -> web.Response:
    if refusal.retry_after_s is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    return response


async def _form(request: web.Request) -> Form:
    return typed((await request.post()).items())
