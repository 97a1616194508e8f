"""The lifecycle of a signal lists all its events in order, from the existing rows."""

from typing import Any

import pytest
from django.test import Client

from execution.brokers.protocol import BrokerError
from execution.decisions import queue
from execution.decisions.queue import ask_for
from execution.models import Order
from signals.journal import Journal
from signals.keys import create_key
from signals.ledger.flush import Flusher
from signals.ledger.outcomes import record_outcome
from signals.models import Signal
from signals.tracker import SignalTracker
from sync.models import Delivery
from sync.outbox import enqueue
from tests.execution.trading_fixtures import MORNING, Trading, orders_of
from tests.samples import a_signal

pytestmark = pytest.mark.django_db


@pytest.fixture
def trading(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Trading:
    made = Trading.begun(journal)
    monkeypatch.setattr(queue, "utc_now", made.clock)
    monkeypatch.setattr(queue, "wake_execute", lambda: None)
    return made


@pytest.fixture
def client(db: None) -> Client:
    return Client(headers={"X-API-Key": create_key("looker", ["read"])})


def events_of(client: Client, signal: Signal) -> list[dict[str, Any]]:
    answer = client.get(f"/api/signals/{signal.signal_id}/lifecycle")
    assert answer.status_code == 200, answer.content
    events: list[dict[str, Any]] = answer.json()
    times = [event["at"] for event in events if event["at"]]
    assert times == sorted(times)
    return events


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["what"] for event in events]


def detail(events: list[dict[str, Any]], what: str, **more: object) -> dict[str, Any]:
    """Return the details of the only event of that name whose details contain `more`."""
    (found,) = [
        event["detail"]
        for event in events
        if event["what"] == what and event["detail"].items() >= more.items()
    ]
    assert isinstance(found, dict)
    return found


def test_a_trade_is_listed_from_the_signal_to_its_outcome(client: Client, trading: Trading) -> None:
    signal = trading.trade(100.5, regime="BULL")
    trading.move(110.0)
    events = events_of(client, signal)
    assert names(events) == [
        "generated", "stored", "decision_queued", "executed",
        "order_made", "order_submitted", "order_made", "order_made", "edited",
        "filled", "order_filled", "position_opened",
        "filled", "order_canceled", "order_filled", "position_closed", "outcome",
    ]  # fmt: skip
    assert detail(events, "generated")["regime"] == "BULL"
    assert detail(events, "stored")["sha256"] == signal.sha256
    order_id = orders_of(signal)["entry"].client_order_id
    assert detail(events, "executed") == {"order_id": order_id}
    assert detail(events, "edited")["after"] == {"order_id": order_id}
    assert detail(events, "order_made", leg="stop")["level"] == "95"
    assert detail(events, "filled", leg="entry")["price"] == "100.5"
    assert detail(events, "order_filled", leg="entry")["average_price"] == "100.5"
    closed = detail(events, "position_closed")
    assert (closed["exit_reason"], closed["exit_price"], closed["profit"]) == (
        "target", "110", "950",
    )  # fmt: skip
    outcome = detail(events, "outcome")
    assert (outcome["who"], outcome["after"]["outcome"]) == ("monitor", "win")


def test_times_are_those_of_the_rows(client: Client, trading: Trading) -> None:
    signal = trading.trade()
    trading.clock.pass_by(hours=1)
    trading.move(95.0)
    events = events_of(client, signal)
    assert events[0]["at"] == "2025-01-15T15:00:00Z"
    assert events[-1]["at"] == "2025-01-15T16:00:02Z"


def test_a_skipped_signal_has_its_reasons_and_its_counterfactual_outcome(
    client: Client, trading: Trading
) -> None:
    signal = trading.log(confidence=10.0)
    trading.decide()
    trading.day(100, 112, 99, 111)
    trading.look()
    events = events_of(client, signal)
    assert names(events) == [
        "generated", "stored", "decision_queued", "skipped", "counterfactual_begun",
        "counterfactual_ended",
    ]  # fmt: skip
    (reason,) = detail(events, "skipped")["reasons"]
    assert reason == {"code": "confidence", "text": "confidence 10 is below 75"}
    ended = detail(events, "counterfactual_ended")
    assert (ended["outcome"], ended["exit_price"]) == ("win", 110.0)


def test_a_waiting_decision_says_who_asked(client: Client, trading: Trading) -> None:
    signal = trading.log()
    ask_for(signal.signal_id, "api:trader", trading.clock())
    events = events_of(client, signal)
    assert names(events) == ["generated", "stored", "decision_queued"]
    assert detail(events, "decision_queued") == {"account": "paper", "asked_by": "api:trader"}


