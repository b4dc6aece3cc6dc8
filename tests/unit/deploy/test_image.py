"""The image: what goes into it is there and enough, its account is not root's, its check asks the right thing."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from proxy.settings import Settings
from tests.unit.deploy.files import DOCKERFILE, ROOT

TEXT = DOCKERFILE.read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = [name for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] if "." not in name]


def copied() -> list[str]:
    """What the image takes from the project's folder."""
    return re.findall(r"^COPY (?!--)(\S+) ", TEXT, re.MULTILINE)


def imported() -> Iterator[str]:
    """The top-level modules that the shipped code imports from elsewhere."""
    own = {*PACKAGES, *sys.stdlib_module_names}
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            yield from {name.partition(".")[0] for name in names} - own


def locked(lock: Path) -> set[str]:
    """The distributions of a lock, by their names in lower case with dashes."""
    return {
        name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", lock.read_text("utf-8"), re.MULTILINE)
    }


def test_everything_copied_is_let_through_and_there() -> None:
    """.dockerignore lets through what the image takes, and nothing else."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert "*" in ignored
    assert sorted(copied()) == sorted(let_through)
    assert all((ROOT / name).exists() for name in let_through)


def test_all_packages_are_copied() -> None:
    """The image has every package that an installation would have."""
    assert set(PACKAGES) < set(copied())


def test_all_imports_are_locked() -> None:
    """What the shipped code imports is in the lock that the image is made of; the tests have more installed."""
    distributions = packages_distributions()
    names = {name.lower().replace("_", "-") for module in imported() for name in distributions[module]}
    assert "aiohttp" in names
    assert names <= locked(ROOT / "requirements.lock")


def test_the_lock_pins_by_hash() -> None:
    """Every package of the lock has a hash, which the image demands."""
    entries = re.split(r"^(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert all("--hash=sha256:" in entry for entry in entries if entry.strip())
    assert "--require-hashes" in TEXT


def test_the_account_is_not_roots() -> None:
    """The last word on the account is a number other than 0, which Kubernetes can check."""
    assert int(re.findall(r"^USER (\d+)$", TEXT, re.MULTILINE)[-1]) > 0


def test_the_interpreter_is_one_that_the_project_takes() -> None:
    """Both stages have the same Python, of the series that the locks were made for."""
    images = re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)
    assert len(set(images)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", images[0])
    assert PROJECT["project"]["requires-python"] == ">=3.11"


def test_the_health_check_asks_the_admin_listener() -> None:
    """It is a program for Python that compiles, and asks /readyz where the proxy listens by default."""
    (command,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", TEXT, re.MULTILINE)
    interpreter, option, program = json.loads(command)
    assert (interpreter, option) == ("python", "-c")
    compile(program, "HEALTHCHECK", "exec")
    admin = Settings().server.admin_listen
    assert f"HTTPConnection('{admin.host}', {admin.port}" in program
    assert "'/readyz'" in program
