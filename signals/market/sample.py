"""Real daily bars from an installed package: no network, no account."""

from datetime import datetime
from functools import cache

from signals.market.bars import Bars
from signals.market.instruments import instrument
from signals.market.protocol import Quote, UnknownSymbol

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


class SampleMarket:
    """Five stocks from March 2000 (GOOG from 2004, FB from 2012) to 1 March 2013.

    The source is the public-domain Quandl WIKI data in `bokeh_sampledata`. Bars are adjusted for
    splits and dividends, including those after 2013. The market's time is always its last close.
    """

    symbols: tuple[str, ...] = SYMBOLS

    def bars(
        self, symbol: str, upto: datetime | None = None, since: datetime | None = None
    ) -> Bars:
        """Return the bars of `symbol` from `since` to `upto`; all of them without both.

        Raises `UnknownSymbol` if `symbol` is not one of the five.
        """
        name = instrument(symbol).symbol
        if name not in self.symbols:
            raise UnknownSymbol(symbol, self.symbols)
        bars = _history(name)
        return bars.between(since, upto or bars.time_at(-1))

    def quote(self, symbol: str) -> Quote | None:
        """Return the last close. Raises `UnknownSymbol` like `bars`."""
        return Quote.last_close(self.bars(symbol))

    def is_adjusted(self, symbol: str) -> bool:
        """Return True."""
        return True

    def now(self) -> datetime:
        """Return the time of the last close."""
        return self.bars(self.symbols[0]).time_at(-1)


@cache
def _history(symbol: str) -> Bars:
    """Return all bars of a symbol; cached, because they are read-only and never change.

    The imports are here because they load pandas: 70 MiB that no worker needs without positions.
    """
    import pandas as pd
    from bokeh_sampledata import stocks

    from signals.market.daily import daily_bars
    from signals.market.hours import exchange_hours

    rows = pd.DataFrame(getattr(stocks, symbol))
    return daily_bars(symbol, rows, exchange_hours("XNYS"))[0]
