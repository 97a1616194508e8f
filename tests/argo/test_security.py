"""Every page says what a browser may do on it, and what Argo serves from elsewhere is unchanged."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from pytest_django import Settings

from argo.security import CONTENT_POLICY, HEADERS
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.argo.pages import HOSTILE, client_of, shown
from tests.samples import a_signal

VENDOR = Path(settings.BASE_DIR) / "argo/static/vendor"


def addresses(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Yield an address for every route; each parameter is 1, which may exist or not."""
    for each in patterns:
        route = before + re.sub(r"<[^>]+>", "1", str(each.pattern)).strip("^$")
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, route)
        else:
            yield route


def headers_of(client: Client, address: str) -> dict[str, str | None]:
    answer = client.get(address)
    if answer.streaming:
        list(answer)  # a static file is open until its end
    kept = "public" if address.startswith("/static/") else "no-store"
    assert kept in answer["Cache-Control"], address
    return {name: answer.get(name) for name in HEADERS}


@pytest.mark.django_db
def test_every_address_has_the_headers_with_or_without_a_login(admin_client: Client) -> None:
    asked = {each for each in addresses(get_resolver().url_patterns) if "(" not in each}
    assert len(asked) > 150
    for address in sorted({*asked, "/nothing-is-here", "/static/argo/manual.css"}):
        assert headers_of(Client(), address) == HEADERS, address
    for address in ("/", "/signals/", "/admin/signals/signal/", "/report/", "/api/docs"):
        assert headers_of(admin_client, address) == HEADERS, address


def test_a_body_that_is_refused_early_has_the_headers(client: Client, settings: Settings) -> None:
    settings.API_MAX_BODY_BYTES = 10
    answer = client.post("/api/signals", {"a": "long enough"}, content_type="application/json")
    assert answer.status_code == 413
    assert {name: answer.get(name) for name in HEADERS} == HEADERS


@pytest.mark.django_db
def test_errors_have_the_headers_too(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    admin_client.raise_request_exception = False
    monkeypatch.setattr("argo.logins.sessions.open_sessions", lambda user: 1 / 0)
    for status, address, headers in (
        (400, "/admin/", {"Host": "evil.example"}),
        (404, "/signals/?id=nothing", {}),
        (500, "/profile/", {}),
    ):
        answer = admin_client.get(address, headers=headers)
        assert answer.status_code == status
        assert {name: answer.get(name) for name in HEADERS} == HEADERS, address
        assert "no-store" in answer["Cache-Control"]
    forged = Client(enforce_csrf_checks=True).post("/admin/login/")
    assert forged.status_code == 403
    assert {name: forged.get(name) for name in HEADERS} == HEADERS


def test_no_policy_allows_inline_code_or_another_server() -> None:
    for value in CONTENT_POLICY.values():
        assert not re.search(r"unsafe|https?:|\*", value)
    assert CONTENT_POLICY["script-src"] == CONTENT_POLICY["style-src"] == "'self'"


@pytest.mark.django_db
def test_debug_pages_of_django_keep_their_inline_style(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    answer = client.get("/nothing-is-here")
    assert "Content-Security-Policy" not in answer.headers
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_pages_show_hostile_texts_as_texts_and_have_nothing_that_the_policy_blocks() -> None:
    SignalTracker("python").log_signal(
        a_signal(strategy=HOSTILE, data_source=HOSTILE, reasoning=HOSTILE, other=HOSTILE,
                 regime=HOSTILE, votes=[{"source": HOSTILE, "figures": {HOSTILE: HOSTILE}}]),
    )  # fmt: skip
    signal = Signal.objects.get()
    client = client_of()
    client.force_login(User.objects.create_superuser("chief"))
    models = [each._meta for each in admin.site._registry]
    lists = [f"/admin/{each.app_label}/{each.model_name}/" for each in models]
    forms = [f"{page}add/" for page in lists if "/django_celery_beat/" in page or "/auth/" in page]
    change = f"/admin/signals/signal/{signal.pk}/change/"
    page = f"/signals/?id={signal.signal_id}"
    for address in ("/", "/docs/", "/api/docs", change, page, *lists, *forms):
        assert "<script>alert" not in shown(client, address), address
    for address in (page, change, "/admin/signals/signal/"):
        assert "&lt;script&gt;alert(1)" in shown(client, address), address


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    for library in manifest:
        assert library["version"]
        assert library["licence"] in ("0BSD", "Apache-2.0")
        assert "LICENSE.txt" in library["files"]
        files = (VENDOR / library["folder"]).iterdir()
        found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files}
        assert found == library["files"]
    folders = {each.name for each in VENDOR.iterdir() if each.is_dir()}
    assert folders == {each["folder"] for each in manifest}
