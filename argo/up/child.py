"""One child process: it has its own session, stops if this process dies, and its output is
passed on line by line."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from argo.up import stop_with_parent

MAX_LINE_BYTES = 65536
"""Longer lines are cut, so that output without a line break cannot fill the memory."""


@dataclass(frozen=True)
class Spec:
    """A program to run, and how to stop it.

    Attributes:
        name: the prefix of its output.
        command: the program, with its full path, and its arguments.
        stage: the order of stopping: stage 1 is asked to stop after all of stage 0 have ended.
        stop_timeout: seconds between asking it to stop and killing it.
        once: it ends by itself, and is not started again.
        niceness: from 0 to 19; the higher, the more it leaves the processors to others.
        environment: variables added to the environment of this process.
    """

    name: str
    command: tuple[str, ...]
    stage: int
    stop_timeout: float
    once: bool = False
    niceness: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """A running process made from `spec`.

    Start it on a thread that lives as long as the child should: Linux stops the child when the
    thread that forked it ends. `say` is called with each line of output, on another thread.
    `launch` starts the program.
    """

    def __init__(
        self,
        spec: Spec,
        say: Callable[[str], None],
        folder: Path,
        launch: "Launch | None" = None,
    ) -> None:
        self._launched = (launch or execute)(spec, folder)
        self.pid = self._launched.pid
        self._say = say
        self._reader = threading.Thread(target=self._read, name=f"{spec.name}-output", daemon=True)
        self._reader.start()

    def has_ended(self) -> bool:
        """Return whether it has ended; it stays a zombie and keeps its process id until `reap`."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, options) is not None

    def ask_to_stop(self) -> None:
        """Send SIGTERM; it stops its own children itself."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Kill it and its children at once."""
        os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> int:
        """Kill its remaining children, pass on its last lines, and return its exit code.

        If a signal ended it, the code is the signal's number, negated.
        """
        with suppress(PermissionError):  # macOS raises it if only zombies are left
            self.kill()  # children that outlive it would keep its port
        code = self._launched.wait()
        _bury_group(self.pid)
        self._reader.join(timeout=5)  # times out only if a grandchild left the session
        return code

    def _read(self) -> None:
        with self._launched.output as output:
            for line in iter(partial(output.readline, MAX_LINE_BYTES), b""):
                self._say(line.decode(errors="replace").rstrip("\r\n"))


def _bury_group(pid: int) -> None:
    """Let the system forget the dead of a process group that this process has adopted."""
    with suppress(ChildProcessError):  # raised when no child is left
        while os.waitid(os.P_PGID, pid, os.WEXITED | os.WNOHANG):
            pass


class Launched(NamedTuple):
    """A program that was started in a session of its own.

    `output` is what it prints; `wait` waits for its end and returns its exit code, or the negated
    number of the signal that ended it.
    """

    pid: int
    output: IO[bytes]
    wait: Callable[[], int]


Launch = Callable[[Spec, Path], Launched]
"""Starts the program of a spec in a folder. Raises OSError if that is not possible."""


def execute(spec: Spec, folder: Path) -> Launched:
    """Start the program as the system does: it loads everything anew."""
    wrapper = (sys.executable, "-I", "-S", stop_with_parent.__file__)
    process = subprocess.Popen(
        [*wrapper, str(os.getpid()), str(spec.niceness), *spec.command],
        cwd=folder,
        env={**os.environ, **spec.environment, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C in the terminal must not reach it directly
    )
    assert process.stdout is not None  # noqa: S101  # Popen was asked for it
    return Launched(process.pid, process.stdout, process.wait)


def describe(code: int) -> str:
    """Return an exit code as text for a person."""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
