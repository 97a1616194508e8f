"""The real bars of the sample market are complete and adjusted."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from bokeh_sampledata import stocks

from signals.market.bars import Bars
from signals.market.daily import Findings, daily_bars
from signals.market.hours import exchange_hours
from signals.market.protocol import Quote, UnknownSymbol
from signals.market.sample import SYMBOLS, SampleMarket

NEW_YORK = exchange_hours("XNYS")
LAST_CLOSE = datetime(2013, 3, 1, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def aapl() -> Bars:
    return SampleMarket().bars("AAPL")


@pytest.mark.parametrize(
    ("symbol", "first"),
    [
        ("AAPL", date(2000, 3, 1)),
        ("FB", date(2012, 5, 18)),
        ("GOOG", date(2004, 8, 19)),
        ("IBM", date(2000, 3, 1)),
        ("MSFT", date(2000, 3, 1)),
    ],
)
def test_every_symbol_has_all_its_days(symbol: str, first: date) -> None:
    bars = SampleMarket().bars(symbol)
    assert len(bars) == len(getattr(stocks, symbol)["date"])
    assert bars.time_at(0) == NEW_YORK.close_of(first)
    assert bars.time_at(-1) == LAST_CLOSE


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_days_are_new_yorks_sessions_without_irregular_rows(symbol: str) -> None:
    rows = pd.DataFrame(getattr(stocks, symbol))
    bars, findings = daily_bars(symbol, rows, NEW_YORK)
    assert findings == Findings(symbol, [], [], [], unordered=False)
    days = [date.fromisoformat(day) for day in rows["date"]]
    assert days == NEW_YORK.days(days[0], days[-1])
    assert [bars.time_at(at) for at in range(len(bars))] == list(map(NEW_YORK.close_of, days))


def test_the_symbols_are_those_that_have_bars() -> None:
    assert SampleMarket().symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")


@pytest.mark.parametrize("day", [date(2000, 6, 21), date(2005, 2, 28)])
def test_a_split_leaves_no_jump(aapl: Bars, day: date) -> None:
    close = NEW_YORK.close_of(day)
    assert close
    at = aapl.count_before(close)
    traded = stocks.AAPL["close"]
    assert traded[at] / traded[at - 1] < 0.6, "the day of a split, as traded"
    for column in (aapl.open, aapl.high, aapl.low, aapl.close):
        assert 0.8 < column[at] / aapl.close[at - 1] < 1.25
    assert 0.2 < aapl.volume[at] / aapl.volume[at - 1] < 5


def test_adjusted_returns_are_those_of_the_adjusted_close(aapl: Bars) -> None:
    np.testing.assert_allclose(aapl.close, stocks.AAPL["adj_close"], rtol=1e-12)


def test_adjusting_keeps_the_shape_of_a_bar_and_the_money_traded(aapl: Bars) -> None:
    raw = stocks.AAPL
    for name in ("open", "high", "low"):
        traded = np.array(raw[name]) / np.array(raw["close"])
        np.testing.assert_allclose(getattr(aapl, name) / aapl.close, traded, rtol=1e-12)
    money = np.array(raw["close"]) * np.array(raw["volume"])
    np.testing.assert_allclose(aapl.close * aapl.volume, money, rtol=1e-12)


def test_the_error_of_an_unknown_symbol_lists_the_known_ones() -> None:
    with pytest.raises(
        UnknownSymbol, match="'TSLA'; there are: AAPL, FB, GOOG, IBM, MSFT"
    ) as raised:
        SampleMarket().bars("TSLA")
    assert raised.value.exit_code == 2
    with pytest.raises(UnknownSymbol):
        SampleMarket().quote("TSLA")


def test_bars_start_and_end_at_the_given_moments(aapl: Bars) -> None:
    market = SampleMarket()
    since, upto = aapl.time_at(100), aapl.time_at(200)
    assert market.bars("AAPL", upto, since).bar(0) == aapl.bar(100)
    assert market.bars("AAPL", upto, since).bar(-1) == aapl.bar(200)
    assert market.bars("AAPL", upto - timedelta(microseconds=1)).bar(-1) == aapl.bar(199)
    assert market.bars("AAPL", since=since).bar(0) == aapl.bar(100)
    assert len(market.bars("AAPL", since=since)) == len(aapl) - 100


def test_the_markets_time_is_always_its_last_close(aapl: Bars) -> None:
    market = SampleMarket()
    assert market.now() == LAST_CLOSE
    assert market.quote("AAPL") == Quote(float(aapl.close[-1]), LAST_CLOSE)
    assert len(market.bars("AAPL", market.now())) == len(market.bars("AAPL"))
