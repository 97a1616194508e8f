"""Nobody but its owner can read anything in the data folder."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from argo import private
from argo.private import close_folder, is_shared_folder, make_private, open_to_others
from argo.settings import BASE_DIR
from signals.journal import Journal
from signals.locks import FileLock


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def left_open(tmp_path: Path, open_umask: None) -> Path:
    """Return a folder as an older Argo left it, with a link to a file outside."""
    folder, outside = tmp_path / "data", tmp_path / "outside"
    for name in ("metrics", "broker/control", "logs", "bars"):
        (folder / name).mkdir(parents=True)
    for name in ("signals.db", "signals.db-wal", "signals-000001-rescued.log", "logs/web.log.1",
                 "broker/control/x.exchange", "bars/AAPL.csv", "secret.key"):  # fmt: skip
        (folder / name).write_text("x")
    (folder / "signals.log").touch(mode=0o640)
    os.mkfifo(folder / "pipe", 0o666)
    outside.write_text("x")
    (folder / "link").symlink_to(outside)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_what_an_older_argo_left_is_made_private(left_open: Path) -> None:
    assert len([*open_to_others(left_open)]) == 15
    make_private(left_open)
    assert [*open_to_others(left_open)] == []
    found = [path for path in left_open.rglob("*") if not path.is_symlink()]
    assert {mode(path) for path in found if path.is_dir()} == {0o700}
    assert {mode(path) for path in found if not path.is_dir()} == {0o600}
    assert mode(left_open.parent / "outside") == 0o666


def test_every_process_keeps_others_out_of_the_folder(left_open: Path) -> None:
    close_folder(left_open)
    assert mode(left_open) == 0o700


@pytest.mark.parametrize(
    "folder",
    ["/", "/tmp", "/etc", "/var/lib", "~", str(BASE_DIR), str(BASE_DIR.parent)],  # noqa: S108
)
def test_a_folder_that_other_programs_use_is_known(folder: str) -> None:
    assert is_shared_folder(Path(folder).expanduser())


@pytest.mark.parametrize("name", ["data", "up"])
def test_a_folder_of_its_own_is_not_one_that_others_use(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert not is_shared_folder(tmp_path / name)


def test_root_leaves_a_folder_alone_in_which_several_users_have_files(left_open: Path) -> None:
    try:
        os.chown(left_open / "secret.key", 12345, -1)
    except PermissionError:
        pytest.skip("only root can give files away")
    make_private(left_open)
    assert mode(left_open / "signals.db") == 0o666


@pytest.mark.django_db
def test_what_is_open_is_reported_before_the_start(left_open: Path, settings: Settings) -> None:
    settings.DATA_DIR = left_open
    assert "argo.W011" not in {each.id for each in run_checks()}
    (warning,) = warnings()
    assert f"{left_open} is open" in warning
    assert "argo up" in warning
    make_private(left_open)
    assert warnings() == []


@pytest.mark.django_db
def test_a_shared_folder_is_reported_with_what_to_do(
    left_open: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = left_open
    monkeypatch.setattr(private, "OF_THE_SYSTEM", {str(left_open)})
    make_private(left_open)
    (warning,) = warnings()
    assert "Set ARGO_DATA_DIR to a folder of its own" in warning


def warnings() -> list[str]:
    found = run_checks(databases=["default"])
    return [f"{each.msg} {each.hint}" for each in found if each.id == "argo.W011"]


@pytest.mark.usefixtures("open_umask")
def test_every_file_of_a_journal_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    journal = Journal(folder / "signals.log", segment_bytes=10)
    journal.append([b"sealed soon"])
    journal.append([b"rescued soon"])
    (folder / "signals.log").unlink()
    journal.append([b"active"])
    assert journal.identity
    journal.try_writing()
    lock = FileLock(folder / "up.lock")
    lock.acquire()
    lock.release()
    journal.close()
    assert {path.name for path in folder.iterdir()} == {
        "signals-000001.log", "signals-000002-rescued.log", "signals.log", "signals.id", "up.lock",
    }  # fmt: skip
    assert [*open_to_others(tmp_path / "new")] == []
