"""The handler that all loggers share: it makes the lines and leaves the writing to a thread."""

import logging
from functools import partial

from argo.logs.background import BackgroundWriter, write_to

STANDARD_ERROR = 2


class BackgroundHandler(logging.Handler):
    """Writes to standard error without ever waiting for it.

    The end of the program waits a moment for the last lines: `logging.shutdown` calls `flush`.
    """

    def __init__(self, descriptor: int = STANDARD_ERROR) -> None:
        super().__init__()
        self._writer = BackgroundWriter(partial(write_to, descriptor), self._dropped)

    def emit(self, record: logging.LogRecord) -> None:
        """Make the line and queue it. A record that cannot be made a line is reported as one."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001  # a bug in one line must not end its caller
            line = self.format(_replacement(record, error))
        self._writer.put(f"{line}\n")

    def flush(self) -> None:
        """Wait a moment until all lines are written."""
        self._writer.finish()

    def _dropped(self, count: int) -> str:
        text = "%d log lines were dropped, because nothing read them in time"
        record = logging.LogRecord(__name__, logging.WARNING, "", 0, text, (count,), None)
        return f"{self.format(record)}\n"


def _replacement(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    text = "A log line of %s, line %d, could not be made: %s"
    arguments = (record.pathname, record.lineno, type(error).__name__)
    return logging.LogRecord(record.name, logging.ERROR, "", 0, text, arguments, None)
