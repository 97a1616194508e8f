"""Checks a backup before anything of it is used."""

import re
from collections.abc import Collection
from pathlib import Path

from signals.backup.errors import NotABackup
from signals.backup.files import Progress, hashed
from signals.backup.manifest import Manifest, read_manifest

APPS = ("signals", "sync", "execution")
"""Argo's own apps that have migrations."""


def check_backup(folder: Path, progress: Progress = lambda count: None) -> Manifest:
    """Return the manifest of a backup whose every file is as it was written. Raises NotABackup."""
    manifest = read_manifest(folder)
    faults = [
        fault
        for name in manifest.files
        if (fault := _fault(folder / name, manifest, progress)) is not None
    ]
    if faults:
        raise NotABackup(f"The backup is damaged: {'; '.join(faults)}. Use another backup.")
    return manifest


def _fault(path: Path, manifest: Manifest, progress: Progress) -> str | None:
    wanted = manifest.files[path.name]
    try:
        found = hashed(path, progress)
    except FileNotFoundError:
        return f"{path.name} is missing"
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror})"
    if found.bytes != wanted.bytes:
        return f"{path.name} has {found.bytes} bytes, and had {wanted.bytes}"
    return None if found == wanted else f"{path.name} was altered: its hash does not match"


def check_version(manifest: Manifest, version: str, migrations: Collection[str]) -> None:
    """Check that this Argo, of this version and with these migrations, can use the backup.

    Raises NotABackup if a newer Argo made it.
    """
    unknown = [name for name in manifest.migrations if _is_own(name) and name not in migrations]
    if unknown or _numbers(manifest.argo) > _numbers(version):
        extra = f" with the migrations {', '.join(unknown)}" if unknown else ""
        raise NotABackup(
            f"Argo {manifest.argo} made this backup{extra}, and this is the older Argo {version}. "
            "Restore it with the version that made it, or with a later one."
        )


def _is_own(migration: str) -> bool:
    return migration.partition(".")[0] in APPS


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
