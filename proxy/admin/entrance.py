"""The admin listener's door: what each request under `/admin` passes, and how the JSON API answers.

correlation id -> Host, Origin -> [page] | who -> form token -> values -> room -> answer or problem
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from adapters.deadline import Deadline
from adapters.errors import NotFound, Reason
from proxy.admin.api import AdminApi
from proxy.admin.calls import AdminCall
from proxy.admin.doorman import bearer_of
from proxy.admin.doorman_ports import Doorman, Principal
from proxy.admin.fields import Place, read_fields
from proxy.admin.records import Actor
from proxy.admin.routes import ADMIN_ROUTES, AdminRoute
from proxy.background import Background
from proxy.inflight import Inflight
from proxy.logs import EventLog, correlation_id
from proxy.rpc.codec import decode, encode
from proxy.rpc.envelope import CORRELATION_HEADER, JSON, check_origin, correlation_of, read_body
from proxy.rpc.parts import RpcRules
from proxy.rpc.problem import INTERNAL, MethodNotAllowed, code_of, problem_response

ADMIN: Final = "/admin"
CSRF_HEADER: Final = "X-CSRF-Token"
ANONYMOUS: Final = "nobody"
LOOKING: Final = (hdrs.METH_GET, hdrs.METH_HEAD)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer under `/admin` carries, unless it says otherwise itself."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class EntranceParts:
    """What the door works with."""

    doorman: Doorman
    rules: RpcRules
    inflight: Inflight
    background: Background


def admin_application(api: AdminApi, parts: EntranceParts, *, beside: Iterable[web.RouteDef]) -> web.Application:
    """The application of the admin listener; `beside` the API stand the page, health and metrics."""
    app = web.Application(client_max_size=parts.rules.body_max_bytes, middlewares=[_guard(parts)])
    app.on_response_prepare.append(_with_headers)
    app.add_routes(beside)
    app.add_routes(
        [web.route(route.method, route.path, JsonEndpoint(route, api, parts).handle) for route in ADMIN_ROUTES]
    )
    return app


class JsonEndpoint:
    """One route of the API."""

    def __init__(self, route: AdminRoute, api: AdminApi, parts: EntranceParts) -> None:
        self._route = route
        self._api = api
        self._parts = parts

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a call, or raise."""
        route, parts = self._route, self._parts
        principal = None if route.is_public else await self._admitted(request)
        deadline = Deadline.after(parts.rules.default_timeout_s)
        given: dict[Place, Mapping[str, object]] = {
            Place.BODY: decode(await read_body(request, parts.rules, deadline)) if route.is_change else {},
            Place.QUERY: dict(request.query),
            Place.PATH: dict(request.match_info),
        }
        values = read_fields(route.fields, given)
        answer = await route.answer(self._api, AdminCall(request, values, self._actor(request, principal), principal))
        body = encode({"success": True, "data": answer.data})
        response = web.Response(status=route.status, body=body, headers={hdrs.CONTENT_TYPE: JSON})
        if answer.dress is not None:
            answer.dress(response)
        return response

    async def _admitted(self, request: web.Request) -> Principal:
        principal = await self._parts.doorman.principal(request)
        # A browser sends its cookies with whatever lures it; it cannot be lured into sending this header.
        if self._route.is_change and bearer_of(request) is None:
            self._parts.doorman.check_csrf(principal, request.headers.get(CSRF_HEADER, ""))
        return principal

    def _actor(self, request: web.Request, principal: Principal | None) -> Actor:
        address = self._parts.doorman.address_of(request)
        if principal is None:
            return Actor(ANONYMOUS, address)
        return Actor(principal.username, address, principal.user_id)


def _guard(parts: EntranceParts) -> Middleware:
    """What stands around every handler under `/admin`; health and metrics know nothing of it."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(ADMIN):
            return await handler(request)
        correlation_id.set(call_id := correlation_of(request))
        answering = _guarded(request, handler, parts, call_id)
        if request.method in LOOKING:
            response = await answering
        else:
            # What is being changed is changed to the end, whether the caller waits for it or not.
            with parts.inflight:
                response = await parts.background.finish("admin.change", answering)
        if not response.prepared:
            response.headers[CORRELATION_HEADER] = call_id
        return response

    return guard


async def _guarded(request: web.Request, handler: Handler, parts: EntranceParts, call_id: str) -> web.StreamResponse:
    try:
        check_origin(request, parts.rules.allowed_hosts)
        return await handler(request)
    except web.HTTPException as answer:
        error = _translated(request, answer)
        if error is None:
            raise
        return problem_response(error, correlation_id=call_id, is_write=False)
    except Exception as error:  # noqa: BLE001  # The boundary: whatever it was, the caller gets a problem.
        if code_of(error) == INTERNAL:
            _log.error("admin_call_broke", error=error, path=request.path)
        return problem_response(error, correlation_id=call_id, is_write=False)


def _translated(request: web.Request, answer: web.HTTPException) -> Exception | None:
    match answer:
        case web.HTTPNotFound():
            return NotFound("there is nothing under this path", reason=Reason.OPERATION)
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(request.method, allowed=sorted(answer.allowed_methods))
        case _:
            return None


async def _with_headers(request: web.Request, response: web.StreamResponse) -> None:
    if request.path.startswith(ADMIN):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
