"""The paths of the RPC listener: one for each operation, the OpenAPI document, and the refusal of all others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, NoReturn, cast

from aiohttp import hdrs, web
from multidict import istr

from adapters.deadline import Deadline
from adapters.errors import InvalidArgument, NotFound, Reason
from adapters.operations import Operation
from proxy.calls import Answer, CallRequest
from proxy.flags.override import Reading
from proxy.rpc.arguments import ArgumentParser
from proxy.rpc.codec import decode, decode_exactly, encode, may_have_wide_numbers
from proxy.rpc.envelope import JSON, correlation_of, read_body, refuse_idempotency_key, time_allowed_s
from proxy.rpc.middleware import Endpoint
from proxy.rpc.openapi import NOTHING, Appendix, openapi_document
from proxy.rpc.parts import RpcParts
from proxy.rpc.problem import MethodNotAllowed, problem_response

OVERRIDE_COOKIE: Final = "crossfade_flags"
"""What a browser carries that reads by flags of its own; the shop passes it on."""
OPENAPI_PATH: Final = "/openapi.json"
READING: Final = (hdrs.METH_GET, hdrs.METH_HEAD)
_PHASE: Final = istr("X-Crossfade-Phase")
_SERVED_BY: Final = istr("X-Crossfade-Served-By")
_SHADOW: Final = istr("X-Crossfade-Shadow")

Route = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def build_rpc_server(
    operations: Mapping[str, Operation],
    parts: RpcParts,
    *,
    beside: Iterable[web.RouteDef] = (),
    appendix: Appendix = NOTHING,
    **options: Any,  # noqa: ANN401  # aiohttp's, of many types
) -> web.Server:
    """The server of these operations, and of other routes `beside` them, without the checks of the door.

    `appendix` is what `/openapi.json` says beside the operations; `options` are those of `web.Server`, which wants no
    access log, and a keep-alive of 75 s at least. To be called where the loop runs.
    """
    document = encode(openapi_document(operations, needs_token=parts.rules.token is not None, beside=appendix))
    routes: dict[str, Route] = {route.path: _unguarded(route) for route in beside}
    routes[OPENAPI_PATH] = _openapi_endpoint(parts, document).handle
    for operation in operations.values():
        routes[f"/rpc/{operation.entity}/{operation.name}"] = _operation_endpoint(parts, operation).handle
    unknown = Endpoint(parts, _refuse, name="unknown").handle

    def answer(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        # The path as it came is nearly always the one of a route, and takes no work to have.
        return (routes.get(request.raw_path) or routes.get(request.path, unknown))(request)

    loop = asyncio.get_running_loop()
    make_request = partial(web.BaseRequest, loop=loop, client_max_size=parts.rules.body_max_bytes)
    return web.Server(answer, request_factory=make_request, **options)


class OperationHandler:
    """From a request to the call of one operation, and from the answer to a response."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._parser = ArgumentParser(operation)

    async def answer(self, request: web.BaseRequest, parts: RpcParts, call_id: str) -> web.Response:
        """Check the call, wait for a slot, have it dispatched."""
        refuse_idempotency_key(request)
        deadline = Deadline.after(time_allowed_s(request, parts.rules.default_timeout_s))
        arguments = self._arguments(await read_body(request, parts.rules, deadline))
        if arguments is None:
            return _response(self._operation.absent(), {})
        await parts.limiter.enter(deadline)
        try:
            reading = await self._reading(request, parts, deadline) if hdrs.COOKIE in request.headers else None
            answer = await parts.dispatcher.call(CallRequest(self._operation, arguments, deadline, call_id, reading))
        finally:
            parts.limiter.leave()
        return _response(answer.result, _headers(answer))

    async def _reading(self, request: web.BaseRequest, parts: RpcParts, deadline: Deadline) -> Reading | None:
        cookie = request.cookies.get(OVERRIDE_COOKIE)
        if cookie is None or parts.overrides is None or self._operation.is_write:
            return None
        return await parts.overrides.reading(cookie, deadline)

    def _arguments(self, body: bytes) -> dict[str, object] | None:
        try:
            return self._parser.parse(decode(body))
        except InvalidArgument:
            if not may_have_wide_numbers(body):
                raise
            return self._parser.parse(decode_exactly(body))


def _headers(answer: Answer) -> dict[str, str]:
    headers: dict[str, str] = {_PHASE: answer.phase, _SERVED_BY: answer.served_by}
    if answer.shadow is not None:
        headers[_SHADOW] = answer.shadow
    return headers


def _response(result: object, headers: dict[str, str]) -> web.Response:
    headers[hdrs.CONTENT_TYPE] = JSON
    return web.Response(body=encode({"result": result}), headers=headers)


def _operation_endpoint(parts: RpcParts, operation: Operation) -> Endpoint:
    return Endpoint(
        parts,
        OperationHandler(operation).answer,
        name=operation.full_name,
        methods=(hdrs.METH_POST,),
        is_write=operation.is_write,
    )


def _openapi_endpoint(parts: RpcParts, document: bytes) -> Endpoint:
    async def answer(_request: web.BaseRequest, _parts: RpcParts, _call_id: str) -> web.Response:
        return web.Response(body=document, content_type=JSON)

    return Endpoint(parts, answer, name="openapi", methods=READING, is_public=True)


def _unguarded(route: web.RouteDef) -> Route:
    answer = cast("Route", route.handler)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.method in READING:
            return await answer(request)
        refused = MethodNotAllowed(request.method, allowed=READING)
        return problem_response(refused, correlation_id=correlation_of(request), is_write=False)

    return handle


async def _refuse(_request: web.BaseRequest, _parts: RpcParts, _call_id: str) -> NoReturn:
    raise NotFound(f"there is no such operation; {OPENAPI_PATH} lists them", reason=Reason.OPERATION)
