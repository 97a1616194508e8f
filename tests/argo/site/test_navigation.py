"""The navigation shows each user the pages that they may see, by what people do."""

import re

import pytest
from django.contrib import admin
from django.test import Client
from pytest_django import Settings

from argo.groups import ADMINISTRATOR, VIEWER
from argo.site.navigation import NAVIGATION, RARE, current, grouped
from tests.argo.pages import client_of, shown

pytestmark = pytest.mark.django_db


def navigation(page: str) -> dict[str, list[str]]:
    """Return the names of the pages in each group of the navigation beside the page."""
    text = re.search(r'<nav aria-label="Pages">(.*?)</nav>', page, re.DOTALL)
    assert text
    groups = re.findall(r"(?:<p>|<summary>)(.*?)</\w+>\s*<ul>(.*?)</ul>", text[1], re.DOTALL)
    return {name: re.findall(r">([^<]+)</a>", pages) for name, pages in groups}


def test_every_model_has_its_place_and_every_place_its_model() -> None:
    placed = {page.model for group in NAVIGATION for page in group.pages if page.model}
    assert placed == {model._meta.label_lower for model in admin.site._registry}


def test_a_model_that_the_navigation_does_not_name_is_among_the_others() -> None:
    model = {"name": "new ones", "object_name": "New", "admin_url": "/admin/signals/new/"}
    (group,) = grouped([{"app_label": "signals", "models": [model]}], {})
    assert (group["name"], [each["name"] for each in group["models"]]) == (RARE, ["new ones"])


def test_a_viewer_sees_neither_keys_nor_users_nor_schedules() -> None:
    found = navigation(shown(client_of(VIEWER), "/"))
    assert list(found) == ["Signals", "Trades", "Accounts", "Delivery", "Analysis", "System", RARE]
    assert found["System"] == ["What runs", "Problems", "Figures over time", "Machines"]
    assert found["Analysis"] == ["Report", "Compare", "Daily reports", "Outcomes without a trade"]
    assert found[RARE][-1] == "Journal cursors"


def test_an_administrator_sees_all_on_every_page_and_where_they_are() -> None:
    client = client_of(ADMINISTRATOR)
    page = shown(client, "/admin/execution/halt/")
    assert navigation(page) == navigation(shown(client, "/"))
    assert sum(map(len, navigation(page).values())) == len(admin.site._registry) + 8
    assert '<a href="/admin/execution/halt/" aria-current="page">Halts</a>' in page


def test_rare_pages_are_folded_away_except_the_one_that_is_shown() -> None:
    client = client_of(VIEWER)
    assert "<details open>" not in shown(client, "/admin/signals/signal/")
    assert shown(client, "/admin/signals/journalcursor/").count("<details open>") == 2


def test_a_list_has_the_name_that_the_navigation_calls_it_by() -> None:
    client = client_of(ADMINISTRATOR)
    page = shown(client, "/admin/django_celery_beat/periodictask/")
    assert "<h1>Schedules</h1>" in page
    assert "<title>Schedules | Argo</title>" in page


def test_the_first_page_of_the_admin_site_is_the_dashboard_for_those_who_may_see_it() -> None:
    assert client_of(VIEWER).get("/admin/").headers["Location"] == "/"
    nobody = client_of("nobody")
    assert "You may not see any page yet" in shown(nobody, "/admin/")
    assert nobody.get("/").status_code == 403


def test_a_login_is_asked_for_and_leads_back(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/admin/login/?next=/"
    page = shown(client, "/admin/login/?next=/")
    assert "<nav" not in page


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/report/compare/", "/report/compare/"),
        ("/report/daily/2026-01-05.html", "/report/daily/"),
        ("/admin/signals/signal/7/change/", "/admin/signals/signal/"),
        ("/signals/", "/admin/signals/signal/"),
        ("/report/signal/", "/admin/signals/signal/"),
        ("/", ""),
        ("/nowhere", ""),
    ],
)
def test_a_page_belongs_to_one_place_of_the_navigation(path: str, page: str) -> None:
    urls = ["/report/", "/report/compare/", "/report/daily/", "/admin/signals/signal/", None]
    groups = [{"models": [{"name": "any", "admin_url": url} for url in urls]}]
    assert current(path, groups) == page


def test_the_public_record_is_named_if_it_is_there(
    admin_client: Client, settings: Settings
) -> None:
    settings.RECORD_PUBLIC = False
    assert 'href="/record/"' not in admin_client.get("/running/").content.decode()
    settings.RECORD_PUBLIC = True
    assert 'href="/record/"' in admin_client.get("/running/").content.decode()
