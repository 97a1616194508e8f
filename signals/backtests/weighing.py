"""Measures what each source of votes and each rule of validation is worth on past bars."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from django.conf import settings

from signals.analysis.backtest.columns import Mask
from signals.analysis.backtest.engine import backtest
from signals.analysis.backtest.rules import Rules, assumptions
from signals.analysis.sources import pairs
from signals.analysis.worth import Worth
from signals.backtests.histories import digest, gather, read
from signals.backtests.leave_one_out import ALL, leave_each_out
from signals.backtests.past import Past
from signals.backtests.rows import SignalRow, table_of
from signals.generation.candidate import Candidate
from signals.generation.pipeline import SignalPipeline
from signals.market.protocol import MarketData
from signals.retrieval.candidates import rejected_candidates
from signals.retrieval.selection import Selection
from signals.timestamps import utc_text

SOURCE, RULE = "source ", "rule "
"""The beginnings of the names of groups: signals without this source, rejected by this rule."""
Traded = tuple[SignalRow, list[str]]
"""A signal or candidate that is traded, and the names of its groups."""


def weigh(
    wanted: Selection, past: Past, market: MarketData, pipeline: SignalPipeline, rules: Rules,
    on_bars: Callable[[int], object] = lambda count: None, *, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Return what each source and each rule of validation is worth, as plain values.

    The signals with all sources, those without each of them, and the stored candidates that were
    rejected are traded, each by itself, on the market's bars. `on_bars` gets the number of bars
    done.

    Raises `FeedError` if the market's data is not available.
    """
    made, votes = leave_each_out(past.histories, past.period, pipeline, on_bars)
    traded = [*_signals(made), *_candidates(wanted)]
    table = table_of([row for row, _ in traded])
    histories = gather(read(market, table, settings.MARKET_EXCHANGE))
    trades = backtest(table, histories.by_symbol.get, rules, histories.last)
    groups = _groups(traded, [f"{SOURCE}{name}" for name in made])
    worth = Worth(table.time, trades.profit_pct, groups, seed)
    return {
        "assumptions": assumptions(rules),
        "data_sha256": digest(table, histories),
        "missing_bars": histories.missing,
        **past.as_dict(),
        "pairs": [pair.as_json() for pair in pairs([*made][1:], votes.T)],
        "all": _signals_worth(worth, ALL),
        "without": {name: _source_worth(worth, name) for name in made if name != ALL},
        "rejected": dict(_rules_worth(worth)),
    }


def _signals(made: Mapping[str, Sequence[Candidate]]) -> list[Traded]:
    """Return each signal once, with all the variants of the sources that make it.

    It is the same trade in each of them: entry, target and stop do not depend on the votes.
    """
    found: dict[tuple[object, ...], Traded] = {}
    for name, candidates in made.items():
        for each in candidates:
            key = each.symbol, each.bar_time, each.action
            found.setdefault(key, (_row(each), []))[1].append(f"{SOURCE}{name}")
    return [*found.values()]


def _candidates(wanted: Selection) -> Iterator[Traded]:
    """Yield the stored candidates that were rejected, each with all its reasons."""
    columns = (
        "symbol", "asset_type", "made_at", "action", "entry_price", "stop_price", "target_price",
        "strategy", "confidence", "regime", "rejected_for",
    )  # fmt: skip
    rows = rejected_candidates(wanted).order_by("pk").values_list(*columns)
    for *values, strategy, confidence, regime, codes in rows.iterator():
        row = SignalRow._make((*values, strategy, "", confidence, regime, ""))
        yield row, [f"{RULE}{code}" for code in codes.split()]


def _row(each: Candidate) -> SignalRow:
    return SignalRow(
        each.symbol, each.asset_type, utc_text(each.made_at), str(each.action), each.entry,
        each.stop, each.target, each.strategy, "", each.confidence, str(each.regime), "",
    )  # fmt: skip


def _groups(traded: Sequence[Traded], names: Sequence[str]) -> dict[str, Mask]:
    """Return which trades each group has; the groups `names` are there even if they have none."""
    found = {name: np.zeros(len(traded), np.bool_) for name in names}
    for place, (_, of) in enumerate(traded):
        for name in of:
            found.setdefault(name, np.zeros(len(traded), np.bool_))[place] = True
    return found


def _signals_worth(worth: Worth, name: str) -> dict[str, Any]:
    group = f"{SOURCE}{name}"
    return {
        "signals": int(worth.groups[group].sum()),
        "traded_pct": worth.mean("traded_pct", group).as_json(),
    }


def _source_worth(worth: Worth, name: str) -> dict[str, Any]:
    gain = worth.gain("worth_pct", f"{SOURCE}{ALL}", f"{SOURCE}{name}")
    return _signals_worth(worth, name) | {"worth_pct": gain.as_json()}


def _rules_worth(worth: Worth) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in sorted(name for name in worth.groups if name.startswith(RULE)):
        cost = worth.mean("rejected_cost_pct", name).as_json()
        number = int(worth.groups[name].sum())
        yield name.removeprefix(RULE), {"rejected": number, "cost_pct": cost}
