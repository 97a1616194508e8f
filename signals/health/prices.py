"""Tells which of the prices that this process uses are too old."""

from datetime import datetime, timedelta

from django.conf import settings

from signals.clock import utc_now
from signals.config import price_watch, watched_market
from signals.instruments import instrument
from signals.market.hours import hours_of
from signals.market.watched import OldPrice


def oldest_old_price() -> OldPrice | None:
    """Return the oldest price in use that should be newer by now; None with a market of the past.

    It loads a calendar if the process trades stocks; such a process has loaded it already.
    """
    if not settings.MARKET_IS_LIVE:
        return None
    now = utc_now()
    return price_watch().oldest(now, lambda symbol, time: _is_old(symbol, time, now))


def _is_old(symbol: str, time: datetime, now: datetime) -> bool:
    """Return whether there should be a newer price.

    A live feed has one within MARKET_PRICE_MAX_AGE during a session. Files of daily bars have one
    MARKET_PRICE_MAX_AGE after a session's end.
    """
    hours = hours_of(instrument(symbol), settings.MARKET_EXCHANGE, watched_market())
    newest = now - timedelta(seconds=settings.MARKET_PRICE_MAX_AGE)
    if settings.MARKET_DATA == "alpaca":
        return time < newest and hours.is_open(now) and hours.is_open(newest)
    return hours.may_have_closed(time, newest)
