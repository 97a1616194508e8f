"""Deliveries in the admin site."""

import pytest
from django.test import Client

from signals.flush import Flusher
from signals.journal import Journal
from signals.tracker import SignalTracker
from sync.models import Delivery
from sync.outbox import enqueue
from tests.samples import a_signal

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/sync/delivery/"


@pytest.fixture
def delivery(journal: Journal) -> Delivery:
    tracker = SignalTracker(journal, Flusher(journal, handlers=[enqueue]), origin="t")
    tracker.log_signal(a_signal())
    Delivery.objects.update(status="dead", attempts=3, last_status=422, last_answer="no symbol")
    return Delivery.objects.get()


def test_a_delivery_and_its_signal_show_how_it_stands(
    admin_client: Client, delivery: Delivery
) -> None:
    signal = f"/admin/signals/signal/{delivery.pk}/change/"
    for page in (LIST, f"{LIST}{delivery.pk}/change/", signal):
        assert "no symbol" in admin_client.get(page).content.decode()


@pytest.mark.parametrize(("query", "shown"), [("status__exact=dead", True), ("older=60", False)])
def test_deliveries_are_filtered(
    admin_client: Client, delivery: Delivery, query: str, shown: bool
) -> None:
    page = admin_client.get(f"{LIST}?{query}").content.decode()
    assert ("no symbol" in page) == shown


def test_dead_ones_are_sent_again(admin_client: Client, delivery: Delivery) -> None:
    admin_client.post(LIST, {"action": "send_again", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 0)
