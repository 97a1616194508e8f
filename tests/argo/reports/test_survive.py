"""Whatever the data are, a report comes in every form, and says what is odd about them."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from argo.reports.compare.comparison import make_comparison
from argo.reports.compare.page import comparison_page
from argo.reports.compare.text import comparison_text
from argo.reports.csv_file import Row, figures_csv
from argo.reports.page import report_page
from argo.reports.query import ReportQuery
from argo.reports.report import make_report
from argo.reports.schemas import ComparisonOut, ReportOut
from argo.reports.text import report_text
from signals.keys import create_key
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.argo.reports.ended import NOW, close, log, log_closed
from tests.argo.reports.test_page import tags_of
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
ODD_TIMES = ("not a time", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2020-02-31T00:00:00Z",
             "2020-01-01 12:00:00", "2020-01-01T00:00:00.123456+05:30")  # fmt: skip
SUMMER = ("2025-03-09T06:59:59Z", "2025-03-09T07:00:00Z", "2025-11-02T05:30:00Z",
          "2025-11-02T06:30:00Z")  # fmt: skip
"""Around the two changes of the clocks in New York."""


def forge(signal: Signal, column: str, value: float | str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE signals SET {column} = %s WHERE id = %s", [value, signal.pk])


def edited() -> None:
    signal = log(1)[0]
    close(signal, "win")
    close(signal, "loss")


def before_its_signal() -> None:
    close(log(1)[0], "win", datetime(2020, 1, 1, tzinfo=UTC))


def equal_times() -> None:
    ids = SignalTracker("api").log_signals([a_signal() for _ in range(3)])
    for signal, outcome in zip(Signal.objects.filter(signal_id__in=ids), ("win", "loss", "expired"),
                               strict=True):  # fmt: skip
        close(signal, outcome)


def two_scales() -> None:
    log_closed("wl", symbol="SHIB", entry_price=1e-7, target_price=2e-7, stop_price=5e-8)
    log_closed("wl", symbol="BRK-A", entry_price=750_000, target_price=800_000, stop_price=7e5)


def no_numbers() -> None:
    """Store what only a script can: infinite numbers, and results that are not known."""
    signals = log_closed("wwwww")
    columns = ("profit_loss_pct", "entry_price", "confidence", "exit_price", "stop_price")
    for signal, column in zip(signals, columns, strict=True):
        forge(signal, column, float("inf"))
    forge(log_closed("l")[0], "profit_loss_pct", None)
    forge(log_closed("l")[0], "confidence", 1e9)


def imported() -> None:
    made = log_closed("w" * len(ODD_TIMES), origin="import")
    for signal, text in zip(made, ODD_TIMES, strict=True):
        forge(signal, "timestamp", text)


def overlapping() -> None:
    for action, target, stop in (("BUY", 158.0, 146.0), ("SELL", 146.0, 158.0)):
        log_closed("wl", action=action, target_price=target, stop_price=stop)


def clocks_change() -> None:
    for text in SUMMER:
        SignalTracker("api").log_signal(a_signal(timestamp=text))


DATA: dict[str, tuple[Callable[[], object], str]] = {
    "no signals": (lambda: None, "There are no signals to report on."),
    "one, open": (lambda: log(1), "1 signal of the origin api; 0 have closed."),
    "one, closed": (lambda: log_closed("w"), "That is too few to say what they are worth."),
    "all wins": (lambda: log_closed("w" * 31), "100.0% of them won"),
    "all losses": (lambda: log_closed("l" * 31), "0.0% of them won"),
    "no outcome yet": (lambda: log(3), "3 signals of the origin api; 0 have closed."),
    "equal times": (equal_times, "3 have closed"),
    "no numbers": (no_numbers, "closed signals have no known result"),
    "delisted": (lambda: log_closed("wl", symbol="ZZZZ.GONE"), "2 have closed"),
    "edited": (edited, "Outcomes were changed after they were set, of 1 in all: "),
    "before its signal": (before_its_signal, "1 has closed"),
    "two scales": (two_scales, "4 have closed"),
    "imported": (imported, "This is no track record"),
    "overlapping": (overlapping, "4 have closed"),
    "clocks change": (clocks_change, "4 signals of the origin api"),
    "hostile": (lambda: log_closed("w", symbol="X", strategy="=1+1", regime="<b>"), "1 has closed"),
}


@pytest.fixture
def api(client: Client) -> Client:
    return Client(headers={"X-API-Key": create_key("reader", ["read"])})


@pytest.mark.parametrize("name", DATA)
def test_a_report_comes_in_every_form(name: str, api: Client) -> None:
    store, told = DATA[name]
    store()
    found = make_report(ReportQuery().selection(NOW), NOW)
    assert told in report_text(found)
    ReportOut.model_validate_json(json.dumps(found, allow_nan=False))
    page = report_page(found)
    tags_of(page)
    assert "<b>" not in page
    assert not re.search(r"\b(nan|inf)\b", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    check_csv(figures_csv(found))
    answer = api.get("/api/analysis/report")
    assert answer.status_code == 200
    assert answer.json()["outcomes"] == found["outcomes"]
    if found["counts"]["closed"] < 30:
        assert all(found["equity"][name]["value"] is None for name in ("sharpe", "cagr", "calmar"))
        assert all(each["interval"] is None for each in found["outcomes"].values())


@pytest.mark.parametrize("name", ["no signals", "one, closed", "no numbers", "imported"])
def test_a_comparison_comes_in_every_form(name: str) -> None:
    DATA[name][0]()
    bought, sold = (ReportQuery.model_validate({"action": each}) for each in ("BUY", "SELL"))
    found = make_comparison(bought.selection(NOW), sold.selection(NOW), NOW)
    comparison_text(found)
    ComparisonOut.model_validate_json(json.dumps(found, allow_nan=False))
    tags_of(comparison_page(found))
    check_csv(figures_csv(found))


def check_csv(text: str) -> None:
    """Fail if a row lacks a cell, a number is none, or a text would run as a formula."""
    reader = csv.DictReader(io.StringIO(text))
    assert reader.fieldnames == list(Row._fields)
    for row in reader:
        assert None not in row.values()
        numbers: list[Any] = [row[name] for name in ("value", "n", "low", "high")]
        assert all(float(each) == float(each) for each in numbers if each)
        assert not any(str(row[name]).startswith(tuple("=+-@")) for name in ("group", "name"))
        assert row["value"] or row["null_because"], "undefined without a reason"


def test_a_formula_in_a_name_is_disarmed_in_the_csv() -> None:
    log(1, strategy="=1+1")
    found = figures_csv({"groups": {"=1+1": {"=2": 1}}})
    assert "'=1+1,'=2,1" in found


def test_the_page_for_who_is_logged_in_survives_too() -> None:
    imported()
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/report/").status_code == 200
