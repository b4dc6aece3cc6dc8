"""Prometheus' own checker of rules and their tests: one on PATH, else the distribution's, unpacked without root."""

from __future__ import annotations

import shutil

from deploy.local.packages import AptTree, host_archive
from deploy.local.process import PROGRAMS, ServerError, exclusive

UNPACKED = PROGRAMS / "promtool"
STAMP = PROGRAMS / "promtool.complete"
PACKAGES = ("promtool", "prometheus")
"""Where it is, the newer packaging first: only since Prometheus 3 has Debian a package for the tool alone."""


def find_promtool() -> tuple[str, ...]:
    """Return the words that run it, downloading it first (20 MB) if need be. ServerError when it cannot be had."""
    system = shutil.which("promtool")
    if system is not None:
        return (system,)
    with exclusive(PROGRAMS / "promtool.lock"):
        if not STAMP.exists():
            _unpack()
            STAMP.touch()
    # The package brings its own libc: only its own loader runs it on an older host.
    loader = next(path for path in sorted(UNPACKED.rglob("ld-linux-*.so.*")) if not path.is_symlink())
    return (str(loader), "--library-path", str(loader.parent), str(UNPACKED / "usr/bin/promtool"))


def _unpack() -> None:
    shutil.rmtree(UNPACKED, ignore_errors=True)
    apt = PROGRAMS / "promtool-apt"
    shutil.rmtree(apt, ignore_errors=True)
    tree = AptTree(apt, host_archive())
    tree.update()
    offered = tree.names(f"^({'|'.join(PACKAGES)})$")
    chosen = next((name for name in PACKAGES if name in offered), None)
    if chosen is None:
        raise ServerError("the distribution's archive has no promtool; install Prometheus")
    tree.unpack([chosen], UNPACKED)
    shutil.rmtree(apt)
