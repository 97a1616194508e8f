"""The daily reports: which is due, what is in it, its files, what fails, and who sees it."""

import json
import stat
import sys
import threading
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from argo.health import registry
from argo.reports.daily import failure, schedule
from argo.reports.daily.days import due_day, end_of, last_complete
from argo.reports.daily.files import folder, is_stored, store, stored
from argo.reports.daily.making import make_daily
from argo.reports.daily.schedule import ReportFailed, make_due
from argo.up import once
from argo.up.child import Spec
from signals.clock import utc_now
from signals.locks import FileLock
from signals.models import Signal, SignalContext
from signals.timestamps import utc_text
from tests.argo.reports.ended import close, log
from tests.installation import Installation

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 27)
NOON = datetime(2026, 11, 28, 17, 0, tzinfo=UTC)
"""In New York it is noon."""
CONTENTS = {"html": b"<p>", "json": b"{}", "csv": b"section"}


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.REPORT_TIME = time(0, 30)
    settings.REPORT_KEEP_DAYS = 90


def report_of(day: date) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder() / f"{day}.json").read_text())
    return found


# --- Which day -------------------------------------------------------------------------------
def test_the_last_day_that_is_over_is_that_of_the_accounts_zone() -> None:
    assert last_complete(NOON) == DAY
    assert last_complete(datetime(2026, 11, 28, 4, 59, tzinfo=UTC)) == DAY - timedelta(days=1)
    assert end_of(DAY) == datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(("hour", "minute", "day"), [(5, 29, 26), (5, 30, 27), (23, 0, 27)])
def test_a_day_is_due_at_the_time_of_the_setting(hour: int, minute: int, day: int) -> None:
    now = datetime(2026, 11, 28, hour, minute, tzinfo=UTC)
    assert due_day(now, time(0, 30)) == date(2026, 11, day)


def test_a_firms_day_that_ends_in_the_evening_is_due_the_same_evening(
    settings: Settings, tmp_path: Path
) -> None:
    rules = '[evening]\nsource = "a test"\nzone = "America/New_York"\nreset = 17:00:00\n'
    (tmp_path / "rules.toml").write_text(rules)
    settings.PROP_FIRM, settings.PROP_FIRM_FILE = "evening", str(tmp_path / "rules.toml")
    friday = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)  # 17:00
    assert last_complete(friday) == DAY
    assert due_day(friday, time(18, 0)) == DAY - timedelta(days=1)
    assert due_day(friday + timedelta(hours=1), time(18, 0)) == DAY
    assert due_day(friday + timedelta(hours=13), time(7, 0)) == DAY - timedelta(days=1)
    assert due_day(friday + timedelta(hours=14), time(7, 0)) == DAY  # the next morning


# --- What it has -----------------------------------------------------------------------------
def test_it_has_what_was_known_at_the_end_of_its_day() -> None:
    signal = log(1)[0]
    today = last_complete(utc_now()) + timedelta(days=1)
    close(signal, "win", end_of(today) + timedelta(hours=1))
    now = end_of(today) + timedelta(days=1)
    make_daily(today, now)
    make_daily(today + timedelta(days=1), now)
    assert report_of(today)["counts"]["open"] == 1
    assert report_of(today + timedelta(days=1))["counts"]["win"] == 1
    assert report_of(today)["made_at"] == end_of(today).isoformat()


def test_made_again_it_is_the_same_and_private() -> None:
    log(2)
    day = last_complete(utc_now()) + timedelta(days=1)
    first = {path: path.read_bytes() for path in make_daily(day, end_of(day))}
    assert report_of(day)["counts"]["issued"] == 2
    receive_later(log(3, origin="hook", symbol="MSFT"), end_of(day))
    again = make_daily(day, end_of(day) + timedelta(days=1))
    assert {path: path.read_bytes() for path in again} == first
    assert {path.name for path in folder().iterdir()} == {f"{day}.{form}" for form in CONTENTS}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (*first, folder())}
    assert modes == {0o600, 0o700}


def receive_later(signals: list[Signal], end: datetime) -> None:
    received = SignalContext.objects.filter(pk__in=[signal.pk for signal in signals])
    received.update(received_at=utc_text(end + timedelta(minutes=1)))


def test_it_is_about_the_track_record_however_many_signals_were_replayed() -> None:
    log(3, origin="replay")
    log(1, symbol="MSFT")
    day = last_complete(utc_now()) + timedelta(days=1)
    make_daily(day, end_of(day))
    assert report_of(day)["origin"] == "api"


def test_a_day_that_is_not_over_has_no_report() -> None:
    with pytest.raises(CommandError, match="is not over: its report can be made from") as caught:
        call_command("report", "--daily", "2999-01-01")
    assert caught.value.returncode == 2


