"""A signal's story has every part, with the numbers on both sides, whatever the signal is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client
from pytest_django import Settings

from argo.reports.explain import prices
from argo.reports.explain.schemas import BarOut
from argo.reports.explain.story import explain
from argo.reports.explain.text import bar_line, printable, story_text
from execution.decisions import queue
from execution.models import Decision
from signals.config import journal
from signals.keys import create_key
from signals.ledger.outcomes import record_outcome
from signals.market.sample import SampleMarket
from signals.models import Signal, SignalContext
from signals.tracker import SignalTracker
from tests.execution.trading_fixtures import Trading
from tests.samples import a_signal

pytestmark = pytest.mark.django_db
VOTES = [
    {"source": "trend", "direction": "BUY", "confidence": 90.0, "weight": 0.5, "figures": {"x": 1}},
    {"source": "volume", "direction": "BUY", "confidence": 80.0, "weight": 0.5, "figures": {}},
    {"source": "breakout", "direction": None, "confidence": None, "weight": 0.5, "figures": {}},
]
MADE_AT = datetime(2009, 1, 22, 21, tzinfo=UTC)
"""When a bar of the sample market closed; Microsoft's close was 13.58."""
NEAR = {
    "symbol": "MSFT", "action": "BUY", "entry_price": 13.5844, "target_price": 14.26,
    "stop_price": 13.18, "timestamp": "2009-01-22T21:00:00Z", "confidence": 83.5,
    "strategy": "weighted_consensus",
}  # fmt: skip


def log(origin: str = "generator", **changes: Any) -> Signal:  # noqa: ANN401
    signal_id = SignalTracker(origin).log_signal(a_signal(**(NEAR | changes)))
    return Signal.objects.get(signal_id=signal_id)


def altered(signal: Signal, **changes: object) -> Signal:
    """Change the row itself, as no door of Argo does."""
    Signal._base_manager.filter(pk=signal.pk).update(**changes)
    return signal


def told(signal: Signal) -> str:
    """Return the text of the story, whose JSON must be valid too."""
    story = explain(signal.signal_id)
    json.dumps(story.model_dump(), cls=DjangoJSONEncoder, allow_nan=False)
    return story_text(story)


@pytest.fixture
def trading(monkeypatch: pytest.MonkeyPatch) -> Trading:
    """Return an account whose market is that of the story too."""
    made = Trading.begun(journal())
    monkeypatch.setattr(queue, "utc_now", made.clock)
    monkeypatch.setattr(prices, "market", lambda: made.market)
    return made


def test_each_gate_has_the_numbers_on_both_sides() -> None:
    log(timestamp="2009-01-12T21:00:00Z", action="SELL", target_price=12.9, stop_price=13.99)
    story = explain(log(regime="BULL", votes=VOTES, agreement=1.0, sources=2).signal_id)
    gates = {gate.code: (gate.value, gate.limit, gate.passed) for gate in story.made.gates}
    assert gates["sources"] == ("2 sources voted BUY", "at least 2", True)
    assert gates["confidence"] == ("83.5", "at least 75 (overall)", True)
    assert gates["stop"][0] == "the stop is 2.98% and the target 4.97% from the entry"
    assert gates["stop"][2]
    assert gates["price"] == ("the age of the price was not stored", "at most 0:15:00 old", None)
    value, limit, passed = gates["cooldown"]
    assert (limit, passed) == ("at least 10 bars", False)
    assert value == "7 bars since the signal of 2009-01-12 21:00:00+00:00"
    assert gates.keys() == {
        "sources", "confidence", "price", "session", "stale", "stop", "jump", "cooldown", "bar",
    }  # fmt: skip


def test_the_gates_follow_todays_settings(settings: Settings) -> None:
    settings.MIN_CONFIDENCE = 90.0
    signal = log()
    found = {gate.code: gate for gate in explain(signal.signal_id).made.gates}
    assert (found["confidence"].limit, found["confidence"].passed) == (
        "at least 90 (overall)", False,
    )  # fmt: skip
    assert "of today's settings" in told(signal).replace("\n", " ")


def test_no_gate_is_claimed_of_a_signal_from_outside() -> None:
    story = explain(log("api").signal_id)
    assert story.made.gates == []
    assert "came from outside" in story.made.notes[0]


def test_the_bars_end_where_the_signal_was_made_and_continue_to_its_end() -> None:
    signal = log()
    record_outcome(
        signal.signal_id, outcome="win", exit_price=14.0, who="me", why="a test",
        now=MADE_AT + timedelta(days=7), journal=journal(),
    )  # fmt: skip
    found = explain(signal.signal_id).prices
    assert found.seen[-1].time == MADE_AT
    assert found.after[0].time == MADE_AT + timedelta(days=1)
    assert found.after[-1].time == MADE_AT + timedelta(days=7)
    for part in ("target 14.26", "entry 13.5844", "stop 13.18", ": the signal", "X"):
        assert part in found.chart
    assert max(map(len, told(signal).splitlines())) <= 100


