"""Sessions end when nobody uses them, after some days, with a new password, and on request."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings

from tests.argo.logins.people import PASSWORD, Clock, Person
from tests.argo.pages import HOSTILE, INLINE

HOUR = timedelta(hours=1)


def test_a_session_that_is_not_used_ends(ann: Person, clock: Clock) -> None:
    ann.log_in()
    for _ in range(4):
        clock.pass_by(11 * HOUR)
        assert ann.is_in()
    clock.pass_by(12.1 * HOUR)
    assert not ann.is_in()


def test_a_page_that_renews_itself_does_not_keep_a_session_open(ann: Person, clock: Clock) -> None:
    ann.log_in()
    for _ in range(10):
        assert (
            ann.browser.get("/dashboard/panels/", headers={"HX-Request": "true"}).status_code == 200
        )
        clock.pass_by(1.1 * HOUR)
    clock.pass_by(1.1 * HOUR)
    assert ann.browser.get("/dashboard/panels/", headers={"HX-Request": "true"}).status_code == 401
    assert not ann.is_in()


def test_a_session_ends_after_seven_days_even_if_it_is_used(ann: Person, clock: Clock) -> None:
    ann.log_in()
    for _ in range(16):
        clock.pass_by(10 * HOUR)
        assert ann.is_in()
    clock.pass_by(9 * HOUR)
    assert not ann.is_in()


def test_the_settings_say_when(ann: Person, clock: Clock, settings: Settings) -> None:
    settings.SESSION_IDLE, settings.SESSION_LIFETIME = 600.0, 1500.0
    ann.log_in()
    assert 599 <= ann.browser.cookies["sessionid"]["max-age"] <= 600
    for _ in range(2):
        clock.pass_by(timedelta(seconds=590))
        assert ann.is_in()
    clock.pass_by(timedelta(seconds=330))
    assert not ann.is_in()


def test_a_new_password_ends_the_other_sessions(ann: Person) -> None:
    other = Client()
    ann.log_in(other)
    ann.log_in()
    new = "another long password"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert ann.browser.post("/admin/password_change/", form).status_code == 302
    assert ann.is_in()
    assert not ann.is_in(other)


def test_a_user_sees_its_sessions_and_ends_the_others(ann: Person, clock: Clock) -> None:
    other, bob = (
        Client(REMOTE_ADDR="10.0.0.7", headers={"User-Agent": HOSTILE}),
        Person(clock, name="bob"),
    )
    bob.log_in()
    ann.log_in(other)
    ann.log_in()
    text = ann.browser.get("/profile/").content.decode()
    assert text.count("</time></td></tr>") == 2
    assert "10.0.0.7" in text
    assert "&lt;script&gt;alert(1)" in text
    assert not INLINE.search(text)
    assert ann.browser.get("/profile/sessions/end/").status_code == 405
    answer = ann.browser.post("/profile/sessions/end/", {"which": "others"}, follow=True)
    assert "1 other session ended." in answer.content.decode()
    assert (ann.is_in(), ann.is_in(other), bob.is_in()) == (True, False, True)


def test_a_user_logs_out_everywhere(ann: Person, clock: Clock) -> None:
    other, bob = Client(), Person(clock, name="bob")
    bob.log_in()
    ann.log_in(other)
    ann.log_in()
    ann.browser.post("/profile/sessions/end/", {"which": "all"})
    assert (ann.is_in(), ann.is_in(other), bob.is_in()) == (False, False, True)


def test_sessions_that_have_ended_are_deleted_at_a_login(ann: Person, clock: Clock) -> None:
    ann.log_in(Client())
    clock.pass_by(30 * HOUR)
    ann.log_in()
    assert Session.objects.count() == 1


def test_programs_with_a_key_cost_no_session(
    ann: Person, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        Client().get("/api/nothing", headers={"X-API-Key": "wrong"})
    assert not Session.objects.exists()


@pytest.mark.parametrize("is_on", [True, False])
def test_cookies_are_for_argo_alone(ann: Person, settings: Settings, is_on: bool) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = is_on
    ann.log_in()
    ann.browser.get("/profile/")
    for name in ("sessionid", "csrftoken"):
        cookie = ann.browser.cookies[name]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert bool(cookie["secure"]) == is_on
