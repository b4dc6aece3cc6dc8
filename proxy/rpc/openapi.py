"""The OpenAPI 3.1 document of the listener, written from the catalogue of operations; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import Outcome, Reason
from adapters.operations import Argument, Operation, fields_of
from proxy.rpc.envelope import CORRELATION_HEADER, CORRELATION_MAX, JSON, TIMEOUT_HEADER
from proxy.rpc.problem import INTERNAL, KINDS, PROBLEM_CONTENT_TYPE
from proxy.rpc.schemas import Schema, arguments_schema, record_schemas, type_schema
from proxy.settings import CALL_DEADLINE_MAX_S

API_VERSION: Final = "1.0.0"

_CODES: Final = (
    "invalid_argument",
    "unauthenticated",
    "forbidden",
    "payload_too_large",
    INTERNAL,
    "unavailable",
    "deadline_exceeded",
)
_WRITE_CODES: Final = (*_CODES, "not_found", "conflict")
_EXAMPLES: Final[Mapping[str, object]] = {
    "username": "ana",
    "email": "ana@shop.test",
    "password_hash": "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZJ1Yx0yZ1q3W5E7n9v0b2d4f6h8j0k",
    "first_name": "Ana",
    "last_name": "Silva",
    "name": "Kettle",
    "description": "Boils a litre in three minutes.",
    "image_url": "https://shop.test/kettle.png",
    "price": 19.99,
    "min_price": 5,
    "max_price": 49.5,
    "total_amount": 59.97,
    "price_at_time": 19.99,
    "expected_total": 59.97,
    "search": "kettle",
    "search_term": "kettle",
    "status": "completed",
    "in_stock_only": True,
    "inventory_quantity": 12,
    "limit": 20,
    "offset": 0,
}


@dataclass(frozen=True, slots=True)
class Appendix:
    """Paths that are no operations, and how their callers prove who they are."""

    paths: Mapping[str, Schema] = field(default_factory=dict)
    schemes: Mapping[str, Schema] = field(default_factory=dict)


NOTHING: Final = Appendix()


def openapi_document(operations: Mapping[str, Operation], *, needs_token: bool, beside: Appendix = NOTHING) -> Schema:
    """The document; with `needs_token` it says that every call of an operation carries one."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Crossfade",
            "version": API_VERSION,
            "description": "A shop on two databases. A record that does not exist is `null`, not an error.",
        },
        "paths": {
            **{f"/rpc/{o.entity}/{o.name}": {"post": _operation(o)} for o in operations.values()},
            **beside.paths,
        },
        "components": {
            "schemas": {**record_schemas(o.result for o in operations.values()), "Problem": _problem_schema()},
            "responses": {code: _problem_response(code) for code in _WRITE_CODES},
            "parameters": _parameters(),
            "headers": {CORRELATION_HEADER: {"required": True, "schema": {"type": "string"}}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, **beside.schemes},
        },
        "security": [{"token": []}] if needs_token else [],
    }


def _operation(operation: Operation) -> Schema:
    codes = _WRITE_CODES if operation.is_write else _CODES
    return {
        "operationId": operation.full_name,
        "tags": [operation.entity],
        "summary": f"{operation.kind.value.capitalize()}: {operation.full_name}",
        "description": operation.summary,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _parameters()],
        "requestBody": _request_body(operation),
        "responses": {
            "200": _answer(operation),
            **{str(KINDS[code].status.value): {"$ref": f"#/components/responses/{code}"} for code in codes},
        },
    }


def _request_body(operation: Operation) -> Schema:
    return {
        "required": any(argument.is_required for argument in operation.arguments),
        "content": {
            JSON: {
                "schema": arguments_schema(operation.arguments),
                "example": {argument.name: _example(argument) for argument in operation.arguments},
            }
        },
    }


def _example(argument: Argument) -> object:
    """A value that the argument takes: by its name, else 1, which every id and quantity takes."""
    if argument.check is None and argument.base is not bool:
        return {field.name: _example(field) for field in fields_of(argument.base)}
    return _EXAMPLES.get(argument.name, 1)


def _answer(operation: Operation) -> Schema:
    result = type_schema(operation.result)
    return {
        "description": "The answer.",
        "headers": {
            **_correlation_header(),
            "X-Crossfade-Phase": _header(
                "The phase of the migration that the call was served in; `; override` follows where the cookie "
                "crossfade_flags chose how to read."
            ),
            "X-Crossfade-Served-By": _header("The database that answered."),
            "X-Crossfade-Shadow": _header(
                "What comparing with the other database came to, while reads go to both: match, transient, pending or "
                "skipped."
            ),
        },
        "content": {JSON: {"schema": {"type": "object", "properties": {"result": result}, "required": ["result"]}}},
    }


def _problem_response(code: str) -> Schema:
    headers = _correlation_header()
    if code == "unavailable":
        headers["Retry-After"] = {"required": True, "schema": {"type": "integer"}, "description": "Seconds."}
    return {
        "description": KINDS[code].title,
        "headers": headers,
        "content": {PROBLEM_CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _problem_schema() -> Schema:
    subject = {
        "entity": {"type": "string"},
        "id": {"type": "integer"},
        "fields": {"type": "array", "items": {"type": "string"}},
    }
    fault = {"path": {"type": "string"}, "message": {"type": "string"}}
    properties: Schema = {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"enum": list(KINDS)},
        "correlation_id": {"type": "string"},
        "outcome": {"enum": list(Outcome), "description": "What became of a failed write."},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": fault},
            "description": "What is wrong with each argument; for `gate_closed` the checks that hold the gate shut.",
        },
        "reason": {"enum": list(Reason)},
        "subject": {"type": "object", "properties": subject, "required": ["entity"]},
        "issues": {"type": "array", "items": {"type": "string"}},
        "total": {"type": "number"},
        "report": {"type": "object"},
    }
    always = ("type", "title", "status", "detail", "code", "correlation_id")
    return {"type": "object", "description": "RFC 9457.", "properties": properties, "required": list(always)}


def _parameters() -> dict[str, Schema]:
    seconds: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": CALL_DEADLINE_MAX_S}
    return {
        CORRELATION_HEADER: {
            "name": CORRELATION_HEADER,
            "in": "header",
            "description": f"Returned and logged; replaced unless 1 to {CORRELATION_MAX} printable ASCII characters.",
            "schema": {"type": "string"},
        },
        TIMEOUT_HEADER: {
            "name": TIMEOUT_HEADER,
            "in": "header",
            "description": "The seconds that the call may take.",
            "schema": seconds,
        },
    }


def _correlation_header() -> dict[str, Schema]:
    return {CORRELATION_HEADER: {"$ref": f"#/components/headers/{CORRELATION_HEADER}"}}


def _header(description: str) -> Schema:
    return {"description": description, "schema": {"type": "string"}}
