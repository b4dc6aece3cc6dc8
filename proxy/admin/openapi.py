"""The admin API's part of the OpenAPI document, written from the table of its routes; pure."""

from collections.abc import Iterable
from typing import Final

from proxy.admin.doorman import SESSION_COOKIE
from proxy.admin.entrance import CSRF_HEADER
from proxy.admin.fields import Field, Place
from proxy.admin.routes import ADMIN_ROUTES, AdminRoute
from proxy.rpc.envelope import JSON
from proxy.rpc.openapi import Appendix
from proxy.rpc.problem import PROBLEM_CONTENT_TYPE
from proxy.rpc.schemas import Schema

TAG: Final = "admin"
SCHEMES: Final[dict[str, Schema]] = {
    "admin_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The shop's, HS256."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": f"Set by the login. What is changed needs the login's csrf_token as {CSRF_HEADER} besides.",
    },
}
"""How an admin proves to be one."""


def admin_appendix() -> Appendix:
    """The admin API, which is on the admin listener alone."""
    return Appendix(_paths(), SCHEMES)


def _paths() -> dict[str, Schema]:
    paths: dict[str, Schema] = {}
    for route in ADMIN_ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: AdminRoute) -> Schema:
    fields = [field for field in route.fields if field.place is not Place.BODY]
    described: Schema = {
        "operationId": f"admin.{route.name}",
        "tags": [TAG],
        "summary": route.summary,
        "description": "On the admin listener.",
        "parameters": [_parameter(field) for field in fields],
        "responses": {str(route.status.value): _answer(), "default": _problem()},
        "security": [] if route.is_public else [{name: []} for name in SCHEMES],
    }
    if route.is_change:
        body = [field for field in route.fields if field.place is Place.BODY]
        described["requestBody"] = {
            "required": any(field.is_required for field in body),
            "content": {JSON: {"schema": _object(body)}},
        }
    return described


def _parameter(field: Field) -> Schema:
    return {"name": field.name, "in": field.place.value, "required": field.is_required, "schema": field.schema}


def _object(fields: Iterable[Field]) -> Schema:
    described = list(fields)
    schema: Schema = {
        "type": "object",
        "properties": {field.name: field.schema for field in described},
        "additionalProperties": False,
    }
    if required := [field.name for field in described if field.is_required]:
        schema["required"] = required
    return schema


def _answer() -> Schema:
    properties: Schema = {"success": {"const": True}, "data": {"type": "object"}}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"description": "Done.", "content": {JSON: {"schema": schema}}}


def _problem() -> Schema:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "Refused.", "content": {PROBLEM_CONTENT_TYPE: {"schema": schema}}}
