"""Names this machine's data folder and this process, for each line of the log."""

import socket
from functools import cache
from pathlib import Path, PurePath

from argo.logs.text import escaped

NODE_LENGTH = 8


class Node:
    """The name of the data folder that a process works on: the start of its journal's identity.

    Before there is a journal it is the name of the machine.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "signals.id"
        self._name = ""

    @property
    def name(self) -> str:
        """Return the name; it is read until there is one, and then kept."""
        if not self._name:
            try:
                self._name = escaped(self._file.read_text()[:NODE_LENGTH].strip())
            except (OSError, UnicodeDecodeError):
                return _machine()
        return self._name or _machine()


@cache
def _machine() -> str:
    return escaped(socket.gethostname())


def process_name(arguments: list[str]) -> str:
    """Return a short name for the process that was started with these arguments.

    A worker has the name before @ in its `--hostname`, else of its queues; a command of
    `manage.py` has its own name.
    """
    program, *rest = map(escaped, arguments or [""])
    path = PurePath(program)
    name = path.parent.name if path.name == "__main__.py" else path.stem
    if name == "gunicorn":
        return "web"
    if name in ("celery", "celery_process"):
        return _celery(rest)
    return rest[0] if name == "manage" and rest else name or "python"


def _celery(arguments: list[str]) -> str:
    if "worker" not in arguments:
        return "beat" if "beat" in arguments else "celery"
    name = _value(arguments, "--hostname", "-n").partition("@")[0]
    return name or _value(arguments, "--queues", "-Q") or "worker"


def _value(arguments: list[str], *options: str) -> str:
    """Return the value of an option, written as `--option value` or `--option=value`."""
    for each, following in zip(arguments, [*arguments[1:], ""], strict=True):
        option, _, value = each.partition("=")
        if option in options:
            return value or following
    return ""
