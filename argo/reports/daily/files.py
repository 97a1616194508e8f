"""The files of the daily reports: three for each day, readable by their owner only."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings

from argo.errors import NotFound
from argo.reports.downloads import FORMATS
from signals.backup.files import write_synced
from signals.files import make_folder

_NAME = re.compile(rf"(\d{{4}}-\d\d-\d\d)\.({'|'.join(FORMATS)})")


def folder() -> Path:
    """Return the folder of the daily reports; it may not be there yet."""
    return Path(settings.DATA_DIR) / "reports"


def stored() -> dict[date, list[str]]:
    """Return the formats that there are of each day's report, newest day first."""
    found: dict[date, list[str]] = {}
    for path in folder().glob("*"):
        if (name := _NAME.fullmatch(path.name)) and (day := _day(name[1])):
            found.setdefault(day, []).append(name[2])
    return {day: sorted(found[day]) for day in sorted(found, reverse=True)}


def is_stored(day: date) -> bool:
    """Return whether the day's report is there, in every format."""
    return set(stored().get(day, ())) == set(FORMATS)


def store(day: date, contents: Mapping[str, bytes]) -> list[Path]:
    """Write a day's report, by format; each file appears whole and replaces an older one.

    Raises OSError.
    """
    make_folder(folder())
    paths = [folder() / f"{day}.{form}" for form in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        write_synced(path, content)
    return paths


def read(name: str) -> tuple[str, bytes]:
    """Return the format and the content of the file with this name. Raises `NotFound`."""
    found = _NAME.fullmatch(name)
    if found:
        with suppress(FileNotFoundError):
            return found[2], (folder() / name).read_bytes()
    raise NotFound(f"There is no daily report {name}: /report/daily/ lists those that there are.")


def remove_old(today: date, keep_days: int) -> None:
    """Remove the reports of days that are more than `keep_days` before `today`; 0 keeps all."""
    if not keep_days:
        return
    oldest = today - timedelta(days=keep_days)
    for day, forms in stored().items():
        if day < oldest:
            for form in forms:
                (folder() / f"{day}.{form}").unlink(missing_ok=True)


def _day(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None
