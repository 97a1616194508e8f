"""Decisions, positions and halts are published in the transaction that makes them."""

from collections.abc import Iterator
from decimal import Decimal

import orjson
import pytest
from pytest_django import Settings

from execution.accounts import halts
from execution.models import Decision
from execution.types import REPLAY, HaltCode
from tests import events
from tests.execution.trading_fixtures import ACCOUNT, Trading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def collected(settings: Settings) -> Iterator[None]:
    settings.EVENT_HANDLERS = (events.COLLECT,)
    events.published.clear()
    yield
    orjson.dumps(events.published)  # all of it is JSON


def test_an_executed_signal_publishes_its_decision_and_its_position(trading: Trading) -> None:
    signal_id = trading.trade().signal_id
    (decision,) = events.of("decision.executed")
    (opened,) = events.of("position.opened")
    assert decision["signal_id"] == opened["signal_id"] == signal_id
    assert decision["order_id"] == Decision.objects.get().order_id
    assert (opened["account"], opened["status"], opened["side"]) == (ACCOUNT, "open", "BUY")
    assert (opened["quantity"], opened["entry_price"], opened["profit"]) == ("100", "100", None)
    assert events.of("position.closed") == []


def test_a_halt_is_published_once_when_it_is_set_and_once_when_it_is_lifted(
    trading: Trading,
) -> None:
    for _ in range(2):
        halts.latch(ACCOUNT, HaltCode.BY_HAND, "news", trading.clock(), by="ann")
    (data,) = events.of("halt.set")
    assert (data["account"], data["reason"], data["latched_by"]) == (ACCOUNT, "news", "ann")
    assert (data["lifted_at"], data["lifted_why"]) == (None, "")
    halts.lift(ACCOUNT, by="bob", why="calm", now=trading.clock())
    (data,) = events.of("halt.lifted")
    assert (data["lifted_by"], data["lifted_why"], data["reason"]) == ("bob", "calm", "news")


def test_a_skipped_signal_publishes_its_reasons(trading: Trading) -> None:
    halts.latch(ACCOUNT, HaltCode.BY_HAND, "news", trading.clock(), by="ann")
    trading.log()
    trading.decide()
    (data,) = events.of("decision.skipped")
    assert data["account"] == ACCOUNT
    assert [each["code"] for each in data["reasons"]] != []


def test_what_happens_in_a_replay_is_not_published(trading: Trading) -> None:
    halts.latch(REPLAY, HaltCode.BY_HAND, "news", trading.clock(), by="ann")
    halts.lift(REPLAY, by="bob", why="calm", now=trading.clock())
    assert events.of("halt.set") == events.of("halt.lifted") == []


def test_a_closed_position_publishes_its_profit_and_the_outcome(trading: Trading) -> None:
    trading.trade()
    trading.move(111)
    (closed,) = events.of("position.closed")
    (outcome,) = events.of("signal.outcome")
    assert (closed["status"], closed["exit_reason"]) == ("closed", "target")
    assert outcome["outcome"] == "win"
    assert outcome["signal_id"] == closed["signal_id"]
    assert Decimal(closed["profit"]) > 0
