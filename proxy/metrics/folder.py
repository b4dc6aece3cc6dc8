"""A folder in memory that goes with the processes that use it.

Whoever opens one removes it in the end. A killed one cannot, and a container's memory can outlive it many times; so
each new one also clears away those that no living process holds.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

IN_MEMORY: Final = "/dev/shm"  # noqa: S108  # Folders of our own are made in it.
PREFIX: Final = "crossfade-metrics-"
LOCK: Final = "lock"
UNLOCKED: Final = "unlocked"


def place() -> Path:
    """Where folders are made: in memory if that can be had, for a file on a disk can stall its writer."""
    return Path(IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else tempfile.gettempdir())


@contextmanager
def open_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, gone on leaving, or once this process and all that it forked have ended."""
    _clear_abandoned(parent)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent) as name:
        folder = Path(name)
        with _locked(folder):
            yield folder


def _locked(folder: Path) -> TextIO:
    """A file in the folder that is locked from the moment it has its name, until its last holder's end."""
    lock = (folder / UNLOCKED).open("w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (folder / UNLOCKED).rename(folder / LOCK)
    return lock


def _clear_abandoned(parent: Path) -> None:
    for path in parent.glob(f"{PREFIX}*/{LOCK}"):
        try:
            with path.open("r+", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.parent)
        except OSError:
            # It is held, another's, or just being cleared by another.
            continue
