"""Small real programs, a real supervisor over them, and functions that watch both."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil

from tests.installation import ROOT

PATIENCE = 400.0
"""Seconds until a test gives up on a slow machine; a test that passes never waits that long."""

POLITE = """
import os, signal, sys, time
def bye(*_):
    print("asked", flush=True)
    time.sleep(float(sys.argv[1]) if sys.argv[1:] else 0)
    print("bye", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, bye)
print("pid", os.getpid(), flush=True)
while True:
    time.sleep(0.02)
"""
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pid", os.getpid(), flush=True)
while True:
    time.sleep(0.02)
"""
DYING = "raise SystemExit(3)"
PARENT = """
import os, subprocess, sys, time
code = "import time\\nwhile True: time.sleep(0.02)"
grandchild = subprocess.Popen([sys.executable, "-c", code])
print("grandchild", grandchild.pid, flush=True)
print("pid", os.getpid(), flush=True)
while True:
    time.sleep(0.02)
"""


def a_child(name: str, code: str, *arguments: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    command = [sys.executable, "-c", code, *arguments]
    return {"name": name, "command": command, "stage": 0, "stop_timeout": PATIENCE} | changes


class Running:
    """A started process whose lines are collected while it runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.lines.extend(iter(output.readline, ""))

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str, times: int = 1) -> list[str]:
        """Wait until the output matches this many times; return the matches of the group."""
        wait_until(
            lambda: len(re.findall(pattern, self.text)) >= times or not self._reader.is_alive(),
            lambda: f"{pattern!r} {times} times in:\n{self.text}",
        )
        found = re.findall(pattern, self.text)
        assert len(found) >= times, self.text
        return found

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> int:
        """Wait for its end, and return its exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def kill_all(self) -> None:
        """Kill it and all processes that it started, at the end of a test."""
        if self.process.poll() is not None:
            return
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.end()
        for process in started:
            end_for_good(process)


def supervise(*children: dict[str, Any], wrapper: tuple[str, ...] = ()) -> Running:
    plan = json.dumps({"children": children})
    process = subprocess.Popen(
        [*wrapper, sys.executable, "-m", "tests.argo.up.supervise", plan],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Running(process)


def end_for_good(process: psutil.Process) -> None:
    if process.is_running():
        process.send_signal(signal.SIGKILL)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_until(condition: Callable[[], bool], what: Callable[[], str] = lambda: "it") -> None:
    """Wait until `condition` is true; fail after `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting for {what()}"
        time.sleep(0.02)


def wait_until_gone(*pids: int) -> None:
    wait_until(lambda: not any(map(is_alive, pids)), lambda: f"the end of {pids}")
