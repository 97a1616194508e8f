"""The page of problems: what is wrong now, and what was."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from argo.health import past, registry
from argo.operations.timeline import Bar, timeline
from signals import config
from signals.clock import utc_now
from signals.models import Node, OpenProblem
from signals.problems import Problem, ProblemKind
from tests.argo.pages import HOSTILE, client_of, shown

pytestmark = pytest.mark.django_db
KIND = ProblemKind("test.broken", "Mend it.")


class Checks:
    """A module of the registry that finds what a test puts there."""

    KINDS = (KIND,)

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def problems(self, now: datetime) -> list[Problem]:
        return self.found


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    checks = Checks()
    monkeypatch.setattr(registry, "MODULES", [checks])
    return checks


@pytest.fixture
def viewer() -> Client:
    return client_of()


def over(code: str, began: timedelta, ended: timedelta, node: str = "") -> None:
    now = utc_now()
    row = OpenProblem(node=node, code=code, sentence=f"Sentence of {code}.", began_at=now - began)
    past.keep(row, now - ended)


def test_without_problems_the_page_says_that_all_is_well(viewer: Client, checks: Checks) -> None:
    page = shown(viewer, "/problems/")
    assert "No check found a problem" in page
    assert "No problem ended in this time" in page
    assert "timeline-chart" not in page


def test_problems_of_this_and_other_machines_are_shown_with_their_beginning(
    viewer: Client, checks: Checks
) -> None:
    checks.found = [KIND.found("It is broken."), KIND.found(HOSTILE, "other")]
    began = utc_now() - timedelta(hours=2)
    OpenProblem.objects.create(code=KIND.code, about="", sentence="It broke.", began_at=began)
    Node.objects.create(identity="far away", host="otherhost")
    OpenProblem.objects.create(
        node="far away", code="far.problem", about="", sentence="Far.", began_at=began
    )
    OpenProblem.objects.create(
        node=config.journal().identity, code="own.over", about="", sentence="Own.", began_at=began
    )
    page = shown(viewer, "/problems/")
    assert "own.over" not in page, "this machine knows that it is over"
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "It is broken. Mend it. More test.broken, since" in text
    assert "test.broken, just found" in text
    assert "Far. far.problem on otherhost, since" in text
    assert "<script>alert" not in page
    assert page.count('<rect class="bar bad"') == 3


def test_the_last_day_and_the_last_month_have_what_ended_in_them(
    viewer: Client, checks: Checks
) -> None:
    over("new.one", timedelta(hours=3), timedelta(hours=1))
    over("old.one", timedelta(days=9), timedelta(days=8))
    over("ancient.one", timedelta(days=90), timedelta(days=80))
    day, month = shown(viewer, "/problems/"), shown(viewer, "/problems/?period=month")
    assert "Sentence of new.one." in day
    assert "Sentence of old.one." not in day
    assert "Sentence of new.one." in month
    assert "Sentence of old.one." in month
    assert "ancient.one" not in month
    assert "2\xa0hours" in day
    assert shown(viewer, "/problems/?period=<x>").count("new.one") == day.count("new.one")


def test_a_bar_is_where_its_time_is_and_never_too_narrow_to_see() -> None:
    bars = [Bar("a", 0.5, 1.0, "half", is_open=True), Bar("b", 1.0, 1.0, "now", is_open=False)]
    bars.append(Bar("c", 0.25, 0.25, "a moment", is_open=False))
    drawn = str(timeline("Title", bars, ["x", "y", "z"]))
    (half, now, moment) = re.findall(
        r'class="bar (\w+)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn
    )
    assert half == ("bad", "451.0", "261.0")
    assert now == ("care", "710.0", "2.0")
    assert moment == ("care", "320.5", "2.0")
