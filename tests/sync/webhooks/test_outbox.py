"""Events are queued in the transaction that makes them, for those who want them and nobody else."""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from signals.events import EventType, publish, publish_each
from signals.journal import Journal
from signals.ledger.announcing import announce_stored
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from sync.models import EventDelivery, Subscription
from sync.webhooks import subscriptions
from tests.samples import signals
from tests.sync.conftest import Clock
from tests.sync.webhooks.conftest import Subscribe
from tests.sync.webhooks.inbox import Inbox

pytestmark = pytest.mark.django_db
INBOX = Inbox(port=1)


def queued() -> list[tuple[str, str]]:
    return list(EventDelivery.objects.order_by("pk").values_list("subscription__name", "type"))


def log(journal: Journal, count: int, origin: str = "t") -> list[str]:
    flusher = Flusher(journal, handlers=[announce_stored])
    return SignalTracker.with_parts(journal, flusher, origin=origin).log_signals(signals(count))


def test_each_subscription_gets_the_types_that_it_wants(subscribe: Subscribe) -> None:
    subscribe(INBOX, "all")
    subscribe(INBOX, "halts", ["halt.set", "halt.lifted"])
    subscribe(INBOX, "trades", ["position.opened"])
    publish(EventType.HALT_SET, {"account": "paper"})
    publish(EventType.SENDER_LATE, {"sender": "x"})
    assert queued() == [("all", "halt.set"), ("halts", "halt.set"), ("all", "sender.late")]
    first, second, _ = EventDelivery.objects.order_by("pk")
    assert first.event_id == second.event_id
    assert json.loads(first.body) == {
        "type": "halt.set", "timestamp": "2030-01-01T00:00:00Z", "data": {"account": "paper"},
    }  # fmt: skip


def test_without_a_subscription_no_data_is_made_and_nothing_is_written(clock: Clock) -> None:
    def data() -> list[dict[str, object]]:
        raise AssertionError("nobody wants it")

    with CaptureQueriesContext(
        connection,
    ) as asked:
        publish_each(EventType.SIGNAL_STORED, data)
    assert len(asked) == 1


def test_a_subscription_that_is_not_active_gets_nothing(subscribe: Subscribe, clock: Clock) -> None:
    subscription = subscribe(INBOX)
    subscriptions.revoke(subscription, "", now=clock())
    publish(EventType.HALT_SET, {})
    assert queued() == []


def test_an_event_that_is_undone_is_not_queued(subscribe: Subscribe) -> None:
    subscribe(INBOX)
    with transaction.atomic():
        publish(EventType.HALT_SET, {})
        transaction.set_rollback(True)
    assert queued() == []


def test_signals_of_a_flush_are_announced_together(subscribe: Subscribe, journal: Journal) -> None:
    subscribe(INBOX, "signals", ["signal.stored"])
    subscribe(INBOX, "others", ["signal.outcome"])
    ids = log(journal, 20)
    rows = EventDelivery.objects.order_by("pk")
    data = [json.loads(row.body)["data"] for row in rows]
    assert [each["signal_id"] for each in data] == ids
    assert len({row.event_id for row in rows}) == 20
    stored = signals(20)[0]
    assert data[0]["entry_price"] == stored["entry_price"]
    assert (data[0]["origin"], data[0]["regime"]) == ("t", stored.get("regime"))


@pytest.mark.parametrize("origin", ["import", "adopted", "replay"])
def test_signals_of_the_past_are_not_announced(
    subscribe: Subscribe, journal: Journal, origin: str
) -> None:
    subscribe(INBOX)
    log(journal, 3, origin)
    assert queued() == []


def test_a_signal_that_is_stored_again_after_a_restore_has_the_same_id(
    subscribe: Subscribe,
) -> None:
    subscribe(INBOX)
    data = {"signal_id": "a", "sha256": "b"}
    publish_each(EventType.SIGNAL_STORED, lambda: [data, data | {"signal_id": "c"}])
    publish(EventType.SIGNAL_STORED, data)
    first, second, third = EventDelivery.objects.order_by("pk").values_list("event_id", flat=True)
    assert first == third != second


def test_every_type_has_a_row_in_the_manual(settings: Settings) -> None:
    text = (settings.BASE_DIR / "templates" / "docs" / "webhooks.md").read_text()
    for kind in EventType:
        assert f"| `{kind}` |" in text


def test_types_are_stored_as_they_are_asked_for(subscribe: Subscribe) -> None:
    subscribe(INBOX, "two", ["halt.lifted", "halt.set", "halt.set"])
    assert Subscription.objects.get().types == ["halt.set", "halt.lifted"]
