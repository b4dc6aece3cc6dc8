"""The lock of DynamoDB Local."""

import re

import pytest

from deploy.local.maven import LOCK, ROOT, LockedFile, parse_lock

SHA256 = "0123456789abcdef" * 4


def test_parse_lock_reads_what_a_locked_file_writes() -> None:
    """A line and a locked file say the same; comments and empty lines say nothing."""
    file = LockedFile("org.example", "thing", "jar", "1.0", SHA256)
    assert [file] == parse_lock(f"# made by hand\n\n{file}\n")


@pytest.mark.parametrize("line", ["org.example:thing:1.0", f"org.example:thing:jar:1.0:{SHA256}a", "thing"])
def test_parse_lock_refuses_other_lines(line: str) -> None:
    """A line that does not pin a file to a SHA-256 stops the start."""
    with pytest.raises(ValueError, match=re.escape(repr(line))):
        parse_lock(line)


def test_lock_holds_the_server_and_its_library_and_no_address() -> None:
    """The committed lock pins the server itself first, the library it stores with, and says not where to fetch them."""
    text = LOCK.read_text(encoding="utf-8")
    locked = parse_lock(text)
    assert ROOT == f"{locked[0].group}:{locked[0].artifact}:{locked[0].version}"
    assert ["libsqlite4java-linux-amd64"] == [file.artifact for file in locked if file.packaging == "so"]
    assert "//" not in text
