"""The checks and preparations before anything starts, and the first admin user."""

import sqlite3

import pytest
from celery import Celery
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.checks import INFO
from kombu import Queue
from pytest_django import Settings

from argo.up.admin_user import make_first_admin
from argo.up.prepare import CannotStart, check_system, declare_queues, warn_of_keys
from argo.up.run import LOGGED_LATER, NOT_OF_A_DEMO
from signals.keys import create_key
from signals.models import ApiKey


@pytest.mark.django_db
def test_the_checks_report_the_sqlite_version() -> None:
    said: list[str] = []

    check_system(said.append, INFO)

    assert f"SQLite {sqlite3.sqlite_version} runs." in said


@pytest.mark.django_db
def test_keys_that_trade_since_before_there_were_scopes_are_logged_once_at_the_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    create_key("new", ["read", "write"])
    warn_of_keys()
    assert caplog.records == []
    create_key("older", ["write"])
    ApiKey.objects.filter(name="older").update(can_trade=None)
    warn_of_keys()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "older (argo_" in record.getMessage()
    assert "new (" not in record.getMessage()

    said: list[str] = []
    check_system(said.append, without=LOGGED_LATER)
    assert not any("older (argo_" in text for text in said)


@pytest.mark.django_db
def test_a_sync_that_is_off_is_said_except_before_a_demo(settings: Settings) -> None:
    settings.ALPINE_API_KEY = ""
    said: list[str] = []
    check_system(said.append)
    assert any("Sync with Alpine is off" in text for text in said)

    of_a_demo: list[str] = []
    check_system(of_a_demo.append, without=NOT_OF_A_DEMO)
    assert [text for text in said if "Sync" not in text] == of_a_demo


@pytest.mark.django_db
def test_a_faulty_sqlite_stops_the_start_and_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")

    with pytest.raises(CannotStart, match=r"SQLite 3\.40\.1 runs, .* requirements\.txt"):
        check_system(lambda _: None)


def test_queues_are_declared_before_their_workers_run() -> None:
    app = Celery("some", broker="memory://")
    app.conf.task_queues = [Queue("flush"), Queue("sync")]

    declare_queues(app)

    with app.connection_for_read() as connection:
        for name in ("flush", "sync"):
            Queue(name)(connection.default_channel).queue_declare(passive=True)


@pytest.mark.slow
def test_a_broker_that_is_down_stops_the_start_and_names_the_setting() -> None:
    app = Celery("some", broker="redis://:secret@127.0.0.1:1/0")

    with pytest.raises(CannotStart, match=r"127\.0\.0\.1:1/.*CELERY_BROKER_URL") as raised:
        declare_queues(app)
    assert "secret" not in str(raised.value)


@pytest.mark.django_db
def test_the_first_admin_can_log_in_with_the_password_that_is_shown() -> None:
    password = make_first_admin()

    user = authenticate(username="admin", password=password)
    assert user is not None
    assert user.is_superuser
    assert len(password or "") >= 20


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "is_superuser"), [("admin", True), ("somebody", True), ("admin", False)]
)
def test_no_admin_is_created_if_there_is_one_or_the_name_is_taken(
    name: str, is_superuser: bool
) -> None:
    User.objects.create_user(name, is_superuser=is_superuser)

    assert make_first_admin() is None
    assert User.objects.count() == 1
