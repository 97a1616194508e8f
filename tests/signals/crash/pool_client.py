"""Talks to the process pool: starts children in it, and kills them."""

import signal
import subprocess
from typing import Any

from tests.installation import Installation
from tests.signals.crash.process_pool import NEVER


class ProcessPool:
    """Starts processes of an installation and kills them."""

    def __init__(self, argo: Installation, **options: Any) -> None:  # noqa: ANN401
        module = ("-m", "tests.signals.crash.process_pool")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = argo.start(*module, **pipes, **options)

    def start(self, role: str, point: str = NEVER) -> int:
        return self._ask("start", role, point)

    def end(self, pid: int) -> None:
        assert self._ask("end", str(pid)) == signal.SIGKILL, "the child ended by itself"

    def close(self) -> None:
        self._process.communicate(timeout=180)

    def _ask(self, *words: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())
