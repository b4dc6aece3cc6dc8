"""Failed logins, counted over all workers."""

from datetime import datetime
from typing import Protocol


class LoginAttempts(Protocol):
    """Who tried in vain, kept for a day. Raises Unavailable, DeadlineExceeded.

    Whoever wants no more than so many tries at once records each before it looks at the password, and forgets it when
    the password was right: tries that run side by side are then counted too.
    """

    async def record(self, name: str, address: str, at: datetime) -> None:
        """Note one more failed attempt for this name, in any spelling, from this address."""

    async def failures(self, name: str, address: str, window_s: float) -> int:
        """How many there were for both together within so many seconds before now."""

    async def forget(self, name: str, address: str) -> None:
        """Count anew: somebody knew the password."""
