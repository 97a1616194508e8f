"""Unread alerts: read again after the mapping was changed, never twice a signal; late senders."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from argo.errors import Conflict, InvalidInput
from argo.health import registry
from signals import events
from signals.alerts import again, lateness, problems, seen, taking
from signals.clock import utc_now
from signals.events import EventType
from signals.models import Act, Alert, Sender, Signal
from tests.signals.alerts.conftest import Hook, the_alert, work

pytestmark = pytest.mark.django_db
ODD = {"what": "AAPL", "do": "buy", "at": 150.5}
MAPPING = {"fields": {"symbol": "$.what", "action": "$.do", "price": "$.at"}}
SEEN: list[tuple[EventType, events.EventData]] = []


def hear(kind: EventType, read: events.ReadEvents) -> None:
    SEEN.extend((kind, data) for data in read())


def unread(hook: Hook, body: object = ODD) -> Alert:
    assert hook.send(body)[0] == 422
    work()
    return Alert.objects.filter(status="unread").latest("pk")


def test_an_unread_alert_becomes_its_signal_once_after_the_mapping_was_changed(hook: Hook) -> None:
    alert = unread(hook)
    with pytest.raises(InvalidInput, match="symbol"):
        again.read_again(alert, who="admin:ann", now=utc_now())
    hook.change(mapping=MAPPING)
    alert.refresh_from_db()
    taken = again.read_again(alert, who="admin:ann", now=utc_now())
    assert len(taken.signals) == 1
    work()
    signal = Signal.objects.get()
    assert signal.signal_id == taken.signals[0]
    alert.refresh_from_db()
    assert (alert.status, alert.signal_id, alert.symbol) == ("signal", signal.signal_id, "AAPL")
    assert Alert.objects.count() == 1
    with pytest.raises(Conflict, match="not unread"):
        again.read_again(alert, who="admin:ann", now=utc_now())
    assert (Act.objects.latest("pk").kind, Act.objects.latest("pk").who) == ("retry", "admin:ann")


def test_two_people_who_read_it_again_at_once_make_one_signal(hook: Hook) -> None:
    one = unread(hook)
    hook.change(mapping=MAPPING)
    two = Alert.objects.get(pk=one.pk)
    first = again.read_again(one, who="ann", now=utc_now())
    seen.forget()
    second = again.read_again(two, who="bob", now=utc_now() + timedelta(hours=1))
    assert first.signals == second.signals
    work()
    assert Signal.objects.count() == 1


def test_the_same_alert_that_came_again_meanwhile_is_the_same_signal(hook: Hook) -> None:
    body = ODD | {"id": "a"}
    alert = unread(hook, body)
    hook.change(mapping=MAPPING)
    answer = hook.send(body)[1]
    work()
    taken = again.read_again(alert, who="ann", now=utc_now())
    assert taken.signals == answer["signals"]
    work()
    assert Signal.objects.count() == 1
    assert "read again" in the_alert(status="resolved").result


def test_reading_again_by_a_mapping_that_raises_leaves_the_alert(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = unread(hook)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(taking, "read", fail)
    with pytest.raises(InvalidInput, match="ZeroDivisionError"):
        again.read_again(alert, who="ann", now=utc_now())
    assert the_alert().status == "unread"


def test_unread_and_waiting_alerts_are_problems_until_somebody_acts(hook: Hook) -> None:
    alert = unread(hook)
    (found,) = problems.problems(utc_now())
    assert found.sentence == "1 alert of the sender tv could not be read."
    again.resolve(alert, who="ann", now=utc_now())
    assert not list(problems.problems(utc_now()))
    Alert.objects.update(
        status="waiting", due_at=utc_now(), received_at=utc_now() - timedelta(hours=1)
    )
    (found,) = problems.problems(utc_now())
    assert found.kind is problems.WAITING
    assert {kind.code for kind in problems.KINDS} <= registry.kinds().keys()


def test_a_silent_sender_is_late_once_and_published_and_then_heard(
    hook: Hook, settings: Settings
) -> None:
    settings.EVENT_HANDLERS = ("tests.signals.alerts.test_again.hear",)
    SEEN.clear()
    now = utc_now()
    hook.change(expected_every=60)
    assert lateness.look(now + timedelta(seconds=30)) == 0
    assert lateness.look(now + timedelta(seconds=90)) == 1
    assert lateness.look(now + timedelta(seconds=95)) == 0, "once"
    ((kind, data),) = SEEN
    assert (kind, data["sender"], data["heard_at"]) == (EventType.SENDER_LATE, "tv", None)
    (found,) = problems.problems(now)
    assert "has never sent an alert; one is expected every 60 s" in found.sentence
    hook.send(ODD)
    work()
    assert Sender.objects.get().late_since is None
    assert Sender.objects.get().heard_at is not None
    assert lateness.look(utc_now() + timedelta(seconds=90)) == 1


def test_a_sender_of_market_hours_is_not_late_while_the_market_is_closed(hook: Hook) -> None:
    friday = datetime(2026, 1, 2, 20, 59, tzinfo=UTC)
    hook.change(expected_every=3600, in_market_hours=True, heard_at=friday)
    sender = hook.sender
    assert not lateness.is_late(sender, friday + timedelta(days=2))  # Sunday
    monday = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    assert not lateness.is_late(sender, monday + timedelta(minutes=20))
    assert lateness.is_late(sender, monday + timedelta(hours=5))
    sender.in_market_hours = False
    assert lateness.is_late(sender, friday + timedelta(days=2))
