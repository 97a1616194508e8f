"""The system checks say what is wrong and what to do."""

import sqlite3
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from argo import checks
from signals.config import flusher, journal
from signals.models import DeadLetter
from signals.tracker import SignalTracker
from tests.samples import a_signal

pytestmark = pytest.mark.django_db


def _check_ids() -> list[str | None]:
    return [message.id for message in run_checks(databases=["default"])]


def test_a_deleted_journal_is_a_problem_until_a_person_resolves_it() -> None:
    SignalTracker("test").log_signal(a_signal())
    journal().path.unlink()
    assert "argo.W001" in _check_ids()
    flusher().flush()
    assert "argo.W001" in _check_ids()
    DeadLetter.objects.update(resolved_at="2025-01-15T10:30:00Z")
    assert "argo.W001" not in _check_ids()


def test_the_running_sqlite_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "argo.I001" in _check_ids()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    (error,) = checks.sqlite_library()
    assert error.id == "argo.E001"
    assert "3.51.3" in str(error.hint)


def test_a_missing_handler_is_an_error(settings: Settings) -> None:
    settings.SIGNAL_STORED_HANDLERS = ("sync.nowhere.enqueue",)
    (error,) = checks.stored_handlers()
    assert "sync.nowhere.enqueue" in error.msg


@pytest.mark.parametrize(
    "symbols",
    [
        [],
        ["AAPL", "FB", "GOOG", "IBM", "MSFT"],
        ["MSFT", "IBM", "GOOG", "FB", "AAPL"],
        ["aapl", "fb", "NASDAQ:GOOG", "ibm", "msft"],
        ["AAPL", "FB", "GOOG", "IBM", "MSFT", "AAPL"],
        ["NVDA", "AAPL", "FB", "GOOG", "IBM", "MSFT"],
    ],
)
def test_fault_62_a_live_market_needs_symbols_of_its_own(
    symbols: list[str], settings: Settings
) -> None:
    settings.MARKET_SYMBOLS = symbols
    assert run_checks() == []
    settings.MARKET_IS_LIVE = True
    (error,) = run_checks()
    assert error.id == "argo.E011"
    settings.MARKET_SYMBOLS = ["FB", "AAPL"]
    assert run_checks() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[A]\ncolour = 1", "A.colour"),
        ('[A]\nhours = "XXXX"', "'XXXX' is not an exchange calendar"),
        (None, "cannot be read"),
    ],
)
def test_an_operators_file_of_instruments_is_checked(
    text: str | None, message: str, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "instruments.toml"
    if text is not None:
        file.write_text(text)
    settings.INSTRUMENTS_FILE = str(file)
    assert [(error.id, message in error.msg) for error in run_checks()] == [("argo.E012", True)]
    file.write_text('[A]\nhours = "XLON"')
    assert run_checks() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"SIGNAL_SOURCES": {"no.such.module": 1.0}}, "SIGNAL_SOURCES names 'no.such.module'"),
        ({"SIGNAL_SOURCES": {"": 1.0}}, "SIGNAL_SOURCES names ''"),
        ({"MARKET_DATA": "alpaca"}, "ALPACA_API_KEY or ALPACA_SECRET_KEY is missing"),
        (
            {"MARKET_DATA": "files", "MARKET_FOLDER": Path("/nowhere")},
            "MARKET_FOLDER is not a folder: /nowhere",
        ),
    ],
)
def test_an_invalid_market_or_source_is_reported_before_anything_runs(
    wrong: dict[str, object], message: str, settings: Settings
) -> None:
    assert run_checks() == []
    for name, value in wrong.items():
        setattr(settings, name, value)
    (error,) = run_checks()
    assert message in error.msg


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("argo.W004", {"SIGNAL_POOL_SIZE": 1}),
        ("argo.W005", {"SIGNAL_BATCH_SIZE": 1}),
        ("argo.W006", {"HTTPS": True}),
        ("argo.W007", {"WEB_CONNECTIONS": 2**31}),
        ("sync.W002", {"ALPINE_API_KEY": ""}),
    ],
)
def test_a_best_practice_that_the_settings_do_not_follow_is_a_warning_at_the_start(
    check: str, wrong: dict[str, object], settings: Settings
) -> None:
    settings.ALPINE_API_KEY, settings.ALPINE_ENDPOINT = "key", "https://alpine.example/signals"
    assert check not in _check_ids()
    for name, value in wrong.items():
        setattr(settings, name, value)
    assert check in _check_ids()
    assert run_checks() == [], "not at every command"
