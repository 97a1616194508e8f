"""The files of the published track records: a bundle, its policy, and what was made of them.

`records.json` appears last and names the bundle that it is made from, so a page and its proof
always fit, also while new ones are written.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from argo.errors import NotFound
from signals.files import make_folder, replace_synced

RECORDS, POLICY = "records.json", "policy"
Section = dict[str, Any]


class Published(NamedTuple):
    """What is published: a track record for each strategy, by its name, and the bundle's file."""

    bundle: str
    made_at: str
    records: dict[str, Section]


def folder() -> Path:
    """Return the folder of what is published; it may not be there yet."""
    return Path(settings.DATA_DIR) / "track-records"


def published() -> Published | None:
    """Return what is published; None if nothing is."""
    path = folder() / RECORDS
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _read(path, found.st_ino, found.st_mtime_ns)


def record_of(strategy: str) -> tuple[Published, Section]:
    """Return the track record of a strategy with all that is published. Raises NotFound."""
    found = published()
    if found is None or strategy not in found.records:
        raise NotFound(f"No track record of {strategy!r} is published.")
    return found, found.records[strategy]


def bundle_path() -> Path:
    """Return the file of the published bundle. Raises NotFound."""
    if (found := published()) is None:
        raise NotFound("No bundle is published.")
    return folder() / found.bundle


def store(bundle: bytes, policy: bytes, made_at: str, records: list[Section]) -> Published:
    """Publish track records with the bundle that they are made from, durably.

    `records` is not empty. The bundles before it are removed. Raises OSError.
    """
    make_folder(folder())
    name = f"bundle-{records[0]['bundle_sha256'][:16]}.zip"
    about = Published(name, made_at, {each["strategy"]: each for each in records})
    replace_synced(folder() / name, bundle)
    replace_synced(folder() / POLICY, policy)
    replace_synced(folder() / RECORDS, json.dumps(about._asdict()).encode())
    for path in folder().glob("bundle-*.zip"):
        if path.name != name:
            path.unlink(missing_ok=True)
    return about


@lru_cache(maxsize=2)
def _read(path: Path, inode: int, changed: int) -> Published:
    """Read the file; `inode` and `changed` tell one file from the next."""
    return Published(**json.loads(path.read_bytes()))
