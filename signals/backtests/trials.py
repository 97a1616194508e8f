"""The list of trials: what was replayed or backtested on which data, each once."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import numpy as np
from django.conf import settings

from signals.analysis.backtest.columns import Ending, Times
from signals.analysis.daily import Floats, daily_sharpe
from signals.backtests.results import sha256_of
from signals.backtests.run import Backtest
from signals.instruments import name_of
from signals.models import Trial


class Tried(NamedTuple):
    """What a trial traded on, and what its trades made.

    `days` are the trading days from the first signal on, `ended` is when each trade ended, and
    `results` is what each made, in one unit. `first` and `last` are the moments that its data
    covers.
    """

    symbols: Sequence[str]
    first: np.datetime64
    last: np.datetime64
    days: Times
    ended: Times
    results: Floats


class KnownTrial(NamedTuple):
    """A trial as a report counts it: `sharpe` is None if it had too few trades to have one."""

    kind: str
    parameters_sha256: str
    sharpe: float | None


def record(
    kind: Trial.Kind, parameters: Mapping[str, Any], data_sha256: str, tried: Tried, now: datetime
) -> None:
    """Add a trial to the list, unless the same was tried on the same data; without data, do
    nothing."""
    if np.isnat(tried.first) or np.isnat(tried.last):
        return
    sharpe = daily_sharpe(tried.ended, tried.results, tried.days)
    Trial.objects.get_or_create(
        kind=kind,
        parameters_sha256=sha256_of(dict(parameters)),
        data_sha256=data_sha256,
        defaults={
            "parameters": parameters,
            "symbols": sorted(map(name_of, tried.symbols)),
            "first_bar": _moment(tried.first),
            "last_bar": _moment(tried.last),
            "version": settings.VERSION,
            "tried_at": now,
            "trades": int(tried.ended.size),
            "sharpe": None if math.isnan(sharpe) else sharpe,
        },
    )


def tried_of(made: Backtest) -> Tried:
    """Return what a backtest traded on, and what each of its trades made by itself."""
    trades, times = made.trades, made.chosen.table.time
    has_ended = np.isfinite(trades.profit_pct)
    seen = times[~np.isnat(times)]
    first = seen.min() if seen.size else np.datetime64("NaT")
    return Tried(
        symbols=list(made.histories.by_symbol),
        first=first,
        last=_last(made),
        days=trading_days((each.time for each in made.histories.by_symbol.values()), first),
        ended=trades.exit_time[has_ended],
        results=trades.profit_pct[has_ended],
    )


def trading_days(closes: Iterable[Times], first: np.datetime64) -> Times:
    """Return the days on which a bar closed, from that of `first` on."""
    days = np.unique(np.concatenate([np.array([], "datetime64[D]"), *(
        each.astype("datetime64[D]") for each in closes
    )]))  # fmt: skip
    return np.asarray(days[days >= first.astype("datetime64[D]")])


def trials_on(
    symbols: Iterable[str], first: datetime, last: datetime, as_of: datetime | None = None
) -> list[KnownTrial]:
    """Return the trials whose data has one of these symbols, and overlaps the time between.

    One that was repeated with the same parameters on other data, such as newer bars, counts once,
    with the Sharpe ratio of its newest repeat. With `as_of` those tried later are left out.
    """
    found = Trial.objects.filter(last_bar__gte=first, first_bar__lte=last)
    if as_of is not None:
        found = found.filter(tried_at__lte=as_of)
    wanted = set(symbols)
    rows = found.order_by("pk").values_list("kind", "parameters_sha256", "sharpe", "symbols")
    known = {
        (kind, parameters): KnownTrial(kind, parameters, sharpe)
        for kind, parameters, sharpe, covered in rows.iterator()
        if wanted.intersection(covered)
    }
    return list(known.values())


def _last(made: Backtest) -> np.datetime64:
    """Return the last end of a trade, or the last bar if a trade is open; NaT without a trade."""
    trades = made.trades
    ends = trades.exit_time[~np.isnat(trades.exit_time)]
    if (trades.ending == Ending.OPEN).any() or not ends.size:
        return made.histories.last
    return cast(np.datetime64, ends.max())


def _moment(time: np.datetime64) -> datetime:
    return cast(datetime, time.astype("datetime64[us]").item()).replace(tzinfo=UTC)
