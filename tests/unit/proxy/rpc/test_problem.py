"""What `proxy.rpc.problem` promises: every error of the wire as a problem, and nothing told of any other."""

import json
from decimal import Decimal
from typing import Any

import pytest

from adapters.errors import (
    Conflict,
    CrossfadeError,
    DataMismatch,
    DeadlineExceeded,
    Difference,
    Fault,
    Forbidden,
    InvalidArgument,
    NotFound,
    Outcome,
    PayloadTooLarge,
    Reason,
    Subject,
    Unauthenticated,
    Unavailable,
)
from proxy.rpc.problem import KINDS, MethodNotAllowed, code_of, problem_members, problem_response

ERRORS: list[tuple[int, CrossfadeError]] = [
    (400, InvalidArgument("wrong", faults=[Fault("id", "must be an integer")])),
    (401, Unauthenticated("who")),
    (403, Forbidden("not you")),
    (404, NotFound("no such category", subject=Subject("category", 5))),
    (405, MethodNotAllowed("GET", allowed=("POST",))),
    (409, Conflict("taken", reason=Reason.UNIQUE, subject=Subject("user", fields=("email",)))),
    (413, PayloadTooLarge("too large")),
    (500, DataMismatch("differs", report={"entity": "user"})),
    (503, Unavailable("busy", retry_after_s=7)),
    (504, DeadlineExceeded("too late")),
]
ALWAYS = {"type", "title", "status", "detail", "code", "correlation_id"}


def members(error: Exception, *, is_write: bool = False) -> dict[str, Any]:
    """The members of an error's problem, loosely typed as JSON is."""
    return problem_members(error, correlation_id="c-1", is_write=is_write)


@pytest.mark.parametrize(("status", "error"), ERRORS, ids=lambda value: getattr(type(value), "code", None))
def test_a_problem_says_what_every_problem_says(status: int, error: CrossfadeError) -> None:
    """Type, title, status, detail, code and correlation id, in the response as in its body."""
    response = problem_response(error, correlation_id="c-1", is_write=False)
    assert isinstance(response.body, bytes)
    problem = json.loads(response.body)
    expected = {
        "type": f"urn:crossfade:error:{error.code}",
        "status": status,
        "detail": str(error),
        "code": error.code,
        "correlation_id": "c-1",
    }
    assert expected == {name: problem[name] for name in expected}
    assert problem["title"]
    assert status == response.status
    assert response.headers["Content-Type"] == "application/problem+json"


def test_every_code_of_the_wire_has_a_status() -> None:
    """A new class of errors cannot be forgotten here."""
    assert {error.code for error in CrossfadeError.__subclasses__()} | {"internal"} == set(KINDS)


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        ({"errors": (Fault("id", "must be an integer"),)}, ERRORS[0][1]),
        ({"reason": "record", "subject": {"entity": "category", "id": 5}}, ERRORS[3][1]),
        ({"reason": "operation"}, NotFound("no such operation", reason=Reason.OPERATION)),
        ({"reason": "unique", "subject": {"entity": "user", "fields": ("email",)}}, ERRORS[5][1]),
        ({"report": {"entity": "user"}}, ERRORS[7][1]),
        ({}, ERRORS[8][1]),
    ],
)
def test_a_problem_has_the_members_of_its_code(expected: dict[str, object], error: CrossfadeError) -> None:
    """Errors, reason and subject, report: each where it belongs, and what is not known is left out."""
    problem = members(error)
    assert expected == {name: value for name, value in problem.items() if name not in ALWAYS}


def test_a_conflict_carries_its_own_members() -> None:
    """Issues and totals stand beside the others, money as on the wire."""
    error = Conflict("changed", reason=Reason.CART_CHANGED, members={"total": Decimal("5.5"), "issues": ["a"]})
    response = problem_response(error, correlation_id="c", is_write=True)
    assert isinstance(response.body, bytes)
    assert b'"total":5.50' in response.body
    assert b'"issues":["a"]' in response.body


def test_no_member_of_a_conflict_hides_a_common_one() -> None:
    """Code and status are what they are."""
    error = Conflict("x", reason=Reason.CYCLE, members={"code": "ok", "status": 200, "outcome": "applied"})
    problem = members(error, is_write=True)
    assert ("conflict", 409, "not_applied") == (problem["code"], problem["status"], problem["outcome"])


def test_a_report_may_hold_differences() -> None:
    """A mismatch is told with paths and both values, whatever their types."""
    difference = Difference("price", Decimal("1.00"), None, "price mismatch")
    response = problem_response(
        DataMismatch("x", report={"differences": [difference]}), correlation_id="", is_write=False
    )
    assert isinstance(response.body, bytes)
    (told,) = json.loads(response.body)["report"]["differences"]
    assert {"path": "price", "authority": 1.0, "shadow": None, "message": "price mismatch"} == told


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (Outcome.NOT_APPLIED, InvalidArgument("wrong")),
        (Outcome.NOT_APPLIED, Unavailable("busy")),
        (Outcome.UNKNOWN, Unavailable("the answer was lost", outcome=Outcome.UNKNOWN)),
        (Outcome.UNKNOWN, DeadlineExceeded("too late", outcome=Outcome.UNKNOWN)),
        (Outcome.UNKNOWN, ValueError("a bug")),
        (Outcome.UNKNOWN, CrossfadeError("a bug")),
        (Outcome.NOT_APPLIED, CrossfadeError("a bug", outcome=Outcome.NOT_APPLIED)),
    ],
)
def test_a_failed_write_always_says_its_outcome(expected: Outcome, error: Exception) -> None:
    """What the error knows; else nothing was sent, unless the error is one that nobody expected."""
    assert expected == members(error, is_write=True)["outcome"]


def test_a_failed_read_has_no_outcome() -> None:
    """There is nothing that could have been applied."""
    assert "outcome" not in members(Unavailable("busy", outcome=Outcome.UNKNOWN))


@pytest.mark.parametrize("error", [ValueError("password=s3cret"), KeyError("s3cret"), CrossfadeError("s3cret")])
def test_an_unexpected_error_tells_nothing_of_itself(error: Exception) -> None:
    """Status 500, code `internal`, and the correlation id under which the log has the rest."""
    problem = members(error)
    assert (500, "internal", "c-1") == (problem["status"], problem["code"], problem["correlation_id"])
    assert "s3cret" not in str(problem)
    assert code_of(error) == "internal"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("Retry-After", "7", Unavailable("busy", retry_after_s=7)),
        ("WWW-Authenticate", 'Bearer realm="crossfade"', Unauthenticated("who")),
        ("Allow", "GET, HEAD", MethodNotAllowed("POST", allowed=("GET", "HEAD"))),
    ],
)
def test_a_problem_comes_with_the_headers_of_its_status(name: str, value: str, error: CrossfadeError) -> None:
    """What HTTP wants to be said in a header is."""
    assert value == problem_response(error, correlation_id="c", is_write=False).headers[name]


def test_a_wrong_method_is_an_invalid_argument_with_a_status_of_its_own() -> None:
    """The codes of the wire stay the nine; the caller learns which methods there are."""
    problem = members(MethodNotAllowed("GET", allowed=("POST",)))
    assert (405, "invalid_argument") == (problem["status"], problem["code"])
    assert [Fault("method", "must be POST here")] == list(problem["errors"])
