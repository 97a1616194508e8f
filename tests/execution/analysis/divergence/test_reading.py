"""The closed trade of a signal, for one share and on the scale of the signal's own prices."""

from datetime import timedelta
from decimal import Decimal

import pytest

from execution.analysis.divergence.reading import ClosedTrade, closed_trades, kind_of
from execution.models import Position
from signals.market.actions import ActionKind, ListedAction
from signals.models import Signal
from tests.execution.corporate.market_changes import calm_day, listed, listing, rebase
from tests.execution.trading_fixtures import Trading, position_of


def closed(signal: Signal) -> ClosedTrade:
    return closed_trades([signal.signal_id])[signal.signal_id]


def test_a_trade_has_its_fills_and_the_price_of_its_decision(trading: Trading) -> None:
    signal = trading.trade(100.5)
    assert closed_trades([signal.signal_id]) == {}, "it is open"
    trading.move(110.0)
    found = closed(signal)
    assert (found.account, found.decided) == ("paper", 100.0)
    trade = found.trade
    assert (trade.entry, trade.exit, trade.profit) == (100.5, 110.0, 9.5)
    (entry,), (exit_,) = trade.entries, trade.exits
    assert (entry.price, entry.quantity, exit_.price) == (100.5, 100.0, 110.0)
    assert entry.at < exit_.at
    assert (trade.exit_reason, trade.is_simulated, trade.is_carried) == ("target", True, False)


def test_a_trade_that_closed_later_was_not_known_then(trading: Trading) -> None:
    signal = trading.trade()
    trading.move(110.0)
    closed_at = closed(signal).closed_at
    assert closed_trades([signal.signal_id], closed_at - timedelta(seconds=1)) == {}
    assert closed_trades([signal.signal_id], closed_at)


def test_prices_after_a_split_are_on_the_signals_own_scale(trading: Trading) -> None:
    calm_day(trading, 100.0)
    signal = trading.trade()
    calm_day(trading, 100.0)
    rebase(trading, 1 / 4)
    calm_day(trading, 25.0)
    trading.move(float(position_of(signal).stop) * 0.9999)
    trade = closed(signal).trade
    assert trade.entry == pytest.approx(100)
    assert trade.exit == pytest.approx(95, rel=2e-4)
    assert trade.profit == pytest.approx(trade.exit - trade.entry)
    assert trade.is_carried


def test_a_dividend_is_money_for_each_share(trading: Trading) -> None:
    trading = listing(trading)
    calm_day(trading, 100.0)
    signal = trading.trade()
    ex_at = trading.clock() + timedelta(hours=3)
    listed(trading).append(ListedAction(ActionKind.DIVIDEND, ex_at, cash=Decimal("0.5")))
    calm_day(trading, 99.5)
    calm_day(trading, 112.0)
    trade = closed(signal).trade
    assert (trade.dividends, trade.profit, trade.is_carried) == (0.5, 12.5, True)


def test_what_a_person_settled_has_no_prices(trading: Trading) -> None:
    signal = trading.trade()
    trading.move(110.0)
    Position.objects.filter(pk=signal.pk).update(settled_quantity=Decimal(10))
    assert closed_trades([signal.signal_id]) == {}


def test_the_last_trades_are_taken_of_too_many(trading: Trading) -> None:
    signals = [trading.trade() for _ in range(2)]
    trading.move(110.0)
    Position.objects.filter(pk=signals[0].pk).update(closed_at=trading.clock() + timedelta(days=1))
    ids = [each.signal_id for each in signals]
    assert list(closed_trades(ids, most=1)) == ids[:1]


@pytest.mark.parametrize(
    ("account", "kind"),
    [("replay", "replay"), ("paper", "paper"), ("alpaca-paper", "paper"), ("alpaca-live", "live")],
)
def test_only_real_money_is_live(account: str, kind: str) -> None:
    assert kind_of(account) == kind
