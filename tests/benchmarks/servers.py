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
from tests.benchmarks.workspace import say
from tests.installation import ROOT

PATIENCE = 120.0
"""Seconds for anything to start or to end."""


def manage(*arguments: str) -> str:
    """Run `manage.py` with these arguments to its end; what it printed."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True).stdout


@contextmanager
def up(settings: Mapping[str, str] | None = None) -> Iterator[psutil.Process]:
    """`manage.py up` with these settings, from the moment it says that it is ready."""
    command = [sys.executable, "manage.py", "up"]
    with _running(command, subprocess.PIPE, os.environ | (settings or {})) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Argo is ready" in line:
                break
        else:
            raise RuntimeError("`up` ended before it was ready")
        threading.Thread(target=_passed_on, args=[process.stdout], daemon=True).start()
        yield psutil.Process(process.pid)


@contextmanager
def web(application: str) -> Iterator[None]:
    """The web server alone, with another WSGI application."""
    command = next(spec.command for spec in specs() if spec.name == "web")
    with _running([application if part.endswith(":application") else part for part in command]):
        _until_it_answers()
        yield


@contextmanager
def receiver(latency: float) -> Iterator[str]:
    """An Alpine whose answers take so many seconds; its endpoint."""
    command = [sys.executable, "-m", "tests.receiver", "--latency", str(latency)]
    with _running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/api/signals"


def worker_of(up: psutil.Process, name: str) -> psutil.Process:
    """The worker process of this name."""
    node = next(spec for spec in specs() if spec.name == name).command
    for process in up.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if tuple(process.cmdline()[1:]) == node[1:]:
                return process
    raise RuntimeError(f"`up` has started no worker {name}")


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
        process.wait(PATIENCE)


def _passed_on(lines: IO[str]) -> None:
    """What goes wrong in a process is to be seen; the rest need not be."""
    for line in lines:
        if "WARNING" in line or "ERROR" in line:
            say(line.rstrip())


def _until_it_answers() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with (
            suppress(OSError),
            closing(http.client.HTTPConnection(settings.WEB_HOST, settings.WEB_PORT)) as client,
        ):
            client.request("GET", "/api/health")
            return client.getresponse().close()
        time.sleep(0.05)
    raise RuntimeError("the web server does not answer")
