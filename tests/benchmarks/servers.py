"""Argo's own processes, started as `up` starts them, on this process's data folder."""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import IO

import psutil
from django.conf import settings

from argo.up.children import specs
from argo.up.roles import all_roles
from tests.benchmarks.workspace import say
from tests.installation import ROOT

PROCESS_TIMEOUT = 120.0
"""Seconds for a process to start or to end."""


def manage(*arguments: str) -> str:
    """Run `manage.py` with these arguments and return its output."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True).stdout


@contextmanager
def up(
    settings: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> Iterator[psutil.Process]:
    """Run `manage.py up` with these settings; the block starts when it is ready."""
    command = [sys.executable, "manage.py", "up", *options]
    with _running(command, subprocess.PIPE, os.environ | (settings or {})) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Argo is ready" in line:
                break
        else:
            raise RuntimeError("`up` ended before it was ready")
        threading.Thread(target=_print_problems, args=[process.stdout], daemon=True).start()
        yield psutil.Process(process.pid)


@contextmanager
def web(application: str) -> Iterator[None]:
    """Run the web server alone, with another WSGI application."""
    command = next(spec.command for spec in specs(all_roles()) if spec.name == "web")
    with _running([application if part.endswith(":application") else part for part in command]):
        _wait_for_answer()
        yield


@contextmanager
def receiver(latency: float) -> Iterator[str]:
    """Run an Alpine whose answers take `latency` seconds; yield its endpoint."""
    command = [sys.executable, "-m", "tests.receiver", "--latency", str(latency)]
    with _running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/api/signals"


def worker_of(up: psutil.Process, name: str) -> psutil.Process:
    """Return the worker process of this name. Raises `RuntimeError` if it is not running."""
    for process in up.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if f"{name}@" in " ".join(process.cmdline()):
                return process
    raise RuntimeError(f"`up` has not started a worker {name}")


@contextmanager
def _running(
    command: Sequence[str], stdout: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    out = stdout or sys.stderr.fileno()
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=out, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PROCESS_TIMEOUT)


def _print_problems(lines: IO[str]) -> None:
    """Print warnings and errors; skip all other lines, so that the pipe never fills up."""
    for line in lines:
        if "WARNING" in line or "ERROR" in line:
            say(line.rstrip())


def _wait_for_answer() -> None:
    deadline = time.monotonic() + PROCESS_TIMEOUT
    while time.monotonic() < deadline:
        with (
            suppress(OSError),
            closing(http.client.HTTPConnection(settings.WEB_HOST, settings.WEB_PORT)) as client,
        ):
            client.request("GET", "/api/health")
            return client.getresponse().close()
        time.sleep(0.05)
    raise RuntimeError("the web server does not answer")
