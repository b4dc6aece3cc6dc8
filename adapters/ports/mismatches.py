"""Where reports of dual reads that found different data are kept."""

from collections.abc import Mapping
from typing import Protocol

Report = Mapping[str, object]
"""`entity`, `operation`, `correlation_id` and the account itself, secrets masked."""


class Mismatches(Protocol):
    """The newest reports, so many at most."""

    async def keep(self, report: Report) -> None:
        """Keep a report, and forget the oldest. Raises Unavailable, DeadlineExceeded."""
