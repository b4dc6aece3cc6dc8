"""What `proxy.rpc.openapi` promises: a valid OpenAPI 3.1 document of every operation."""

import json
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate

from adapters.errors import Conflict, NotFound, Reason, Subject, Unavailable
from adapters.operations import Operation, catalogue
from proxy.rpc.arguments import ArgumentParser
from proxy.rpc.codec import encode
from proxy.rpc.openapi import openapi_document
from proxy.rpc.problem import problem_members

OPERATIONS = catalogue()
DOCUMENT: dict[str, Any] = json.loads(encode(openapi_document(OPERATIONS, needs_token=True)))


def post(operation: Operation) -> dict[str, Any]:
    """What the document says of an operation."""
    described: dict[str, Any] = DOCUMENT["paths"][f"/rpc/{operation.entity}/{operation.name}"]["post"]
    return described


def test_the_document_is_valid() -> None:
    """By the specification's own schema, every reference resolved."""
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_the_document_has_each_operation_once() -> None:
    """The 53 of the catalogue, and no other path."""
    assert [f"/rpc/{name.replace('.', '/')}" for name in OPERATIONS] == list(DOCUMENT["paths"])
    assert list(OPERATIONS) == [post(operation)["operationId"] for operation in OPERATIONS.values()]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_example_is_a_call_that_is_taken(operation: Operation) -> None:
    """It passes the schema beside it and the proxy's own checks, with every argument there is."""
    content = post(operation)["requestBody"]["content"]["application/json"]
    Draft202012Validator(content["schema"]).validate(content["example"])
    assert {argument.name for argument in operation.arguments} == content["example"].keys()
    assert ArgumentParser(operation).parse(content["example"]) is not None


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_tells_its_statuses(operation: Operation) -> None:
    """A read cannot conflict, and finds nothing rather than fail; a write can do both."""
    expected = {"200", "400", "401", "403", "413", "500", "503", "504"}
    assert expected | ({"404", "409"} if operation.is_write else set()) == post(operation)["responses"].keys()
    assert post(operation)["requestBody"]["required"] == any(a.is_required for a in operation.arguments)


@pytest.mark.parametrize(
    "error",
    [
        Conflict("x", reason=Reason.UNIQUE, subject=Subject("user", 1, ("email",)), members={"issues": ["a"]}),
        NotFound("x", subject=Subject("category")),
        Unavailable("x"),
        ValueError("x"),
    ],
)
def test_a_problem_fits_its_schema(error: Exception) -> None:
    """What errors look like is told as exactly as what records look like."""
    problem = json.loads(encode(problem_members(error, correlation_id="c", is_write=True)))
    Draft202012Validator(DOCUMENT["components"]["schemas"]["Problem"]).validate(problem)


def test_the_token_is_asked_for_where_it_is_needed() -> None:
    """A listener without a token says so."""
    assert [{"token": []}] == DOCUMENT["security"]
    assert openapi_document(OPERATIONS, needs_token=False)["security"] == []


def test_the_document_of_some_operations_has_these_alone() -> None:
    """A proxy that serves one entity documents one."""
    document = openapi_document(catalogue(["user"]), needs_token=False)
    assert len(catalogue(["user"])) == len(document["paths"])
    assert {"User", "Problem"} == document["components"]["schemas"].keys()
