"""The page of figures over time: charts, broken where Argo did not run, and a table."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from argo.models import MetricSample
from signals.clock import utc_now
from tests.argo.pages import client_of, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return client_of()


def stored(minutes_ago: int, **figures: float | None) -> None:
    at = utc_now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)
    values = dict.fromkeys(("signals", "delivered", "dead", "waiting", "executed", "skipped"), 0)
    MetricSample.objects.create(at=at, minutes=5, **(values | figures))


def chart(page: str, title: str) -> str:
    found = re.search(rf'<svg role="img" aria-label="{re.escape(title)}.*?</svg>', page, re.DOTALL)
    assert found
    return found[0]


def test_before_the_first_sample_the_page_says_what_makes_them(viewer: Client) -> None:
    assert "A worker of the queue <code>default</code> stores them" in shown(viewer, "/history/")
    stored(5)
    page = shown(viewer, "/history/")
    assert "A chart needs two samples" in page
    assert "<svg role" not in page


def test_a_line_is_broken_where_argo_did_not_run_and_where_there_is_no_figure(
    viewer: Client,
) -> None:
    for minutes in (300, 295, 290, 100, 95, 90):
        stored(minutes, signals=10, p95=4.0 if minutes < 200 else None, delivered=3, dead=1)
    page = shown(viewer, "/history/")
    assert chart(page, "Live signals").count("<polyline") == 2
    assert chart(page, "95% stored within").count("<polyline") == 1
    assert "75.0%" in page
    assert re.search(r'<td class="number">2</td><td class="number">4</td>', page)


def test_the_month_has_a_row_for_each_day_and_a_figure_without_a_value_has_a_dash(
    viewer: Client,
) -> None:
    for day in range(1, 4):
        for hour in range(3):
            stored(day * 1440 + hour, signals=5, executed=1)
    page = shown(viewer, "/history/?period=month")
    rows = re.findall(r"<tr><td>\d{4}-\d\d-\d\d</td>(.*?)</tr>", page, re.DOTALL)
    assert 3 <= len(rows) <= 5
    assert sum(int(re.findall(r">([^<]+)</td>", row)[5]) for row in rows) == 9
    assert '<td class="number">-</td>' in rows[0]
    assert "<tr><td>" not in shown(viewer, "/history/").replace("</th></tr>", "")
