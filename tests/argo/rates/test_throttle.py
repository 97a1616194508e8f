"""A key that calls too often gets 429, and each answer says what remains."""

import pytest
from django.test import Client
from pytest_django import Settings

from argo.rates import throttle
from signals.keys import create_key
from tests.samples import a_signal

pytestmark = pytest.mark.django_db


class FakeTime:
    now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    made = FakeTime()
    monkeypatch.setattr(throttle, "time", made)
    return made


def client_of(*scopes: str) -> Client:
    return Client(headers={"X-API-Key": create_key("caller", scopes)})


def limits(settings: Settings, **counts: int) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0) | counts


def test_a_key_is_limited_and_told_when_to_come_back(settings: Settings, clock: FakeTime) -> None:
    limits(settings, read=2)
    client = client_of("read")
    first, second, third = (client.get("/api/signals") for _ in range(3))
    assert (first.status_code, first["RateLimit"]) == (200, '"read";r=1;t=30')
    assert (second["RateLimit"], second["RateLimit-Policy"]) == (
        '"read";r=0;t=60', '"read";q=2;w=60',
    )  # fmt: skip
    assert (third.status_code, third["Retry-After"], third["RateLimit"]) == (
        429, "30", '"read";r=0;t=60',
    )  # fmt: skip
    assert third.json() == {
        "detail": "Too many requests: wait for as many seconds as Retry-After says",
        "errors": [],
    }
    clock.now += 30
    assert client.get("/api/signals").status_code == 200


@pytest.mark.usefixtures("clock")
def test_keys_and_scopes_are_counted_apart(settings: Settings) -> None:
    limits(settings, read=1, write=1)
    client = client_of("read", "write")
    assert client.get("/api/signals").status_code == 200
    sent = client.post("/api/signals", a_signal(), content_type="application/json")
    assert (sent.status_code, sent["RateLimit-Policy"]) == (202, '"write";q=1;w=60')
    assert client.get("/api/signals/latest").status_code == 429
    assert client_of("read").get("/api/signals").status_code == 200


@pytest.mark.usefixtures("clock")
def test_what_is_not_allowed_anyway_is_not_counted(settings: Settings) -> None:
    limits(settings, read=1)
    assert [Client().get("/api/signals").status_code for _ in range(3)] == [401] * 3
    assert [client_of("write").get("/api/signals").status_code for _ in range(3)] == [403] * 3
    assert [Client().get("/api/health").status_code for _ in range(3)] == [200] * 3


def test_without_a_limit_there_are_no_headers_and_no_file(settings: Settings) -> None:
    answer = client_of("read").get("/api/signals")
    assert "RateLimit" not in answer
    assert not (settings.DATA_DIR / throttle.FILE).exists()