def test_an_outcome_that_is_recorded_years_later_shows_no_exit() -> None:
    signal = log()
    record_outcome(
        signal.signal_id, outcome="win", exit_price=14.0, who="me", why="a test",
        now=MADE_AT + timedelta(days=3000), journal=journal(),
    )  # fmt: skip
    found = explain(signal.signal_id).prices
    assert found.after[-1].time < MADE_AT + timedelta(days=61)
    assert "X" not in found.chart


def test_the_way_into_the_database_is_told_with_its_latency() -> None:
    signal = log()
    SignalContext.objects.filter(pk=signal.pk).update(
        received_at="2026-01-01T00:00:00.100000Z", stored_at="2026-01-01T00:00:00.225000Z"
    )
    stored = explain(signal.signal_id).stored
    assert (stored.latency_ms, stored.segment, stored.byte) == (125.0, 1, 0)


def test_an_altered_row_is_said_to_be_altered() -> None:
    signal = log()
    assert explain(signal.signal_id).stored.valid
    altered(signal, entry_price=13.6)
    stored = explain(signal.signal_id).stored
    assert not stored.valid
    assert "does not match its own hash" in stored.findings


def test_a_trade_is_told_from_the_decision_to_the_outcome(trading: Trading) -> None:
    trading.day(100, 101, 99, 100)
    signal = trading.trade(100.5)
    trading.move(110.0)
    story = explain(signal.signal_id)
    assert story.decision is not None
    rules = {rule.code: (rule.value, rule.limit, rule.passed) for rule in story.decision.rules}
    assert rules["distance"] == ("0.00% from the entry to the price", "at most 1.0%", True)
    assert rules["stop"][:1] == ("5.00% from the entry to the stop",)
    assert rules["order"] == ("100 at 100: 10000.00", "", True)
    assert rules["positions"] == ("0 of 10 positions are held", "", True)
    assert rules["daily_loss"][0] == "0.00% of the day's first equity lost; the limit is 3%"
    assert [order["leg"] for order in story.orders] == ["entry", "stop", "target"]
    assert [(fill["leg"], fill["price"]) for fill in story.fills] == [
        ("entry", "100.5"), ("target", "110"),
    ]  # fmt: skip
    assert story.position is not None
    assert (story.position["exit_reason"], story.position["profit"]) == ("target", "950")
    assert story.outcome.decided_by_position
    assert story.timeline[-1].what == "outcome"
    assert "decision: executed; win of" in told(signal).replace("\n", " ")


def test_a_trade_of_an_older_version_says_which_numbers_are_missing(trading: Trading) -> None:
    signal = trading.trade()
    Decision.objects.update(headroom=None)
    story = explain(signal.signal_id)
    assert story.decision is not None
    assert "did not store the numbers of the account" in story.decision.notes[1]
    assert [rule.code for rule in story.decision.rules] == [
        "confidence", "distance", "stop", "order",
    ]  # fmt: skip


def test_a_skipped_signal_has_each_reason_and_what_it_would_have_brought(trading: Trading) -> None:
    trading.day(100, 101, 99, 100)
    signal = trading.log(confidence=10.0)
    trading.decide()
    trading.day(100, 112, 99, 111)
    trading.look()
    story = explain(signal.signal_id)
    assert story.decision is not None
    (rule,) = story.decision.rules
    assert (rule.code, rule.value, rule.passed, rule.basis) == (
        "confidence", "confidence 10 is below 75", False, "stored",
    )  # fmt: skip
    assert story.counterfactual is not None
    assert story.counterfactual["outcome"] == "win"
    assert len(story.prices.after) == 1
    assert "X" in story.prices.chart


def test_a_signal_without_bars_says_why() -> None:
    signal = log(symbol="ZZZZ")
    story = explain(signal.signal_id)
    assert "'ZZZZ'" in (story.prices.problem or "")
    assert story.made.gates == []
    assert "there are no bars" in told(signal)


