"""The settings with which `make run` starts the proxy."""

from pathlib import Path

import pytest

from deploy.local.process import ServerError
from deploy.local.run import address, complete, exit_code, keep_settings, next_steps
from proxy.settings import load_settings


def test_complete_keeps_what_the_caller_gives() -> None:
    """The caller's settings win, and the admin listener follows the proxy's own."""
    settings = complete({"CROSSFADE_LISTEN": "127.0.0.1:9000", "CROSSFADE_MYSQL_DATABASE": "mine", "HOME": "/h"})
    assert "127.0.0.1:9001" == settings["CROSSFADE_ADMIN_LISTEN"]
    assert "mine" == settings["CROSSFADE_MYSQL_DATABASE"]
    assert "/h" == settings["HOME"]


def test_complete_is_development_on_the_usual_ports() -> None:
    """With nothing given, the proxy is in development and listens on 8080 and 8081, on this machine only."""
    settings = complete({})
    assert "development" == settings["CROSSFADE_ENV"]
    assert ("127.0.0.1:8080", "127.0.0.1:8081") == (settings["CROSSFADE_LISTEN"], settings["CROSSFADE_ADMIN_LISTEN"])


def test_address_reads_both_families() -> None:
    """IPv6 addresses stand in brackets."""
    assert ("127.0.0.1", 8080) == address("127.0.0.1:8080")
    assert ("::1", 8080) == address("[::1]:8080")


@pytest.mark.parametrize("text", ["8080", ":8080", "localhost:", "localhost:http"])
def test_address_refuses_other_texts(text: str) -> None:
    """What is no address is named in the error."""
    with pytest.raises(ServerError, match=text):
        address(text)


def test_exit_code_is_the_shells() -> None:
    """A code is passed on; a child ended by a signal counts 128 and the signal."""
    assert [0, 3, 143] == [exit_code(0), exit_code(3), exit_code(-15)]


def test_next_steps_name_the_listeners_and_logs() -> None:
    """What is printed can be pasted: it holds the addresses in use, whole JSON, and where to look."""
    text = next_steps(complete({"CROSSFADE_LISTEN": "127.0.0.1:9000"}), ["/x/mysql.log"])
    assert "http://127.0.0.1:9000/rpc/user/find_by_id -H 'Content-Type: application/json' -d '{\"id\": 1}'" in text
    assert "http://127.0.0.1:9001/readyz" in text
    assert "/crossfade demo\n" in text
    assert "/x/mysql.log" in text


def test_keep_settings_lets_commands_find_the_same_databases(tmp_path: Path) -> None:
    """The file gives a command the settings of the proxy, whatever they hold, and is for its owner's eyes."""
    file = tmp_path / "new" / "run.toml"
    given = {
        "CROSSFADE_MYSQL_HOST": "db",
        "CROSSFADE_MYSQL_PASSWORD": 'q"ü\\\n',
        "CROSSFADE_CONFIG": "x",
        "PATH": "/bin",
    }
    for _ in range(2):
        keep_settings(complete(given), file)
    settings = load_settings({"CROSSFADE_CONFIG": str(file)})
    assert ("db", 'q"ü\\\n') == (settings.mysql.host, settings.mysql.password)
    assert "PATH" not in file.read_text(encoding="utf-8")
    assert 0o600 == file.stat().st_mode & 0o777
