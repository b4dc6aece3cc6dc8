"""What `proxy.admin.openapi` promises: every admin route in the document, as it is served."""

import json
from typing import Any, Final

from openapi_spec_validator import validate

from adapters.operations import catalogue
from proxy.admin.openapi import admin_appendix
from proxy.admin.routes import ADMIN_ROUTES
from proxy.rpc.codec import encode
from proxy.rpc.openapi import openapi_document

DOCUMENT: Final[dict[str, Any]] = json.loads(
    encode(openapi_document(catalogue(), needs_token=True, beside=admin_appendix()))
)


def test_the_document_with_the_admin_api_is_valid() -> None:
    """By the specification's own schema."""
    validate(DOCUMENT)


def test_every_admin_route_is_described() -> None:
    """With its method, its status, and who may call it."""
    described = {
        (method.upper(), path): operation
        for path, methods in DOCUMENT["paths"].items()
        if path.startswith("/admin/")
        for method, operation in methods.items()
    }
    assert {(route.method, route.path) for route in ADMIN_ROUTES} == described.keys()
    for route in ADMIN_ROUTES:
        operation = described[route.method, route.path]
        assert str(route.status.value) in operation["responses"]
        assert operation["security"] == ([] if route.is_public else [{"admin_token": []}, {"session": []}])


def test_only_the_login_is_public() -> None:
    """Whatever is added to the table needs an admin unless it says otherwise."""
    assert ["login"] == [route.name for route in ADMIN_ROUTES if route.is_public]


def test_the_table_has_every_call_once() -> None:
    """Names and paths are unique: each is found by one search."""
    assert len(ADMIN_ROUTES) == len({route.name for route in ADMIN_ROUTES})
    assert len(ADMIN_ROUTES) == len({(route.method, route.path) for route in ADMIN_ROUTES})
