"""The manifest of a backup. It is written last: a folder without it holds no complete backup."""

import hashlib
import re
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, field_serializer, field_validator

from signals.backup.errors import NotABackup
from signals.backup.files import StoredFile, write_synced
from signals.journal import JournalPosition

FILE_NAME = "manifest.json"
FORMAT = 1
Kind = Literal["sqlite", "postgresql"]
NAMES = re.compile(
    r"signals\.db|database\.dump|(signals|alerts)(-\d{6,}(-rescued)?)?\.log|(signals|alerts)\.id|"
    r"signals\.salt|(secret|webhooks|record|record-next)\.key|record-past\.keys"
)
"""The names of the files of a backup."""


class Manifest(BaseModel):
    """The content of a backup.

    `argo` is the version that made it, `made_at` the time of the snapshot (UTC text), `migrations`
    the applied ones as `app.name`, `journal` the journal's identity, and `cursor` how far the
    snapshot has read it. `files` has the size in bytes and the SHA-256 of each file, by its name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    argo: str
    made_at: str
    database: Kind
    migrations: list[str]
    journal: str
    cursor: JournalPosition
    files: dict[str, StoredFile]

    @field_validator("files")
    @classmethod
    def _are_known(cls, files: dict[str, StoredFile]) -> dict[str, StoredFile]:
        for name in files:
            if not NAMES.fullmatch(name):
                raise ValueError(f"a backup has no file {name!r}")
        return files

    @field_serializer("cursor")
    def _named(self, cursor: JournalPosition) -> dict[str, Any]:
        return cursor._asdict()

    @field_serializer("files")
    def _each_named(self, files: dict[str, StoredFile]) -> dict[str, Any]:
        return {name: file._asdict() for name, file in files.items()}

    @property
    def bytes(self) -> int:
        """Return the size of all files."""
        return sum(each.bytes for each in self.files.values())

    @property
    def checksum(self) -> str:
        """Return a hash of the manifest; it identifies the backup."""
        content = orjson.dumps(self.model_dump(), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).hexdigest()

    def write(self, folder: Path) -> None:
        """Write the manifest in one step, with its own checksum. Raises OSError."""
        content = self.model_dump() | {"checksum": self.checksum}
        write_synced(folder / FILE_NAME, orjson.dumps(content, option=orjson.OPT_INDENT_2))


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the backup in `folder`. Raises NotABackup."""
    path = folder / FILE_NAME
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError:
        raise NotABackup(
            f"{folder} has no {FILE_NAME}: it is not a backup, or making it was interrupted. Use "
            "another backup."
        ) from None
    except OSError as error:
        raise NotABackup(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        why = _reason(error)
        raise NotABackup(f"{path} is damaged ({why}). Use another backup.") from error


def _parsed(text: bytes) -> Manifest:
    content = orjson.loads(text)
    if content["format"] > FORMAT:
        raise NotABackup(
            f"A newer Argo, {content['argo']}, made this backup, in the format "
            f"{content['format']}. Restore it with that version or a later one."
        )
    checksum = content.pop("checksum")
    manifest = Manifest.model_validate(content)
    if checksum != manifest.checksum:
        raise ValueError("its checksum does not match: it was altered")
    return manifest


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
    )
