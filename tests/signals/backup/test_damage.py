"""A backup with any damage is refused, and the error names it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from signals.backup import Manifest, NotABackup, check_backup, check_version
from signals.backup.manifest import read_manifest
from tests.signals.backup.conftest import VERSION

FILES = ("signals.db", "signals-000001.log", "signals.log", "signals.id", "secret.key")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def alter(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("harm", "says"),
    [(truncate, "bytes, and had"), (alter, "was altered"), (Path.unlink, "is missing")],
)
def test_a_damaged_file_is_named(
    backup: Path, name: str, harm: Callable[[Path], object], says: str
) -> None:
    check_backup(backup)
    harm(backup / name)
    with pytest.raises(NotABackup, match=f"{name} .*{says}.*Use another backup"):
        check_backup(backup)


def test_every_damaged_file_is_named(backup: Path) -> None:
    for name in FILES:
        truncate(backup / name)
    with pytest.raises(NotABackup) as raised:
        check_backup(backup)
    assert all(name in str(raised.value) for name in FILES)


def test_a_folder_without_a_manifest_is_no_backup(backup: Path, tmp_path: Path) -> None:
    (backup / "manifest.json").unlink()
    for folder in (backup, tmp_path / "nothing"):
        with pytest.raises(NotABackup, match="interrupted"):
            check_backup(folder)


@pytest.mark.parametrize("bytes_left", [0, 1, 100, -2])
def test_a_truncated_manifest_is_damaged(backup: Path, bytes_left: int) -> None:
    path = backup / "manifest.json"
    path.write_bytes(path.read_bytes()[:bytes_left])
    with pytest.raises(NotABackup, match="is damaged"):
        check_backup(backup)


def rewritten(backup: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = backup / "manifest.json"
    content = orjson.loads(path.read_bytes())
    change(content)
    path.write_bytes(orjson.dumps(content))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda content: content["files"].pop("signals.log"), "it was altered"),
        (lambda content: content["cursor"].update(byte=1), "it was altered"),
        (lambda content: content.update(migrations=[]), "it was altered"),
        (lambda content: content.pop("checksum"), "checksum"),
        (lambda content: content.pop("journal"), "journal: Field required"),
        (lambda content: content.update(database="mysql"), "database: "),
        (lambda content: content["files"].update({"../x": [1, ""]}), "no file '../x'"),
        (lambda content: content.update(format=2, argo="9.0"), "A newer Argo, 9.0,"),
    ],
)
def test_an_altered_manifest_is_refused(
    backup: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    rewritten(backup, change)
    with pytest.raises(NotABackup, match=says):
        check_backup(backup)


def of_version(backup: Path, **changes: Any) -> Manifest:  # noqa: ANN401
    return read_manifest(backup).model_copy(update=changes)


@pytest.mark.parametrize("version", ["0.2.1", "0.10.0", "1.0"])
def test_a_backup_of_a_newer_argo_is_refused(backup: Path, version: str) -> None:
    with pytest.raises(NotABackup, match=f"Argo {version} made this backup.*older Argo 0.2.0"):
        check_version(of_version(backup, argo=version), VERSION, _known(backup))


def test_a_backup_with_an_unknown_migration_is_refused(backup: Path) -> None:
    manifest = of_version(backup, migrations=["auth.0099_x", "signals.0099_later"])
    with pytest.raises(NotABackup, match=r"with the migrations signals\.0099_later,"):
        check_version(manifest, VERSION, _known(backup))


def test_a_backup_of_this_or_an_older_argo_may_be_restored(backup: Path) -> None:
    known = _known(backup)
    for manifest in (
        of_version(backup),
        of_version(backup, argo="0.1.9", migrations=["signals.0001_initial"]),
        of_version(backup, migrations=["auth.0099_x"]),
    ):
        check_version(manifest, VERSION, known)


def _known(backup: Path) -> set[str]:
    return set(read_manifest(backup).migrations)
