"""Messages in the operator's own words, in quiet hours, as a digest, of events, and as a test."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from signals.events import EventType, publish
from sync import targets
from sync.courier import Courier
from sync.models import Notice
from sync.notify import notify
from sync.quiet import NEVER, QuietHours
from tests.sync.test_notify import Clock, Inbox, inbox, inboxes, look

__all__ = ["inbox", "inboxes"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """The folder of the operator's templates, with one target that nobody runs."""
    settings.NOTIFY_URLS = ["json://127.0.0.1:1/"]
    settings.NOTIFY_TEMPLATES = tmp_path / "notify"
    settings.NOTIFY_TEMPLATES.mkdir()
    return tmp_path / "notify"


def words() -> tuple[str, str]:
    notice = Notice.objects.latest("pk")
    return notice.title, notice.body


def test_a_template_words_the_messages_of_its_kind_alone(folder: Path) -> None:
    text = "{{ data.symbol }} < {{ title }}\n\n{{ body }} ({{ about }})\n"
    (folder / "position.closed.txt").write_text(text)
    notify("Closed", "all of it", about="position.closed", data={"symbol": "A&B"})
    assert words() == ("A&B < Closed", "all of it (position.closed)")
    notify("Other", "text", about="halt.set")
    assert words() == ("Other", "text")
    (folder / "all.txt").write_text("[Argo] {{ title }}")
    notify("Other", "text", about="halt.set")
    assert words() == ("[Argo] Other", "")
    notify("No kind")
    assert words() == ("[Argo] No kind", "")


@pytest.mark.parametrize("text", [
    b"{% if %}", b"{{ title", b"{% load nonsense %}", b"{% include 'missing.txt' %}", b"", b"  \n",
    b"{{ nothing }}\nbody", b"\xff\xfe", b"x" * 70_000, b"{% now %}",
])  # fmt: skip
def test_a_broken_template_stops_no_message_and_is_told(folder: Path, text: bytes) -> None:
    (folder / "halt.set.txt").write_bytes(text)
    notify("Halted", "by hand", about="halt.set")
    title, body = words()
    if text == b"{{ title":  # Django takes it for text
        assert title == "{{ title"
        return
    assert title == "Halted"
    assert body.startswith("by hand")
    assert "The template halt.set.txt is broken" in body


@pytest.mark.parametrize("about", ["../secret", "a/b", "", ".", "..", "a\0b", "A" * 300])
def test_no_file_outside_the_folder_is_a_template(folder: Path, about: str) -> None:
    (folder.parent / "secret.txt").write_text("secret")
    notify("Title", "body", about=about)
    assert words() == ("Title", "body")


BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)


@pytest.mark.parametrize(("hour", "quiet"), [
    (20, False), (21, True), (23, True), (0, True), (5, True), (6, False), (12, False),
])  # fmt: skip
def test_quiet_hours_go_over_midnight_in_their_zone(hour: int, quiet: bool) -> None:
    assert NIGHT.is_quiet(datetime(2025, 1, 15, hour, 30, tzinfo=UTC)) == quiet
    assert not NEVER.is_quiet(datetime(2025, 1, 15, hour, tzinfo=UTC))


@pytest.mark.parametrize(("month", "quiet"), [(1, False), (7, True)])
def test_quiet_hours_follow_daylight_saving_time(month: int, quiet: bool) -> None:
    assert NIGHT.is_quiet(datetime(2025, month, 15, 20, 30, tzinfo=UTC)) == quiet


def test_in_quiet_hours_only_what_is_urgent_is_sent(inbox: Inbox, clock: Clock) -> None:
    now = clock().astimezone(UTC)
    hours = [(now + timedelta(hours=each)).time() for each in (-1, 1)]
    quiet = QuietHours(hours[0], hours[1], UTC)
    courier = Courier(targets.targets(), timedelta(), targets.send, clock, quiet)
    notify("disk is full", clock=clock, about="disk.low")
    notify("halted", clock=clock, about="halt.set")
    look(courier)
    assert inbox.titles == ["halted"]
    clock.pass_by(hours=1, seconds=1)
    look(courier)
    assert inbox.titles == ["halted", "disk is full"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_many_messages_go_out_as_their_number_and_the_first_ones(
    inbox: Inbox, clock: Clock
) -> None:
    for number in range(300):
        notify(f"message {number}", "a long body", clock)
    look(Courier(targets.targets(), timedelta(), targets.send, clock))
    (got,) = inbox.got
    assert got["title"] == "300 messages from Argo"
    assert got["message"].splitlines()[:10] == [f"message {number}" for number in range(10)]
    assert "290 more" in got["message"]
    assert "a long body" not in got["message"]
    assert Notice.objects.exclude(status="delivered").count() == 0


def test_people_are_told_of_the_events_that_they_choose(folder: Path, settings: Settings) -> None:
    settings.NOTIFY_EVENTS = ["halt.set"]
    publish(EventType.HALT_LIFTED, {"account": "paper", "reason": "calm"})
    assert not Notice.objects.exists()
    publish(EventType.HALT_SET, {"account": "paper", "reason": "news", "lifted_at": None})
    assert words() == ("Trading on paper is halted: news", "account: paper\nreason: news")
    assert Notice.objects.get().is_urgent
    publish(EventType.HALT_SET, {"another": "form"})
    assert words() == ("halt.set", "another: form")


def test_the_command_tests_each_target(
    inbox: Inbox, settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings.NOTIFY_TEMPLATES = tmp_path
    call_command("notify", "--test")
    (tmp_path / "halt.set.txt").write_text("Own words: {{ title }}")
    call_command("notify", "--test", "halt.set")
    assert inbox.titles == ["A test of Argo's messages", "Own words: A test of Argo's messages"]
    assert "template: halt.set.txt" in capsys.readouterr().out
    (tmp_path / "halt.set.txt").write_text("{% broken %}")
    with pytest.raises(CommandError, match=r"halt\.set\.txt is broken") as raised:
        call_command("notify", "--test", "halt.set")
    assert raised.value.returncode == 1
    inbox.status = 500
    with pytest.raises(CommandError, match="did not take"):
        call_command("notify", "--test")
    settings.NOTIFY_URLS = []
    with pytest.raises(CommandError, match="NOTIFY_URLS") as raised:
        call_command("notify", "--test")
    assert raised.value.returncode == 2
