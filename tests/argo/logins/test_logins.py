"""Wrong logins are slowed for whoever makes them, and for nobody else."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from pytest_django import Settings

from argo.logins import throttle
from argo.logins.address import client_of
from argo.models import LoginFailure
from tests.databases import both_databases

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
RIGHT = "a long password"
Login = Callable[..., Any]


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Login:
    """Return a function that logs in `clerk` at the admin site."""
    User.objects.create_superuser("clerk", password=RIGHT)

    def log_in(
        password: str, *, address: str = "10.0.0.1", name: str = "clerk", **headers: str
    ) -> Any:  # noqa: ANN401
        form = {"username": name, "password": password}
        client = Client(REMOTE_ADDR=address, headers=headers)
        return client.post("/admin/login/?next=/admin/", form)

    return log_in


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr("argo.logins.backend.utc_now", lambda: now)


@pytest.mark.django_db
def test_after_some_wrong_passwords_the_right_one_waits_too(
    login: Login, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at(monkeypatch, NOW)
    for _ in range(5):
        assert "correct username and password" in login("wrong").content.decode()
    with caplog.at_level(logging.WARNING):
        assert "Try again in 1 minute." in login(RIGHT).content.decode()
    assert "Logins as 'clerk' from 10.0.0.1 are refused for 30 s" in caplog.text
    at(monkeypatch, NOW + timedelta(seconds=31))
    assert login(RIGHT).status_code == 302
    assert not LoginFailure.objects.filter(failures__gt=5).exists()


@pytest.mark.django_db
def test_a_user_elsewhere_is_not_locked_out(login: Login) -> None:
    for _ in range(8):
        login("wrong")
    assert login(RIGHT, address="10.0.0.2").status_code == 302


@pytest.mark.django_db
def test_a_right_password_forgets_the_wrong_ones(login: Login) -> None:
    for _ in range(3):
        for _ in range(4):
            login("wrong")
        assert login(RIGHT).status_code == 302


@pytest.mark.django_db
def test_many_names_from_one_address_are_slowed_and_cost_no_hashing(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        login("wrong", name=f"user {number}")
    hashed: list[str] = []
    monkeypatch.setattr(
        "django.contrib.auth.base_user.check_password",
        lambda *given, **more: (hashed.append(""), check_password(*given, **more))[1],  # type: ignore[func-returns-value]
    )
    rows = LoginFailure.objects.count()
    assert "Try again in" in login(RIGHT).content.decode()
    assert not hashed
    assert LoginFailure.objects.count() == rows
    assert login(RIGHT, address="10.0.0.9").status_code == 302
    assert hashed


def by(name: str, address: str = "10.0.0.1") -> tuple[throttle.Counted, throttle.Counted]:
    return throttle.counted_by(name, address)


@both_databases
def test_each_failure_doubles_the_wait_up_to_a_limit(using: str) -> None:
    now, waits = NOW, []
    for _ in range(15):
        while wait := throttle.begin(by("clerk"), now, using=using):
            waits.append(wait.total_seconds())
            now += wait
    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0, *[900.0] * 5]


@both_databases
def test_failures_are_forgotten_after_a_pause(using: str) -> None:
    for _ in range(5):
        assert not throttle.begin(by("clerk"), NOW, using=using)
    later = NOW + throttle.FORGET_AFTER + timedelta(seconds=1)
    for _ in range(5):
        assert not throttle.begin(by("clerk"), later, using=using)


@both_databases
def test_a_failure_in_the_future_counts_as_now(using: str) -> None:
    for _ in range(5):
        throttle.begin(by("clerk"), NOW + timedelta(days=9), using=using)
    assert throttle.begin(by("clerk"), NOW, using=using) == throttle.FIRST_WAIT


@pytest.mark.django_db
def test_the_rows_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_ROWS", 20)
    for number in range(100):
        throttle.begin(by("clerk", f"10.0.1.{number}"), NOW + timedelta(seconds=number))
        assert LoginFailure.objects.count() <= 22
    assert LoginFailure.objects.filter(last_at=NOW + timedelta(seconds=99)).count() == 2


PROXY = (ip_network("10.0.0.0/24"),)


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("7.7.7.7", "", "7.7.7.7"),
        ("7.7.7.7", "1.1.1.1", "7.7.7.7"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "9.9.9.9, 1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "9.9.9.9, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
    ],
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    remote: str, forwarded: str, client: str
) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded})
    assert client_of(request, PROXY) == client


@pytest.mark.django_db
def test_behind_a_proxy_one_client_does_not_slow_another(login: Login, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = PROXY
    for _ in range(6):
        login("wrong", **{"X-Forwarded-For": "1.1.1.1"})
    assert "Try again" in login(RIGHT, **{"X-Forwarded-For": "1.1.1.1"}).content.decode()
    assert login(RIGHT, **{"X-Forwarded-For": "2.2.2.2"}).status_code == 302
