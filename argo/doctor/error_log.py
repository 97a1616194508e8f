"""The last errors in the files that `up` writes, one for each process."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson

from argo.doctor.check import Finding, ok, warning
from argo.logs.text import cut, escaped
from argo.up.messages import logs_folder
from signals.clock import utc_now
from signals.status_text import counted
from signals.timestamps import parse_utc

PERIOD = timedelta(hours=1)
TAIL_BYTES = 512 * 2**10
"""What is read of each file, from its end."""
MOST_SHOWN = 3
LONGEST = 200
"""Characters of a line that are shown."""
LEVELS = ("ERROR", "CRITICAL")
_TEXT = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]{12}Z) (?P<level>[A-Z]+) (?P<text>[^\t]*)")


class LoggedError(NamedTuple):
    """A line of the log at ERROR or above."""

    at: datetime
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.file}: {cut(escaped(self.text), LONGEST)}"


def errors_in(*, of_sync: bool) -> Finding:
    """Report the errors of the last hour: of the worker that sends, or of all other processes."""
    folder = logs_folder()
    files = [path for path in sorted(folder.glob("*.log")) if (path.stem == "sync") is of_sync]
    if not files:
        return ok(f"there is no file of it in {folder}; processes started by hand write to stderr")
    since = utc_now() - PERIOD
    found = sorted(each for path in files for each in _errors(path) if each.at >= since)
    if not found:
        return ok("no error in the last hour")
    shown = "; ".join(map(str, found[-MOST_SHOWN:]))
    names = ", ".join(sorted({each.file for each in found}))
    return warning(
        f"{counted(len(found), 'error', 'errors')} in the last hour, the last: {shown}",
        f"Read what came before and after them in {folder}: {names}.",
    )


def _errors(path: Path) -> Iterator[LoggedError]:
    for line in _tail(path).splitlines():
        found = _as_json(line, path) if line.startswith("{") else _as_text(line, path)
        if found is not None:
            yield found


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read(TAIL_BYTES).decode(errors="replace")


def _as_text(line: str, path: Path) -> LoggedError | None:
    found = _TEXT.match(line)
    if found is None or found["level"] not in LEVELS:
        return None
    return LoggedError(parse_utc(found["at"]), path.name, found["text"])


def _as_json(line: str, path: Path) -> LoggedError | None:
    try:
        fields = orjson.loads(line)
        if str(fields["level"]).upper() not in LEVELS:
            return None
        return LoggedError(parse_utc(fields["timestamp"]), path.name, str(fields["event"]))
    except (ValueError, KeyError, TypeError):  # cut off, or not a line of the log
        return None
