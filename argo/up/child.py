"""One child process: in a session of its own, on a leash, its output passed on line by line."""

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

from argo.up import stop_with_parent

LONGEST_LINE = 65536
"""Bytes; what goes on without a line break is cut here, so that it cannot fill the memory."""


@dataclass(frozen=True)
class Spec:
    """What to run, and how to end it.

    Attributes:
        name: the prefix of its output.
        command: the program, with its full path, and its arguments.
        stage: its turn when all stop: all of stage 0 have ended before stage 1 is asked.
        patience: seconds between asking it to stop and killing it.
        once: it is to end by itself, and is not started again.
        environment: what to add to the environment of this process.
    """

    name: str
    command: tuple[str, ...]
    stage: int
    patience: float
    once: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """A running process made from `spec`.

    Start it on a thread that lives as long as the child shall: Linux pulls the leash when the
    thread that forked ends. `say` is called with each line of its output, on another thread.
    """

    def __init__(self, spec: Spec, say: Callable[[str], None], folder: Path) -> None:
        wrapper = (sys.executable, "-I", "-S", stop_with_parent.__file__, str(os.getpid()))
        self._process = subprocess.Popen(
            [*wrapper, *spec.command],
            cwd=folder,
            env={**os.environ, **spec.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal must not reach it directly
        )
        self.pid = self._process.pid
        self._say = say
        self._reader = threading.Thread(target=self._read, name=f"{spec.name}-output", daemon=True)
        self._reader.start()

    def has_ended(self) -> bool:
        """Whether it has ended; as a zombie it keeps its process number until `bury`."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, options) is not None

    def ask(self) -> None:
        """Ask it to stop; it is to end its own children itself."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and its children at once."""
        os.killpg(self.pid, signal.SIGKILL)

    def bury(self) -> int:
        """Clear away what it left behind, pass on its last lines, and answer its exit code.

        Negative is the number of the signal that ended it.
        """
        with suppress(PermissionError):  # macOS answers so where only zombies are left
            self.kill()  # children that outlive it would go on, and keep its port
        code = self._process.wait()
        self._reader.join(timeout=5)  # in vain only where a grandchild left the session
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  # Popen was asked for it
        with self._process.stdout as output:
            for line in iter(partial(output.readline, LONGEST_LINE), b""):
                self._say(line.decode(errors="replace").rstrip("\r\n"))


def describe(code: int) -> str:
    """An exit code as a person reads it."""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
