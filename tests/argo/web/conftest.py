"""Fixtures of the web server: Argo's in a thread, and another WSGI server beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.argo.web.clients import Served, served, wait_for_port
from tests.argo.web.echo import application
from tests.installation import ROOT
from tests.loopback import free_port


@pytest.fixture
def echo(port: int) -> Iterator[Served]:
    """The web server with the echo application."""
    with served(application, port) as running:
        yield running


@pytest.fixture(scope="module")
def granian() -> Iterator[int]:
    """The port of another WSGI server with the echo application."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "tests.argo.web.echo:application", "--interface", "wsgi",
        "--host", "127.0.0.1", "--port", str(port), "--blocking-threads", "2",
        "--log-level", "error",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        wait_for_port(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its worker may miss a request to stop
        process.wait()
