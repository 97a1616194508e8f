"""Alpaca's market data, through `alpaca-py`: daily bars and latest quotes of stocks and crypto."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd
from alpaca.common.exceptions import APIError
from alpaca.common.rest import RESTClient
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.models import Bar
from alpaca.data.models import Quote as BidAsk
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestQuoteRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from requests import JSONDecodeError, RequestException

from signals.clock import Clock, utc_now
from signals.market.alpaca_http import fault_of_keys, make_patient
from signals.market.bars import Bars, as_times
from signals.market.daily import COLUMNS, daily_bars
from signals.market.hours import ALWAYS_OPEN, TradingHours, hours_of
from signals.market.instruments import CRYPTO, Instrument, instrument
from signals.market.protocol import FeedError, Quote, UnknownSymbol

ENOUGH = timedelta(days=600)
"""Some 410 sessions: twice what the regime needs."""
RETRY_WAIT = 1
"""Seconds before a request that met a rate limit is made again, up to three times."""
SETTLED_AFTER = timedelta(minutes=16)
"""A bar counts so long after its close: some feeds lag by a quarter of an hour."""
WIDEST = 0.02
"""Bid and ask further apart than this share of their middle are nobody's price."""
QUOTED = 300
"""Of an answer that is refused, so many characters are told."""
DAY = TimeFrame(1, TimeFrameUnit.Day)
ONE_DAY = timedelta(days=1)
CHICAGO = ZoneInfo("America/Chicago")
T = TypeVar("T")


class AlpacaMarket:
    """Daily bars, adjusted for splits and dividends, and quotes.

    `url` is the data service's address (`https://data.alpaca.markets`, or one like it), `feed` the
    stocks' (`iex` is free). Prices are the middle of bid and ask, where both are there and near
    each other. A day's bar counts once its session has closed and the feed has had time to tell all
    of it: what Alpaca answers before that is left out.
    `timeout` is how many seconds each request may be without a byte.
    """

    symbols: tuple[str, ...] = ()

    def __init__(
        self,
        key: str,
        secret: str,
        url: str,
        *,
        feed: str = "iex",
        exchange: str = "XNYS",
        timeout: float = 10.0,
        clock: Clock = utc_now,
    ) -> None:
        _check_keys(key, secret)
        self.now = clock
        self._told: dict[str, str] = {}
        self._feed = DataFeed(feed)
        self._exchange = exchange
        address = url.rstrip("/")
        self._stocks = StockHistoricalDataClient(key, secret, url_override=address)
        self._crypto = CryptoHistoricalDataClient(key, secret, url_override=address)
        for client in (self._stocks, self._crypto):
            _prepare(client, timeout)

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        """The bars of the sessions that had closed at `upto`; of 600 days without `since`.

        Raises `UnknownSymbol` where Alpaca has none of at least 600 days, `BadBars`, and
        `FeedError`.
        """
        wanted = instrument(symbol)
        hours = hours_of(wanted, self._exchange)
        start = min(since or upto, upto - ENOUGH) - ONE_DAY  # it counts when a day began
        days = self._asked(symbol, lambda: self._days(wanted, start, upto))
        if not days:
            raise UnknownSymbol(symbol)
        close_of = _closes(days).get if wanted.asset_type == CRYPTO else None
        bars, findings = daily_bars(wanted.symbol, _rows(days, hours), hours, close_of)
        findings.tell(self._told)
        return bars.between(since, min(upto, self.now() - SETTLED_AFTER))

    def quote(self, symbol: str) -> Quote | None:
        """The middle of bid and ask; None where one is missing, or they are far apart.

        Raises `FeedError`.
        """
        wanted = instrument(symbol)
        return self._asked(symbol, lambda: _middle(self._quotes(wanted).get(_name(wanted))))

    def _days(self, wanted: Instrument, start: datetime, end: datetime) -> list[Bar]:
        asked: dict[str, Any] = {
            "symbol_or_symbols": _name(wanted), "timeframe": DAY, "start": start, "end": end,
        }  # fmt: skip
        if wanted.asset_type == CRYPTO:
            answer: Any = self._crypto.get_crypto_bars(CryptoBarsRequest(**asked))
        else:
            more = {"adjustment": Adjustment.ALL, "feed": self._feed}
            answer = self._stocks.get_stock_bars(StockBarsRequest(**asked, **more))
        bars: list[Bar] = answer.data.get(_name(wanted), [])
        as_times(bar.timestamp for bar in bars)  # refuses a time that has no zone
        return bars

    def _quotes(self, wanted: Instrument) -> dict[str, BidAsk]:
        name = _name(wanted)
        answer: Any
        if wanted.asset_type == CRYPTO:
            request = CryptoLatestQuoteRequest(symbol_or_symbols=name)
            answer = self._crypto.get_crypto_latest_quote(request)
        else:
            answer = self._stocks.get_stock_latest_quote(
                StockLatestQuoteRequest(symbol_or_symbols=name, feed=self._feed)
            )
        return dict(answer)

    def _asked(self, symbol: str, ask: Callable[[], T]) -> T:
        """What `ask` gets, with every way in which it can fail as one error."""
        try:
            return ask()
        except APIError as error:
            raise FeedError(_refused(symbol, error)) from error
        except (RequestException, ValueError, TypeError, KeyError, AttributeError) as error:
            raise FeedError(_failed(symbol, error)) from error


