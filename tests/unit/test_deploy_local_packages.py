"""Which archive packages come from, read from the texts of apt's configuration."""

import pytest

from deploy.local.packages import Source, find_archive, parse_sources
from deploy.local.process import ServerError

DEBIAN_PARAGRAPHS = """\
Types: deb
# http://snapshot.example.org/archive/debian/20250520T000000Z
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
VENDORS = """\
# deb http://disabled.example.org/debian bookworm main
deb https://cloud.example.com/apt cloud-sdk-bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.asc] https://apt.example.com bookworm main  # A copied name.
"""
BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
NOBLE = {"ID": "ubuntu", "VERSION_CODENAME": "noble", "UBUNTU_CODENAME": "noble"}
KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"


def test_parse_sources_reads_paragraphs() -> None:
    """Each paragraph is a source; what stands in comments is not."""
    main, security = parse_sources(DEBIAN_PARAGRAPHS)
    assert Source("http://mirror.example.org/debian", ("bookworm", "bookworm-updates"), ("main",), KEY) == main
    assert "http://mirror.example.org/debian-security" == security.uri


def test_parse_sources_reads_lines() -> None:
    """Each line is a source, with its options and without its comment."""
    cloud, vendor = parse_sources(VENDORS)
    assert Source("https://cloud.example.com/apt", ("cloud-sdk-bookworm",), ("main",), None) == cloud
    assert Source("https://apt.example.com", ("bookworm",), ("main",), "/etc/apt/keyrings/vendor.asc") == vendor


def test_parse_sources_skips_disabled_and_source_paragraphs() -> None:
    """A paragraph that is switched off, or offers source code only, is no source; a written-out key is no path."""
    text = """\
Types: deb-src
URIs: http://a.example.org/debian
Suites: sid
Components: main

Types: deb
Enabled: no
URIs: http://b.example.org/debian
Suites: sid
Components: main

types: deb deb-src
URIs: http://c.example.org/debian
 http://d.example.org/debian
Suites: sid
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS/xcRfwEQWzr
"""
    uris = [(source.uri, source.signed_by) for source in parse_sources(text)]
    assert [("http://c.example.org/debian", None), ("http://d.example.org/debian", None)] == uris


def test_find_archive_prefers_the_distribution_to_vendors() -> None:
    """A vendor's archive of the same suite and component does not win, wherever it is listed."""
    sources = [*parse_sources(VENDORS), *parse_sources(DEBIAN_PARAGRAPHS)]
    archive = find_archive(sources, BOOKWORM)
    assert (f"deb [signed-by={KEY}] http://mirror.example.org/debian sid main",) == archive.lines
    assert not archive.is_ubuntu


def test_find_archive_takes_a_mirror_of_any_name() -> None:
    """An inner mirror need not be called after the distribution when nothing else offers the release."""
    archive = find_archive([*parse_sources("deb http://inner.example.org/apt-cache stable main contrib")], BOOKWORM)
    assert ("deb http://inner.example.org/apt-cache sid main",) == archive.lines


def test_find_archive_keeps_ubuntus_release() -> None:
    """On Ubuntu packages come from the host's own release with its updates; MySQL may lie in universe."""
    text = "Types: deb\nURIs: http://mirror.example.org/ubuntu/\nSuites: noble noble-updates\nComponents: main\n"
    archive = find_archive([*parse_sources(text)], NOBLE)
    prefix = "deb http://mirror.example.org/ubuntu/"
    assert (f"{prefix} noble main universe", f"{prefix} noble-updates main universe") == archive.lines
    assert archive.is_ubuntu


def test_find_archive_says_what_is_missing() -> None:
    """Without an archive of the release the error names the release and where sources are looked for."""
    with pytest.raises(ServerError, match="no archive of debian bookworm among the apt sources in /etc/apt"):
        find_archive([*parse_sources("deb https://cloud.example.com/apt cloud-sdk-bookworm main")], BOOKWORM)
