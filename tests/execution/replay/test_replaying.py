"""`replay --execute` trades the past on paper, and the same past gives the same rows."""

import json
import shutil
from io import StringIO
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django import Settings

from argo.errors import Conflict
from execution.accounts import halts
from execution.decisions import queue
from execution.models import Counterfactual, Decision, EquityDay, Fill, Order, Position
from execution.monitoring.reconcile import reconcile
from execution.replay import trading as trading_of_replays
from execution.replay.trading import PaperTrading, execution
from execution.types import REPLAY
from signals.generation.replay import ReplayClock
from signals.market.sample import SampleMarket
from signals.models import Signal
from tests.execution.trading_fixtures import MORNING, Trading, decision_of
from tests.installation import Installation

PERIOD = ("--symbols", "AAPL,IBM", "--from", "2008-01-01", "--to", "2009-06-30")
REPLAYER = "tests/execution/crash/replayer.py"
WRITES = 1_000
"""A number of writing statements, less than a replay of the period runs."""
TABLES = {
    "signals": "signal_id, timestamp, outcome, exit_price, profit_loss_pct, order_id, created_at",
    "decisions": "*",
    "orders": "*",
    "fills": "*",
    "positions": "*",
    "counterfactuals": "*",
    "equity_days": "*",
    "trading_accounts": "*",
    "halts": "*",
    "paper_accounts": "*",
    "paper_orders": "*",
    "paper_fills": "*",
    "outcome_changes": "signal_id, who, why, before, after",
}


def tables(argo: Installation) -> dict[str, list[Any]]:
    return {
        name: argo.query(f"SELECT {columns} FROM {name} ORDER BY 1, 2")
        for name, columns in TABLES.items()
    }


def new(migrated_folder: Path, folder: Path) -> Installation:
    return Installation(shutil.copytree(migrated_folder, folder), {"PAPER_FEE": "0.05"})


@pytest.fixture
def argo(migrated_folder: Path, tmp_path: Path) -> Installation:
    return new(migrated_folder, tmp_path / "argo")


