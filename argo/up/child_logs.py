"""Keeps every line of the children in files, and prints those that a person should see."""

import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from argo.logs.lines import INDENT
from argo.logs.text import cut, escaped_line, timestamp
from argo.up.log_file import LogFile
from argo.up.supervisor import OWN_NAME, PrintLine

IMPORTANT = {"WARNING", "ERROR", "CRITICAL"}
LEVEL = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]{12}Z ([A-Z]+) "  # as text
    r'|\{"timestamp":"[^"]+","level":"([a-z]+)"'  # as JSON
)
FAREWELL = "worker: "
"""Begins the lines that Celery prints without its log when it is asked to stop."""
LONGEST_LINE = 16_000
"""Characters of a line that are kept."""


class Selection:
    """Finds the lines of one process that a person should see.

    These are warnings and errors with their tracebacks, and what is not a line of the log, for
    example what Python prints when it cannot start.
    """

    def __init__(self) -> None:
        self._was_important = True

    def is_important(self, line: str) -> bool:
        """Return whether to show the line; pass all lines, in their order."""
        if not line.startswith(INDENT):  # the line belongs to the one before it
            found = LEVEL.match(line)
            level = (found[1] or found[2]).upper() if found else "ERROR"
            self._was_important = level in IMPORTANT and not line.startswith(FAREWELL)
        return self._was_important


class ChildLogs:
    """Writes what the processes `names` print to `folder`, each to a file of its own.

    What is not a line of the log gets the present time there.
    `print_line` gets what a person should see, or with `everything` all of it; `hide` takes the
    secrets out of a line. The lines of one name must come from one thread at a time.
    """

    def __init__(
        self,
        folder: Path,
        names: Iterable[str],
        print_line: PrintLine,
        *,
        hide: Callable[[str], str],
        everything: bool = False,
    ) -> None:
        say = partial(print_line, OWN_NAME)
        self._files = {name: LogFile(folder / f"{name}.log", say) for name in names}
        self._selections: dict[str, Selection] = {}
        self._print_line, self._hide, self._everything = print_line, hide, everything

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            with suppress(OSError):  # the disk is full: that was said
                file.close()

    def add(self, name: str, line: str) -> None:
        """Keep a line that the process `name` has printed, and print it if it is important.

        A process without a file keeps and cleans its own log.
        """
        if name in self._files:
            line = cut(escaped_line(self._hide(line)), LONGEST_LINE)
            self._keep(self._files[name], line)
        selection = self._selections.setdefault(name, Selection())
        if selection.is_important(line) or self._everything:
            self._print_line(name, line)

    def _keep(self, file: LogFile, line: str) -> None:
        if LEVEL.match(line) or line.startswith(INDENT):
            file.write(line)
        elif line.strip():  # not a line of the log: it has no time of its own
            file.write(f"{timestamp(time.time())} {line}")
