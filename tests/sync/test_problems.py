"""What health reports about the deliveries."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from signals.clock import utc_now
from signals.config import flusher
from signals.tracker import SignalTracker
from sync.models import Breaker, Delivery
from sync.problems import problems
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery(settings: Settings) -> Delivery:
    settings.ALPINE_API_KEY = "key"
    SignalTracker("test").accept([a_signal()])
    flusher().flush()
    return Delivery.objects.get()


def codes(seconds: float = 0.0) -> list[str]:
    return [problem.kind.code for problem in problems(utc_now() + timedelta(seconds=seconds))]


def test_a_delivery_that_is_long_overdue_is_a_problem(delivery: Delivery) -> None:
    assert codes(290) == []
    assert codes(310) == ["sync.backlog"]
    Delivery.objects.update(status="delivered", delivered_at=utc_now())
    assert codes(310) == []


def test_one_that_waits_for_its_next_try_is_not(delivery: Delivery) -> None:
    Delivery.objects.update(due_at=utc_now() + timedelta(hours=6))
    assert codes(3600) == []


def test_a_sync_that_is_off_has_no_backlog(delivery: Delivery, settings: Settings) -> None:
    settings.ALPINE_API_KEY = ""
    assert codes(3600) == []


def test_while_sync_is_paused_only_that_is_said(delivery: Delivery) -> None:
    Breaker.objects.create(pk=1, probe_at=utc_now(), reason="no answer")
    assert codes(3600) == ["sync.paused"]


def test_dead_deliveries_are_counted(delivery: Delivery) -> None:
    Delivery.objects.update(status="dead")
    (problem,) = problems(utc_now())
    assert problem.sentence == "1 delivery is dead."
