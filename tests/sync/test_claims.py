"""A delivery belongs to one worker until its lease ends."""

from datetime import datetime, timedelta

import pytest

from sync.claims import ClaimedDelivery, Claims, DeliveryResult, Status
from sync.models import Delivery
from tests.sync.conftest import Clock, Log

pytestmark = pytest.mark.django_db
LEASE = timedelta(minutes=1)
ALMOST, JUST_OVER = LEASE.total_seconds() - 1, LEASE.total_seconds() + 1


def delivered(claimed: ClaimedDelivery, now: datetime) -> DeliveryResult:
    return DeliveryResult(claimed, Status.DELIVERED, claimed.attempts, now, 201, "", now)


def owners() -> set[str]:
    return set(Delivery.objects.values_list("claim", flat=True))


def test_a_result_that_comes_after_another_worker_took_over_changes_nothing(
    log: Log, clock: Clock
) -> None:
    log(1)
    slow, quick = Claims("slow", LEASE), Claims("quick", LEASE)
    (lost,) = slow.claim(1, clock())
    clock.pass_by(JUST_OVER)
    (taken,) = quick.claim(1, clock())
    assert slow.record([delivered(lost, clock())]) == 0
    assert (Delivery.objects.get().status, owners()) == ("sending", {"quick"})
    assert quick.record([delivered(taken, clock())]) == 1
    assert Delivery.objects.get().status == "delivered"


def test_a_worker_renews_the_leases_of_its_own_deliveries_alone(log: Log, clock: Clock) -> None:
    log(2)
    dead, living = Claims("dead", LEASE), Claims("living", LEASE)
    (left,) = dead.claim(1, clock())
    living.claim(1, clock())
    clock.pass_by(ALMOST)
    living.renew(clock())
    clock.pass_by(2)
    assert [each.id for each in Claims("third", LEASE).claim(2, clock())] == [left.id]
    assert owners() == {"living", "third"}
