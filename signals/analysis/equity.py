"""Figures of an equity that is known at the end of each day."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis, skew

from signals.analysis import intervals
from signals.analysis.drawdowns import Days, Floats, depths, drawdowns
from signals.analysis.figure import Figure, figure, undefined
from signals.analysis.sharpe import deflated_sharpe, probabilistic_sharpe

GONE = "the equity was not above 0 on every day"
SHORT = "fewer than 30 closed signals: a figure for a year would say nothing"
ANNUALISED = ("sharpe", "sortino", "calmar", "cagr", "volatility")


@dataclass(frozen=True)
class Trials:
    """What was tried on the same data: how many trials, and the daily Sharpe ratios of those that
    had one."""

    count: int
    sharpes: Floats


NO_TRIALS = Trials(0, np.array([]))


@dataclass(frozen=True)
class Equity:
    """An account at the end of each day of its calendar; arrays of shape (n,), oldest first.

    Attributes:
        days: the days.
        values: the equity, in the account's currency, open positions at their market price.
        is_invested: whether a position was open.
        days_a_year: 252 or 365, by the account's markets.
        risk_free: the risk-free rate for a year, as a share.
    """

    days: Days
    values: Floats
    is_invested: NDArray[np.bool_]
    days_a_year: int
    risk_free: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError if the arrays do not fit, or the days are not in order."""
        if not self.days.shape == self.values.shape == self.is_invested.shape:
            raise ValueError("days, values and is_invested must have the same length")
        if (np.diff(self.days) <= np.timedelta64(0, "D")).any():
            raise ValueError("the days must be in order, each once")
        if not np.isfinite(self.values).all():
            raise ValueError("the equity of a day is missing; leave such days out")

    @property
    def returns(self) -> Floats:
        """Return the daily returns as shares, of shape (n - 1,); all values must be above 0."""
        return np.asarray(self.values[1:] / self.values[:-1] - 1)

    def between(self, first: date | None, last: date | None) -> Self:
        """Return the days from `first` to `last`, both included, and the day before, from which the
        first return is counted."""
        begin = 0 if first is None else int(np.searchsorted(self.days, np.datetime64(first)))
        end = self.days.size
        if last is not None:
            end = int(np.searchsorted(self.days, np.datetime64(last), "right"))
        chosen = slice(max(0, begin - 1) if end > begin else end, end)
        names = ("days", "values", "is_invested")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    @property
    def daily_risk_free(self) -> float:
        """Return the risk-free rate for a day, as a share."""
        return float((1 + self.risk_free) ** (1 / self.days_a_year) - 1)


def equity_figures(
    equity: Equity, *, closed: int, trials: Trials = NO_TRIALS, seed: int = 0
) -> dict[str, Figure]:
    """Return all figures of an equity; `closed` is the number of closed signals behind it.

    Below 30 of them the figures for a year are left out. Without two `trials` that had a Sharpe
    ratio the deflated one is.
    """
    if (equity.values <= 0).any():
        return _gone(equity) | _counted(trials)
    returns = equity.returns
    found = {
        name: figure(name, float(compute(returns, equity)), returns.size)
        for name, compute in _MEASURES.items()
    }
    if returns.size >= intervals.FEWEST:
        found = _with_intervals(found, equity, seed)
    if closed < intervals.FEWEST:
        found |= {name: undefined(name, returns.size, SHORT) for name in ANNUALISED}
    return found | _believed(equity, trials) | _counted(trials) | _shape(equity)


def _gone(equity: Equity) -> dict[str, Figure]:
    names = (*_MEASURES, "psr", "dsr", "max_drawdown_days")
    found = {name: undefined(name, equity.values.size, GONE) for name in names}
    return found | {"exposure": _exposure(equity)}


# --- Measures of returns of shape (..., n) ---------------------------------------------------
def _undefined(values: Floats) -> Floats:
    return np.full(values.shape[:-1], np.nan)


def _mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=-1)) if values.shape[-1] else _undefined(values)


def _deviation(returns: Floats) -> Floats:
    """Return the standard deviation (n - 1); NaN for one return, 0 if rounding alone varies."""
    if returns.shape[-1] < 2:
        return _undefined(returns)
    found = np.asarray(returns.std(axis=-1, ddof=1))
    return np.where(found > 1e-12 * (1 + np.abs(_mean(returns))), found, 0.0)


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _sharpe(returns: Floats, equity: Equity) -> Floats:
    excess = returns - equity.daily_risk_free
    return _ratio(_mean(excess), _deviation(excess)) * math.sqrt(equity.days_a_year)


