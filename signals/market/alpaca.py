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
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.models import Bar
from alpaca.data.models import Quote as BidAsk
from alpaca.data.requests import (
    CorporateActionsRequest,
    CryptoBarsRequest,
    CryptoLatestQuoteRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from requests import JSONDecodeError, RequestException

from signals.clock import Clock, utc_now
from signals.market.actions import ListedAction
from signals.market.alpaca_actions import TYPES, listed
from signals.market.alpaca_http import problem_with_keys, set_timeout
from signals.market.bars import Bars, as_times
from signals.market.daily import COLUMNS, daily_bars
from signals.market.hours import ALWAYS_OPEN, TradingHours, hours_of
from signals.market.instruments import ALPACA, Instrument, instrument, spelled_at
from signals.market.protocol import FeedError, Quote, UnknownSymbol

DEFAULT_HISTORY = timedelta(days=600)
"""About 410 sessions: twice what the regime needs."""
RETRY_WAIT = 1
"""Seconds before a rate-limited request is sent again, up to three times."""
FEED_DELAY = timedelta(minutes=16)
"""A bar is shown only this long after its close: some feeds lag by a quarter of an hour."""
MAX_SPREAD = 0.02
"""The largest spread, as a share of the middle, at which the middle is a usable price."""
MAX_QUOTED = 300
"""Characters of Alpaca's answer that an error message quotes."""
DAY = TimeFrame(1, TimeFrameUnit.Day)
ONE_DAY = timedelta(days=1)
CHICAGO = ZoneInfo("America/Chicago")
T = TypeVar("T")


class AlpacaMarket:
    """Daily bars, adjusted for splits and dividends, and quotes.

    `url` is the address of the data service (`https://data.alpaca.markets` or a similar one).
    `feed` is the feed of stocks (`iex` is free). A price is the middle of bid and ask, if both
    exist and are close to each other. A day's bar is shown once its session has closed and the
    feed has had time to complete it; earlier answers of Alpaca for that day are left out.
    `timeout` is how many seconds a request may wait for the next byte. `find` returns the
    instrument for a spelling; only stocks, ETFs and coins are asked for.

    Raises `FeedError` for keys that are missing or contain an invalid character.
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
        find: Callable[[str], Instrument] = instrument,
    ) -> None:
        _check_keys(key, secret)
        self.now = clock
        self._logged: dict[str, str] = {}
        self._find = find
        self._feed = DataFeed(feed)
        self._exchange = exchange
        address = url.rstrip("/")
        self._stocks = StockHistoricalDataClient(key, secret, url_override=address)
        self._crypto = CryptoHistoricalDataClient(key, secret, url_override=address)
        self._actions = CorporateActionsClient(key, secret, url_override=address)
        for client in (self._stocks, self._crypto, self._actions):
            _prepare(client, timeout)

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        """Return the bars of the sessions that had closed at `upto`; 600 days without `since`.

        Raises `UnknownSymbol` if Alpaca has no bars in the last 600 days, `BadBars` if a bar
        cannot be true, and `FeedError` if Alpaca cannot be reached or refuses.
        """
        wanted = self._find(symbol)
        hours = hours_of(wanted, self._exchange)
        start = (
            min(since or upto, upto - DEFAULT_HISTORY) - ONE_DAY
        )  # Alpaca compares it with the day's start
        days = self._request(symbol, lambda: self._days(wanted, start, upto))
        if not days:
            raise UnknownSymbol(symbol)
        close_of = _closes(days).get if wanted.kind.is_crypto else None
        bars, findings = daily_bars(wanted.symbol, _rows(days, hours), hours, close_of)
        findings.log(self._logged)
        return bars.between(since, min(upto, self.now() - FEED_DELAY))

    def quote(self, symbol: str) -> Quote | None:
        """Return the middle of bid and ask; None if one is missing or they are far apart.

        Raises `FeedError` if Alpaca cannot be reached or refuses.
        """
        wanted = self._find(symbol)
        return self._request(symbol, lambda: _middle(self._quotes(wanted).get(_name(wanted))))

    def actions(self, symbol: str, since: datetime, upto: datetime) -> list[ListedAction]:
        """Return the splits, dividends and renames of a stock, oldest first, with `since` < `ex_at`
        <= `upto`.

        Raises `FeedError` if Alpaca cannot be reached or refuses.
        """
        wanted = self._find(symbol)
        if wanted.kind.is_crypto:
            return []
        hours = hours_of(wanted, self._exchange)
        asked = CorporateActionsRequest(
            symbols=[_name(wanted)], types=TYPES, start=since.date(), end=upto.date() + ONE_DAY
        )

        def ask() -> list[ListedAction]:
            answer: Any = self._actions.get_corporate_actions(asked)
            rows = [row for rows in answer.data.values() for row in rows]
            return list(listed(_name(wanted), rows, hours, lambda: self.bars(symbol, upto)))

        found = (each for each in self._request(symbol, ask) if since < each.ex_at <= upto)
        return sorted(found, key=lambda each: each.ex_at)

    def _days(self, wanted: Instrument, start: datetime, end: datetime) -> list[Bar]:
        fields: dict[str, Any] = {
            "symbol_or_symbols": _name(wanted), "timeframe": DAY, "start": start, "end": end,
        }  # fmt: skip
        if wanted.kind.is_crypto:
            answer: Any = self._crypto.get_crypto_bars(CryptoBarsRequest(**fields))
        else:
            more = {"adjustment": Adjustment.ALL, "feed": self._feed}
            answer = self._stocks.get_stock_bars(StockBarsRequest(**fields, **more))
        bars: list[Bar] = answer.data.get(_name(wanted), [])
        as_times(bar.timestamp for bar in bars)  # raises if a time has no zone
        return bars

    def _quotes(self, wanted: Instrument) -> dict[str, BidAsk]:
        name = _name(wanted)
        answer: Any
        if wanted.kind.is_crypto:
            request = CryptoLatestQuoteRequest(symbol_or_symbols=name)
            answer = self._crypto.get_crypto_latest_quote(request)
        else:
            answer = self._stocks.get_stock_latest_quote(
                StockLatestQuoteRequest(symbol_or_symbols=name, feed=self._feed)
            )
        return dict(answer)

    def _request(self, symbol: str, ask: Callable[[], T]) -> T:
        """Return what `ask` returns; raise every failure as `FeedError`."""
        try:
            return ask()
        except APIError as error:
            raise FeedError(_refused(symbol, error)) from error
        except (RequestException, ValueError, TypeError, KeyError, AttributeError) as error:
            raise FeedError(_failed(symbol, error)) from error


def _check_keys(*keys: str) -> None:
    if problem := problem_with_keys(*keys):
        raise FeedError(problem)


def _prepare(client: RESTClient, timeout: float) -> None:
    set_timeout(client, timeout)
    client._retry_wait = RETRY_WAIT  # the data clients take no argument for it


def _name(wanted: Instrument) -> str:
    """Return the symbol in Alpaca's spelling. Raises `UnknownSymbol` if Alpaca has none."""
    name = spelled_at(wanted, ALPACA)
    if name is None:
        raise UnknownSymbol(wanted.symbol)
    return name


def _rows(bars: list[Bar], hours: TradingHours) -> pd.DataFrame:
    values = [
        (_day(bar, hours), bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars
    ]
    return pd.DataFrame(values, columns=list(COLUMNS))


def _day(bar: Bar, hours: TradingHours = ALWAYS_OPEN) -> date:
    """Return the bar's day; its time is the day's start, so an hour is added to be past it."""
    return hours.day_of(bar.timestamp + timedelta(hours=1))


def _closes(bars: list[Bar]) -> dict[date, datetime]:
    """Return when each day of crypto ends: Alpaca starts it at midnight in Chicago, not in UTC."""
    return {_day(bar): _end(bar.timestamp) for bar in bars}


def _end(start: datetime) -> datetime:
    """Return when the day ends; it may have 23 or 25 hours, and must not end too early."""
    next_midnight = start.astimezone(CHICAGO) + ONE_DAY  # on Chicago's clock
    return max(start + ONE_DAY, next_midnight.astimezone(UTC))


def _middle(answer: BidAsk | None) -> Quote | None:
    if answer is None or not (answer.bid_price > 0 and answer.ask_price > 0):
        return None
    as_times([answer.timestamp])  # raises if a time has no zone
    middle = Quote((answer.bid_price + answer.ask_price) / 2, answer.timestamp.astimezone(UTC))
    is_wide = abs(answer.ask_price - answer.bid_price) > MAX_SPREAD * middle.price
    return None if is_wide else middle


def _refused(symbol: str, error: APIError) -> str:
    status = error.status_code
    advice = {
        401: "Correct ALPACA_API_KEY and ALPACA_SECRET_KEY.",
        403: "The keys may not read this: check ALPACA_FEED and your subscription.",
        422: "Alpaca does not know the symbol, or the range.",
        429: "Alpaca's rate limit: use fewer symbols, or ask less often (MARKET_INTERVAL).",
    }.get(status or 0, "Try again later.")
    return f"Alpaca refuses {symbol} with {status}: {str(error)[:MAX_QUOTED]}. {advice}"


def _failed(symbol: str, error: Exception) -> str:
    if isinstance(error, RequestException) and not isinstance(error, JSONDecodeError):
        return f"Alpaca cannot be reached for {symbol} ({error}). Check ALPACA_DATA_URL."
    return f"Alpaca's answer for {symbol} is invalid: {repr(error)[:MAX_QUOTED]}"
