"""The state of execution: what is counted, and which problems are reported."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from execution.accounts import halts
from execution.accounts.portfolio import portfolio
from execution.api import filters, queries
from execution.brokers.protocol import BrokerError
from execution.decisions.queue import ask_for
from execution.models import Decision, Failure, Position
from execution.monitoring.reconcile import reconcile
from execution.status import brief, made_since, status
from execution.status_text import as_text
from execution.types import ExitReason
from signals.keys import create_key
from tests.execution.trading_fixtures import Trading

pytestmark = pytest.mark.django_db
DOWN = BrokerError("connection refused", permanent=False)


@pytest.fixture
def auto(settings: Settings) -> Settings:
    settings.AUTO_EXECUTE = True
    return settings


def rate(executed: int, skipped: int, share: float | None) -> dict[str, Any]:
    """Return the figures of a period of which every decision is counted."""
    counts = {"executed": executed, "skipped": skipped, "at_least": False}
    return counts | {"execution_rate": share}


def problems(trading: Trading) -> str:
    return " ".join(status(trading.clock())["problems"])


def test_without_any_rows_nothing_is_wrong(trading: Trading) -> None:
    found = status(trading.clock())
    assert (found["account"], found["broker"], found["state"]) == ("paper", "paper", "off")
    assert found["last_day"] == rate(0, 0, None)
    assert found["problems"] == []
    assert "nothing was decided" in as_text(found)


def test_what_was_decided_is_counted_with_its_reasons(trading: Trading) -> None:
    trading.log()
    trading.decide()
    trading.clock.pass_by(hours=2)
    for confidence in (10.0, 20.0):
        trading.log(confidence=confidence)
    trading.decide()
    found = status(trading.clock())
    assert found["last_hour"] == rate(0, 2, 0.0)
    assert found["last_day"] == rate(1, 2, 1 / 3)
    assert found["skipped_for"]["confidence"] == 2
    assert "last day: 1 executed (33.3%), 2 skipped" in as_text(found)
    trading.clock.pass_by(days=1, seconds=1)
    assert status(trading.clock())["skipped_for"] == {}


def test_of_many_decisions_the_newest_are_counted_and_it_says_so(trading: Trading) -> None:
    for confidence in (10.0, 20.0, 30.0):
        trading.log(confidence=confidence)
        trading.decide()
        trading.clock.pass_by(seconds=10)
    trading.log()
    trading.decide()
    now = trading.clock()
    (made, skipped_for) = made_since(now - timedelta(days=1), "paper", most=2)
    assert (made.executed, made.skipped, made.at_least) == (1, 1, True)
    assert skipped_for["confidence"] == 1
    assert made_since(now - timedelta(days=1), "paper", most=5)[0].at_least is False
    assert made_since(now - timedelta(days=1), "paper", most=None)[0].skipped == 3


def test_decisions_that_wait_are_counted_up_to_a_number(
    trading: Trading, auto: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution.status.MOST", 2)
    for symbol in ("AAPL", "MSFT", "IBM"):
        trading.log(symbol=symbol)
        trading.clock.pass_by(seconds=10)
    found = status(trading.clock())
    assert (found["pending"], found["at_least"]) == (2, ["pending"])
    assert found["oldest_pending_seconds"] == 30
    assert "2 or more decisions are pending, the oldest for 30 s" in as_text(found)


def test_what_is_open_is_counted(trading: Trading) -> None:
    trading.trade()
    found = status(trading.clock())
    assert found["open_positions"] == 1
    assert found["open_orders"] == {"accepted": 2}
    assert found["pending"] == 0


def test_with_auto_execute_a_decision_that_waits_is_a_problem(
    trading: Trading, auto: Settings
) -> None:
    trading.log()
    trading.clock.pass_by(seconds=59)
    assert problems(trading) == ""
    trading.clock.pass_by(seconds=2)
    assert "has waited for 61 s" in problems(trading)
    found = status(trading.clock())
    assert (found["pending"], found["oldest_pending_seconds"]) == (1, 61)


def test_without_it_only_one_that_was_asked_for_is(trading: Trading) -> None:
    trading.log()
    asked = trading.log(symbol="MSFT")
    trading.clock.pass_by(hours=1)
    assert problems(trading) == ""
    ask_for(asked.signal_id, "somebody", trading.clock())
    assert problems(trading) == ""
    trading.clock.pass_by(minutes=2)
    assert "has waited for 120 s" in problems(trading)


def test_a_replays_decisions_are_its_own(trading: Trading, auto: Settings) -> None:
    trading.log()
    Decision.objects.update(account="replay")
    trading.clock.pass_by(hours=1)
    found = status(trading.clock())
    assert (found["pending"], found["problems"]) == (0, [])


def test_a_broker_that_fails_is_a_problem_until_it_answers(trading: Trading) -> None:
    trading.trade()
    trading.broker.before["fills"] = DOWN
    with pytest.raises(BrokerError):
        trading.look()
    assert "The broker failed: connection refused" in problems(trading)
    del trading.broker.before["fills"]
    trading.look()
    assert problems(trading) == ""


def test_a_broker_that_has_not_agreed_for_long_is_a_problem(
    trading: Trading, auto: Settings
) -> None:
    reconcile(trading.context)
    assert status(trading.clock())["reconciled_at"] == trading.clock()
    trading.clock.pass_by(seconds=auto.RECONCILE_INTERVAL * 3 + 1)
    assert "last matched ours 901 s ago" in problems(trading)


def test_an_order_without_an_answer_is_a_problem(trading: Trading) -> None:
    trading.broker.before["submit"] = trading.broker.before["find"] = DOWN
    trading.log()
    trading.decide()
    found = status(trading.clock())
    assert found["unknown_orders"] == 1
    assert "1 order was sent without an answer" in problems(trading)


def test_a_position_that_lost_its_stop_is_a_problem_until_an_hour_after_its_end(
    trading: Trading,
) -> None:
    trading.trade()
    position = Position.objects.get()
    Position.objects.update(closing_for=ExitReason.UNPROTECTED)
    assert f"The position in {position.symbol} lost its stop" in problems(trading)
    assert "is being closed" in problems(trading)
    Position.objects.update(
        status="closed", closed_at=trading.clock(), exit_reason=ExitReason.UNPROTECTED
    )
    trading.clock.pass_by(minutes=59)
    assert "was closed" in problems(trading)
    trading.clock.pass_by(minutes=2)
    assert problems(trading) == ""
    Position.objects.update(closed_at=trading.clock(), exit_reason=ExitReason.STOP)
    assert problems(trading) == ""


def test_an_error_of_several_tasks_is_one_problem(trading: Trading) -> None:
    for task in ("monitor", "reconcile"):
        Failure.objects.create(
            account="paper", task=task, error="The broker failed: 500", failed_at=trading.clock()
        )
    assert status(trading.clock())["problems"] == ["The broker failed: 500"]


def test_a_halt_is_a_problem_in_health_too(trading: Trading, client: Client) -> None:
    halts.latch("paper", "by_hand", "the flat is on fire", trading.clock(), by="somebody")
    key = create_key("monitor", ["read"])
    health = client.get("/api/health", headers={"X-API-Key": key}).json()
    assert health["status"] == "degraded"
    assert health["execution"]["state"] == "halted"
    sentences = {problem["code"]: problem["sentence"] for problem in health["problems"]}
    assert "the flat is on fire" in sentences["execution.halted"]
    assert "the flat is on fire" in as_text(status(trading.clock()))


def test_a_halt_of_another_account_is_not_ours(trading: Trading) -> None:
    halts.latch("replay", "drawdown", "lost", trading.clock())
    assert brief()["state"] == "off"
    found = status(trading.clock())
    assert (found["state"], found["problems"], found["halts"]) == ("off", [], [])
    assert found["halts_elsewhere"][0]["account"] == "replay"
    assert "On another account, replay, trading is halted: lost" in as_text(found)
    theirs = status(trading.clock(), "replay")
    assert (theirs["state"], theirs["halts_elsewhere"]) == ("halted", [])


def plans_of(work: Callable[[], object]) -> list[str]:
    """Return the lines of EXPLAIN QUERY PLAN for each query on SQLite."""
    found: list[str] = []

    def explain(execute: Any, sql: str, params: Any, *more: Any) -> Any:  # noqa: ANN401
        if sql.lstrip().startswith("SELECT"):
            raw = connection.connection.cursor()
            raw.execute(f"EXPLAIN QUERY PLAN {sql.replace('%s', '?')}", tuple(params or ()))
            found.extend(row[3] for row in raw.fetchall())
        return execute(sql, params, *more)

    with connection.execute_wrapper(explain):
        work()
    return found


def _walks_an_account(plan: str) -> bool:
    """Return whether it scans an index of all rows, not one of open or latest rows."""
    indexes = ("orders_latest", "decisions_latest", "paper_orders_once")
    return plan.endswith(("(account=?)", "(account_id=?)")) and any(map(plan.count, indexes))


@pytest.mark.parametrize("work", [
    lambda trading: status(trading.clock()),
    lambda trading: brief(),
    lambda trading: queries.decisions(filters.DecisionQuery(status="pending", account="paper")),
    lambda trading: queries.decisions(filters.DecisionQuery(status="executed", account="paper")),
    lambda trading: queries.orders(filters.OrderQuery(state="open")),
    lambda trading: queries.orders(filters.OrderQuery(state="accepted", account="paper")),
    lambda trading: queries.positions(filters.PositionQuery(status="open", account="paper")),
    lambda trading: queries.orders(filters.OrderQuery(signal_id=trading.log().signal_id)),
    lambda trading: portfolio(trading.context, trading.broker.account(), trading.clock()),
    lambda trading: trading.look(),
    lambda trading: trading.move(106.0),
    lambda trading: reconcile(trading.context),
], ids=["status", "brief", "pending", "executed", "open", "accepted", "positions", "of a signal",
        "portfolio", "monitor", "fills", "reconciling"])  # fmt: skip
def test_nothing_walks_all_that_there_ever_was(
    trading: Trading, work: Callable[[Trading], object]
) -> None:
    trading.trade()
    plans = plans_of(lambda: work(trading))
    assert plans
    tables = ("decisions", "orders", "positions", "fills", "signals", "paper_orders")
    whole = {f"SCAN {table}" for table in tables}
    assert not [plan for plan in plans if plan in whole or _walks_an_account(plan)]
