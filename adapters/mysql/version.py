"""Which servers will do."""

import re

OLDEST_VERSION = (8, 0, 22)
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_LAST_PATCH = 999


def version_fault(version: str, comment: str = "") -> str | None:
    """Return what is wrong with a server of this version, None when nothing is.

    Older servers and MariaDB lack the collation, or the syntax of locks. A version without its third number, as some
    hosters have it, counts as the last of its line; one without numbers, as new enough.
    """
    if "mariadb" in f"{version} {comment}".lower():
        return f"the server is MariaDB ({version}), which has other collations and locks than MySQL"
    found = _NUMBERS.match(version)
    numbers = (int(found[1]), int(found[2]), int(found[3] or _LAST_PATCH)) if found else OLDEST_VERSION
    if numbers < OLDEST_VERSION:
        return f"the server is MySQL {version}; {'.'.join(map(str, OLDEST_VERSION))} or newer is needed"
    return None
