"""The jars of one Maven artifact, exactly those of a committed lock: coordinates and SHA-256, no address.

`python -m deploy.local.maven` writes the lock anew.
"""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jgo.maven import MavenContext
from jgo.parse import Coordinate
from requests import RequestException

from deploy.local.process import PROGRAMS, ServerError, exclusive

ROOT = "software.amazon.dynamodb:DynamoDBLocal:3.0.0"
LOCK = Path(__file__).with_name("dynamodb.lock")
REPOSITORY = PROGRAMS / "maven"
STAMP = REPOSITORY / "complete"
DOWNLOADS = 4
REQUEST_TIMEOUT_S = 60
FOREIGN = ("win32", "osx", "i386")
HEADER = f"# {ROOT} and all it needs on Linux: group:artifact:packaging:version SHA-256. Made by `make lock`.\n"


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file of a repository: where it stands there, and what it must contain."""

    group: str
    artifact: str
    packaging: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.packaging}:{self.version} {self.sha256}"


def parse_lock(text: str) -> list[LockedFile]:
    """Read a lock; ValueError names a line that is not `group:artifact:packaging:version SHA-256`."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [_parse_line(line) for line in lines]


def _parse_line(line: str) -> LockedFile:
    match line.replace(" ", ":").split(":"):
        case [group, artifact, packaging, version, sha256] if len(sha256) == hashlib.sha256().digest_size * 2:
            return LockedFile(group, artifact, packaging, version, sha256)
    message = f"not a line of a lock: {line!r}"
    raise ValueError(message)


def fetch_locked() -> list[Path]:
    """Return the locked files in the order of the lock, downloading and verifying them unless that is done already."""
    text = LOCK.read_text(encoding="utf-8")
    locked = parse_lock(text)
    with exclusive(PROGRAMS / "maven.lock"):
        if STAMP.exists() and STAMP.read_text(encoding="utf-8") == text:
            return [_path(file) for file in locked]
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            paths = list(pool.map(_fetch, locked))
        STAMP.write_text(text, encoding="utf-8")
    return paths


def _path(file: LockedFile) -> Path:
    folder = REPOSITORY.joinpath(*file.group.split("."), file.artifact, file.version)
    return folder / f"{file.artifact}-{file.version}.{file.packaging}"


def _fetch(file: LockedFile) -> Path:
    path = _path(file)
    if path.exists() and _sha256(path) != file.sha256:  # The rest of an interrupted download.
        path.unlink()
    try:
        _context().project(file.group, file.artifact).at_version(file.version).artifact("", file.packaging).resolve()
    except (RequestException, RuntimeError, OSError) as error:
        raise ServerError(f"DynamoDB Local: cannot download {file.artifact} {file.version}: {error}") from error
    if _sha256(path) != file.sha256:
        path.unlink()
        raise ServerError(f"DynamoDB Local: {path.name} is not the file that {LOCK.name} names (SHA-256 differs)")
    return path


def _context() -> MavenContext:
    return MavenContext(repo_cache=REPOSITORY, timeout=REQUEST_TIMEOUT_S)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve() -> list[LockedFile]:
    """Ask the repository what the root artifact needs on Linux, now, and hash it all."""
    context = _context()
    group, artifact_name, version = ROOT.split(":")
    root = Coordinate(groupId=group, artifactId=artifact_name, version=version, scope="compile")
    inputs, transitive = context.resolver.resolve([context.create_dependency(root)])
    locked = []
    for dependency in [*inputs, *transitive]:
        artifact = dependency.artifact
        if not any(word in artifact.artifactId for word in FOREIGN):
            digest = _sha256(artifact.resolve())
            locked.append(
                LockedFile(artifact.groupId, artifact.artifactId, artifact.packaging, artifact.version, digest)
            )
    return locked


def main() -> None:
    """Write the lock."""
    root, *needed = resolve()
    lines = [str(root), *sorted(str(file) for file in needed)]
    with tempfile.NamedTemporaryFile("w", dir=LOCK.parent, delete=False, encoding="utf-8") as draft:
        draft.write(HEADER + "\n".join(lines) + "\n")
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(LOCK)


if __name__ == "__main__":
    main()
