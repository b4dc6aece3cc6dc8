"""The circuit breaker of a database: after failures in a row its calls are refused, but for a probe now and then.

    closed --- `threshold` failures in a row ---> open --- a call that succeeds ---> closed
                                                   |  ^
                                                   +--+  one probe each cool-down; a failed one doubles the cool-down

Time and chance are given to it. What a failure is, its owner decides: no answer, or none in time.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from proxy.logs import EventLog

THRESHOLD: Final = 5
COOLDOWN_S: Final = 1.0
COOLDOWN_CAP_S: Final = 10.0
JITTER: Final = 0.2

log = EventLog(__name__)


class Breaker:
    """The breaker of one database in one worker."""

    def __init__(
        self,
        name: str,
        *,
        threshold: int = THRESHOLD,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._threshold = threshold
        self._clock = clock
        self._draw = draw
        self._failures = 0
        self._cooldown_s = COOLDOWN_S
        self._probe_at_s: float | None = None
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether calls are held back; a probe under way changes nothing yet."""
        return self._probe_at_s is not None

    @property
    def retry_after_s(self) -> float:
        """Seconds until the next probe may be made; 0 when calls are let through."""
        return 0.0 if self._probe_at_s is None else max(0.0, self._probe_at_s - self._clock())

    def allow(self) -> bool:
        """Whether a call may be made now. Once a cool-down an open breaker lets one through: the probe."""
        if self._probe_at_s is None:
            return True
        if self._clock() < self._probe_at_s:
            return False
        # A probe whose outcome is never told, because its caller went away, only costs another cool-down.
        self._is_probing = True
        self._wait()
        return True

    def succeeded(self) -> None:
        """The database answered, be it with a refusal: it is there."""
        self._failures = 0
        if self._probe_at_s is not None:
            self._probe_at_s = None
            self._is_probing = False
            self._cooldown_s = COOLDOWN_S
            log.info("breaker_closed", database=self._name)

    def failed(self) -> None:
        """The database did not answer."""
        self._failures += 1
        if self._probe_at_s is None and self._failures >= self._threshold:
            self._wait()
            log.warning("breaker_opened", database=self._name, failures=self._failures)
        elif self._is_probing:
            # Calls that were under way when it opened fail too, and must not count as probes.
            self._is_probing = False
            self._cooldown_s = min(self._cooldown_s * 2, COOLDOWN_CAP_S)
            self._wait()

    def _wait(self) -> None:
        self._probe_at_s = self._clock() + self._cooldown_s * (1 + JITTER * (2 * self._draw() - 1))
