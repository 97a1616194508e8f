"""No page of another server can make a browser that is logged in to Argo change something."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver

from signals.config import journal
from tests.argo.test_security import addresses
from tests.samples import a_signal

FORM = re.compile(r"<form\b[^>]*method=.?post.*?</form>", re.IGNORECASE | re.DOTALL)
TEMPLATES = Path(settings.BASE_DIR) / "templates"
WITHOUT_A_SESSION = ("/api/", "/hooks/", "/metrics", "/witness/")
"""Calls that take a key or a token, and change nothing for who has only a session."""


@pytest.fixture
def forged(db: None) -> Client:
    """Return a browser of a superuser that sends what another server's page tells it to."""
    client = Client(enforce_csrf_checks=True, headers={"Origin": "https://evil.example"})
    client.force_login(User.objects.create_superuser("chief"))
    return client


def all_addresses() -> list[str]:
    return sorted(set(addresses(get_resolver().url_patterns)))


def test_every_form_of_ours_carries_the_token() -> None:
    forms = [
        (str(path), form)
        for path in TEMPLATES.rglob("*.html")
        for form in FORM.findall(path.read_text(encoding="utf-8"))
    ]
    assert len(forms) > 5
    assert [path for path, form in forms if "{% csrf_token %}" not in form] == []


def test_a_page_takes_nothing_that_another_servers_page_sends(forged: Client) -> None:
    for address in all_addresses():
        if not address.startswith(WITHOUT_A_SESSION) and "(" not in address:
            assert forged.post(address, {"confirmed": "yes"}).status_code == 403, address


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_api_changes_nothing_for_who_has_only_a_session(forged: Client, method: str) -> None:
    calls = [address for address in all_addresses() if address.startswith("/api/")]
    assert len(calls) > 20
    for address in calls:
        call = getattr(forged, method)
        status = call(address, a_signal(), content_type="application/json").status_code
        assert status in (401, 403, 404, 405), address
    assert not journal().path.exists() or not journal().path.read_bytes()
