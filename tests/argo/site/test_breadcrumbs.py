"""The way back from each page begins with the dashboard and has the names of the navigation."""

import re

import pytest
from django.contrib.auth.models import User

from argo.groups import ADMINISTRATOR
from signals.alerts.senders import create_sender
from tests.argo.pages import client_of, shown

pytestmark = pytest.mark.django_db


def way(page: str) -> list[str]:
    """Return the texts of the way back; none of its links leads to Django's own first page."""
    found = re.search(r'<div class="breadcrumbs">(.*?)</div>', page, re.DOTALL)
    assert found
    assert "Home" not in found[1]
    assert 'href="/admin/"' not in found[1]
    return [each.strip() for each in re.sub(r"<[^>]+>", "", found[1]).split("&rsaquo;")]


def test_pages_of_one_row_name_the_list_and_the_row() -> None:
    client = client_of(ADMINISTRATOR)
    row = f"/admin/auth/user/{User.objects.get().pk}"
    for part, last in (
        ("history/", "History"), ("delete/", "Delete"), ("password/", "Change the password"),
    ):  # fmt: skip
        found = way(shown(client, f"{row}/{part}"))
        assert found == ["Dashboard", "Users", "one-administrator", last]


def test_other_pages_of_django_lead_back_too() -> None:
    client = client_of(ADMINISTRATOR)
    sender, _ = create_sender("tv", "plain", who="a test")
    history = shown(client, f"/admin/signals/sender/{sender.pk}/history/")
    assert way(history) == ["Dashboard", "Senders", "tv", "History"]
    chosen = {"action": "delete_selected", "_selected_action": str(User.objects.get().pk)}
    several = client.post("/admin/auth/user/", chosen).content.decode()
    assert way(several) == ["Dashboard", "Users", "Delete several"]
    form = shown(client, "/admin/password_change/")
    assert way(form) == ["Dashboard", "Change the password"]
    assert way(shown(client, "/admin/auth/"))[0] == "Dashboard"
    assert "breadcrumbs" not in client.post("/admin/logout/").content.decode()
