"""PostgreSQL's own programs: found, of the right version, and no secret is shown to others."""

import os
import stat
from pathlib import Path

import pytest
from django.db import connections

from signals.backup import BackupFailed, Installation, NotRestored, Restoration, back_up
from signals.backup.reading import check_backup
from tests.signals.backup.conftest import VERSION

pytestmark = pytest.mark.services("postgresql")
REST_OF_PATH = 'PATH="${PATH#*:}"'
"""What a program of the test puts first, to find the real one."""


@pytest.fixture
def kind() -> str:
    return "postgresql"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which programs are found first."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def write(path: Path, script: str) -> None:
    """Write a program that stands in for another one."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def fails(source: Installation, tmp_path: Path) -> str:
    """Back up, which must fail and leave nothing; return the error."""
    with pytest.raises(BackupFailed) as raised:
        back_up(tmp_path / "backup", source, VERSION)
    assert not (tmp_path / "backup").exists()
    return str(raised.value)


def test_a_missing_program_says_what_to_install(
    source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = fails(source, tmp_path)
    assert error.startswith("pg_dump is not installed. Install PostgreSQL's client programs")
    assert "Debian: postgresql-client-" in error


def test_an_older_program_says_which_version_is_needed(
    source: Installation, programs: Path, tmp_path: Path
) -> None:
    write(programs / "pg_dump", 'echo "pg_dump (PostgreSQL) 9.6.24"')
    error = fails(source, tmp_path)
    assert "pg_dump has version 9, and the server has" in error
    assert "Debian: postgresql-client-" in error


@pytest.mark.parametrize("before", ["", "head -c 100 /dev/zero; "])
def test_a_program_that_fails_is_quoted(
    source: Installation, programs: Path, tmp_path: Path, before: str
) -> None:
    write(programs / "pg_dump", f'{before}echo "out of luck" >&2; exit 3')
    assert "pg_dump failed with exit code 3: out of luck" in fails(source, tmp_path)


def test_the_password_is_in_the_environment_only(
    source: Installation, programs: Path, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    write(
        programs / "pg_dump",
        f'printf "%s|%s" "$*" "$PGPASSWORD" > {seen}; {REST_OF_PATH} exec pg_dump "$@"',
    )
    settings = connections["server"].settings_dict
    settings["PASSWORD"] = "s3cret"
    back_up(tmp_path / "backup", source, VERSION)
    arguments, password = seen.read_text().split("|")
    assert password == "s3cret"
    assert "--format=custom" in arguments
    assert "s3cret" not in arguments
    assert "s3cret" not in (tmp_path / "backup" / "manifest.json").read_text()


def test_a_restore_that_fails_leaves_the_database_empty_and_can_be_begun_again(
    backup: Path, target: Installation, programs: Path
) -> None:
    """The dump ends in the middle, as if the process that reads it had died."""
    half = (backup / "database.dump").stat().st_size // 2
    write(
        programs / "pg_restore",
        f'{REST_OF_PATH}; [ "$1" = --version ] && exec pg_restore "$1"\n'
        f'head -c {half} | pg_restore "$@"',
    )
    restoration = Restoration(backup, check_backup(backup), target)
    with pytest.raises(NotRestored, match="pg_restore failed with exit code 1: "):
        restoration.put_back()
    assert target.database.occupied() == []
    (programs / "pg_restore").unlink()
    restoration.put_back()
    assert target.database.holds(restoration.manifest)
