"""Makes `.venv` as requirements-dev.lock says: `python3.11 -m deploy.local.environment`. Standard library only.

Debian splits `ensurepip` and pip off its Python. When both are missing, pip's own wheel is taken from the
distribution's archive, unpacked, and used once to install pip into the environment.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from deploy.local.packages import AptTree, host_archive
from deploy.local.process import LOCAL, ServerError, exclusive

ROOT = LOCAL.parent
FOLDER = ROOT / ".venv"
PYTHON = FOLDER / "bin" / "python"
STAMP = FOLDER / "complete"
LOCK = ROOT / "requirements-dev.lock"
PROJECT = ROOT / "pyproject.toml"
WHEELS = "usr/share/python-wheels"


def main() -> None:
    """Make the environment unless it is there already, made of the same lock in the same place."""
    with exclusive(LOCAL / "environment.lock"):
        state = _state()
        if STAMP.exists() and STAMP.read_text(encoding="utf-8") == state:
            return
        print(f"Making {FOLDER} from {LOCK.name} ...", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        _make()
        STAMP.write_text(state, encoding="utf-8")


def _state() -> str:
    tables = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    packaging = [tables["build-system"], tables["project"], tables["tool"]["setuptools"]]  # Not the tools' settings.
    digest = hashlib.sha256(LOCK.read_bytes() + json.dumps(packaging).encode()).hexdigest()
    return f"{digest} {sys.version} {FOLDER}\n"


def _make() -> None:
    whole = subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], capture_output=True, check=False)
    pip = [str(PYTHON), "-m", "pip"]
    if whole.returncode != 0:
        _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(FOLDER))
        pip = [str(PYTHON), str(_pip_wheel() / "pip")]
    install = [*pip, "install", "--quiet", "--disable-pip-version-check"]
    _run(*install, "--require-hashes", "-r", str(LOCK))
    _run(*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def _pip_wheel() -> Path:
    """Find a wheel of pip, which Python can run as it is, on the host or in the distribution's archive."""
    if wheels := sorted(Path("/", WHEELS).glob("pip-*.whl")):
        return wheels[-1]
    unpacked = LOCAL / "programs" / "pip"
    apt = LOCAL / "programs" / "pip-apt"
    shutil.rmtree(apt, ignore_errors=True)
    tree = AptTree(apt, host_archive())
    tree.update()
    tree.unpack(["python3-pip-whl"], unpacked)
    shutil.rmtree(apt)
    return max((unpacked / WHEELS).glob("pip-*.whl"))


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(command)}")


if __name__ == "__main__":
    try:
        main()
    except ServerError as error:
        sys.exit(f"{error}\nor install pip: apt-get install python3-venv")
