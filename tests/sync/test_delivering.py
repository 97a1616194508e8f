"""The rows of deliveries after each behaviour of Alpine."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection

from signals.models import Signal
from signals.tracker import SignalTracker
from sync import breaker
from sync.alpine import AlpineSyncService
from sync.models import Breaker, Delivery
from sync.retry import DELIVERY_LEASE
from sync.worker import Deliverer, DeliveryCounts
from tests.samples import a_signal
from tests.sync.alpine_server import Alpine, Behave, accept, answer, cut_short, reset, slow
from tests.sync.conftest import Clock, Log

pytestmark = pytest.mark.django_db(transaction=True)


def row(signal_id: str) -> Delivery:
    return Delivery.objects.get(signal__signal_id=signal_id)


def statuses() -> dict[str, int]:
    counted: dict[str, int] = {}
    for status in Delivery.objects.values_list("status", flat=True):
        counted[status] = counted.get(status, 0) + 1
    return counted


def one_bad(signal_id: str, behave: Behave) -> Callable[[str, int], Behave]:
    return lambda each, times: behave if each == signal_id else accept


def test_every_signal_arrives_once(log: Log, deliverer: Deliverer, alpine: Alpine) -> None:
    ids = log(50)
    assert deliverer.run() == DeliveryCounts(delivered=50)
    assert alpine.times == dict.fromkeys(ids, 1)
    assert alpine.most_at_once <= 4
    assert statuses() == {"delivered": 50}
    assert deliverer.run() == DeliveryCounts()


def test_the_body_is_the_signal(
    tracker: SignalTracker, deliverer: Deliverer, alpine: Alpine
) -> None:
    given = a_signal(regime="BULL", reasoning="so", sources=4, agreement=0.75, extra_note="x")
    signal_id = tracker.log_signal(given)
    deliverer.run()
    _, body = alpine.requests[0]
    stored = Signal.objects.get()
    assert body == {
        "signal_id": signal_id,
        "symbol": stored.symbol,
        "action": stored.action,
        "timestamp": stored.timestamp,
        "entry_price": stored.entry_price,
        "target_price": stored.target_price,
        "stop_price": stored.stop_price,
        "confidence": stored.confidence,
        "strategy": stored.strategy,
        "asset_type": stored.asset_type,
        "data_source": stored.data_source,
        "sha256": stored.sha256,
        "verification_hash": stored.sha256,
        "regime": "BULL",
        "reasoning": "so",
        "sources_count": 4,
        "consensus_agreement": 0.75,
    }


def test_a_poison_signal_is_dead_with_alpines_answer_and_blocks_nothing(
    log: Log, deliverer: Deliverer, alpine: Alpine
) -> None:
    ids = log(30)
    alpine.choose = one_bad(ids[0], answer(422, b"no such symbol"))
    assert deliverer.run() == DeliveryCounts(delivered=29, dead=1)
    dead = row(ids[0])
    assert (dead.status, dead.attempts, dead.last_status) == ("dead", 1, 422)
    assert "no such symbol" in dead.last_answer
    assert ids[0] in dead.payload


@pytest.mark.parametrize("behave", [answer(500), answer(429), answer(302), cut_short, reset])
def test_a_temporary_failure_waits_longer_each_time_until_it_is_dead(
    log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock, behave: Behave
) -> None:
    (bad, *_others) = log(5)
    alpine.choose = one_bad(bad, behave)
    assert deliverer.run() == DeliveryCounts(delivered=4, postponed=1)
    waits = []
    while (waiting := row(bad)).status == "pending":
        waits.append((waiting.due_at - clock.now).total_seconds())
        clock.now = waiting.due_at - timedelta(seconds=0.1)
        assert deliverer.run() == DeliveryCounts()  # it is not due yet
        clock.pass_by(0.1)
        deliverer.run()
    assert waits == [5, 60, 300]
    assert (row(bad).status, row(bad).attempts) == ("dead", 4)
    assert alpine.times[bad] == 4 * 4
    assert breaker.ALPINE.state().probe_at is None


def test_deliveries_arrive_after_alpine_has_recovered(
    log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock
) -> None:
    log(3)
    alpine.always(answer(503))
    assert deliverer.run() == DeliveryCounts(postponed=3)
    alpine.always(accept)
    clock.pass_by(6)
    assert deliverer.run() == DeliveryCounts(delivered=3)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {2}


def test_failures_that_are_tried_again_are_counted_in_warnings_and_what_arrives_is_debug(
    log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "sync")
    log(3)
    alpine.always(answer(503))
    deliverer.run()
    # One line for those that ended together; how many did depends on the threads.
    retried = [each for each in caplog.records if "failed and are tried again" in each.message]
    assert {each.levelname for each in retried} == {"WARNING"}
    assert sum(int(each.message.split()[0]) for each in retried) == 3

    alpine.always(accept)
    clock.pass_by(6)
    deliverer.run()
    assert [each.levelname for each in caplog.records if "Delivered" in each.message] == [
        "DEBUG", "DEBUG", "DEBUG",
    ]  # fmt: skip


def test_a_retry_after_delays_the_delivery(
    log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock
) -> None:
    log(1)
    alpine.always(answer(503, Retry_After="3600"))
    deliverer.run()
    assert Delivery.objects.get().due_at == clock.now + timedelta(hours=1)


def test_a_lost_answer_costs_a_duplicate_and_nothing_else(
    log: Log, deliverer: Deliverer, alpine: Alpine
) -> None:
    ids = log(10)

    def choose(signal_id: str, times: int) -> Behave:
        alpine.taken[signal_id] += 1
        return reset if times == 1 else answer(409)

    alpine.choose = choose
    assert deliverer.run() == DeliveryCounts(delivered=10)
    assert alpine.taken == dict.fromkeys(ids, 2)


def test_a_wrong_key_pauses_sending_and_loses_nothing(
    log: Log, service: AlpineSyncService, deliverer: Deliverer, alpine: Alpine, clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    log(40)
    alpine.always(answer(401))
    deliverer.run()
    assert statuses() == {"pending": 40}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    assert sum(alpine.times.values()) <= 8
    assert "ALPINE_API_KEY" in caplog.text
    assert deliverer.run() == DeliveryCounts()
    alpine.always(accept)
    clock.pass_by(6)
    assert deliverer.run() == DeliveryCounts(delivered=40)


def test_a_new_key_is_tried_at_once(log: Log, deliverer: Deliverer, alpine: Alpine) -> None:
    log(3)
    alpine.always(answer(403))
    deliverer.run()
    alpine.always(accept)
    deliverer.service = AlpineSyncService(alpine.endpoint, "another key")
    assert deliverer.run() == DeliveryCounts(delivered=3)


def test_an_open_breaker_lets_one_probe_through(
    log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock
) -> None:
    log(20)
    alpine.always(reset)
    deliverer.run()
    sent = sum(alpine.times.values())
    clock.pass_by(31)
    assert deliverer.run() == DeliveryCounts(released=1)
    assert sum(alpine.times.values()) == sent + 1
    assert deliverer.run() == DeliveryCounts()


def test_a_probe_without_anything_to_send_is_left_to_the_next_run(
    log: Log, deliverer: Deliverer, alpine: Alpine, clock: Clock
) -> None:
    Breaker.objects.create(pk=1, probe_at=clock.now, failures=5)
    assert deliverer.run() == DeliveryCounts()
    log(1)
    assert deliverer.run() == DeliveryCounts(delivered=1)


def test_a_dead_workers_deliveries_are_claimed_again_after_the_lease(
    log: Log, deliverer: Deliverer, clock: Clock
) -> None:
    log(5)
    dead_worker = Deliverer(deliverer.service, clock=clock)
    dead_worker._claims.claim(5, clock.now)
    assert deliverer.run() == DeliveryCounts()
    clock.pass_by(301)
    assert deliverer.run() == DeliveryCounts(delivered=5)


def test_a_stopped_run_finishes_requests_under_way_and_releases_the_rest(
    log: Log, deliverer: Deliverer, alpine: Alpine
) -> None:
    log(100)
    arrived = threading.Event()

    def stop_after_the_first(signal_id: str, times: int) -> Behave:
        arrived.set()
        deliverer.stop.set()
        return accept

    alpine.choose = stop_after_the_first
    delivered = deliverer.run().delivered
    assert 1 <= delivered <= 4
    assert statuses() == {"delivered": delivered, "pending": 100 - delivered}
    assert set(Delivery.objects.filter(status="pending").values_list("attempts", flat=True)) == {0}


def test_another_worker_makes_a_dead_workers_probe_after_the_lease(
    log: Log, deliverer: Deliverer, clock: Clock
) -> None:
    Breaker.objects.create(pk=1, probe_at=clock.now, failures=5)
    log(1)
    assert breaker.ALPINE.permit(clock.now, deliverer.service.key_digest) is breaker.Permit.ONE
    assert deliverer.run() == DeliveryCounts()
    clock.pass_by(DELIVERY_LEASE.total_seconds() + 1)
    assert deliverer.run() == DeliveryCounts(delivered=1)


def test_a_living_worker_renews_its_lease(log: Log, alpine: Alpine, clock: Clock) -> None:
    def ticking() -> datetime:
        return clock.now + timedelta(seconds=time.monotonic())

    log(1)
    alpine.always(slow(1.5))
    service = AlpineSyncService(alpine.endpoint, "the key")  # its timeouts are longer
    lease = timedelta(seconds=0.8)
    worker = Deliverer(service, lease=lease, clock=ticking)
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(run_on_thread, worker)
        while not under_way.done():
            Deliverer(service, lease=lease, clock=ticking).run()
            time.sleep(0.05)
    assert set(alpine.times.values()) == {1}
    assert statuses() == {"delivered": 1}


def run_on_thread(worker: Deliverer) -> DeliveryCounts:
    """Run with a database connection of its own."""
    try:
        return worker.run()
    finally:
        connection.close()


@pytest.fixture
def two_workers(service: AlpineSyncService, clock: Clock) -> list[Deliverer]:
    return [Deliverer(service, clock=clock) for _ in range(2)]


def test_two_workers_at_once_send_each_signal_once(
    log: Log, two_workers: list[Deliverer], alpine: Alpine
) -> None:
    ids = log(300)
    with ThreadPoolExecutor() as pool:
        counts = list(pool.map(run_on_thread, two_workers))
    assert sum(each.delivered for each in counts) == 300
    assert alpine.times == dict.fromkeys(ids, 1)
