"""The real bars that come along are whole, and adjusted."""

from datetime import date

import numpy as np
import pytest
from bokeh_sampledata import stocks

from signals.market.bars import Bars
from signals.market.daily import session_close
from signals.market.sample import SampleMarket, UnknownSymbol


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
    assert bars.time_at(0) == session_close(first)
    assert bars.time_at(-1) == session_close(date(2013, 3, 1))


def test_the_symbols_are_those_that_have_bars() -> None:
    assert SampleMarket().symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")


@pytest.mark.parametrize("day", [date(2000, 6, 21), date(2005, 2, 28)])
def test_a_split_leaves_no_jump(aapl: Bars, day: date) -> None:
    at = aapl.count_before(session_close(day))
    traded = stocks.AAPL["close"]
    assert traded[at] / traded[at - 1] < 0.6, "the day of a split, as traded"
    for column in (aapl.open, aapl.high, aapl.low, aapl.close):
        assert 0.8 < column[at] / aapl.close[at - 1] < 1.25
    assert 0.2 < aapl.volume[at] / aapl.volume[at - 1] < 5


def test_adjusted_returns_are_those_of_the_adjusted_close(aapl: Bars) -> None:
    np.testing.assert_allclose(aapl.close, stocks.AAPL["adj_close"], rtol=1e-12)


def test_the_shape_of_a_bar_and_the_money_traded_stay(aapl: Bars) -> None:
    raw = stocks.AAPL
    for name in ("open", "high", "low"):
        traded = np.array(raw[name]) / np.array(raw["close"])
        np.testing.assert_allclose(getattr(aapl, name) / aapl.close, traded, rtol=1e-12)
    money = np.array(raw["close"]) * np.array(raw["volume"])
    np.testing.assert_allclose(aapl.close * aapl.volume, money, rtol=1e-12)


def test_an_unknown_symbol_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownSymbol, match="'TSLA'; there are: AAPL, FB, GOOG, IBM, MSFT") as told:
        SampleMarket().bars("TSLA")
    assert told.value.exit_code == 2
