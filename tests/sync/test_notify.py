"""Messages to people: real ones, by Apprise's json:// to an HTTP server on loopback."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from signals.clock import utc_now
from sync import targets
from sync.courier import Courier, Message, forget_old
from sync.models import Notice
from sync.notify import notify
from tests.loopback import serving

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "s3cret-token"
WAIT = 30.0


class Inbox:
    """A target that keeps what it gets; it may fail, or hang until `go` is set."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.go = threading.Event()
        self.go.set()
        self.asked = threading.Event()
        self.url = ""

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.got]

    @contextmanager
    def running(self) -> Iterator[None]:
        with serving(self._handler()) as port:
            self.url = f"json://127.0.0.1:{port}/{SECRET}?rto=60"
            yield
            self.go.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.asked.set()
                inbox.go.wait(WAIT)
                if inbox.status == 200:
                    inbox.got.append(json.loads(body))
                self.send_response(inbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def inboxes(settings: Settings) -> Iterator[list[Inbox]]:
    """Two targets."""
    made = [Inbox(), Inbox()]
    with ExitStack() as stack:
        for inbox in made:
            stack.enter_context(inbox.running())
        settings.NOTIFY_URLS = [inbox.url for inbox in made]
        yield made
    targets._apprise.cache_clear()


@pytest.fixture
def inbox(inboxes: list[Inbox], settings: Settings) -> Inbox:
    """One target alone."""
    settings.NOTIFY_URLS = [inboxes[0].url]
    return inboxes[0]


class Clock:
    """The wall clock, moved by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> Any:  # noqa: ANN401
        return utc_now() + self.ahead

    def pass_by(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def courier(clock: Clock, interval: float = 0.0) -> Courier:
    return Courier(targets.targets(), timedelta(seconds=interval), targets.send, clock)


def look(sender: Courier) -> None:
    sender.look()
    sender.wait(WAIT)


def waiting() -> int:
    return Notice.objects.filter(delivered_at=None).count()


def test_every_target_gets_the_message_once(inboxes: list[Inbox], clock: Clock) -> None:
    notify("Trading is halted", "Lift the halt.", clock)
    sender = courier(clock)
    look(sender)
    look(sender)
    for inbox in inboxes:
        (got,) = inbox.got
        assert (got["title"], got["message"]) == ("Trading is halted", "Lift the halt.")
    assert waiting() == 0


def test_without_addresses_nothing_is_queued(settings: Settings) -> None:
    settings.NOTIFY_URLS = []
    notify("Nobody hears this")
    assert not Notice.objects.exists()


def test_what_happens_within_the_interval_goes_out_together(inbox: Inbox, clock: Clock) -> None:
    sender = courier(clock, interval=60)
    notify("first", clock=clock)
    look(sender)
    for title in ("second", "third"):
        notify(title, f"about the {title}", clock)
        clock.pass_by(seconds=20)
        look(sender)
    assert inbox.titles == ["first"]
    clock.pass_by(seconds=30)
    look(sender)
    assert inbox.titles == ["first", "2 messages from Argo"]
    assert inbox.got[1]["message"] == "second\nabout the second\n\nthird\nabout the third"


def test_a_target_that_fails_gets_it_later_in_order(inbox: Inbox, clock: Clock) -> None:
    sender, inbox.status = courier(clock), 500
    notify("first", clock=clock)
    look(sender)
    notify("second", clock=clock)
    inbox.status = 200
    look(sender)
    assert inbox.got == [], "the next try is not due yet"
    clock.pass_by(seconds=31)
    look(sender)
    assert inbox.got[0]["message"] == "first\n\nsecond"
    assert waiting() == 0


def test_a_target_that_hangs_delays_neither_the_caller_nor_the_others(
    inboxes: list[Inbox], clock: Clock
) -> None:
    slow, fast = inboxes
    slow.go.clear()
    sender = courier(clock)
    notify("first", clock=clock)
    began = time.monotonic()
    sender.look()
    assert time.monotonic() - began < 2
    assert slow.asked.wait(WAIT)
    sender._under_way[targets.digest(fast.url)].join(WAIT)
    notify("second", clock=clock)
    sender.look()
    sender._under_way[targets.digest(fast.url)].join(WAIT)
    assert (fast.titles, slow.titles) == (["first", "second"], [])
    slow.go.set()
    sender.wait(WAIT)
    look(sender)
    assert slow.titles == ["first", "second"]


def test_two_machines_send_it_once(inbox: Inbox, clock: Clock) -> None:
    notify("once", clock=clock)
    senders = [courier(clock) for _ in range(4)]
    for sender in senders:
        sender.look()
    for sender in senders:
        sender.wait(WAIT)
    assert inbox.titles == ["once"]


def test_what_a_dead_process_had_claimed_is_sent_after_its_lease(
    inbox: Inbox, clock: Clock
) -> None:
    notify("once", clock=clock)
    Notice.objects.update(
        status="sending", claim="of the dead", due_at=clock() + timedelta(minutes=5)
    )
    look(courier(clock))
    assert inbox.got == []
    clock.pass_by(minutes=6)
    look(courier(clock))
    assert inbox.titles == ["once"]


def test_without_the_database_each_target_is_told_once_until_it_is_back(
    inboxes: list[Inbox], clock: Clock
) -> None:
    sender, message = courier(clock), Message("The database does not answer", "Start it.")
    inboxes[0].status = 500
    for _ in range(3):
        sender.send_unqueued(message)
        sender.wait(WAIT)
    assert [len(inbox.got) for inbox in inboxes] == [0, 1]
    inboxes[0].status = 200
    sender.send_unqueued(message)
    sender.wait(WAIT)
    assert [len(inbox.got) for inbox in inboxes] == [1, 1]


def test_a_message_that_nobody_took_for_a_week_is_given_up_and_logged(
    inbox: Inbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    notify("long ago", clock=clock)
    forget_old(clock() + timedelta(days=6))
    assert waiting() == 1
    forget_old(clock() + timedelta(days=8))
    assert waiting() == 0
    assert "1 messages were given up" in caplog.text


def test_addresses_are_in_no_log_and_no_row(
    inbox: Inbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    inbox.status = 500
    notify("a message", clock=clock)
    look(courier(clock))
    inbox.status = 200
    clock.pass_by(hours=1)
    look(courier(clock))
    assert inbox.titles == ["a message"]
    assert targets.digest(inbox.url) in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in str(list(Notice.objects.values()))


def test_a_check_names_an_invalid_address_by_its_place(inbox: Inbox, settings: Settings) -> None:
    settings.NOTIFY_URLS = [inbox.url, f"nothing://{SECRET}"]
    assert [check.id for check in run_checks() if check.id == "sync.E003"] == []
    (error,) = [check for check in run_checks(databases=["default"]) if check.id == "sync.E003"]
    assert error.msg == "Address 2 of NOTIFY_URLS is not valid."
    assert SECRET not in str(error)


def test_long_and_hostile_texts_can_be_stored_and_sent(inbox: Inbox, clock: Clock) -> None:
    notify("t" * 1000, "\0" + "b" * 10_000, clock)
    look(courier(clock))
    assert len(inbox.got[0]["title"]) == 200
    assert len(inbox.got[0]["message"]) == 2000
