"""The jars of one Maven artifact, exactly those of a committed lock: coordinates and SHA-256, no address.

`python -m deploy.local.maven` writes the lock anew.
"""

from __future__ import annotations

import hashlib
import http.client
import ssl
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import certifi
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext
from jgo.parse import Coordinate

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

    @property
    def path(self) -> str:
        """Where the file stands in any Maven repository."""
        name = f"{self.artifact}-{self.version}.{self.packaging}"
        return "/".join([*self.group.split("."), self.artifact, self.version, name])

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
        if not STAMP.exists() or STAMP.read_text(encoding="utf-8") != text:
            with ThreadPoolExecutor(DOWNLOADS) as pool:
                list(pool.map(partial(_fetch, _trust()), locked))
            STAMP.write_text(text, encoding="utf-8")
    return [REPOSITORY / file.path for file in locked]


def _trust() -> ssl.SSLContext:
    # The host's own authorities, and the public ones for a host that has none installed.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _fetch(trust: ssl.SSLContext, file: LockedFile) -> None:
    target = REPOSITORY / file.path
    if target.exists() and _sha256(target.read_bytes()) == file.sha256:
        return
    content = _download(trust, f"{MAVEN_CENTRAL_URL}/{file.path}")
    if _sha256(content) != file.sha256:
        raise ServerError(f"DynamoDB Local: {target.name} is not the file that {LOCK.name} names (SHA-256 differs)")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _download(trust: ssl.SSLContext, url: str, attempts: int = 3) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_TIMEOUT_S, context=trust) as answer:  # noqa: S310  # A constant's.
            content: bytes = answer.read()
            return content
    except (OSError, http.client.HTTPException) as error:
        if attempts > 1:
            return _download(trust, url, attempts - 1)
        raise ServerError(f"DynamoDB Local: cannot download {url}: {error}; run it again to go on") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def resolve() -> list[LockedFile]:
    """Ask the repository what the root artifact needs on Linux, now, and hash it all."""
    context = MavenContext(repo_cache=REPOSITORY, timeout=REQUEST_TIMEOUT_S)
    group, artifact_name, version = ROOT.split(":")
    root = Coordinate(groupId=group, artifactId=artifact_name, version=version, scope="compile")
    inputs, transitive = context.resolver.resolve([context.create_dependency(root)])
    locked = []
    for dependency in [*inputs, *transitive]:
        artifact = dependency.artifact
        if not any(word in artifact.artifactId for word in FOREIGN):
            digest = _sha256(artifact.resolve().read_bytes())
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
