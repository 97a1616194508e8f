"""Figures of the same signals on each kind of account beside their backtest."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from argo.reports.divergence.comparing import Compared, Comparison
from execution.analysis.divergence.reading import kind_of
from execution.types import ExitReason
from signals.analysis.backtest.columns import Ending
from signals.analysis.outcomes import Closed, group_figures
from signals.ledger.outcomes import outcome_of
from signals.market.bars import as_times

Section = dict[str, Any]
Ended = tuple[float, bool, datetime]
"""The result in percent of the signal's price, whether it expired, and when it ended."""


def account_kind_groups(found: Comparison) -> Section:
    """Return the figures after costs of paper, live and replayed trades, and of the backtest of
    the same signals; a backtest is in a group of its own, which says what it is."""
    by_kind: dict[str, list[Compared]] = defaultdict(list)
    for each in found.rows:
        by_kind[kind_of(each.closed.account)].append(each)
    groups: Section = {}
    for kind, rows in sorted(by_kind.items()):
        groups[kind] = _group(rows, _on_account)
        groups[f"backtest of {kind}"] = _group(rows, _in_backtest)
    return {"account_kind": groups} if groups else {}


def _on_account(each: Compared) -> Ended:
    is_expired = each.closed.trade.exit_reason == ExitReason.EXPIRED
    return each.divergence.account, is_expired, each.closed.closed_at


def _in_backtest(each: Compared) -> Ended:
    model = each.model
    return each.divergence.backtest, model.ending is Ending.EXPIRED, model.exit.at


def _group(rows: Sequence[Compared], world: Callable[[Compared], Ended]) -> Section:
    ended = [world(each) for each in rows]
    nothing = np.full(len(rows), np.nan)
    closed = Closed(
        outcome=np.array([outcome_of(percent, expired=expired) for percent, expired, _ in ended]),
        profit_pct=np.array([percent for percent, _, _ in ended]),
        risk_pct=np.array([_risk_pct(each) for each in rows]),
        opened=as_times(each.signal.time for each in rows),
        closed=as_times(at for _, _, at in ended),
        mae_pct=nothing,
        mfe_pct=nothing,
    )
    figures = {name: each.as_json() for name, each in group_figures(closed).items()}
    return {"issued": len(rows), "closed": len(rows)} | figures


def _risk_pct(each: Compared) -> float:
    """Return the distance from the signal's price to its stop in percent of the price."""
    return abs(each.signal.price - each.signal.stop) / each.signal.price * 100
