"""The time stamps that are kept in the record's folder."""

from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from signals.models import RecordCheckpoint
from signals.record.log.disk import Disk
from signals.record.proving.kept import STAMPS


def path_of(url: str, row: RecordCheckpoint) -> str:
    """Return where the answer of an authority is kept, below the record's folder."""
    return f"{STAMPS}/{row.size}-{_name(url)}.tsr"


def kept_of(url: str) -> list[Path]:
    """Return the files of all answers of an authority that are kept."""
    found = (_disk().folder.path / STAMPS).glob(f"*-{_name(url)}.tsr")
    return [path for path in found if path.name.partition("-")[0].isdecimal()]


def _name(url: str) -> str:
    parts = urlsplit(url)
    place = f"{parts.netloc}{parts.path}".rstrip("/")
    name = "".join(each if each.isascii() and each.isalnum() else "-" for each in place)
    return name[:80].strip("-")


def is_kept(url: str, row: RecordCheckpoint) -> bool:
    """Return whether the authority has stamped this checkpoint."""
    return (_disk().folder.path / path_of(url, row)).exists()


def keep(url: str, row: RecordCheckpoint, answer: bytes) -> None:
    """Keep an answer, durably."""
    _disk().folder.keep(path_of(url, row), answer)


def _disk() -> Disk:
    return Disk(Path(settings.DATA_DIR))
