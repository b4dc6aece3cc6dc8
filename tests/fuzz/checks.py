"""What schemathesis is to check beside its own checks; its configuration loads this module."""

from collections.abc import Sequence
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response

CODES = {503: "unavailable", 504: "deadline_exceeded"}
OUTCOMES = {"not_applied", "unknown"}


@schemathesis.check
def server_errors_are_told(_ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A database's failure is a problem with its code, says when to come again, and what became of a write."""
    if response.status_code not in CODES:
        return
    problem = response.json()
    assert ["application/problem+json"] == response.headers["content-type"]
    assert CODES[response.status_code] == problem["code"]
    if response.status_code == 503:
        assert int(response.headers["retry-after"][0]) >= 1
    is_write = str(case.operation.definition.raw["summary"]).startswith("Write")
    assert is_write == (problem.get("outcome") in OUTCOMES)


@schemathesis.check
class EveryOperationSucceeds:
    """At least one call of each operation is answered with a result: refusals alone would prove little.

    Those in `used_up`, which the configuration names, need what other calls of the run use up.
    """

    def __init__(self, used_up: Sequence[str] = ()) -> None:
        self._used_up = set(used_up)
        self._seen: set[str] = set()
        self._succeeded: set[str] = set()

    def after_response(self, _ctx: CheckContext, response: Response, case: Case[Any]) -> None:
        """Note the answer."""
        self._seen.add(case.operation.label)
        if response.status_code == 200:
            self._succeeded.add(case.operation.label)

    def after_run(self, _ctx: CheckContext) -> None:
        """Demand a success of each."""
        missing = sorted(self._seen - self._succeeded - self._used_up)
        assert not missing, f"never answered with a result: {', '.join(missing)}"
