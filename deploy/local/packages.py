"""Debian packages without root: unpacked into a folder from the archive that the host itself is configured to use.

    /etc/apt (text) -> find_archive -> Archive -> unpack(packages, into=folder)

On Debian the suite is sid, the only one with MySQL; on Ubuntu the host's own suite, which has it.
Nothing is installed, and the host's apt stays untouched: the tree has its own state, cache and empty package list.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deploy.local.process import ServerError

APT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
KEYRINGS = Path("/usr/share/keyrings")
ROLLING_SUITES = frozenset({"stable", "oldstable", "testing", "unstable", "sid"})
ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")
COMMAND_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the host's apt configuration."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None


@dataclass(frozen=True, slots=True)
class Archive:
    """Where packages are taken from: lines of a sources.list."""

    lines: tuple[str, ...]
    is_ubuntu: bool


def parse_sources(text: str) -> Iterator[Source]:
    """Read apt sources in the paragraph form (`URIs:`) or the one-line form (`deb ...`); disabled ones are left out."""
    if re.search(r"^URIs:", text, re.MULTILINE | re.IGNORECASE):
        for paragraph in re.split(r"\n\s*\n", text):
            yield from _paragraph(paragraph)
        return
    for line in text.splitlines():
        if match := ONE_LINE.match(line.partition("#")[0].strip()):
            signed_by = re.search(r"signed-by=(\S+)", match["options"] or "")
            suite, components = (match["suite"],), tuple(match["components"].split())
            yield Source(match["uri"], suite, components, signed_by[1] if signed_by else None)


def _paragraph(text: str) -> Iterator[Source]:
    unfolded = re.sub(r"\n[ \t]+", " ", re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE))
    fields = {name.lower(): value.split() for name, _, value in (line.partition(":") for line in unfolded.splitlines())}
    if "deb" in fields.get("types", ()) and fields.get("enabled") != ["no"]:
        suites, components = tuple(fields.get("suites", ())), tuple(fields.get("components", ()))
        signed_by = fields.get("signed-by", ())
        key = signed_by[0] if len(signed_by) == 1 else None  # More words are a key written out, not a path.
        for uri in fields.get("uris", ()):
            yield Source(uri, suites, components, key)


def find_archive(sources: list[Source], os_release: dict[str, str]) -> Archive:
    """Choose the distribution's main archive among all sources: its suites are the release's, its component is main.

    Others may copy both names (some vendors do), so an address that ends with the distribution's name goes first.
    ServerError when there is none.
    """
    is_ubuntu = os_release.get("ID") == "ubuntu" or "UBUNTU_CODENAME" in os_release
    codename = os_release.get("UBUNTU_CODENAME") or os_release.get("VERSION_CODENAME", "sid")
    suites = {codename, *ROLLING_SUITES}
    mains = [source for source in sources if "main" in source.components and suites & set(source.suites)]
    name = "ubuntu" if is_ubuntu else "debian"
    mains.sort(key=lambda source: PurePosixPath(source.uri).name != name)
    if not mains:
        raise ServerError(f"no archive of {name} {codename} among the apt sources in {APT}; install MySQL >= 8.0.22")
    options = f"[signed-by={mains[0].signed_by}] " if mains[0].signed_by else ""
    prefix = f"deb {options}{mains[0].uri}"
    if is_ubuntu:
        return Archive((f"{prefix} {codename} main universe", f"{prefix} {codename}-updates main universe"), is_ubuntu)
    return Archive((f"{prefix} sid main",), is_ubuntu)


def host_archive() -> Archive:
    """The archive of this host."""
    lists = [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*.list"))]
    files = [*sorted((APT / "sources.list.d").glob("*.sources")), *lists]
    sources = [source for file in files if file.exists() for source in parse_sources(file.read_text(encoding="utf-8"))]
    release = OS_RELEASE.read_text(encoding="utf-8") if OS_RELEASE.exists() else ""
    pairs = (line.partition("=") for line in release.splitlines())
    return find_archive(sources, {name: value.strip("\"'") for name, _, value in pairs})


class AptTree:
    """An apt of our own in a folder: its lists, its cache, and the belief that nothing is installed."""

    def __init__(self, folder: Path, archive: Archive) -> None:
        """Write the tree's configuration into a new folder; nothing is fetched yet."""
        for tool in ("apt-get", "apt-cache", "apt-config", "dpkg"):
            if shutil.which(tool) is None:
                raise ServerError(f"{tool} not found: no Debian or Ubuntu here; install MySQL >= 8.0.22")
        self._folder = folder
        self._configuration = folder / "apt.conf"
        for name in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
            (folder / name).mkdir(parents=True)
        _link_keys(folder / "etc/trusted.gpg.d")
        (folder / "status").touch()
        (folder / "etc/sources.list").write_text("\n".join([*archive.lines, ""]), encoding="utf-8")
        self._configuration.write_text(_host_acquire() + self._settings(), encoding="utf-8")

    def _settings(self) -> str:
        folder = self._folder
        return f"""
Dir "{folder}";
Dir::State "{folder}";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc "{folder}/etc";
Dir::Etc::trusted "{APT}/trusted.gpg";
Dir::Etc::trustedparts "{folder}/etc/trusted.gpg.d";
Dir::Etc::netrc "{APT}/auth.conf";
Dir::Etc::netrcparts "{APT}/auth.conf.d";
Dir::Log "{folder}";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Sandbox::User "";
"""

    def update(self) -> None:
        """Fetch the lists of the archive."""
        self._run("apt-get", "-q", "update")

    def names(self, pattern: str) -> list[str]:
        """Names of packages that match a regular expression."""
        return [line.split()[0] for line in self._run("apt-cache", "search", "--names-only", pattern).splitlines()]

    def unpack(self, packages: list[str], into: Path) -> None:
        """Download packages with all they depend on, and unpack them, running none of their scripts."""
        self._run("apt-get", "-q", "-y", "--download-only", "--no-install-recommends", "install", *packages)
        for package in sorted((self._folder / "cache/archives").glob("*.deb")):
            self._run("dpkg", "-x", str(package), str(into))

    def _run(self, *command: str) -> str:
        # APT_CONFIG is read before all other configuration, which our own Dir then hides.
        environment = ["env", f"APT_CONFIG={self._configuration}", "LC_ALL=C"]
        done = subprocess.run(
            [*environment, *command], capture_output=True, text=True, check=False, timeout=COMMAND_TIMEOUT_S
        )
        if done.returncode != 0:
            raise ServerError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout


def _link_keys(folder: Path) -> None:
    # Newer releases trust their archive by path in each source, older ones by this folder: take both.
    folder.mkdir()
    for key in [*(APT / "trusted.gpg.d").glob("*"), *KEYRINGS.glob("*-archive-keyring.gpg")]:
        (folder / key.name).unlink(missing_ok=True)
        (folder / key.name).symlink_to(key)


def _host_acquire() -> str:
    # The host may reach its mirror only through a proxy; its hooks (Post-Invoke) must not run here.
    done = subprocess.run(
        ["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True, timeout=COMMAND_TIMEOUT_S
    )
    wanted = [line for line in done.stdout.splitlines() if line.startswith(("Acquire::http", "Acquire::Retries"))]
    return "\n".join([*wanted, ""])