def test_old_reports_are_removed(settings: Settings) -> None:
    settings.REPORT_KEEP_DAYS = 7
    for ago in (7, 8):
        store(DAY - timedelta(days=ago), CONTENTS)
    make_daily(DAY, NOON)
    assert list(stored()) == [DAY, DAY - timedelta(days=7)]
    settings.REPORT_KEEP_DAYS = 0
    make_daily(DAY + timedelta(days=100), NOON + timedelta(days=100))
    assert len(stored()) == 3


# --- On schedule -----------------------------------------------------------------------------
def fails(day: date) -> Spec:
    code = "print('the disk is full'); raise SystemExit(2)"
    return Spec("report", (sys.executable, "-I", "-c", code), 0, 1.0, once=True)


def hangs(day: date) -> Spec:
    return Spec("report", (sys.executable, "-I", "-c", "import time; time.sleep(60)"), 0, 1.0)


def told() -> list[str]:
    return [each.sentence for each in registry.problems(utc_now()) if each.kind is failure.FAILED]


def test_a_failure_is_a_problem_until_the_report_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_spec", fails)
    with pytest.raises(ReportFailed, match="the disk is full"):
        make_due(NOON)
    assert told() == [f"The daily report of {DAY} was not made: the disk is full"]
    store(DAY, CONTENTS)
    assert make_due(NOON) is None
    assert told() == []


def test_a_report_that_is_being_made_is_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_spec", fails)
    folder().mkdir()
    lock = FileLock(folder() / "lock")
    lock.acquire()
    assert make_due(NOON) is None
    lock.release()


def test_a_worker_that_stops_does_not_wait_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = threading.Event()
    stopping.set()
    monkeypatch.setattr(once, "stopping", stopping)
    monkeypatch.setattr(schedule, "_spec", hangs)
    assert make_due(NOON) is None
    assert told() == []


def test_switched_off_none_is_due(settings: Settings) -> None:
    settings.REPORT_TIME = None
    assert make_due(NOON) is None
    assert not folder().exists()


@pytest.mark.slow
def test_a_process_of_its_own_makes_it(installation: Installation) -> None:
    code = "import django; django.setup(); from argo.tasks import report; print(report(), report())"
    said = installation.start("-c", code, stdout=-1).communicate()[0]
    day = last_complete(utc_now())
    assert said.split() == [str(day), "None"]
    names = {path.name for path in (installation.folder / "reports").iterdir()}
    assert names == {f"{day}.{form}" for form in CONTENTS} | {"lock"}


# --- Who sees it -----------------------------------------------------------------------------
@pytest.fixture
def clerk() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("clerk"))
    return client


def test_the_list_has_every_day_newest_first(clerk: Client) -> None:
    for day in (DAY, DAY - timedelta(days=1)):
        store(day, CONTENTS)
    (folder() / "2026-13-45.html").touch()
    out = StringIO()
    call_command("report", "--list", stdout=out)
    assert out.getvalue().splitlines()[1:] == [
        "2026-11-27  csv, html, json", "2026-11-26  csv, html, json",
    ]  # fmt: skip
    text = clerk.get("/report/daily/").content.decode()
    assert text.index("2026-11-27.html") < text.index("2026-11-26.html")
    assert "2026-13-45" not in text


def test_a_stored_page_is_shown_with_its_own_style_and_nothing_else(clerk: Client) -> None:
    make_daily(DAY, NOON)
    answer = clerk.get(f"/report/daily/{DAY}.html")
    assert "There are no signals" in answer.content.decode()
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-in")
    assert "Content-Disposition" not in answer
    answer = clerk.get(f"/report/daily/{DAY}.csv")
    assert answer["Content-Disposition"] == f'attachment; filename="report-{DAY}.csv"'


@pytest.mark.parametrize("name", ["2026-11-27.html", "lock", "failed", "..%2Fsecret.key", "x.html"])
def test_nothing_else_of_the_folder_is_served(clerk: Client, name: str) -> None:
    folder().mkdir()
    (folder() / "lock").touch()
    (folder() / "failed").touch()
    assert clerk.get(f"/report/daily/{name}").status_code == 404


def test_the_daily_reports_are_for_who_may_see_signals() -> None:
    store(DAY, CONTENTS)
    client = Client()
    assert client.get(f"/report/daily/{DAY}.html").status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(f"/report/daily/{DAY}.html").status_code == 403
    assert client.get("/report/daily/").status_code == 403


def test_a_day_is_there_with_all_its_files_only() -> None:
    store(DAY, {"html": b""})
    assert not is_stored(DAY)
    store(DAY, CONTENTS)
    assert is_stored(DAY)
