"""A backtest on one account makes the trades of `replay --execute`, to the cent."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from pytest_django import Settings

from argo.reports.divergence.comparing import compare
from argo.reports.divergence.section import own_signals
from execution.analysis.divergence.causes import Step
from execution.analysis.tables import signal_table
from execution.factory import account_rules, traded_on_account
from execution.models import Decision, Position
from execution.types import REPLAY
from signals.analysis.backtest.rules import Rules
from signals.backtests.run import run
from signals.backtests.selection import Selection
from signals.config import market
from signals.market.bars import Times
from signals.market.sample import SampleMarket
from signals.retrieval.selection import Selection as Wanted

pytestmark = pytest.mark.django_db(transaction=True)

USUAL: dict[str, Any] = {"PAPER_FEE": 0.05}
STRICT: dict[str, Any] = {
    "PAPER_FEE": 0.1, "PAPER_SPREAD": 0.1, "SIZING_PERCENT": 3.0, "SIZING_SCALED": True,
    "MIN_CONFIDENCE": 60.0, "POSITION_MAX_DAYS": 12.0, "RISK_MAX_POSITION": 60.0,
    "RISK_MAX_POSITIONS": 2, "RISK_MAX_PER_SYMBOL": 2, "RISK_LOSSES_IN_A_ROW": 2,
    "RISK_COOLDOWN": 864_000.0, "RISK_MAX_DAILY_LOSS": 0.5, "RISK_MAX_DRAWDOWN": 6.0,
}  # fmt: skip
"""Large trades and tight limits, so that most rules deny something."""
MIXED: dict[str, Any] = {
    "MARKET_DATA": "files", "MIN_CONFIDENCE": 50.0, "PAPER_FEE": 0.1, "POSITION_MAX_DAYS": 5.0,
    "RISK_GROUPS": [["BTC-USD", "ETH-USD"]], "RISK_MAX_PER_GROUP": 1, "RISK_ORDERS_A_MINUTE": 1,
}  # fmt: skip

SPLITS = {"AAPL": ("2008-11-13", 4.0), "MSFT": ("2008-11-26", 0.2)}
"""The first day on the new scale, and the new shares for an old one."""


def test_the_sample_with_the_usual_settings(settings: Settings) -> None:
    reasons = agreed(settings, "AAPL,IBM", USUAL)
    assert reasons >= {"held", "too_small", "figures"}


def test_large_trades_under_tight_limits(settings: Settings) -> None:
    reasons = agreed(settings, "AAPL,IBM", STRICT)
    assert reasons >= {"cooldown", "daily_loss", "drawdown"}


def test_markets_with_different_hours_across_splits(settings: Settings, tmp_path: Path) -> None:
    """Coins trade at weekends, and their bars show that a trade of a share has expired.

    One share became four, and five became one, each while a trade was open.
    """
    folder = tmp_path / "bars"
    folder.mkdir()
    stocks = SampleMarket().bars("AAPL").time[1600:2270].astype("datetime64[D]")
    for number, name in enumerate(("AAPL", "MSFT", "BTC-USD", "ETH-USD")):
        coins = np.arange(stocks[0], stocks[-1] + 1)
        days = coins if "-" in name else stocks
        write_bars(folder / f"{name}.csv", days, number, *SPLITS.get(name, ()))
    given = MIXED | {"MARKET_FOLDER": folder}
    reasons = agreed(settings, "AAPL,MSFT,BTC-USD,ETH-USD", given, "2008-08-01")
    assert reasons >= {"group", "pace"}
    for name, (ex_day, _) in SPLITS.items():
        crossing = Position.objects.filter(
            account=REPLAY, symbol=name, opened_at__lt=f"{ex_day}T14:30Z",
            closed_at__gt=f"{ex_day}T14:30Z",
        )  # fmt: skip
        assert crossing.exists()


def write_bars(path: Path, days: Times, seed: int, ex_day: str = "", ratio: float = 1) -> None:
    """Write a random walk, one bar a day, as it was traded: it jumps at a split."""
    chance = np.random.default_rng(seed)
    close = 100 * np.cumprod(1 + chance.normal(0.0005, 0.02, len(days)))
    opened = np.concatenate(([100.0], close[:-1])) * (1 + chance.normal(0, 0.004, len(days)))
    high, low = np.maximum(opened, close) * 1.006, np.minimum(opened, close) * 0.994
    scale = np.where(days.astype(str) < ex_day, ratio, 1)
    rows = zip(days, *(each * scale for each in (opened, high, low, close)), strict=True)
    lines = [
        f"{day}," + ",".join(f"{each:.4f}" for each in prices)
        + f",9,{ratio if str(day) == ex_day else 0}\n"
        for day, *prices in rows
    ]  # fmt: skip
    path.write_text(f"Date,Open,High,Low,Close,Volume,Stock Splits\n{''.join(lines)}")


def agreed(
    settings: Settings, symbols: str, given: dict[str, Any], first: str = "2007-06-01"
) -> set[str]:
    """Compare a replay with a backtest of its signals; return the reasons that were given."""
    for name, value in given.items():
        setattr(settings, name, value)
    period = ("--from", first, "--to", "2009-03-31")
    call_command("replay", "--execute", "--symbols", symbols, *period, stdout=StringIO())
    rules = Rules(
        expiry=timedelta(days=settings.POSITION_MAX_DAYS), spread=settings.PAPER_SPREAD,
        slippage=settings.PAPER_SLIPPAGE, fee=settings.PAPER_FEE,
    )  # fmt: skip
    made = run(Selection(Wanted()), market(), rules, "", on_one_clock=True)
    found = traded_on_account(made, account_rules())
    ids = [row.signal_id for row in made.chosen.rows]
    whys = {ids[index]: sorted(why.code for why in found.denied[index]) for index in found.denied}
    assert whys | {ids[index]: [] for index in found.executed} == _decided()
    closed = _closed()
    trades = {ids[each.signal]: each for each in found.trades}
    assert len(closed) > 5
    for signal_id, expected in closed.items():
        trade = trades[signal_id]
        assert (
            trade.quantity, trade.entry, trade.exit, trade.fees, trade.profit, trade.at,
            trade.by.name.lower(),
        ) == expected  # fmt: skip
    compared = compare(own_signals(signal_table()))
    assert len(compared.rows) == len(closed)
    assert {part.step for each in compared.rows for part in each.divergence.parts} == {
        Step.BACKTEST
    }, "the account did what the backtest did, so nothing is left to explain"
    return set().union(*whys.values())


def _decided() -> dict[str, list[str]]:
    """Return the reasons against each signal, empty if it was executed."""
    rows = Decision.objects.filter(account=REPLAY).select_related("signal")
    return {
        row.signal.signal_id: sorted(reason["code"] for reason in row.reasons or []) for row in rows
    }


def _closed() -> dict[str, tuple[object, ...]]:
    rows = Position.objects.filter(account=REPLAY, status="closed").select_related("signal")
    return {
        row.signal.signal_id: (
            row.quantity, row.entry_price, row.exit_price, row.fees, row.profit, row.closed_at,
            row.exit_reason,
        )
        for row in rows
    }  # fmt: skip
