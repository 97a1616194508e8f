"""Who has two-factor login needs a code that was not used before, and nobody can guess one."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from argo.groups import ADMINISTRATOR, VIEWER
from argo.logins import second_factor
from argo.models import RecoveryCode, SecondFactor
from signals.keys import create_key
from signals.models import Act
from tests.argo.logins.people import Clock, Person
from tests.argo.pages import INLINE

RFC_6238 = [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")]
"""Of its appendix B (SHA-1), the last six digits: RFC 4226 says how many an app shows."""


@pytest.mark.parametrize(("seconds", "code"), RFC_6238)
def test_the_codes_are_those_of_the_standard(ann: Person, seconds: int, code: str) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the standard's 12345678901234567890
    factor = SecondFactor.objects.create(user=ann.user, secret=secret)
    assert second_factor.accepts(factor, code, datetime.fromtimestamp(seconds, UTC))


def test_after_the_password_a_code_is_asked_for_and_leads_to_the_wanted_page(ann: Person) -> None:
    ann.set_up()
    browser = Client()
    asked = ann.log_in(browser, wanted="/signals/?id=1")
    assert asked.redirect_chain[-1][0] == "/admin/login/code/?next=%2Fsignals%2F%3Fid%3D1"
    assert not INLINE.search(asked.content.decode())
    before = browser.cookies["sessionid"].value
    for address in ("/profile/", "/", "/admin/", "/profile/second-factor/", "/admin/logout/"):
        assert browser.get(address).status_code in (302, 405), address
    assert browser.get("/api/signals").status_code == 401
    assert browser.get("/dashboard/panels/").status_code == 401
    answer = ann.give(ann.next_code(), browser, wanted="/signals/%3Fid=1")
    assert answer["Location"] == "/signals/?id=1"
    assert browser.cookies["sessionid"].value != before
    assert ann.is_in(browser)
    assert browser.get("/api/signals").status_code == 200


def test_a_code_works_once_and_only_near_its_time(ann: Person, clock: Clock) -> None:
    ann.set_up()
    first, second = Client(), Client()
    ann.log_in(first)
    ann.log_in(second)
    late = ann.next_code()
    clock.pass_by(timedelta(seconds=90))
    assert "wrong, or was used" in ann.give(late, first).content.decode()
    code = ann.next_code()
    clock.pass_by(timedelta(seconds=30))  # the device is a little late
    assert ann.give(f" {code[:3]} {code[3:]} ", first).status_code == 302
    assert "wrong, or was used" in ann.give(code, second).content.decode()
    assert not ann.is_in(second)


def test_a_recovery_code_works_once_and_is_stored_as_a_digest(ann: Person) -> None:
    codes = ann.set_up()
    assert len(set(codes)) == 10
    stored = set(RecoveryCode.objects.values_list("sha256", flat=True))
    assert {len(each) for each in stored} == {64}
    first, second = Client(), Client()
    ann.log_in(first)
    ann.log_in(second)
    assert ann.give(codes[3].upper(), first).status_code == 302
    assert ann.give(codes[3], second).status_code == 200
    assert "9 recovery codes left" in first.get("/profile/").content.decode()
    assert not ann.is_in(second)


def test_wrong_codes_are_slowed_from_all_addresses_together(
    ann: Person, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    ann.set_up()
    clock.pass_by(timedelta(seconds=30))
    for number in range(5):
        browser = Client(REMOTE_ADDR=f"10.0.0.{number}")
        ann.log_in(browser)
        assert "wrong, or was used" in ann.give("000000", browser).content.decode()
    browser = Client(REMOTE_ADDR="10.9.9.9")
    ann.log_in(browser)
    right = ann.code()
    assert (
        "Too many wrong codes. Try again in 1 minute." in ann.give(right, browser).content.decode()
    )
    assert "Codes of 'ann' are refused for 30 s" in caplog.text
    clock.pass_by(timedelta(seconds=31))
    assert ann.give(ann.code(), browser).status_code == 302


def test_a_login_that_waits_for_its_code_ends_soon_and_can_be_cancelled(
    ann: Person, clock: Clock
) -> None:
    ann.set_up()
    browser = Client()
    ann.log_in(browser)
    clock.pass_by(timedelta(minutes=11))
    assert ann.give(ann.code(), browser)["Location"] == "/admin/login/"
    assert not ann.is_in(browser)
    ann.log_in(browser)
    browser.post("/admin/login/code/", {"cancel": "yes"})
    assert 'name="username"' in browser.get("/admin/login/").content.decode()


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_the_code_leads_to_no_page_of_another_server(ann: Person, wanted: str) -> None:
    ann.set_up()
    browser = Client()
    assert "evil" not in str(ann.log_in(browser, wanted=wanted).redirect_chain[0][0])
    assert ann.give(ann.next_code(), browser, wanted=wanted)["Location"] == "/admin/"


def test_set_up_shows_the_secret_once_and_needs_a_right_code(ann: Person) -> None:
    ann.log_in()
    assert ann.browser.get("/profile/second-factor/begin/").status_code == 405
    shown = ann.browser.post("/profile/second-factor/begin/", follow=True)
    text = shown.content.decode()
    assert SecondFactor.objects.get().secret in text
    assert 'src="data:image/svg+xml' in text
    assert "no-store" in shown["Cache-Control"]
    assert not INLINE.search(text)
    ann.browser.post("/profile/second-factor/", {"code": "000000"})
    assert SecondFactor.objects.get().confirmed_at is None
    confirmed = ann.browser.post("/profile/second-factor/", {"code": ann.code()})
    assert "no-store" in confirmed["Cache-Control"]
    assert (
        SecondFactor.objects.get().secret
        not in ann.browser.get("/profile/second-factor/").content.decode()
    )
    secret = SecondFactor.objects.get().secret
    ann.browser.post("/profile/second-factor/begin/")
    assert SecondFactor.objects.get().secret == secret


def test_switching_it_on_ends_the_other_sessions(ann: Person) -> None:
    other = Client()
    ann.log_in(other)
    ann.set_up()
    assert Session.objects.count() == 1
    assert ann.is_in()
    assert not ann.is_in(other)


def test_a_change_needs_a_code_and_is_kept_with_its_user(ann: Person) -> None:
    codes = ann.set_up()
    change = "/profile/second-factor/change/"
    assert (
        "wrong, or was used"
        in ann.browser.post(change, {"code": "1", "do": "off"}).content.decode()
    )
    ann.browser.post(change, {"code": ann.next_code(), "do": "codes"})
    assert (
        "wrong, or was used"
        in ann.browser.post(change, {"code": codes[0], "do": "off"}).content.decode()
    )
    ann.browser.post(change, {"code": ann.next_code(), "do": "off"})
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert ann.is_in()
    kept = LogEntry.objects.filter(user=ann.user, object_id=str(ann.user.pk)).order_by("pk")
    assert [each.change_message for each in kept] == [
        "Switched on two-factor login.", "Made new recovery codes.",
        "Switched off two-factor login.",
    ]  # fmt: skip


def test_an_administrator_may_switch_it_off_for_another_user(ann: Person, clock: Clock) -> None:
    ann.set_up()
    chief = Person(clock, ADMINISTRATOR, "chief")
    chief.log_in()
    chosen = {"action": "switch_off", "_selected_action": [ann.user.pk, chief.user.pk]}
    ann.user.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert ann.browser.post("/admin/auth/user/", chosen, follow=True).status_code == 200
    assert SecondFactor.objects.exists()
    answer = chief.browser.post("/admin/auth/user/", chosen, follow=True)
    assert "Two-factor login is switched off for ann." in answer.content.decode()
    assert not SecondFactor.objects.exists()
    assert LogEntry.objects.get(user=chief.user).object_id == str(ann.user.pk)


def test_an_operator_may_list_and_reset_it(
    ann: Person, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ann.set_up()
    call_command("second_factor", "--list")
    assert capsys.readouterr().out == "ann\n"
    with caplog.at_level(logging.WARNING):
        call_command("second_factor", "--reset", "ann")
    assert "Two-factor login of 'ann', by the command second_factor" in caplog.text
    assert "ann logs in with the password alone now." in capsys.readouterr().out
    for name, answer in (("ann", "ann has no two-factor login"), ("bob", "There is no user bob")):
        with pytest.raises(CommandError, match=answer):
            call_command("second_factor", "--reset", name)
    ann.log_in()
    assert ann.is_in()


def test_traders_must_set_it_up_where_it_is_required(
    ann: Person, clock: Clock, settings: Settings
) -> None:
    ann.log_in()
    settings.REQUIRE_SECOND_FACTOR = "traders"
    for address in ("/", "/signals/", "/admin/signals/signal/", "/report/"):
        assert ann.browser.get(address)["Location"] == "/profile/second-factor/", address
    assert ann.browser.post("/admin/execution/halt/halt/", {"why": "x"}).status_code == 302
    assert ann.browser.get("/api/signals").status_code == 401
    assert ann.browser.get("/dashboard/panels/", headers={"HX-Request": "true"}).status_code == 401
    key = {"X-API-Key": create_key("program", ["read"])}
    assert ann.browser.get("/api/signals", headers=key).status_code == 200
    assert "users who may trade" in ann.browser.get("/profile/second-factor/").content.decode()
    ann.set_up()
    assert ann.browser.get("/signals/?id=none").status_code == 404
    viewer = Person(clock, VIEWER, "victor")
    viewer.log_in()
    assert viewer.browser.get("/").status_code == 200


def test_each_step_of_a_login_and_each_change_of_the_factor_is_an_act(ann: Person) -> None:
    ann.set_up()
    browser = Client()
    ann.log_in(browser)
    ann.give("000000", browser)
    ann.give(ann.next_code(), browser)
    call_command("second_factor", reset="ann")
    found = Act.objects.order_by("pk").values_list("kind", "who", "after")
    assert list(found) == [
        ("login", "admin:ann", ""),
        ("user", "admin:ann", "Switched on two-factor login."),
        ("login", "admin:ann", "the password was right; the code is awaited"),
        ("login failed", "admin:ann", "the code was wrong"),
        ("login", "admin:ann", "the code was right"),
        ("user", "command line", "Switched off two-factor login."),
    ]
