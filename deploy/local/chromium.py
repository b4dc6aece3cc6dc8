"""A headless Chromium: the one on PATH, else Debian's headless shell, unpacked without root.

What is unpacked runs through its own loader, for it brings its own libc. Chromium takes the program that the kernel
names (the loader) for itself: its resources are looked for there, so a copy of the loader lies beside them, and its
child processes are started by the same script.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from deploy.local.packages import AptTree, host_archive
from deploy.local.process import PROGRAMS, ServerError, exclusive

UNPACKED = PROGRAMS / "chromium"
STAMP = PROGRAMS / "chromium.complete"
SCRIPT = UNPACKED / "run"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
PACKAGE = "chromium-headless-shell"
EXECUTABLE = 0o755


def find_chromium() -> Path:
    """Return the program to run, downloading it first (180 MB, with all it needs) if there is none.

    ServerError when it cannot be had; Ubuntu's archive has none, only a pointer to a snap.
    """
    for name in NAMES:
        if system := shutil.which(name):
            return Path(system)
    with exclusive(PROGRAMS / "chromium.lock"):
        if not STAMP.exists():
            _unpack()
            STAMP.touch()
    return SCRIPT


def _unpack() -> None:
    shutil.rmtree(UNPACKED, ignore_errors=True)
    apt = PROGRAMS / "chromium-apt"
    shutil.rmtree(apt, ignore_errors=True)
    tree = AptTree(apt, host_archive())
    tree.update()
    if PACKAGE not in tree.names(f"^{PACKAGE}$"):
        raise ServerError(f"the distribution's archive has no {PACKAGE}; install Chromium")
    tree.unpack([PACKAGE], UNPACKED)
    shutil.rmtree(apt)
    _write_fonts()
    _write_script()


def _write_fonts() -> None:
    # Without a font that its configuration names, Chromium ends at the first letter.
    (UNPACKED / "fonts.conf").write_text(
        f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>{UNPACKED}/usr/share/fonts</dir><cachedir>{UNPACKED}/fonts</cachedir></fontconfig>
""",
        encoding="utf-8",
    )


def _write_script() -> None:
    home = UNPACKED / "usr/lib/chromium"
    libraries = next((UNPACKED / "usr/lib").glob("*-linux-gnu*"))
    loader = home / "loader"
    shutil.copyfile(next(iter(sorted(libraries.glob("ld-linux-*.so.*")))), loader)
    loader.chmod(EXECUTABLE)
    program = shlex.quote(str(home / PACKAGE))
    paths = shlex.quote(f"{home}:{libraries}:{libraries}/pulseaudio")
    SCRIPT.write_text(
        f"""#!/bin/sh
export FONTCONFIG_FILE={shlex.quote(str(UNPACKED / "fonts.conf"))}
exec {shlex.quote(str(loader))} --library-path {paths} --argv0 {program} {program} \\
    --browser-subprocess-path="$0" --no-zygote "$@"
""",
        encoding="utf-8",
    )
    SCRIPT.chmod(EXECUTABLE)
