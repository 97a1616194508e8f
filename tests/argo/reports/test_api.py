"""The report and the comparison over the API and as files of the pages; one at a time."""

import json
import threading
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from argo.reports import turns
from argo.reports.schemas import ComparisonOut, ReportOut
from argo.reports.turns import TooManyReports, report_turn
from signals.keys import create_key
from tests.argo.pages import shown
from tests.argo.reports.ended import log, log_closed

pytestmark = pytest.mark.django_db
REPORT, COMPARE = "/api/analysis/report", "/api/analysis/compare"


@pytest.fixture
def api() -> Client:
    return Client(headers={"X-API-Key": create_key("reader", ["read"])})


@pytest.fixture
def clerk() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("clerk"))
    return client


def test_the_report_is_that_of_the_command(api: Client) -> None:
    log_closed("wl", symbol="MSFT")
    log(1)
    found = api.get(REPORT, {"symbol": "MSFT"}).json()
    assert found["counts"]["closed"] == 2
    assert found["filter"] == {"symbol": "MSFT"}
    ReportOut.model_validate(found)


def test_the_figures_come_as_csv(api: Client) -> None:
    log(1)
    answer = api.get(REPORT, {"format": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    assert b"counts,,issued,1,,,,signals," in answer.content


def test_two_sides_are_compared(api: Client) -> None:
    log_closed("w")
    log_closed("l", symbol="MSFT")
    found = api.get(COMPARE, {"a.symbol": "AAPL", "b.symbol": "MSFT", "b.period": "2026"}).json()
    ComparisonOut.model_validate(found)
    assert found["a"]["filter"] == {"symbol": "AAPL"}
    assert found["counts"]["win"] == {"a": 1, "b": 0, "difference": 1}


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (f"{REPORT}?colour=red", ["colour"]),
        (f"{REPORT}?symbol=A&symbol=B", ["symbol"]),
        (f"{REPORT}?period=soon", ["period"]),
        (f"{REPORT}?period=2026&since=2026-01-01T00:00:00Z", ["period"]),
        (f"{REPORT}?format=xml", ["format"]),
        (f"{COMPARE}?symbol=A&a.colour=red", ["a.colour", "symbol"]),
        (f"{COMPARE}?a.since=soon&b.action=HOLD", ["a.since", "b.action"]),
    ],
)
def test_a_wrong_parameter_is_named(api: Client, address: str, fields: list[str]) -> None:
    answer = api.get(address)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == fields


def test_the_description_names_every_parameter_and_the_form_of_the_answer(api: Client) -> None:
    paths = api.get("/api/openapi.json").json()["paths"]
    names = {each["name"] for each in paths[COMPARE]["get"]["parameters"]}
    assert {"a.symbol", "b.symbol", "a.period", "b.as_of", "format"} <= names
    answers = paths[REPORT]["get"]["responses"]["200"]["content"]
    assert answers.keys() == {"application/json", "text/csv"}


# --- Pages and files -------------------------------------------------------------------------
@pytest.mark.parametrize("page", ["/report/", "/report/compare/"])
@pytest.mark.parametrize("form", ["json", "csv", "html"])
def test_a_page_downloads_what_it_shows(clerk: Client, page: str, form: str) -> None:
    log(1)
    prefix = "a." if "compare" in page else ""
    shown = clerk.get(page, {f"{prefix}symbol": "AAPL"}).content.decode()
    assert f"symbol=AAPL&amp;format={form}" in shown
    answer = clerk.get(page, {f"{prefix}symbol": "AAPL", "format": form})
    assert answer["Content-Disposition"].endswith(f'.{form}"')
    text = answer.content.decode()
    assert text.startswith({"json": "{", "csv": "section,group", "html": "<!doctype html>"}[form])
    if form == "html":
        assert "<style>" in text
        assert "<form" not in text
        assert "<link" not in text
        assert "<nav" not in text
        assert '@bottom-left { content: "Data of 20' in text


@pytest.mark.parametrize(
    "address", ["/report/", "/report/compare/?a.action=BUY&b.action=SELL", "/report/daily/"]
)
def test_a_served_page_is_in_the_frame_and_needs_no_inline_style_or_script(
    clerk: Client, address: str
) -> None:
    log_closed("wl")
    text = shown(clerk, address)
    assert '<link rel="stylesheet" href="/static/argo/report.css">' in text
    path = address.partition("?")[0]
    assert text.count('aria-current="page"') == 2  # beside the page, and in the menu of a phone
    assert f'<a href="{path}" aria-current="page">' in text


def test_the_form_keeps_what_was_given_and_says_what_is_wrong(clerk: Client) -> None:
    answer = clerk.get("/report/compare/", {"a.symbol": "AAPL", "b.since": "soon", "c": "1"})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert 'name="a.symbol" value="AAPL"' in text
    assert "c: is unknown; the fields begin with a. or b." in text
    answer = clerk.get("/report/compare/", {"a.symbol": "AAPL", "b.since": "soon"})
    assert "b.since: is not a time" in answer.content.decode()


# --- Turns -----------------------------------------------------------------------------------
@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(turns, "WAIT", 0.01)
    with report_turn():
        yield


def test_a_second_report_is_refused_if_the_first_takes_long(
    busy: None, api: Client, clerk: Client
) -> None:
    answer = api.get(REPORT)
    assert answer.status_code == 503
    assert "try again" in answer.json()["detail"]
    answer = clerk.get("/report/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"Other reports are being made" in answer.content


def test_a_second_report_waits_for_the_first_and_a_third_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done, has_turn = threading.Event(), []

    def second() -> None:
        with report_turn():
            has_turn.append(done.is_set())

    with report_turn():
        waiting = threading.Thread(target=second)
        waiting.start()
        while turns._room._value:
            pass
        with pytest.raises(TooManyReports), report_turn():
            pass
        done.set()
    waiting.join()
    assert has_turn == [True]


def test_json_of_the_page_is_that_of_the_api(api: Client, clerk: Client) -> None:
    log(1)
    page = json.loads(clerk.get("/report/", {"format": "json"}).content)
    assert page["counts"] == api.get(REPORT).json()["counts"]
