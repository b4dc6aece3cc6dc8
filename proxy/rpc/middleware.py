"""What every request passes, whatever its path: the door first, and the way on which an error leaves last.

    correlation id -> Host, Origin -> token -> method -> handler -> answer or problem -> counted, logged

One wrapper around each handler, and no application of aiohttp's with a chain of middlewares: each of those costs more
than all these checks.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from multidict import istr

from proxy.logs import EventLog, correlation_id
from proxy.rpc.envelope import CORRELATION_HEADER, check_origin, check_token, correlation_of
from proxy.rpc.parts import RpcParts, RpcRules
from proxy.rpc.problem import INTERNAL, MethodNotAllowed, code_of, problem_response

OK: Final = "ok"
_CORRELATION: Final = istr(CORRELATION_HEADER)

_log = EventLog(__name__)

Handler = Callable[[web.BaseRequest, RpcParts, str], Awaitable[web.Response]]
"""Answers a request under a correlation id, or raises."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler behind the door, counted and logged by `name`. No methods are all; `is_public` asks for no token."""

    parts: RpcParts
    handler: Handler
    name: str
    methods: tuple[str, ...] = ()
    is_write: bool = False
    is_public: bool = False

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request, with a problem whatever goes wrong. Raises nothing but the cancellation of its task."""
        parts = self.parts
        started_s = time.perf_counter()
        call_id = correlation_of(request)
        correlation_id.set(call_id)
        code = OK
        with parts.inflight:
            try:
                self._admit(request, parts.rules)
                response = await self.handler(request, parts, call_id)
            except Exception as error:  # noqa: BLE001  # The boundary: whatever it was, the caller gets a problem.
                code = code_of(error)
                if code == INTERNAL:
                    _log.error("call_broke", error=error, operation=self.name)
                response = problem_response(error, correlation_id=call_id, is_write=self.is_write)
        response.headers[_CORRELATION] = call_id
        if parts.is_draining() or not request.content.is_eof():
            response.force_close()  # In the second case what is left of the body is not worth reading.
        duration_s = time.perf_counter() - started_s
        parts.recorder.rpc_finished(self.name, code, duration_s)
        parts.access_log.call_finished(operation=self.name, status=response.status, duration_s=duration_s, code=code)
        return response

    def _admit(self, request: web.BaseRequest, rules: RpcRules) -> None:
        check_origin(request, rules.allowed_hosts)
        if rules.token is not None and not self.is_public:
            check_token(request, rules.token)
        if self.methods and request.method not in self.methods:
            raise MethodNotAllowed(request.method, allowed=self.methods)
