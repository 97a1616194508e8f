"""A backtest on one account makes the trades of `replay --execute`, to the cent."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from execution.factory import account_rules, traded_on_account
from execution.models import Decision, Position
from execution.types import REPLAY
from signals.analysis.backtest.rules import Rules
from signals.backtests.run import run
from signals.backtests.selection import Selection
from signals.ledger.queries import SignalFilter
from signals.market.sample import SampleMarket

pytestmark = pytest.mark.django_db(transaction=True)

USUAL: dict[str, Any] = {"PAPER_FEE": 0.05}
STRICT: dict[str, Any] = {
    "PAPER_FEE": 0.1, "PAPER_SPREAD": 0.1, "SIZING_PERCENT": 3.0, "SIZING_SCALED": True,
    "MIN_CONFIDENCE": 60.0, "POSITION_MAX_DAYS": 12.0, "RISK_MAX_POSITION": 60.0,
    "RISK_MAX_POSITIONS": 2, "RISK_MAX_PER_SYMBOL": 2, "RISK_LOSSES_IN_A_ROW": 2,
    "RISK_COOLDOWN": 864_000.0, "RISK_MAX_DAILY_LOSS": 0.5, "RISK_MAX_DRAWDOWN": 6.0,
}  # fmt: skip
"""Large trades and tight limits, so that most rules deny something."""


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        (USUAL, {"held", "too_small", "figures"}),
        (STRICT, {"cooldown", "daily_loss", "drawdown"}),
    ],
    ids=["usual", "strict"],
)
def test_every_decision_and_every_trade_is_the_same(
    settings: Settings, given: dict[str, Any], reasons: set[str]
) -> None:
    for name, value in given.items():
        setattr(settings, name, value)
    period = ("--from", "2007-06-01", "--to", "2009-03-31")
    call_command("replay", "--execute", "--symbols", "AAPL,IBM", *period, stdout=StringIO())
    rules = Rules(
        expiry=timedelta(days=settings.POSITION_MAX_DAYS), spread=settings.PAPER_SPREAD,
        slippage=settings.PAPER_SLIPPAGE, fee=settings.PAPER_FEE,
    )  # fmt: skip
    made = run(Selection(SignalFilter()), SampleMarket(), rules, "", keeps_rows=True)
    found = traded_on_account(made, account_rules())
    ids = [row.signal_id for row in made.chosen.rows]
    whys = {ids[index]: sorted(why.code for why in found.denied[index]) for index in found.denied}
    assert whys | {ids[index]: [] for index in found.executed} == _decided()
    assert set().union(*whys.values()) >= reasons
    closed = _closed()
    trades = {ids[each.signal]: each for each in found.trades}
    assert len(closed) > 5
    for signal_id, expected in closed.items():
        trade = trades[signal_id]
        assert (
            trade.quantity, trade.entry, trade.exit, trade.fees, trade.profit, trade.at,
            trade.by.name.lower(),
        ) == expected  # fmt: skip


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
