"""A page that is refused or fails has the site's look, and says what to do."""

from typing import NoReturn

import pytest
from django.http import HttpRequest
from django.test import Client

from argo.errors import Unavailable
from argo.groups import VIEWER
from argo.manual import views
from argo.site import refusals
from tests.argo.pages import HOSTILE, INLINE, client_of

NAVIGATION = '<aside class="wide">'


def refused(client: Client, method: str, address: str, status: int) -> str:
    """Return the page of a refusal, which must have nothing that its policy blocks."""
    answer = client.generic(method, address)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("text/html")
    page = answer.content.decode()
    assert not INLINE.search(page)
    assert page.count("<h1>") == 1
    return page


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make the manual's pages fail with this error."""

    def fails(request: HttpRequest, name: str) -> NoReturn:
        raise error

    monkeypatch.setattr(views, "_shown", fails)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "address", "status", "sentence"),
    [
        ("GET", "/nowhere", 404, refusals.MISSING),
        ("GET", "/signals/?id=none", 404, "There is no signal none"),
        ("GET", "/report/signal/?id=none", 404, "There is no signal none"),
        ("GET", "/report/daily/2020-01-01.html", 404, "There is no daily report"),
        ("GET", "/docs/none/", 404, "The manual has no page none."),
        ("GET", "/acts/", 403, refusals.FORBIDDEN),
        ("GET", "/admin/auth/user/", 403, refusals.FORBIDDEN),
        ("GET", "/running/retry/", 405, refusals.FORM_ONLY),
        ("GET", "/admin/logout/", 405, refusals.FORM_ONLY),
    ],
)
def test_a_refused_page_keeps_the_navigation_and_says_what_to_do(
    method: str, address: str, status: int, sentence: str
) -> None:
    page = refused(client_of(VIEWER), method, address, status)
    assert sentence in page
    assert NAVIGATION in page
    assert "one-viewer" in page


@pytest.mark.django_db
def test_who_is_not_logged_in_gets_the_page_without_navigation() -> None:
    page = refused(Client(), "GET", "/nowhere", 404)
    assert NAVIGATION not in page
    assert "Log in" in page


@pytest.mark.django_db
def test_an_old_form_changes_nothing_and_says_so() -> None:
    client = client_of(VIEWER)
    client.handler.enforce_csrf_checks = True
    page = refused(client, "POST", "/running/retry/", 403)
    assert refusals.FORGED in page
    assert NAVIGATION in page


@pytest.mark.django_db
def test_a_method_that_is_refused_is_named() -> None:
    assert client_of(VIEWER).get("/running/retry/")["Allow"] == "POST"


def test_another_hosts_name_is_refused_with_the_setting_that_allows_it() -> None:
    answer = Client(headers={"Host": "evil.example"}).get("/docs/")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "ARGO_ALLOWED_HOSTS" in page
    assert "evil" not in page


def test_a_failed_page_asks_nothing_of_the_database_and_names_its_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Any query fails here: the test has no database."""
    fail(monkeypatch, RuntimeError("secret"))
    client = Client(raise_request_exception=False)
    answer = client.get("/docs/", headers={"X-Request-ID": "my-request"})
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "my-request" in page
    assert "argo/site.css" in page
    assert not INLINE.search(page)
    assert "secret" not in page


@pytest.mark.django_db
def test_an_error_of_argo_is_shown_with_its_own_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, Unavailable(f"All connections are in use. {HOSTILE}"))
    page = refused(Client(), "GET", "/docs/", 503)
    assert "All connections are in use." in page
    assert HOSTILE not in page