def _sortino(returns: Floats, equity: Equity) -> Floats:
    excess = returns - equity.daily_risk_free
    if excess.shape[-1] < 2:
        return _undefined(excess)
    downside = np.sqrt(_mean(np.minimum(excess, 0.0) ** 2))
    return _ratio(_mean(excess), downside) * math.sqrt(equity.days_a_year)


def _volatility(returns: Floats, equity: Equity) -> Floats:
    return _deviation(returns) * math.sqrt(equity.days_a_year)


def _cagr(returns: Floats, equity: Equity) -> Floats:
    if returns.shape[-1] < 2:
        return _undefined(returns)
    years = returns.shape[-1] / equity.days_a_year
    return np.asarray(np.expm1(np.log1p(returns).sum(axis=-1) / years))


def _deepest(returns: Floats, equity: Equity) -> Floats:
    """Return the deepest drawdown in percent, from the equity before the first return on."""
    if not returns.shape[-1]:
        return _undefined(returns)
    start = np.ones((*returns.shape[:-1], 1))
    grown = np.cumprod(np.concatenate([start, 1 + returns], axis=-1), axis=-1)
    return np.asarray(depths(grown).min(axis=-1) * 100)


def _calmar(returns: Floats, equity: Equity) -> Floats:
    return _ratio(_cagr(returns, equity), -_deepest(returns, equity) / 100)


_MEASURES: dict[str, Callable[[Floats, Equity], Floats]] = {
    "sharpe": _sharpe,
    "sortino": _sortino,
    "calmar": _calmar,
    "cagr": _cagr,
    "volatility": _volatility,
    "max_drawdown_pct": _deepest,
}


# --- Figures ---------------------------------------------------------------------------------
def _with_intervals(found: dict[str, Figure], equity: Equity, seed: int) -> dict[str, Figure]:
    returns = equity.returns
    resamples = intervals.Resamples(returns, seed=seed)
    drawn: dict[str, list[Floats]] = {name: [] for name in _MEASURES}
    for indices in resamples:
        for name, compute in _MEASURES.items():
            drawn[name].append(compute(returns[indices], equity))
    spans = {name: resamples.interval(np.concatenate(values)) for name, values in drawn.items()}
    return {
        name: each if each.value is None else figure(name, each.value, each.n, interval=spans[name])
        for name, each in found.items()
    }


def _believed(equity: Equity, trials: Trials) -> dict[str, Figure]:
    excess = equity.returns - equity.daily_risk_free
    n = excess.size
    spread = float(_deviation(excess))
    if not spread > 0:
        return {name: undefined(name, n, _no_spread(n)) for name in ("psr", "dsr")}
    ratio = float(excess.mean()) / spread
    moments = (float(skew(excess)), float(kurtosis(excess, fisher=False)))
    found = {"psr": figure("psr", probabilistic_sharpe(ratio, n, *moments), n)}
    if trials.sharpes.size < 2:
        return found | {"dsr": undefined("dsr", n, _too_few(trials))}
    deflated = deflated_sharpe(
        ratio, n, *moments, trials=trials.count, variance=float(trials.sharpes.var(ddof=1))
    )
    return found | {"dsr": figure("dsr", deflated, n, because="the moments do not allow it")}


def _too_few(trials: Trials) -> str:
    """Return why it is not known how lucky the best trial would be."""
    return (
        "it needs the Sharpe ratios of two trials on the same data, and only "
        f"{trials.sharpes.size} of them is known: see `trials`"
    )


def _counted(trials: Trials) -> dict[str, Figure]:
    return {"trials": figure("trials", trials.count, trials.sharpes.size)}


def _no_spread(n: int) -> str:
    return "fewer than two daily returns" if n < 2 else "the returns never change"


def _shape(equity: Equity) -> dict[str, Figure]:
    fallen = drawdowns(equity.values, equity.days)
    days = float(fallen[0].days) if fallen else math.nan
    return {
        "max_drawdown_days": figure("max_drawdown_days", days, equity.values.size),
        "exposure": _exposure(equity),
    }


def _exposure(equity: Equity) -> Figure:
    share = float(equity.is_invested.mean()) if equity.is_invested.size else math.nan
    return figure("exposure", share, equity.is_invested.size)
