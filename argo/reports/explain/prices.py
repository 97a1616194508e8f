"""The bars that a signal was made on, and those that followed it."""

import logging
import math
import threading
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from django.conf import settings

from argo.errors import ArgoError
from argo.reports.explain.chart import Exit, chart
from argo.reports.explain.schemas import BarOut, Prices
from execution.web import REMOTE_MARKETS, SHARE
from signals.config import market
from signals.market.bars import Bars
from signals.market.protocol import MarketData
from signals.market.timed import Deadline, TimedMarket
from signals.models import Signal

logger = logging.getLogger(__name__)
MOST_BARS = 100
"""Bars of the story, on either side of the signal."""
BUSY = "other requests wait for market data already: try again in a moment"
OTHER_SCALE = 1.8
"""As in validation: a larger factor between entry and last close is no move of one bar."""
LEVELS = {"target": "target_price", "entry": "entry_price", "stop": "stop_price"}


class Market(NamedTuple):
    """The market of the settings; None, and why, if the settings are invalid.

    `slots` are the calls that may wait for it at once, so that requests remain possible.
    """

    market: MarketData | None
    problem: str
    slots: threading.BoundedSemaphore

    @classmethod
    def of_settings(cls, seconds: float) -> "Market":
        """Return the market; all its calls together take this long at most."""
        try:
            return cls(TimedMarket(market(), Deadline(seconds)), "", waiting())
        except ArgoError as error:
            return cls(None, str(error), waiting())

    def bars(
        self, symbol: str, upto: datetime, since: datetime | None = None
    ) -> tuple[Bars | None, str]:
        """Return the bars, or None with the reason; a story can do without them."""
        if self.market is None:
            return None, self.problem
        if not self.slots.acquire(blocking=False):
            return None, BUSY
        try:
            return self.market.bars(symbol, upto, since), ""
        except (ArgoError, ValueError, OverflowError) as error:
            return None, str(error)
        except Exception:
            logger.exception("%s: the market data failed; a story has no bars", symbol)
            return None, "the market data failed; the log has the reason"
        finally:
            self.slots.release()


@cache
def waiting() -> threading.BoundedSemaphore:
    """Return the slots of this process: a share of its web threads if the market is remote."""
    share = SHARE if settings.MARKET_DATA in REMOTE_MARKETS else 1
    return threading.BoundedSemaphore(max(1, settings.WEB_THREADS // share))


class Ended(NamedTuple):
    """When and at which price the trade ended, or the one that was not made; None if unknown."""

    at: datetime | None = None
    price: float | None = None


def prices_of(
    signal: Signal, source: Market, seen: Bars, made_at: datetime, ended: Ended, most: timedelta
) -> Prices:
    """Return the bars up to the signal, and those after it until its end, at most for `most`.

    An outcome may be recorded years later, so that nobody knows when the trade ended.
    """
    ends_at = _latest(made_at, ended.at, most)
    following = source.bars(seen.symbol, ends_at, made_at)[0] if ends_at > made_at else None
    after = [] if following is None else _listed(following, first=following.count_through(made_at))
    before = _listed(seen, first=max(0, len(seen) - MOST_BARS))
    is_shown = after and ended.at == ends_at and is_price(ended.price)
    at_exit = Exit(float(ended.price or 0), len(after) - 1) if is_shown else None
    return Prices(
        bars_seen=len(seen),
        seen=before,
        after=after[:MOST_BARS],
        chart=chart(before, after, _levels(signal), at_exit),
        notes=_notes(signal, before),
        problem=None if before else f"no bar of {seen.symbol} had closed when it was made",
    )


def _latest(made_at: datetime, ended_at: datetime | None, most: timedelta) -> datetime:
    try:
        latest = made_at + most
    except OverflowError:
        return made_at
    return latest if ended_at is None else min(ended_at, latest)


def _listed(bars: Bars, first: int) -> list[BarOut]:
    return [
        BarOut(
            time=bar.time, open=bar.open, high=bar.high, low=bar.low, close=bar.close,
            volume=bar.volume,
        )
        for bar in map(bars.bar, range(first, len(bars)))
    ]  # fmt: skip


def _levels(signal: Signal) -> dict[str, float]:
    found = {name: getattr(signal, column) for name, column in LEVELS.items()}
    return {name: price for name, price in found.items() if is_price(price)}


def _notes(signal: Signal, seen: list[BarOut]) -> list[str]:
    if not (seen and is_price(signal.entry_price)):
        return []
    factor = signal.entry_price / seen[-1].close
    if 1 / OTHER_SCALE <= factor <= OTHER_SCALE:
        return []
    note = (
        f"the entry is {factor:.3g} times the last close: the bars are of another scale, because "
        "of a split since or of other data"
    )
    return [note]


def is_price(value: object) -> bool:
    """Return True if this is a finite number above 0; an imported row may hold anything."""
    return isinstance(value, int | float) and math.isfinite(value) and value > 0
