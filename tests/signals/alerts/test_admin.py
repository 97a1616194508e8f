"""The admin pages of senders and alerts, and who may do what there."""

import re

import pytest
from django.test import Client

from argo.groups import ADMINISTRATOR, TRADER, VIEWER
from signals.models import Act, Alert, Sender, Signal
from tests.argo.pages import HOSTILE, INLINE, client_of, shown
from tests.signals.alerts.conftest import ALERT, Hook, work

pytestmark = pytest.mark.django_db
SENDERS, ALERTS = "/admin/signals/sender/", "/admin/signals/alert/"
FORM = {
    "name": "tv2", "preset": "tradingview", "mapping": "{}", "symbols": "{}", "confidence": "80",
    "dedup_window": "60",
}  # fmt: skip


def test_an_administrator_makes_a_sender_and_sees_its_address_once() -> None:
    client = client_of(ADMINISTRATOR)
    shown(client, f"{SENDERS}add/")
    page = client.post(f"{SENDERS}add/", FORM).content.decode()
    token = re.search(r"/hooks/([\w-]{43})<", page)
    assert token
    assert "{{strategy.order.action}}" in page
    assert not INLINE.search(page)
    assert Sender.objects.get().confidence == 80.0
    answer = Client().post(f"/hooks/{token[1]}", ALERT, content_type="application/json")
    assert answer.status_code == 202
    for address in (SENDERS, f"{SENDERS}{Sender.objects.get().pk}/change/", "/running/"):
        assert token[1] not in shown(client, address)
    assert token[1] not in str(list(Act.objects.values()))


def test_a_bad_mapping_is_named_in_the_form_and_nothing_is_made() -> None:
    client = client_of(ADMINISTRATOR)
    bad = FORM | {"mapping": '{"fields": {"price": "$..x"}, "target": "5"}', "symbols": "[1]"}
    page = client.post(f"{SENDERS}add/", bad).content.decode()
    for part in ("mapping.fields.price.0", "mapping.target", "must be a JSON object"):
        assert part in page
    assert not Sender.objects.exists()


def test_a_change_of_a_sender_is_an_act(hook: Hook) -> None:
    client = client_of(ADMINISTRATOR)
    changes = FORM | {"mapping": '{"target": "2ATR"}'}
    answer = client.post(f"{SENDERS}{hook.sender.pk}/change/", changes)
    assert answer.status_code == 302, answer.content.decode()
    hook.sender.refresh_from_db()
    assert (hook.sender.name, hook.sender.mapping) == ("tv", {"target": "2ATR"})
    assert "2ATR" in Act.objects.latest("pk").after


def test_an_alert_is_tried_on_the_page_and_nothing_is_stored(hook: Hook) -> None:
    client = client_of(VIEWER)
    address = f"{SENDERS}{hook.sender.pk}/try/"
    shown(client, address)
    page = client.post(address, {"alert": '{"symbol": "AAPL", "action": "buy", "price": 9}'})
    assert "BUY AAPL at 9.0, target 9.54" in page.content.decode()
    page = client.post(address, {"alert": HOSTILE})
    assert "<script>alert" not in page.content.decode()
    assert not Alert.objects.exists()


def test_what_became_of_each_alert_is_shown_and_hostile_text_is_escaped(hook: Hook) -> None:
    hook.send(ALERT)
    hook.send(HOSTILE)
    hook.send(ALERT | {"action": "exit", "symbol": "MSFT"})
    work()
    client = client_of(VIEWER)
    signal_id = Signal.objects.get().signal_id
    for address in (ALERTS, f"{SENDERS}{hook.sender.pk}/change/", "/running/", SENDERS):
        page = shown(client, address)
        assert "<script>alert" not in page
    assert signal_id in shown(client, ALERTS)
    for alert in Alert.objects.all():
        assert "<script>alert" not in shown(client, f"{ALERTS}{alert.pk}/change/")
    assert "NASDAQ:AAPL" in shown(
        client, f"{ALERTS}{Alert.objects.get(status='signal').pk}/change/"
    )
    assert "action: is missing" in shown(client, f"{ALERTS}?status__exact=unread")


def test_a_trader_reads_an_alert_again_and_a_viewer_does_not(hook: Hook) -> None:
    hook.send({"what": "AAPL"})
    work()
    pk = Alert.objects.get().pk
    act = {"action": "read_again", "_selected_action": [pk]}
    viewer, trader = client_of(VIEWER), client_of(TRADER)
    assert viewer.post(ALERTS, act, follow=True).status_code in (200, 403)
    assert Alert.objects.get().status == "unread"
    page = trader.post(ALERTS, act, follow=True).content.decode()
    assert "symbol: is missing" in page
    hook.change(
        mapping={"fields": {"symbol": "$.what"}, "defaults": {"action": "buy", "price": "5"}}
    )
    page = trader.post(ALERTS, act, follow=True).content.decode()
    assert "read as" in page
    work()
    assert Signal.objects.get().entry_price == 5.0
    assert trader.get(f"{SENDERS}add/").status_code == 403
    assert viewer.post(f"{SENDERS}{hook.sender.pk}/change/", FORM).status_code == 403


def test_an_administrator_revokes_a_sender(hook: Hook) -> None:
    client = client_of(ADMINISTRATOR)
    client.post(SENDERS, {"action": "revoke", "_selected_action": [hook.sender.pk]})
    assert Sender.objects.get().revoked_at is not None
    assert client.post(f"{SENDERS}{hook.sender.pk}/delete/").status_code == 403