@pytest.fixture(scope="module")
def whole(migrated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Return the tables after a replay of the period that nothing has interrupted."""
    argo = new(migrated_folder, tmp_path_factory.mktemp("whole") / "argo")
    argo.manage("replay", "--execute", *PERIOD).check_returncode()
    return tables(argo)


def test_the_same_past_gives_the_same_rows_once(
    argo: Installation, whole: dict[str, list[Any]]
) -> None:
    argo.manage("replay", "--execute", *PERIOD).check_returncode()
    assert tables(argo) == whole
    assert len(whole["fills"]) > 20
    assert {row[2] for row in whole["signals"]} >= {"win", "loss"}
    again = argo.manage("replay", "--execute", *PERIOD, "--json")
    assert again.returncode == 0, again.stderr
    assert tables(argo) == whole
    assert json.loads(again.stdout)["decisions"]["executed"] > 10


@pytest.mark.django_db
def test_every_signal_is_decided_and_every_trade_ends() -> None:
    call_command("replay", "--execute", *PERIOD)
    assert Decision.objects.count() == Signal.objects.count() > 20
    assert set(Decision.objects.values_list("status", "account")) == {
        ("executed", "replay"),
        ("skipped", "replay"),
    }
    skipped = Decision.objects.filter(status="skipped").values_list("pk", flat=True)
    assert set(skipped) == set(Counterfactual.objects.values_list("pk", flat=True))
    ended = Position.objects.filter(status="closed").select_related("signal")
    assert len(ended) > 10
    assert all(each.signal.outcome and each.mae is not None for each in ended)
    assert not Position.objects.filter(status="closed", profit=None).exists()


@pytest.mark.django_db
def test_a_trade_happens_on_the_clock_of_its_bars() -> None:
    call_command("replay", "--execute", *PERIOD)
    for fill in Fill.objects.select_related("order__signal"):
        assert fill.time.year in (2008, 2009)
        assert fill.order.created_at <= fill.time
    made = Order.objects.filter(leg="entry").select_related("signal")
    assert all(order.created_at.isoformat()[:19] == order.signal.timestamp[:19] for order in made)


@pytest.mark.django_db
def test_the_live_account_and_a_replay_do_not_touch_each_other(trading: Trading) -> None:
    bars = SampleMarket().bars("AAPL")
    past = execution([bars], ReplayClock(MORNING))
    live, replayed = trading.log(), trading.log(origin="replay")
    queue.insert([replayed.pk], REPLAY, MORNING)
    trading.decide()
    assert decision_of(replayed).status == "pending"
    assert decision_of(live).status == "executed"
    other = trading.log()
    past.decide([], lambda: None)
    assert decision_of(other).status == "pending"
    assert decision_of(replayed).status == "skipped"
    assert reconcile(trading.context) == []
    past.finish()


@pytest.mark.django_db
def test_positions_left_open_by_a_replay_are_not_closed_by_the_monitor(trading: Trading) -> None:
    call_command("replay", "--execute", *PERIOD)
    rows = [_rows(model) for model in (Order, Position, Fill)]
    trading.clock.pass_by(days=400)
    trading.look()
    assert reconcile(trading.context) == []
    assert [_rows(model) for model in (Order, Position, Fill)] == rows


def _rows(model: type[Order | Position | Fill]) -> list[Any]:
    return list(model._default_manager.order_by("pk").values())


@pytest.mark.parametrize("shares", [(0.05, 0.2, 0.3, 0.3), (0.13, 0.11, 0.37, 0.2)])
def test_a_killed_replay_continues_as_if_it_had_not_been_killed(
    argo: Installation, whole: dict[str, list[Any]], shares: tuple[float, ...]
) -> None:
    """It is killed several times just before a write, at these shares of `WRITES`."""
    for share in shares:
        killed = argo.run(REPLAYER, str(int(share * WRITES)), *PERIOD)
        assert killed.returncode == -SIGKILL, killed.stderr
    assert tables(argo) != whole
    again = argo.manage("replay", "--execute", *PERIOD)
    assert again.returncode == 0, again.stderr
    assert tables(argo) == whole


def replayed(*arguments: str) -> dict[str, Any]:
    output = StringIO()
    call_command("replay", "--execute", "--json", *arguments, stdout=output)
    return dict(json.loads(output.getvalue()))


@pytest.mark.django_db
def test_the_time_of_the_account_only_goes_forward() -> None:
    """Earlier signals are skipped with a reason, and later ones are traded."""
    replayed("--symbols", "IBM", "--from", "2008-01-01", "--to", "2008-12-31")
    rows = [_rows(model) for model in (Order, Position, Fill)]
    days = list(EquityDay.objects.order_by("pk").values())
    found = replayed("--symbols", "MSFT", "--from", "2008-01-01", "--to", "2008-08-31")
    late = Decision.objects.filter(signal__symbol="MSFT")
    assert len(late) > 3
    assert {decision.skipped_for for decision in late} == {"traded_later"}
    assert found["skipped"]["traded_later"] == len(late)
    assert "a data folder of its own" in late[0].reasons[0]["text"]
    assert [_rows(model) for model in (Order, Position, Fill)] == rows
    assert list(EquityDay.objects.order_by("pk").values()) == days
    replayed("--symbols", "MSFT", "--from", "2009-01-01", "--to", "2009-12-31")
    assert Decision.objects.filter(signal__symbol="MSFT", status="executed").exists()


@pytest.mark.django_db
def test_one_replay_trades_at_a_time() -> None:
    first = execution([SampleMarket().bars("IBM")], ReplayClock(MORNING))
    with pytest.raises(Conflict, match="Another replay is trading"):
        execution([SampleMarket().bars("IBM")], ReplayClock(MORNING))
    first.finish()
    execution([SampleMarket().bars("IBM")], ReplayClock(MORNING)).finish()


@pytest.mark.django_db
def test_a_replay_that_cannot_begin_keeps_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked() -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(trading_of_replays, "release_claims", locked)
        with pytest.raises(OperationalError):
            execution([SampleMarket().bars("IBM")], ReplayClock(MORNING))
    execution([SampleMarket().bars("IBM")], ReplayClock(MORNING)).finish()


@pytest.mark.django_db
def test_a_replay_that_fails_keeps_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(PaperTrading, "decide", fails)
        with pytest.raises(CommandError, match="locked"):
            call_command("replay", "--execute", *PERIOD)
    execution([SampleMarket().bars("IBM")], ReplayClock(MORNING)).finish()


@pytest.mark.django_db
def test_a_breach_that_remains_halts_again_even_if_nothing_is_open(settings: Settings) -> None:
    settings.PROP_FIRM = "ftmo-2-step-challenge"
    settings.SIZING_PERCENT, settings.RISK_MAX_POSITION = 5.0, 100.0
    settings.RISK_MAX_DAILY_LOSS = settings.RISK_MAX_DRAWDOWN = 100.0
    found = replayed("--symbols", "AAPL,IBM,MSFT", "--from", "2008-06-01", "--to", "2008-12-31")
    assert "drawdown" in found["halts"]
    assert not Position.objects.exclude(status="closed").exists()
    halts.lift("replay", by="me", why="go on", now=MORNING)
    again = replayed("--symbols", "AAPL,IBM,MSFT", "--from", "2009-01-01", "--to", "2009-02-28")
    assert "drawdown" in again["halts"]
