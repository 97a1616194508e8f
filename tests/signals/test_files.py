"""Files and folders are private whatever the umask, and are still there after a power cut."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from signals import files
from signals.files import kept_text, make_folder, make_once, private, sync_names


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no folder's name be known as durable, as when a process starts."""
    monkeypatch.setattr(files, "_named", set())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the syncs and links as they are made: `sync NAME`, `link NAME`."""
    made: list[str] = []
    real_sync, real_link = os.fsync, os.link

    def sync(descriptor: int) -> None:
        real_sync(descriptor)
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        made.append(f"sync {name.partition('.')[0]}")

    def link(source: Path, target: Path) -> None:
        real_link(source, target)
        made.append(f"link {target.name}")

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "link", link)
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_synced_before_it_is_named_and_its_name_after(
    tmp_path: Path, calls: list[str]
) -> None:
    folder = tmp_path / "data"
    make_folder(folder)
    make_once(folder / "secret", "content")
    assert calls[:4] == [f"sync {tmp_path.name}", "sync secret", "link secret", "sync data"]
    assert calls[4:] == syncs(tmp_path, *tmp_path.parents)


def syncs(*folders: Path) -> list[str]:
    """Return the syncs of those folders that are on the disk of the first one."""
    disk = folders[0].stat().st_dev
    names = [folder.name for folder in folders if folder.stat().st_dev == disk]
    return [f"sync {name.partition('.')[0]}" for name in names]


def test_what_another_process_made_is_durable_before_it_is_used(
    tmp_path: Path, calls: list[str]
) -> None:
    """That process may have been killed before it synced the name."""
    (tmp_path / "secret").write_text("theirs\n")
    assert kept_text(tmp_path / "secret", lambda: "mine") == "theirs"
    assert calls == syncs(tmp_path, *tmp_path.parents)


def test_a_process_syncs_the_names_of_folders_once(tmp_path: Path, calls: list[str]) -> None:
    sync_names(tmp_path)
    calls.clear()
    sync_names(tmp_path)
    assert calls == syncs(tmp_path)
    make_folder(tmp_path / "new")
    calls.clear()
    sync_names(tmp_path / "new")
    assert calls == [f"sync {name}" for name in ("new", tmp_path.name)]


def test_a_name_whose_sync_failed_is_synced_again(
    tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_above(folder: Path) -> None:
        if folder != tmp_path:
            raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(files, "sync_folder", fail_above)
        with pytest.raises(OSError, match="Input/output"):
            sync_names(tmp_path)
    sync_names(tmp_path)
    assert calls == syncs(tmp_path, *tmp_path.parents)


def test_folders_are_synced_up_to_the_disk_that_they_are_on(calls: list[str]) -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:  # a disk of its own
        sync_names(Path(folder))
    assert calls == [f"sync {Path(folder).name}", "sync shm"]


def test_a_text_on_a_medium_that_cannot_be_synced_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    (tmp_path / "x").write_text("content")
    monkeypatch.setattr(os, "fsync", unable)
    assert kept_text(tmp_path / "x", lambda: "other") == "content"


def test_every_folder_on_the_way_is_private_and_synced_into_its_own(
    tmp_path: Path, calls: list[str]
) -> None:
    make_folder(tmp_path / "one" / "two")
    make_folder(tmp_path / "one" / "two")
    assert calls == [f"sync {tmp_path.name}", "sync one"]
    assert {mode(path) for path in tmp_path.rglob("*")} == {0o700}


def test_what_was_first_is_kept_and_no_draft_is_left(tmp_path: Path) -> None:
    make_once(tmp_path / "x", "first")
    make_once(tmp_path / "x", "second")
    assert (tmp_path / "x").read_text() == "first"
    assert os.listdir(tmp_path) == ["x"]
    assert mode(tmp_path / "x") == 0o600


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            make_once(tmp_path / "x", "content")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("how", ["w", "wb", "ab", "x"])
def test_a_new_file_is_private(tmp_path: Path, how: str) -> None:
    private(tmp_path / "x", how).close()
    assert mode(tmp_path / "x") == 0o600


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "x" / "y")
