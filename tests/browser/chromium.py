"""Debian's Chromium, driven by Playwright. Nothing is downloaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.services import required

PROGRAM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
MISSING = f"there is no {PROGRAM}: install it with `apt-get install chromium`"
PATIENCE = 30.0
"""Seconds until a browser that does not start has failed."""


@contextmanager
def browser() -> Iterator[Browser]:
    """Run the browser without a window."""
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(
            executable_path=PROGRAM, args=[*ARGUMENTS], timeout=1000 * PATIENCE
        )
        yield program
        program.close()


def required_or_skipped() -> None:
    """Fail without a browser in CI, where every service is required; elsewhere skip."""
    if not PROGRAM.exists():
        pytest.fail(MISSING) if required() else pytest.skip(MISSING)
