"""The list of deliveries: a filter for every column, in either order of time."""

from collections.abc import Iterator

import pytest
from django.test import Client

from signals.clock import utc_now
from signals.journal import Journal
from signals.keys import create_key
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from sync.api.filters import DeliveryQuery
from sync.models import Delivery
from sync.outbox import enqueue
from tests.databases import both_databases
from tests.execution.threads import on_database
from tests.lists import check_filters, check_plans, items
from tests.samples import signals

PATH = "/api/sync/deliveries"
TRIED = {"attempts": 3, "last_status": 503, "last_answer": "try later"}


@pytest.fixture
def database(using: str) -> Iterator[None]:
    with on_database(using):
        yield


@both_databases
@pytest.mark.usefixtures("database")
def test_every_filter_finds_the_delivery_with_its_value(journal: Journal, using: str) -> None:
    flusher = Flusher(journal, using=using, handlers=[enqueue])
    tracker = SignalTracker.with_parts(journal, flusher, origin="t")
    client = Client(headers={"X-API-Key": create_key("looker", ["read"])})
    tracker.log_signals(signals(2))
    now = utc_now()
    Delivery.objects.update(attempted_at=now, delivered_at=now, status="delivered", **TRIED)
    Delivery.objects.filter(pk=Delivery.objects.earliest("pk").pk).update(attempts=5)
    first = items(client, PATH, sort="time")[0]
    assert check_filters(client, PATH, DeliveryQuery, first) == {"status", "signal_id"}
    assert len(items(client, PATH, status="delivered", limit=1, sort="time")) == 2
    chosen = items(client, PATH, signal_id=first["signal_id"], fields="signal_id,attempts")
    assert chosen == [{"signal_id": first["signal_id"], "attempts": 5}]
    check_plans(client, PATH, DeliveryQuery, "deliveries")
