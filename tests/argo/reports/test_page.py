"""The report as a page: complete in itself, safe, readable without a chart, for staff only."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client

from argo.groups import make_groups
from argo.reports.page import report_page
from argo.reports.report import make_report
from argo.reports.svg import line_chart
from execution.analysis.selection import DecidedSelection
from signals.config import journal
from signals.tracker import SignalTracker
from tests.execution.trading_fixtures import Trading
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VOID = {"meta", "line", "rect", "circle", "polyline"}


class Balance(HTMLParser):
    """Fails if an element is not closed, or closed in another's place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page() -> str:
    return report_page(make_report(DecidedSelection(), NOW))


def tags_of(text: str) -> list[str]:
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    return parser.tags


@pytest.fixture
def traded() -> None:
    trading = Trading.begun(journal())
    for number in range(4):
        trading.trade(100.5 + number / 10)
        trading.move(110.0 if number % 2 else 94.0)


def test_an_empty_report_is_a_page() -> None:
    text = page()
    assert "There are no signals to report on." in text
    assert "svg" not in tags_of(text)


def test_a_trade_gives_charts_with_a_text_and_a_table_each(traded: None) -> None:
    text = page()
    tags = tags_of(text)
    assert tags.count("svg") == text.count('role="img" aria-label="') >= 3
    assert tags.count("svg") == tags.count("figcaption")
    assert "win rate" in text.lower()
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower().split()


def test_the_top_of_a_drawdown_is_zero_without_a_sign() -> None:
    chart = line_chart("d", ["a", "b", "c"], [-0.0, -3.77, -1.1], form=".1f", filled=True)
    assert ">0.0<" in chart
    assert "-0.0" not in chart


def test_the_page_needs_nothing_from_elsewhere(traded: None) -> None:
    text = page()
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)
    assert not {"script", "link", "img", "iframe"} & set(tags_of(text))
    assert "url(" not in text


def test_hostile_texts_are_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    SignalTracker("api").log_signal(a_signal(strategy=hostile, regime='"><img src=x>'))
    text = page()
    assert hostile not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    call_command("report", "--html", str(tmp_path / "r.html"))
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("report", "--html", str(tmp_path / "missing" / "r.html"))


def viewer() -> User:
    user = User.objects.create_user("viewer", password="x", is_staff=True)
    make_groups()
    user.groups.add(Group.objects.get(name="viewer"))
    return user


def test_the_page_is_for_who_may_see_signals() -> None:
    client = Client()
    assert client.get("/report/").status_code == 302
    client.force_login(User.objects.create_user("somebody", password="x"))
    assert client.get("/report/").status_code == 302
    client.force_login(User.objects.create_user("staff", password="x", is_staff=True))
    assert client.get("/report/").status_code == 403
    client.force_login(viewer())
    assert b"There are no signals" in client.get("/report/").content


def test_a_wrong_filter_of_the_page_is_named() -> None:
    client = Client()
    client.force_login(viewer())
    answer = client.get("/report/", {"since": "yesterday", "colour": "red"})
    assert answer.status_code == 400
    assert b"since: " in answer.content
    assert b"colour: " in answer.content


def test_a_filter_of_the_page_selects() -> None:
    SignalTracker("api").log_signals([a_signal(), a_signal(symbol="MSFT")])
    client = Client()
    client.force_login(viewer())
    assert b"1 signal of the origin api" in client.get("/report/", {"symbol": "MSFT"}).content
