"""A proxy that watches its own garbage collector: `python -m tests.load.observed FILE`, settings as for `serve`.

Every full collection is noted, with its end on the monotonic clock, which all processes share, and with the processor
time that it took: on a busy machine other processes lengthen it by the clock. SIGUSR1 asks for one at once, in the
midst of the load. What was noted is in FILE when the proxy has drained.
"""

import gc
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, Final

import orjson

from proxy.settings import load_settings
from proxy.wiring.serve import run_server

FULL: Final = 2


class Watch:
    """Times every full collection."""

    def __init__(self) -> None:
        self._began_s = 0.0
        self.seen: list[tuple[float, float]] = []
        """When each ended, and the processor time it took, in seconds."""

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """See gc.callbacks."""
        if info["generation"] != FULL:
            return
        spent_s = time.thread_time()
        if phase == "start":
            self._began_s = spent_s
        else:
            self.seen.append((time.monotonic(), spent_s - self._began_s))


def collect(_number: int, _frame: FrameType | None) -> None:
    """Collect in full."""
    gc.collect()


def main() -> int:
    """Serve as `crossfade serve` does; its exit code."""
    watch = Watch()
    gc.callbacks.append(watch)
    signal.signal(signal.SIGUSR1, collect)
    code = run_server(load_settings(os.environ))
    Path(sys.argv[1]).write_bytes(orjson.dumps(watch.seen))
    return code


if __name__ == "__main__":
    sys.exit(main())
