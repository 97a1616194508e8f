"""A lease belongs to one process at a time, whatever the clocks of the machines show."""

import time
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now

from argo.lease import MARGIN, Lease
from argo.models import LeaseRow
from tests.databases import DATABASES, both_databases

pytestmark = [both_databases, pytest.mark.parametrize("using", DATABASES)]


class Uptime:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _pass(using: str, seconds: float) -> None:
    """Let time pass for the database: the ends of all leases come nearer."""
    for row in LeaseRow.objects.using(using):
        row.ends_at -= timedelta(seconds=seconds)
        row.save()


def test_a_second_process_gets_it_only_after_its_end(using: str) -> None:
    first, second = Lease("beat", using=using), Lease("beat", using=using)
    assert first.hold()
    assert not second.hold()
    assert not second.is_held

    _pass(using, 9)
    assert not second.hold()
    _pass(using, 2)
    assert second.hold()
    assert not first.hold()
    assert not first.is_held


def test_a_renewal_begins_its_time_anew(using: str) -> None:
    first, second = Lease("beat", using=using), Lease("beat", using=using)
    for _ in range(3):
        assert first.hold()
        _pass(using, 8)
    assert not second.hold()


def test_the_holder_stops_by_its_own_clock_before_another_can_take_it(using: str) -> None:
    clock = Uptime()
    lease = Lease("beat", length=10, clock=clock, using=using)
    lease.hold()
    clock.now += 10 - MARGIN - 0.1
    assert lease.is_held
    clock.now += 0.2
    assert not lease.is_held


@pytest.mark.parametrize("minutes", [-7, 7])
def test_a_machine_whose_clock_is_minutes_away_neither_takes_nor_loses_it(
    using: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Lease("beat", using=using), Lease("beat", using=using)
    assert first.hold()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 60 * minutes)
    assert not second.hold()
    assert first.hold()
    assert first.is_held
    seconds = LeaseRow.objects.using(using).annotate(now=Now()).get()
    assert 5 < (seconds.ends_at - seconds.now).total_seconds() <= 10


def test_a_released_lease_is_free_at_once(using: str) -> None:
    first, second = Lease("beat", using=using), Lease("beat", using=using)
    first.hold()
    second.release()  # it has none: the first one keeps it
    assert not second.hold()
    first.release()
    assert not first.is_held
    assert second.hold()
    assert "process" in first.holder()


def test_it_needs_no_session_of_its_own(using: str) -> None:
    lease, other = Lease("beat", using=using), Lease("beat", using=using)
    assert lease.hold()
    connections[using].close()
    assert not other.hold()
    assert lease.hold()
