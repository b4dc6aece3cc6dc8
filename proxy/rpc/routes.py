"""The paths of the RPC listener: one for each operation, the OpenAPI document, and the refusal of all others."""

from collections.abc import Iterable, Mapping
from typing import Final, NoReturn

from aiohttp import hdrs, web
from multidict import istr

from adapters.deadline import Deadline
from adapters.errors import InvalidArgument, NotFound, Reason
from adapters.operations import Operation
from proxy.calls import Answer, CallRequest
from proxy.keys import RPC_PARTS, RpcParts
from proxy.rpc.arguments import ArgumentParser
from proxy.rpc.codec import decode, decode_exactly, encode, may_have_wide_numbers
from proxy.rpc.envelope import JSON, read_body, refuse_idempotency_key, time_allowed_s
from proxy.rpc.middleware import Endpoint
from proxy.rpc.openapi import openapi_document

OPENAPI_PATH: Final = "/openapi.json"
_PHASE: Final = istr("X-Crossfade-Phase")
_SERVED_BY: Final = istr("X-Crossfade-Served-By")
_SHADOW: Final = istr("X-Crossfade-Shadow")


def build_rpc_app(
    operations: Mapping[str, Operation], parts: RpcParts, *, beside: Iterable[web.AbstractRouteDef] = ()
) -> web.Application:
    """The application that serves these operations, and other routes `beside` them.

    To be run without aiohttp's access log, and with a keep-alive of 75 s at least.
    """
    app = web.Application(client_max_size=parts.rules.body_max_bytes)
    app[RPC_PARTS] = parts
    for operation in operations.values():
        _add(app, f"/rpc/{operation.entity}/{operation.name}", _operation_endpoint(operation))
    document = encode(openapi_document(operations, needs_token=parts.rules.token is not None))
    _add(app, OPENAPI_PATH, _openapi_endpoint(document))
    app.add_routes(beside)
    _add(app, "/{path:.*}", Endpoint(_refuse, name="unknown"))
    return app


class OperationHandler:
    """From a request to the call of one operation, and from the answer to a response."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._parser = ArgumentParser(operation)

    async def answer(self, request: web.Request, parts: RpcParts, call_id: str) -> web.Response:
        """Check the call, wait for a slot, have it dispatched."""
        refuse_idempotency_key(request)
        deadline = Deadline.after(time_allowed_s(request, parts.rules.default_timeout_s))
        arguments = self._arguments(await read_body(request, parts.rules, deadline))
        if arguments is None:
            return _response(self._operation.absent(), {})
        await parts.limiter.enter(deadline)
        try:
            answer = await parts.dispatcher.call(CallRequest(self._operation, arguments, deadline, call_id))
        finally:
            parts.limiter.leave()
        return _response(answer.result, _headers(answer))

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


def _operation_endpoint(operation: Operation) -> Endpoint:
    return Endpoint(
        OperationHandler(operation).answer,
        name=operation.full_name,
        methods=(hdrs.METH_POST,),
        is_write=operation.is_write,
    )


def _openapi_endpoint(document: bytes) -> Endpoint:
    async def answer(_request: web.Request, _parts: RpcParts, _call_id: str) -> web.Response:
        return web.Response(body=document, content_type=JSON)

    return Endpoint(answer, name="openapi", methods=(hdrs.METH_GET, hdrs.METH_HEAD), is_public=True)


async def _refuse(_request: web.Request, _parts: RpcParts, _call_id: str) -> NoReturn:
    raise NotFound(f"there is no such operation; {OPENAPI_PATH} lists them", reason=Reason.OPERATION)


def _add(app: web.Application, path: str, endpoint: Endpoint) -> None:
    # A route of its own without parameters is found by one look into a dict, the last one when all others fail.
    app.router.add_route(hdrs.METH_ANY, path, endpoint.handle, expect_handler=_read_first)


async def _read_first(_request: web.Request) -> None:
    """Leave `Expect: 100-continue` to the reading of the body: it comes after all the reasons not to read it."""
