"""The sections of a report, as JSON has them."""

from collections import Counter
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from numpy.typing import NDArray

from execution.analysis.equity import daily_equity
from execution.analysis.selection import DecidedSelection
from signals.analysis.equity import Equity, Trials, equity_figures
from signals.analysis.figure import Figure, figure
from signals.analysis.intervals import of_mean
from signals.analysis.outcomes import group_figures, headline_figures
from signals.analysis.results import mean
from signals.analysis.tables import GROUPS, closed_signals, counts, groups

Section = dict[str, Any]


def count_section(table: pa.Table, rejected: dict[str, int]) -> Section:
    """Count the signals by outcome and by decision, the skipped ones by each reason.

    `rejected` are the candidates that became no signal, by each reason. A signal is open if it has
    no outcome and was not skipped.
    """
    number = counts(table)
    decisions = Counter(table["decision"].cast(pa.string()).to_pylist())
    codes = (codes or "" for codes in table["skipped_for"].cast(pa.string()).to_pylist())
    reasons = Counter(code for each in codes for code in each.split())
    is_open = pc.and_(
        pc.is_null(table["outcome"]),
        pc.not_equal(pc.fill_null(table["decision"].cast(pa.string()), ""), "skipped"),
    )
    return asdict(number) | {
        "open": int(pc.sum(is_open).as_py() or 0),
        "closed": number.closed,
        "executed": decisions["executed"],
        "skipped": decisions["skipped"],
        "waiting": decisions["pending"] + decisions["deciding"],
        "undecided": decisions[None],
        "skipped_for": dict(reasons.most_common()),
        "rejected_for": rejected,
    }


def outcome_section(table: pa.Table, seed: int) -> Section:
    """Return the figures of the closed signals, with intervals by the bootstrap."""
    return as_json(headline_figures(closed_signals(table), seed=seed))


def equity_section(
    account: str | None, equity: Equity, closed: int, trials: Trials, seed: int
) -> Section:
    """Return the figures of an account's equity; `closed` is how many signals stand behind it, and
    `trials` what was tried on the same data."""
    days = {"account": account, "days_a_year": equity.days_a_year, "days": equity.days.size}
    return days | as_json(equity_figures(equity, closed=closed, trials=trials, seed=seed))


def group_sections(table: pa.Table) -> Section:
    """Return the figures by symbol, side, strategy, regime, data source, hour, weekday, and
    confidence."""
    return {
        by: {name: _group(chosen) for name, chosen in groups(table, by)}
        for by in GROUPS
        if by != "origin"
    }


def rule_section(table: pa.Table) -> Section:
    """Return for each reason for skipping what the skipped signals would have brought.

    A signal that was skipped for two reasons counts for both. `cost_pct` is the mean result that
    the rule kept away: above 0 it cost money, below 0 it saved some.
    """
    found: dict[str, list[float]] = {}
    codes = table["skipped_for"].cast(pa.string()).to_pylist()
    for each, result in zip(codes, table["untraded_pct"].to_pylist(), strict=True):
        for code in (each or "").split():
            found.setdefault(code, []).append(np.nan if result is None else result)
    return {code: _worth(np.array(results)) for code, results in sorted(found.items())}


def as_json(figures: dict[str, Figure]) -> Section:
    """Return each figure as the API and the report give it."""
    return {name: figure.as_json() for name, figure in figures.items()}


def _worth(results: NDArray[np.float64]) -> Section:
    known = int((~np.isnan(results)).sum())
    cost = figure("cost_pct", float(mean(results)), known, interval=of_mean(results))
    return {"skipped": results.size, "cost_pct": cost.as_json()}


def main_account(table: pa.Table) -> str | None:
    """Return the account that traded most of the signals; None if none was traded."""
    executed = table.filter(pc.equal(table["decision"].cast(pa.string()), "executed"))
    numbers = Counter(executed["account"].cast(pa.string()).to_pylist())
    return max(numbers, key=lambda name: (numbers[name], name)) if numbers else None


def equity_of(account: str | None, wanted: DecidedSelection) -> Equity:
    """Return the account's equity on the days that begin within `since` to `until`, and on the day
    before; without days if there is no account."""
    if account is None:
        return Equity(np.array([], "datetime64[D]"), np.array([]), np.array([], bool), 252)
    zone = ZoneInfo(settings.TRADING_ZONE)
    first = None if wanted.since is None else first_day(wanted.since, zone)
    last = None if wanted.until is None else wanted.until.astimezone(zone).date()
    whole = daily_equity(account, settings.MARKET_EXCHANGE, as_of=wanted.as_of)
    return whole.between(first, last)


def first_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the first day that begins at `moment` or later."""
    local = moment.astimezone(zone)
    is_midnight = local == datetime.combine(local.date(), time.min, zone)
    return local.date() if is_midnight else local.date() + timedelta(days=1)


def _group(chosen: pa.Table) -> Section:
    closed = closed_signals(chosen)
    return {"issued": chosen.num_rows, "closed": closed.outcome.size} | as_json(
        group_figures(closed)
    )
