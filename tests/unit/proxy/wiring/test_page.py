"""What the flag page says of errors."""

from adapters.errors import Conflict, CrossfadeError, Fault, Forbidden, InvalidArgument, Reason, TooManyAttempts
from proxy.wiring.page import refusal_of


def test_refusal_names_every_wrong_value() -> None:
    """A sentence, and a line for each fault."""
    refusal = refusal_of(InvalidArgument("the flags were not changed", faults=[Fault("x", "is no flag")]))
    assert (400, "The flags were not changed.", ("x: is no flag",)) == (
        refusal.status,
        refusal.sentence,
        refusal.details,
    )
    assert not refusal.is_gate_closed


def test_refusal_of_a_shut_gate_names_its_checks() -> None:
    """Each check with its evidence; another conflict offers no force."""
    check = {"sentence": "All is well.", "verdict": "failed", "figure": "1 fault", "threshold": "0 faults"}
    shut = Conflict("the gate is closed: x", reason=Reason.GATE_CLOSED, members={"errors": [check]})
    assert refusal_of(shut).is_gate_closed
    assert ("All is well. Verdict: failed. Found: 1 fault. Asked for: 0 faults.",) == refusal_of(shut).details
    stale = refusal_of(Conflict("the version is another", reason=Reason.STALE_VERSION))
    assert (409, (), False) == (stale.status, stale.details, stale.is_gate_closed)


def test_refusal_says_when_to_try_again() -> None:
    """Too many logins are 429 with a time; a missing right is 403; nothing is told of an unexpected error."""
    late = refusal_of(TooManyAttempts("too many attempts", retry_after_s=90))
    assert (429, 90) == (late.status, late.retry_after_s)
    assert 403 == refusal_of(Forbidden("this user is no super admin")).status
    assert "secret" not in refusal_of(CrossfadeError("secret")).sentence