def _check_keys(*keys: str) -> None:
    if fault := fault_of_keys(*keys):
        raise FeedError(fault)


def _prepare(client: RESTClient, timeout: float) -> None:
    make_patient(client, timeout)
    client._retry_wait = RETRY_WAIT  # the data clients cannot be given it


def _name(wanted: Instrument) -> str:
    """As Alpaca spells it."""
    return wanted.symbol.replace("-", "/") if wanted.asset_type == CRYPTO else wanted.symbol


def _rows(bars: list[Bar], hours: TradingHours) -> pd.DataFrame:
    values = [
        (_day(bar, hours), bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars
    ]
    return pd.DataFrame(values, columns=list(COLUMNS))


def _day(bar: Bar, hours: TradingHours = ALWAYS_OPEN) -> date:
    """A bar's time is when its day began: an hour later no midnight is in doubt."""
    return hours.day_of(bar.timestamp + timedelta(hours=1))


def _closes(bars: list[Bar]) -> dict[date, datetime]:
    """When the days of crypto ended: Alpaca begins them at midnight of Chicago, not of UTC."""
    return {_day(bar): _end(bar.timestamp) for bar in bars}


def _end(start: datetime) -> datetime:
    """Of a day that may have 23 or 25 hours: never before it is over."""
    next_midnight = start.astimezone(CHICAGO) + ONE_DAY  # on the clock of Chicago
    return max(start + ONE_DAY, next_midnight.astimezone(UTC))


def _middle(answer: BidAsk | None) -> Quote | None:
    if answer is None or not (answer.bid_price > 0 and answer.ask_price > 0):
        return None
    as_times([answer.timestamp])  # refuses a time that has no zone
    middle = Quote((answer.bid_price + answer.ask_price) / 2, answer.timestamp.astimezone(UTC))
    is_wide = abs(answer.ask_price - answer.bid_price) > WIDEST * middle.price
    return None if is_wide else middle


def _refused(symbol: str, error: APIError) -> str:
    status = error.status_code
    advice = {
        401: "Correct ALPACA_API_KEY and ALPACA_SECRET_KEY.",
        403: "The keys may not read this: look at ALPACA_FEED and your subscription.",
        422: "Alpaca does not know the symbol, or the range.",
        429: "Alpaca's rate limit: ask for fewer symbols, or less often (MARKET_INTERVAL).",
    }.get(status or 0, "It may pass.")
    return f"Alpaca refuses {symbol} with {status}: {str(error)[:QUOTED]}. {advice}"


def _failed(symbol: str, error: Exception) -> str:
    if isinstance(error, RequestException) and not isinstance(error, JSONDecodeError):
        return f"Alpaca cannot be reached for {symbol} ({error}). ALPACA_DATA_URL names it."
    return f"Alpaca's answer for {symbol} makes no sense: {repr(error)[:QUOTED]}"
