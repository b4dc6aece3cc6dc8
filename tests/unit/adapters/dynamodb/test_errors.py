"""What failed requests did, and what is told of them."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from adapters.deadline import Deadline
from adapters.dynamodb.errors import Failure, Verdict, translated
from adapters.dynamodb.flight import Flight
from adapters.errors import DeadlineExceeded, PayloadTooLarge, Unavailable

SECRET: Final = "$2b$12$hush"
PAYLOAD: Final[Mapping[str, object]] = {
    "TransactItems": [
        {"Update": {"TableName": "p_Fence"}},
        {"Put": {"TableName": "p_Users", "Item": {"password_hash": {"S": SECRET}}}},
        {"Put": {"TableName": "p_Users"}},
    ]
}
CONDITION: Final = {"Code": "ConditionalCheckFailed", "Item": {"v": {"N": "3"}}}
CONFLICT: Final = {"Code": "TransactionConflict"}
TOO_LARGE: Final = {"Code": "ValidationError", "Message": "Item size to update has exceeded the maximum allowed size"}
NONE: Final = {"Code": "None"}


def answer(code: str, status: int = 400, message: str = "", reasons: list[dict[str, Any]] | None = None) -> ClientError:
    """An error as the service answers it."""
    response: dict[str, Any] = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "REQ1"},
    }
    if reasons is not None:
        response["CancellationReasons"] = reasons
    return ClientError(response, "TransactWriteItems")  # type: ignore[arg-type]  # as much of it as is read


def failure_of(error: Exception, *, is_sent: bool = True, remaining_s: float = 5) -> Failure:
    """What an attempt's exception becomes."""
    deadline = Deadline.after(remaining_s)
    flight = Flight("TransactWriteItems", PAYLOAD, "http://there", deadline, deadline, 0.5, is_sent=is_sent)
    with pytest.raises(Failure) as caught, translated(flight):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (answer("ConditionalCheckFailedException"), Verdict.REFUSED),
        (answer("ThrottlingException"), Verdict.BUSY),
        (answer("ProvisionedThroughputExceededException"), Verdict.BUSY),
        (answer("RequestLimitExceeded"), Verdict.BUSY),
        (answer("TransactionConflictException"), Verdict.BUSY),
        (answer("TransactionInProgressException"), Verdict.PENDING),
        (answer("IdempotentParameterMismatchException"), Verdict.AMBIGUOUS),
        (answer("ValidationException"), Verdict.REJECTED),
        (answer("UnrecognizedClientException"), Verdict.REJECTED),
        (answer("UnheardOf", 418), Verdict.REJECTED),
        (answer("InternalServerError", 500), Verdict.AMBIGUOUS),
        (answer("UnheardOf", 503), Verdict.AMBIGUOUS),
    ],
)
async def test_answers_are_judged_by_code_then_status(error: ClientError, verdict: Verdict) -> None:
    """Only an answer that leaves it open is taken for one."""
    failure = failure_of(error)
    assert (verdict, verdict in {Verdict.PENDING, Verdict.AMBIGUOUS}) == (failure.verdict, failure.may_be_applied)


@pytest.mark.parametrize(
    ("reasons", "verdict"),
    [
        ([CONDITION, NONE], Verdict.REFUSED),
        ([CONFLICT, CONDITION], Verdict.REFUSED),
        ([TOO_LARGE, CONDITION], Verdict.REFUSED),
        ([NONE, CONFLICT], Verdict.BUSY),
        ([{"Code": "ThrottlingError"}, CONFLICT], Verdict.BUSY),
        ([{"Code": "ProvisionedThroughputExceeded"}], Verdict.BUSY),
        ([CONFLICT, TOO_LARGE], Verdict.REJECTED),
        ([{"Code": "ItemCollectionSizeLimitExceeded"}], Verdict.REJECTED),
    ],
)
async def test_cancellations_are_judged_by_their_reasons(reasons: list[dict[str, Any]], verdict: Verdict) -> None:
    """A failed condition tells most; a busy action matters only where nothing else stands against it."""
    failure = failure_of(answer("TransactionCanceledException", reasons=reasons))
    assert verdict is failure.verdict
    assert [reason is CONDITION for reason in reasons] == [each.is_refused for each in failure.cancellations]


async def test_cancellations_show_what_their_conditions_found() -> None:
    """In the order of the actions."""
    found = failure_of(answer("TransactionCanceledException", reasons=[NONE, CONDITION])).cancellations
    assert [None, {"v": {"N": "3"}}] == [each.item for each in found]


async def test_answer_names_code_status_request_tables_and_address() -> None:
    """What an operator needs, and no value of an item."""
    text = str(failure_of(answer("ValidationException", message="Nothing doing")).error)
    where = "DynamoDB TransactWriteItems on p_Fence, p_Users at http://there"
    assert f"{where}: ValidationException, HTTP 400, request REQ1: Nothing doing" == text
    assert SECRET not in text


@pytest.mark.parametrize(
    "error",
    [
        answer("ValidationException", message="Item size has exceeded the maximum allowed size"),
        answer("TransactionCanceledException", reasons=[NONE, TOO_LARGE]),
    ],
)
async def test_item_over_the_limit_is_payload_too_large(error: ClientError) -> None:
    """Also where the service is the first to see it."""
    failure = failure_of(error)
    assert Verdict.REJECTED is failure.verdict
    assert isinstance(failure.error, PayloadTooLarge)


@pytest.mark.parametrize(("is_sent", "verdict"), [(False, Verdict.UNSENT), (True, Verdict.AMBIGUOUS)])
@pytest.mark.parametrize(
    "error", [TimeoutError(), NoCredentialsError(), ReadTimeoutError(endpoint_url="http://there"), ConnectionError()]
)
async def test_silence_is_judged_by_whether_the_request_was_sent(
    error: Exception, verdict: Verdict, *, is_sent: bool
) -> None:
    """Whatever the exception's name."""
    failure = failure_of(error, is_sent=is_sent)
    assert verdict is failure.verdict
    assert isinstance(failure.error, Unavailable)


async def test_passed_deadline_is_its_own_error() -> None:
    """Running out of an attempt's time is not: there may be another."""
    error = failure_of(TimeoutError(), remaining_s=-1).error
    assert isinstance(error, DeadlineExceeded)
    assert "after 0.500 s: no answer" in str(error)
    assert isinstance(failure_of(NoCredentialsError(), remaining_s=-1).error, Unavailable)