def test_an_earlier_decision_is_listed_too(client: Client, trading: Trading) -> None:
    signal = trading.log(confidence=10.0)
    trading.decide()
    trading.clock.pass_by(minutes=1)
    ask_for(signal.signal_id, "api:trader", trading.clock())
    trading.changed(auto_execute=False).decide()
    decided = [
        event
        for event in events_of(client, signal)
        if event["what"] in {"decision_queued", "skipped"}
    ]
    assert names(decided) == ["decision_queued", "skipped", "decision_queued", "skipped"]
    assert [event["detail"].get("asked_by") for event in decided] == ["", None, "api:trader", None]
    assert decided[1]["detail"] == decided[3]["detail"]
    assert decided[1]["at"] < decided[3]["at"]


def test_an_order_without_an_answer_is_listed_as_unknown(client: Client, trading: Trading) -> None:
    trading.broker.before["submit"] = BrokerError("timed out", permanent=False)
    signal = trading.log()
    trading.decide()
    events = events_of(client, signal)
    assert detail(events, "order_unknown")["reason"] == "timed out"
    assert Order.objects.filter(state="unknown").count() == 1


def test_a_change_by_a_person_is_an_edit(client: Client, trading: Trading) -> None:
    signal = trading.trade()
    trading.move(110.0)
    trading.clock.pass_by(minutes=1)
    record_outcome(
        signal.signal_id, outcome="expired", exit_price=None, who="admin:me", why="a mistake",
        now=trading.clock(), journal=trading.journal,
    )  # fmt: skip
    last = events_of(client, signal)[-1]
    assert last["what"] == "edited"
    assert (last["detail"]["who"], last["detail"]["why"]) == ("admin:me", "a mistake")
    assert last["detail"]["before"] == {
        "outcome": "win", "exit_price": 110.0, "profit_loss_pct": 10.0,
    }  # fmt: skip


@pytest.mark.parametrize(("changes", "wanted"), [
    ({}, ["sync_queued"]),
    ({"status": "pending", "attempts": 2, "attempted_at": MORNING, "last_answer": "busy"},
     ["sync_attempted", "sync_queued"]),
    ({"status": "dead", "attempts": 3, "attempted_at": MORNING, "last_status": 422},
     ["sync_dead", "sync_queued"]),
    ({"status": "delivered", "attempts": 1, "attempted_at": MORNING, "delivered_at": MORNING},
     ["synced", "sync_queued"]),
])  # fmt: skip
def test_a_delivery_is_listed_with_its_state(
    client: Client, journal: Journal, changes: dict[str, object], wanted: list[str]
) -> None:
    tracker = SignalTracker.with_parts(journal, Flusher(journal, handlers=[enqueue]), origin="t")
    signal = Signal.objects.get(signal_id=tracker.log_signal(a_signal()))
    Delivery.objects.update(**changes)
    events = events_of(client, signal)
    assert [name for name in names(events) if name.startswith("sync")] == wanted
    if "last_status" in changes:
        assert detail(events, "sync_dead")["last_status"] == 422


def test_an_invalid_time_hides_no_event(client: Client, journal: Journal) -> None:
    """Imported signals may have one."""
    tracker = SignalTracker.with_parts(journal, Flusher(journal, handlers=[]), origin="t")
    signal = Signal.objects.get(signal_id=tracker.log_signal(a_signal()))
    Signal._base_manager.filter(pk=signal.pk).update(timestamp="yesterday")
    events = events_of(client, signal)
    assert [(event["what"], bool(event["at"])) for event in events] == [
        ("generated", False),
        ("stored", True),
    ]


@pytest.mark.parametrize("name", ["nothing", "latest", "%00"])
def test_an_unknown_signal_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/api/signals/{name}/lifecycle").status_code == 404


def test_a_key_is_required() -> None:
    assert Client().get("/api/signals/nothing/lifecycle").status_code == 401


def test_the_neighbouring_routes_are_not_shadowed(client: Client, trading: Trading) -> None:
    """Fault 45: `/signals/{id}` shadowed `/signals/latest`."""
    signal = trading.log(signal_id="lifecycle")
    assert client.get("/api/signals/latest").json()["items"][0]["signal_id"] == "lifecycle"
    assert client.get("/api/signals/lifecycle").json()["signal_id"] == "lifecycle"
    assert names(events_of(client, signal))[0] == "generated"


def test_reading_the_lifecycle_writes_nothing(
    client: Client,
    trading: Trading,
    django_assert_max_num_queries: Any,  # noqa: ANN401
) -> None:
    signal = trading.trade()
    with django_assert_max_num_queries(20) as queries:
        events_of(client, signal)
    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)
