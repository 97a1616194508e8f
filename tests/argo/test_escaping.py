"""Texts from outside are shown as texts on every page, whatever they are."""

from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from argo.dashboard.charts import Bar, day_bars, levels_bar
from argo.reports.svg import line_chart
from argo.signal_page.votes import votes_of
from argo.templatetags import show
from signals.admin import markup
from tests.argo.pages import HOSTILE
from tests.hostile_rows import make_rows

SHOWN = HOSTILE[:25]
"""As much of it as each column shows."""


class Read(HTMLParser):
    """A page as a browser reads it: its text, and what of it could run."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.runs: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what runs, and the values of attributes as text."""
        given = {name: value or "" for name, value in attrs}
        is_code = tag == "script" and not given.get("src") and "json" not in given.get("type", "")
        is_event = any(name.startswith("on") or name == "style" for name in given)
        is_address = any(value.strip().startswith("javascript:") for value in given.values())
        if is_code or is_event or is_address or given.get("src") == "x":
            self.runs.append(self.get_starttag_text() or tag)
        self.texts += given.values()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def assert_is_text(page: str, where: str = "") -> None:
    """Nothing of the page runs, and the hostile text is in it, as it was given."""
    read = Read(page)
    assert not read.runs, where
    assert any(SHOWN in text for text in read.texts), where


@pytest.mark.django_db
def test_no_page_of_the_admin_site_runs_what_a_row_says() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser(HOSTILE[:150]))
    for row in make_rows():
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        for address in (
            reverse(f"{name}_changelist"),
            reverse(f"{name}_change", args=[row.pk]),
            reverse(f"{name}_history", args=[row.pk]),
        ):
            answer = client.get(address, {}, follow=True)
            assert answer.status_code == 200, address
            assert_is_text(answer.content.decode(), address)
    for address in ("/", "/profile/"):
        assert_is_text(client.get(address).content.decode(), address)


def test_everything_that_is_marked_as_safe_has_escaped_its_texts() -> None:
    vote = {"source": "trend", "direction": HOSTILE, "confidence": 7}
    for made in (
        markup.tag(HOSTILE, HOSTILE),
        markup.side(HOSTILE),
        markup.outcome(HOSTILE, edited=True),
        markup.signal_link("id", HOSTILE),
        markup.number(7, lambda _: HOSTILE),
        show.unit(7, HOSTILE),
        votes_of([vote], "BUY")[0].bar,
        day_bars(HOSTILE, [Bar(HOSTILE, 1)]),
        levels_bar(HOSTILE, 1, 4, 2, 3),
        line_chart(HOSTILE, [HOSTILE, HOSTILE], [1.0, 2.0], form=".0f"),
    ):
        assert_is_text(made, made)
    assert HOSTILE not in markup.signal_url(HOSTILE)
