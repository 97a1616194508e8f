"""Real daily bars that come with an installed package: no network, no account."""

from bokeh_sampledata import stocks

from argo.errors import NotFound
from signals.market.bars import Bars
from signals.market.daily import DailyColumns, daily_bars


class UnknownSymbol(NotFound):
    """This market has no such symbol; the message lists those that it has."""

    def __init__(self, symbol: str, known: tuple[str, ...]) -> None:
        super().__init__(f"there are no bars of {symbol!r}; there are: {', '.join(known)}")


class SampleMarket:
    """Five stocks from March 2000 (GOOG from 2004, FB from 2012) to 1 March 2013.

    The source is the public-domain Quandl WIKI data in `bokeh_sampledata`. Bars are adjusted for
    splits and dividends, those after 2013 included.
    """

    symbols: tuple[str, ...] = ("AAPL", "FB", "GOOG", "IBM", "MSFT")

    def bars(self, symbol: str) -> Bars:
        """The whole history of `symbol`. Raises `UnknownSymbol`, and `BadBars` for bad rows."""
        if symbol not in self.symbols:
            raise UnknownSymbol(symbol, self.symbols)
        columns: DailyColumns = getattr(stocks, symbol)
        return daily_bars(symbol, columns)
