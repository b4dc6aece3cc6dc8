"""The folder: it stays while anybody lives who uses it, and no longer."""

import os
import select
import signal
import tempfile
from pathlib import Path

import pytest

from proxy.metrics.folder import PREFIX, open_folder, place

LIMIT_S = 20.0


def folders(parent: Path) -> set[Path]:
    """The folders that are there."""
    return set(parent.glob(f"{PREFIX}*"))


def use_and_fail(parent: Path) -> None:
    """Fail with a file in the folder."""
    with open_folder(parent) as folder:
        (folder / "counter_0.db").write_bytes(b"1")
        assert {folder} == folders(parent)
        raise KeyError


def test_open_folder_is_gone_on_leaving(tmp_path: Path) -> None:
    """With whatever is in it, and whatever happened."""
    with pytest.raises(KeyError):
        use_and_fail(tmp_path)
    assert set() == folders(tmp_path)


def test_open_folder_leaves_those_in_use(tmp_path: Path) -> None:
    """Proxies on one host do not disturb each other, nor does one the files of somebody else."""
    (tmp_path / f"{PREFIX}of-nobody").mkdir()
    (tmp_path / "notes").write_text("of a user", encoding="utf-8")
    with open_folder(tmp_path) as first:
        with open_folder(tmp_path) as second:
            assert first.is_dir()
            assert second.is_dir()
        assert first.is_dir()
    assert {"notes", f"{PREFIX}of-nobody"} == {path.name for path in tmp_path.iterdir()}


def die_with_a_worker_left(parent: Path, stop: int, started: int) -> None:
    """Open a folder, fork a worker that lives until `stop` ends, tell its id, and be killed."""
    with open_folder(parent):
        worker = os.fork()
        if worker == 0:
            os.read(stop, 1)
            os._exit(0)
        os.write(started, str(worker).encode())
        os.kill(os.getpid(), signal.SIGKILL)


def test_open_folder_clears_away_those_of_the_killed(tmp_path: Path) -> None:
    """A killed process leaves its folder behind; a later start takes it away, but not while a worker still uses it."""
    (stop, to_stop), (from_started, started) = os.pipe(), os.pipe()
    killed = os.fork()
    if killed == 0:
        os.close(to_stop)
        die_with_a_worker_left(tmp_path, stop, started)
    assert (killed, signal.SIGKILL) == os.waitpid(killed, 0)
    (left,) = folders(tmp_path)
    worker = os.pidfd_open(int(os.read(from_started, 10)))
    with open_folder(tmp_path):
        assert left.is_dir()
    os.close(to_stop)
    assert select.select([worker], [], [], LIMIT_S)[0]
    with open_folder(tmp_path):
        assert not left.exists()
    for number in (stop, from_started, started, worker):
        os.close(number)


def test_place_is_a_folder_that_can_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In memory where there is such a folder, else where temporary files are made."""
    monkeypatch.setattr("proxy.metrics.folder.IN_MEMORY", str(tmp_path))
    assert tmp_path == place()
    monkeypatch.setattr("proxy.metrics.folder.IN_MEMORY", str(tmp_path / "missing"))
    assert Path(tempfile.gettempdir()) == place()
