"""Users with a second factor, and what they do to log in."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from argo.groups import TRADER, make_groups
from argo.models import SecondFactor

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PASSWORD = "a long password"
STEP = timedelta(seconds=30)
RECOVERY = re.compile(r"<li>((?:[a-z2-7]{4}-){3}[a-z2-7]{4})</li>")


class Clock:
    """The clock of Argo's logins, which a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        for name in ("backend", "forms", "middleware", "sessions", "views"):
            monkeypatch.setattr(f"argo.logins.{name}.utc_now", lambda: self.now)
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)  # of Django's sessions

    def pass_by(self, time: timedelta) -> None:
        self.now += time


class Person:
    """A user of a group with a browser and an app that makes codes."""

    def __init__(self, clock: Clock, group: str = TRADER, name: str = "ann") -> None:
        make_groups()
        self.clock = clock
        self.user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        self.user.groups.set(Group.objects.filter(name=group))
        self.browser = Client()

    def log_in(self, browser: Client | None = None, wanted: str = "/admin/") -> Any:  # noqa: ANN401
        """Give name and password; return where that leads."""
        form = {"username": self.user.username, "password": PASSWORD, "next": wanted}
        return (browser or self.browser).post("/admin/login/", form, follow=True)

    def give(self, code: str, browser: Client | None = None, wanted: str = "") -> Any:  # noqa: ANN401
        """Give a code on the second step."""
        address = f"/admin/login/code/?next={wanted}"
        return (browser or self.browser).post(address, {"code": code})

    def set_up(self) -> list[str]:
        """Log in, switch on two-factor login, and return the recovery codes."""
        self.log_in()
        self.browser.post("/profile/second-factor/begin/")
        answer = self.browser.post("/profile/second-factor/", {"code": self.code()})
        return RECOVERY.findall(answer.content.decode())

    def code(self) -> str:
        """Return the code that the app shows now."""
        factor = SecondFactor.objects.get(user=self.user)
        return pyotp.TOTP(factor.secret).at(self.clock.now)

    def next_code(self) -> str:
        """Wait for the next code of the app, and return it."""
        self.clock.pass_by(STEP)
        return self.code()

    def is_in(self, browser: Client | None = None) -> bool:
        """Return whether the browser is logged in."""
        return (browser or self.browser).get("/profile/").status_code == 200


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def ann(db: None, clock: Clock) -> Person:
    """Return a trader who has not logged in yet."""
    return Person(clock)
