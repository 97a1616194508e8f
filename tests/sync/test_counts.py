"""Counts of deliveries stop at a number, and say that they do, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from signals.config import flusher
from signals.status_text import Capped
from signals.tracker import SignalTracker
from sync import counts
from sync.models import Delivery
from sync.status import as_text, brief, status
from tests.databases import DATABASES
from tests.execution.threads import on_database
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(databases=DATABASES)
NOW = datetime(2025, 1, 16, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(
    autouse=True,
    params=["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))],
)
def database(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    with on_database(request.param):
        yield


@pytest.fixture
def keys() -> list[int]:
    """The keys of five deliveries that wait."""
    SignalTracker("python").log_signals([a_signal(signal_id=f"s{each}") for each in range(5)])
    flusher().flush()
    Delivery.objects.update(queued_at=NOW, due_at=NOW)
    return list(Delivery.objects.order_by("pk").values_list("pk", flat=True))


def change(key: int, **values: object) -> None:
    assert Delivery.objects.filter(pk=key).update(**values) == 1


def test_a_count_that_stops_is_named(keys: list[int]) -> None:
    change(keys[0], status="dead")
    change(keys[1], status="delivered", delivered_at=NOW)
    assert status(NOW)["at_least"] == []
    found = status(NOW, most=2)
    assert (found["pending"], found["dead"], found["delivered"]) == (2, 1, 1)
    assert found["at_least"] == ["pending"]
    assert counts.pending(2) == Capped(2, True)
    assert brief()["pending"] == 3
    assert "2 or more pending, 1 delivered, 1 dead" in as_text(found)


def test_the_oldest_is_found_among_those_that_are_due_first(
    keys: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(keys[3], queued_at=NOW - 3 * MINUTE, due_at=NOW + MINUTE)  # it was tried before
    change(keys[4], queued_at=NOW - MINUTE, due_at=NOW - MINUTE)
    assert counts.waiting(NOW) == (Capped(5), 180.0)
    monkeypatch.setattr(counts, "LOOKED_AT", 2)
    assert counts.waiting(NOW) == (Capped(5), 60.0)


def test_nothing_is_being_sent_after_its_lease(keys: list[int]) -> None:
    change(keys[0], status="sending", due_at=NOW + MINUTE)
    change(keys[1], status="sending", due_at=NOW - MINUTE)
    change(keys[2], due_at=NOW + MINUTE)
    assert counts.sending(NOW) == Capped(1)


def test_the_rate_of_many_is_that_of_the_newest(keys: list[int]) -> None:
    for place, key in enumerate(keys[:3]):
        change(key, status="delivered", delivered_at=NOW - place * MINUTE)
    change(keys[3], status="dead", attempted_at=NOW - MINUTE)
    change(keys[4], status="dead", attempted_at=NOW - 3 * MINUTE)
    every = counts.ended_since(NOW - 9 * MINUTE)
    assert every == counts.SuccessRate(3, 2)
    assert counts.ended_since(NOW - 9 * MINUTE, most=None) == every
    assert counts.ended_since(NOW - MINUTE) == counts.SuccessRate(2, 1)
    newest = counts.ended_since(NOW - 9 * MINUTE, most=2)
    assert newest == counts.SuccessRate(2, 1, at_least=True)
    assert newest.as_dict()["success_rate"] == 2 / 3
