"""What the web server loads before it listens."""

import gc
import signal
import subprocess
import sys
from argparse import Namespace

import pytest

from argo.web import __main__ as start
from tests.installation import ROOT

LATE = """
import asyncio, sys
from argo.web.relay import PagesAway, Relay

async def main():
    relay = Relay("/no/such/socket")
    await relay.open()
    loaded = set(sys.modules)
    scope = {"raw_path": b"/", "query_string": b"", "method": "GET", "headers": [],
             "client": None, "server": None}
    try:
        await relay.answer(scope, b"", None, None)
    except PagesAway:
        print("away;", *set(sys.modules) - loaded)
    await relay.close()

asyncio.run(main())
"""


class Stub:
    """A server that notes that it was asked to run, and does not."""

    def __init__(self, *arguments: object, **options: object) -> None:
        self.should_exit = False

    def run(self, sockets: list[object]) -> None:
        pass

    def close(self) -> bool:
        return False


def test_pages_are_loaded_before_their_process_says_that_it_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    monkeypatch.setattr(start, "warm_up", lambda: done.append("loaded"))
    monkeypatch.setattr(start, "listen_on", lambda path: done.append(f"listens on {path}"))
    monkeypatch.setattr(start, "Server", Stub)
    monkeypatch.setattr(sys, "setswitchinterval", lambda seconds: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    try:
        start.main(Namespace(application=start.APPLICATION, make_pages_at="pages", pages_at=None))
        assert done == ["loaded", "listens on pages"]
        assert gc.get_freeze_count() > 100_000  # the collector passes over all that is loaded
    finally:
        gc.unfreeze()


def test_the_first_page_that_is_passed_on_loads_nothing() -> None:
    """Signals would wait for it: both need the event loop."""
    command = [sys.executable, "-c", LATE]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["away;"]
