"""Who sends alerts and who gets events, on the dashboard and on the page of what runs."""

from collections.abc import Callable

import pytest
from django.test import Client

from argo.groups import TRADER, VIEWER
from signals.clock import utc_now
from signals.models import Alert, Sender, Signal
from sync.models import EventDelivery, Subscription
from sync.webhooks.subscriptions import create
from tests.argo.dashboard.test_dashboard import panel
from tests.argo.pages import client_of, shown
from tests.signals.alerts.conftest import Hook, work
from tests.signals.alerts.conftest import make_hook as make_hook

pytestmark = pytest.mark.django_db
PAGES = ("/", "/running/")
MAPPING = {"fields": {"symbol": "$.what", "action": "$.do", "price": "$.at"}}


@pytest.fixture
def hook(make_hook: Callable[..., Hook]) -> Hook:
    return make_hook()


@pytest.fixture
def subscription() -> Subscription:
    made = create("desk", "https://receiver.example/", ["halt.set"], now=utc_now())
    times = dict.fromkeys(("queued_at", "due_at", "attempted_at"), utc_now())
    EventDelivery.objects.create(
        subscription=made, event_id="e", type="halt.set", body="{}", status="dead", **times
    )
    return made


@pytest.mark.parametrize("address", PAGES)
def test_without_any_it_says_how_to_connect_one(address: str) -> None:
    page = shown(client_of(), address)
    assert "No sender posts alerts to this Argo" in panel(page, "alerts")
    assert "Nobody has subscribed to events" in panel(page, "events")


@pytest.mark.parametrize("address", PAGES)
def test_senders_and_subscriptions_are_shown_with_what_waits(
    address: str, hook: Hook, subscription: Subscription
) -> None:
    hook.send({"what": "AAPL"})
    work()
    Sender.objects.update(late_since=utc_now())
    page = shown(client_of(VIEWER), address)
    text = panel(page, "alerts")
    assert "tv tradingview" in text
    assert "late" in text
    assert "1 unread alert " in text
    assert "symbol: is missing" in text
    assert "desk active 0 1" in panel(page, "events")
    assert "1 dead event " in panel(page, "events")
    assert "Read all again" not in page
    assert "Send all again" not in page


def test_a_trader_reads_and_sends_again_from_either_page(
    hook: Hook, subscription: Subscription
) -> None:
    trader = client_of(TRADER)
    hook.send({"what": "AAPL", "do": "buy", "at": 150.5})
    work()
    hook.change(mapping=MAPPING)
    page = shown(trader, "/")
    assert "Read all again" in page
    assert "Send all again" in page
    answer = trader.post("/running/retry/", {"what": "alerts", "here": "dashboard"}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "1 alert is read." in answer.content.decode()
    work()
    assert Signal.objects.get().symbol == "AAPL"
    assert Alert.objects.get().status == "signal"
    answer = trader.post("/running/retry/", {"what": "events", "here": "//x"}, follow=True)
    assert answer.redirect_chain == [("/running/", 302)]
    assert "1 event is queued again." in answer.content.decode()
    assert EventDelivery.objects.get().status == "pending"


def test_who_may_only_look_sends_nothing_again(hook: Hook, subscription: Subscription) -> None:
    viewer = client_of(VIEWER)
    for what in ("alerts", "events"):
        assert viewer.post("/running/retry/", {"what": what}).status_code == 403
    assert EventDelivery.objects.get().status == "dead"
    assert Client().post("/running/retry/", {"what": "events"}).status_code == 302