def test_a_market_that_fails_or_cannot_be_made_ends_no_story(
    trading: Trading, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = trading.log()
    monkeypatch.setattr(trading.market, "rows", {"AAPL": [("no", "bar")]})
    assert "the market data failed" in told(signal)
    monkeypatch.undo()
    settings.MARKET_DATA, settings.ALPACA_API_KEY = "alpaca", ""
    assert explain(signal.signal_id).prices.problem


@pytest.mark.parametrize(("market", "problem"), [("alpaca", prices.BUSY), ("sample", None)])
def test_a_remote_market_does_not_take_all_threads_of_the_web_server(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, market: str, problem: str | None
) -> None:
    settings.WEB_THREADS, settings.MARKET_DATA = 4, market
    monkeypatch.setattr(prices, "market", SampleMarket)
    monkeypatch.setattr(prices, "waiting", cache(prices.waiting.__wrapped__))
    signal = log()
    with prices.waiting():
        assert explain(signal.signal_id).prices.problem == problem
    assert explain(signal.signal_id).prices.problem is None


ODD: dict[str, Callable[[Signal], Signal]] = {
    "no time": lambda signal: altered(signal, timestamp="yesterday"),
    "no offset": lambda signal: altered(signal, timestamp="2009-01-22T21:00:00"),
    "year 1": lambda signal: altered(signal, timestamp="0001-01-01T00:00:00Z"),
    "year 9999": lambda signal: altered(signal, timestamp="9999-12-31T23:59:59Z"),
    "no prices": lambda signal: altered(signal, entry_price=0, stop_price=-1, target_price=1e308),
    "outcome": lambda signal: altered(signal, outcome="odd", exit_price=-5, profit_loss_pct=1e300),
    "side": lambda signal: altered(signal, action="HOLD"),
    "texts": lambda signal: altered(signal, symbol="\x1b[2J", strategy="\u202e" * 50_000),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_row_has_a_story(odd: str) -> None:
    assert "Timeline" in told(ODD[odd](log(votes=VOTES)))


@pytest.mark.parametrize(
    "votes", [None, "x", [1, None], {"a": []}, [{"figures": [1]}, {}], [VOTES]]
)
def test_votes_of_any_form_have_a_story(votes: object) -> None:
    signal = log()
    SignalContext.objects.filter(pk=signal.pk).update(votes=votes)
    assert "Timeline" in told(signal)


def test_a_time_without_offset_is_said_to_be_taken_for_utc() -> None:
    story = explain(altered(log(), timestamp="2009-01-22 21:00:00").signal_id)
    assert story.made.notes[0] == "The signal's time has no offset; it is taken for UTC."
    assert story.prices.seen[-1].time == MADE_AT


def test_a_row_without_context_has_a_story() -> None:
    signal = log()
    SignalContext.objects.filter(pk=signal.pk).delete()
    assert "no line" in told(signal)


def test_no_text_from_outside_passes_for_a_line_of_the_story() -> None:
    signal = log(reasoning="fine\n\nStored\n------\nverifies yes\x1b]0;owned\x07\u202e")
    text = told(signal)
    assert text.splitlines().count("Stored") == 1
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"fine\n\nStored\n------\nverifies yes\x1b]0;owned\x07\u202e" in text
    assert printable("x" * 5000).endswith("... (5,000 characters)")


def test_prices_of_another_scale_are_said_to_be() -> None:
    signal = log(entry_price=1358.0, target_price=1426.0, stop_price=1318.0)
    found = explain(signal.signal_id).prices
    assert "of another scale" in found.notes[0]
    assert "target" not in found.chart


def test_the_command_prints_text_or_json() -> None:
    signal, out, data = log(), StringIO(), StringIO()
    call_command("explain_signal", signal.signal_id, stdout=out)
    call_command("explain_signal", signal.signal_id, "--json", stdout=data)
    assert out.getvalue().startswith("BUY MSFT, made 2009-01-22T21:00:00Z (generator)")
    assert json.loads(data.getvalue())["signal"]["signal_id"] == signal.signal_id
    with pytest.raises(CommandError, match="There is no signal nope"):
        call_command("explain_signal", "nope")


def test_the_api_answers_the_same_story_and_the_votes() -> None:
    signal = log(votes=VOTES, agreement=1.0)
    client = Client(headers={"X-API-Key": create_key("looker", ["read"])})
    out = StringIO()
    call_command("explain_signal", signal.signal_id, "--json", stdout=out)
    answer = client.get(f"/api/signals/{signal.signal_id}/explain")
    assert answer.json() == json.loads(out.getvalue())
    votes = client.get(f"/api/signals/{signal.signal_id}/votes").json()
    assert (votes["votes"], votes["agreement"], votes["action"]) == (VOTES, 1.0, "BUY")
    for part in ("explain", "votes"):
        assert client.get(f"/api/signals/nope/{part}").status_code == 404


def test_the_page_of_a_signal_links_to_its_story() -> None:
    signal = log(reasoning="<script>alert(1)</script>")
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get(f"/admin/signals/signal/{signal.pk}/change/").content.decode()
    link = f"/report/signal/?id={signal.signal_id}"
    assert f'href="{link}"' in page
    story = client.get(link).content.decode()
    assert "&lt;script&gt;alert(1)" in story
    assert client.get("/report/signal/?id=nope").status_code == 404
    assert client.get("/report/signal/?id=%00").status_code == 404
    assert Client().get(link).status_code == 302
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(link).status_code == 403


def test_the_figures_of_a_bar_stand_apart_however_long_they_are() -> None:
    bar = BarOut(
        time=MADE_AT, open=1.234567e-12, high=380.6851, low=1.0, close=1.5, volume=1.211229e7
    )
    figures = bar_line(bar).split()[1:]
    assert list(map(float, figures)) == pytest.approx(
        [1.234567e-12, 380.6851, 1.0, 1.5, 1.211229e7], rel=1e-6
    )
