"""A person at the browser, and everything that the browser has to complain about meanwhile."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

from tests.browser.people import ADMIN, PASSWORD
from tests.browser.running_argo import RunningArgo
from tests.installation import ROOT

PATIENCE = 30_000
"""Milliseconds until a page or an element that does not come is a failure."""
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SCREENSHOTS = Path(os.environ.get("ARGO_SCREENSHOTS", ROOT / "screenshots"))
"""Where a test leaves a picture of the last page that it saw, for a person to look at."""
expect.set_options(timeout=PATIENCE)


@dataclass
class Complaints:
    """What the console says of errors, and answers of Argo without a content policy."""

    texts: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Collect from every page of this context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.texts.append(f"error: {error.error}"))
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.texts.append(f"{message.type}: {message.text} at {message.location['url']}")

    def _response(self, answer: Response) -> None:
        policy = answer.headers.get("content-security-policy", "")
        if answer.url.startswith("http") and "script-src 'self';" not in policy:
            self.texts.append(f"no content policy: {answer.url}")


class Visitors:
    """Lets people in: each user logs in once, whatever pages are opened for them later."""

    def __init__(self, browser: Browser, argo: RunningArgo) -> None:
        self._browser, self.argo = browser, argo
        self._cookies: dict[str, Any] = {}

    @contextmanager
    def page(self, user: str = "", **options: Any) -> Iterator[Page]:  # noqa: ANN401
        """Open a page for this user; nobody is logged in without one.

        `options` are those of Playwright's contexts. The browser must not complain meanwhile.
        """
        state = self._state(user) if user else None
        with self._opened({"storage_state": state} | options) as (page, complaints):
            try:
                yield page
            finally:
                page.screenshot(path=SCREENSHOTS / f"{_test()}.png")
        assert not complaints.texts, complaints.texts

    def _state(self, user: str) -> Any:  # noqa: ANN401  # Playwright's own form
        if user not in self._cookies:
            with self._opened({}) as (page, _):
                page.goto("/")
                log_in(page, user, self.password_of(user))
                self._cookies[user] = page.context.storage_state()
        return self._cookies[user]

    @contextmanager
    def _opened(self, options: dict[str, Any]) -> Iterator[tuple[Page, Complaints]]:
        options = {"viewport": WIDE, "base_url": self.argo.address} | options
        complaints = Complaints()
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        complaints.watch(context)
        try:
            yield context.new_page(), complaints
        finally:
            context.close()

    def password_of(self, user: str) -> str:
        """Return the password that `up` printed, or the one of the tests' users."""
        return self.argo.password if user == ADMIN else PASSWORD


def log_in(page: Page, user: str, password: str) -> None:
    """Fill in the form of the login."""
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()


def _test() -> str:
    """Return the name of the test that runs, as far as a file may be called that."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "nobody").rpartition("::")[2].split(" ")[0]
    return re.sub(r"[^\w-]+", "-", name).strip("-")
