"""What a failed request did, and the wire's error for it: one table of the service's codes, one context manager.

Certainty comes first, because the write protocol turns on it. Nothing outside this folder sees a name of the SDK.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError

from adapters.dynamodb.flight import Flight, TooLate
from adapters.dynamodb.typed_json import Attributes
from adapters.errors import CrossfadeError, DeadlineExceeded, PayloadTooLarge, Unavailable

MESSAGE_MAX: Final = 300
"""Characters of the service's own message that an error repeats."""
TRANSACTION_CANCELED: Final = "TransactionCanceledException"
SERVER_ERROR: Final = 500


class Verdict(StrEnum):
    """What a failed request did to the data. Only the last two leave it open."""

    REFUSED = "refused"
    """A condition did not hold."""
    REJECTED = "rejected"
    """The service will not have it, now or later."""
    UNSENT = "unsent"
    """It never left: no address, no connection, no signature or no free connection in time."""
    BUSY = "busy"
    """Throttled, or in conflict with another transaction; it may pass in a moment."""
    PENDING = "pending"
    """An earlier attempt under the same token is not decided yet."""
    AMBIGUOUS = "ambiguous"
    """It was sent and not answered, or answered by a fault of the server: applied, not applied, or applied later."""


# What is not listed here is REJECTED below HTTP status 500, AMBIGUOUS from there on.
# IdempotentParameterMismatchException: the payload itself was turned away, but another was taken under this token. No
# token of ours ever serves two payloads, so nothing is known about the other one.
VERDICTS: Final[Mapping[str, Verdict]] = {
    "ConditionalCheckFailedException": Verdict.REFUSED,
    "TransactionConflictException": Verdict.BUSY,
    "ReplicatedWriteConflictException": Verdict.BUSY,
    "ThrottlingException": Verdict.BUSY,
    "ProvisionedThroughputExceededException": Verdict.BUSY,
    "RequestLimitExceeded": Verdict.BUSY,
    "TransactionInProgressException": Verdict.PENDING,
    "IdempotentParameterMismatchException": Verdict.AMBIGUOUS,
}
# The reasons of a cancelled transaction; one not listed is REJECTED.
REASONS: Final[Mapping[str, Verdict]] = {
    "ConditionalCheckFailed": Verdict.REFUSED,
    "TransactionConflict": Verdict.BUSY,
    "ThrottlingError": Verdict.BUSY,
    "ProvisionedThroughputExceeded": Verdict.BUSY,
}
NO_REASON: Final = "None"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Why one action stopped its transaction: the service's code, "None" for an action that did not.

    `item` is what a failed condition found under the key, None when nothing was there.
    """

    code: str
    item: Attributes | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the action's condition did not hold."""
        return REASONS.get(self.code) is Verdict.REFUSED


class Failure(Exception):
    """A failed request: the verdict on it, the wire's error, and for a cancelled transaction a reason for each action.

    `may_be_applied` says whether this attempt or an earlier one of the same request may have been, or may yet be,
    applied.
    """

    def __init__(
        self,
        verdict: Verdict,
        error: CrossfadeError,
        *,
        cancellations: Sequence[Cancellation] = (),
        may_be_applied: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.verdict = verdict
        self.error = error
        self.cancellations = tuple(cancellations)
        self.may_be_applied = may_be_applied or verdict in {Verdict.PENDING, Verdict.AMBIGUOUS}


@contextmanager
def translated(flight: Flight) -> Iterator[None]:
    """Turn what the SDK raises during an attempt into a Failure."""
    try:
        yield
    except ClientError as error:
        raise _answered(error, flight) from error
    except (BotoCoreError, ResponseParserError, OSError, DeadlineExceeded) as error:
        raise _unanswered(error, flight) from error


def _answered(error: ClientError, flight: Flight) -> Failure:
    response = cast("Mapping[str, Any]", error.response)
    code, status = response["Error"].get("Code", "?"), response["ResponseMetadata"]["HTTPStatusCode"]
    reasons = response.get("CancellationReasons", ()) if code == TRANSACTION_CANCELED else ()
    cancellations = [Cancellation(reason["Code"], reason.get("Item")) for reason in reasons]
    message = response["Error"].get("Message", "")[:MESSAGE_MAX]
    request_id = response["ResponseMetadata"].get("RequestId", "?")
    text = f"{_name(flight)}: {code}, HTTP {status}, request {request_id}: {message}"
    is_too_large = "Item size" in message or any("Item size" in reason.get("Message", "") for reason in reasons)
    wire: CrossfadeError = PayloadTooLarge(text) if is_too_large else Unavailable(text)
    verdict = _verdict_on(cancellations) if cancellations else VERDICTS.get(code, _verdict_by_status(status))
    return Failure(verdict, wire, cancellations=cancellations)


def _verdict_by_status(status: int) -> Verdict:
    return Verdict.AMBIGUOUS if status >= SERVER_ERROR else Verdict.REJECTED


def _verdict_on(cancellations: Sequence[Cancellation]) -> Verdict:
    """A failed condition tells most; beside one that will not pass, waiting for a busy action is in vain."""
    codes = {cancellation.code for cancellation in cancellations} - {NO_REASON}
    verdicts = {REASONS.get(code, Verdict.REJECTED) for code in codes}
    return next(v for v in (Verdict.REFUSED, Verdict.REJECTED, Verdict.BUSY) if v in verdicts or v is Verdict.BUSY)


def _unanswered(error: Exception, flight: Flight) -> Failure:
    verdict = Verdict.AMBIGUOUS if flight.is_sent else Verdict.UNSENT
    progress = "no answer" if flight.is_sent else "not sent"
    if _is_out_of_time(error) and flight.deadline.remaining_s <= 0:
        passed = f"the deadline passed in {_name(flight)} after {flight.allowed_s:.3f} s: {progress}"
        return Failure(verdict, DeadlineExceeded(passed))
    detail = (
        f"{flight.allowed_s:.3f} s were over"
        if _is_out_of_time(error)
        else f"{type(error).__name__}: {str(error)[:MESSAGE_MAX]}"
    )
    return Failure(verdict, Unavailable(f"{_name(flight)}: {progress}, {detail}"))


def _is_out_of_time(error: Exception) -> bool:
    cause = error.kwargs.get("error") if isinstance(error, HTTPClientError) else error
    return isinstance(cause, DeadlineExceeded | TooLate | TimeoutError)


def _name(flight: Flight) -> str:
    return f"DynamoDB {flight.action} on {', '.join(_tables(flight.payload)) or '-'} at {flight.address}"


def _tables(payload: Mapping[str, object]) -> Sequence[str]:
    """The tables that a request names, each once, in order."""
    fields = cast("Mapping[str, Any]", payload)
    actions = [action for entry in fields.get("TransactItems", ()) for action in entry.values()]
    named = [action["TableName"] for action in (fields, *actions) if "TableName" in action]
    return list(dict.fromkeys([*named, *fields.get("RequestItems", ())]))
