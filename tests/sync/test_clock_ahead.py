"""A clock that was ahead has written times in the future: they count as now."""

from datetime import timedelta
from typing import Any

import pytest

from sync import breaker
from sync.breaker import Permit
from sync.claims import Claims
from sync.courier import Courier
from sync.models import Breaker, Delivery, Notice
from sync.outbox import _is_being_sent
from sync.retry import DELIVERY_LEASE
from sync.worker import Deliverer, DeliveryCounts
from tests.sync.alpine_server import Alpine, answer
from tests.sync.conftest import Clock, Log

pytestmark = pytest.mark.django_db(transaction=True)
HOURS = timedelta(hours=3)


@pytest.mark.parametrize(
    "changes",
    [
        {"due_at": HOURS},
        {"due_at": HOURS, "status": "sending", "claim": "dead", "attempts": 1},
        {"due_at": HOURS, "attempted_at": HOURS, "attempts": 3},
        {"due_at": timedelta(seconds=400), "attempts": 1},
        {"due_at": timedelta(days=3), "attempts": 8, "last_status": 503},
    ],
    ids=["new", "lease", "attempted", "first retry", "retry after"],
)
def test_a_delivery_that_was_put_off_by_such_a_clock_is_sent(
    log: Log, clock: Clock, deliverer: Deliverer, changes: dict[str, Any]
) -> None:
    log(3)
    times = {name: clock() + each for name, each in changes.items() if name.endswith("_at")}
    Delivery.objects.update(**(changes | times))
    assert deliverer.run() == DeliveryCounts(delivered=3)


@pytest.mark.parametrize(
    "changes",
    [
        {"due_at": DELIVERY_LEASE, "status": "sending", "claim": "x", "attempts": 1},
        {"due_at": timedelta(seconds=350), "attempts": 3},
        {"due_at": timedelta(hours=20), "attempts": 1, "last_status": 503},
        {"due_at": timedelta(seconds=30)},
    ],
    ids=["lease", "retry", "retry after", "clocks a little apart"],
)
def test_a_delivery_that_waits_as_it_should_is_left_alone(
    log: Log, clock: Clock, deliverer: Deliverer, changes: dict[str, Any]
) -> None:
    log(2)
    times = {"due_at": clock() + changes["due_at"], "attempted_at": clock()}
    Delivery.objects.update(**(changes | times))
    assert deliverer.run() == DeliveryCounts()


def test_what_is_due_comes_before_what_is_brought_back(log: Log, clock: Clock) -> None:
    log(2)
    first = Delivery.objects.order_by("pk")[0].pk
    Delivery.objects.filter(pk=first).update(due_at=clock() + HOURS)
    claims = Claims("me", DELIVERY_LEASE)
    assert [each.id for each in claims.claim(5, clock())] != [first]
    assert [each.id for each in claims.claim(5, clock())] == [first]


def test_a_dead_workers_lease_in_the_future_keeps_no_worker_asleep(
    log: Log, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(1)
    monkeypatch.setattr("sync.outbox.utc_now", clock)
    Delivery.objects.update(status="sending", due_at=clock() + timedelta(seconds=50))
    assert _is_being_sent()
    Delivery.objects.update(due_at=clock() + HOURS)
    assert not _is_being_sent()


def test_an_open_breaker_is_probed(
    log: Log, clock: Clock, deliverer: Deliverer, alpine: Alpine
) -> None:
    Breaker.objects.create(pk=1, failures=5, probe_at=clock() + HOURS, opened_at=clock())
    assert breaker.ALPINE.permit(clock(), "key") is Permit.ONE
    assert breaker.ALPINE.permit(clock(), "key") is Permit.NONE
    breaker.ALPINE.release_probe(clock())
    log(1)
    alpine.always(answer(201))
    assert deliverer.run() == DeliveryCounts(delivered=1)


@pytest.mark.parametrize("changes", [{}, {"claim": "dead", "attempts": 1}, {"attempts": 5}])
def test_messages_to_people_are_sent(clock: Clock, changes: dict[str, Any]) -> None:
    sent: list[str] = []
    Notice.objects.create(target="t", title="earlier", queued_at=clock(), due_at=clock(),
                          delivered_at=clock() + HOURS, status="delivered")  # fmt: skip
    Notice.objects.create(target="t", title="now", queued_at=clock(), due_at=clock() + HOURS,
                          **changes)  # fmt: skip
    courier = Courier(
        {"t": "url"}, timedelta(minutes=1), lambda url, title, body: sent.append(title), clock
    )
    courier.look()
    courier.wait(20)
    assert sent == ["now"]
