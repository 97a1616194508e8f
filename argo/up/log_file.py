"""A log file of limited size, whose disk may fill up without harm."""

import logging
import sys
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from signals.files import make_folder, open_private

MAX_BYTES = 10 * 2**20
BACKUPS = 4
"""A full file is renamed to `NAME.log.1`, and this number of them is kept."""


class LogFile(RotatingFileHandler):
    """Appends lines to `path`, whose folder is made if it is missing.

    `say` hears once that the file cannot be written, and once that it can be again.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, delay=True,
                         encoding="utf-8", errors="backslashreplace")  # fmt: skip
        self._say, self._lost = say, 0

    def write(self, line: str) -> None:
        """Append a line; if that fails, it is counted as lost."""
        lost = self._lost
        self.handle(logging.makeLogRecord({"msg": line}))
        if lost and self._lost == lost:
            self._lost = 0
            self._say(f"{self.baseFilename} is written again; {lost} lines are missing.")

    def handleError(self, record: logging.LogRecord) -> None:
        """Report the first failure of several."""
        self._lost += 1
        if self._lost == 1:
            self._say(
                f"{self.baseFilename} cannot be written ({sys.exc_info()[1]}). Argo goes on "
                "without these lines. Free disk space, or correct the folder's permissions."
            )

    def _open(self) -> TextIOWrapper:
        make_folder(Path(self.baseFilename).parent)
        return open(  # the handler closes it
            self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=open_private
        )
