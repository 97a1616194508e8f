"""A backup of an older Argo is restored and migrated; one of a newer Argo is refused."""

from pathlib import Path

import orjson

from signals.backup.manifest import read_manifest
from signals.models import CHANGEABLE
from tests.argo.backup.backups import back_up, restore
from tests.installation import Installation
from tests.upgrade.older_folder import migrations, rows, tables, unpack


def test_a_backup_of_an_older_argo_is_restored_and_migrated(tmp_path: Path) -> None:
    older = Installation(tmp_path / "older")
    unpack(older.folder)
    last = migrations(older.folder)
    back_up(older, tmp_path / "backup")
    assert migrations(older.folder) == last, "a backup must not migrate"
    newer = Installation(tmp_path / "newer")
    said = restore(newer, tmp_path / "backup")
    assert said["findings"] == []
    assert migrations(newer.folder) > last
    columns = [name for name in tables(older.folder)["signals"] if name not in CHANGEABLE]
    before = rows(older.folder, "signals", columns)
    assert rows(newer.folder, "signals", columns)[: len(before)] == before


def test_a_backup_of_a_newer_argo_is_refused_with_1(backup: Path, tmp_path: Path) -> None:
    newer = read_manifest(backup).model_copy(update={"argo": "99.0.0"})
    (backup / "manifest.json").write_bytes(
        orjson.dumps(newer.model_dump() | {"checksum": newer.checksum})
    )
    other = Installation(tmp_path / "other")
    answer = other.manage("restore", str(backup))
    assert answer.returncode == 1
    assert "Argo 99.0.0 made this backup, and this is the older Argo" in answer.stderr
    assert not (other.folder / "signals.db").exists()
