"""Reports: all figures of a million closed signals, and whole reports with their page."""

import resource
from collections.abc import Iterator

import numpy as np
import orjson
from django.conf import settings
from django.db import connection

from argo.reports.page import report_page
from argo.reports.report import make_report
from execution.analysis.selection import DecidedSelection
from signals.analysis.outcomes import Closed, group_figures
from signals.clock import utc_now
from tests.benchmarks import millions
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.rounds import seconds
from tests.benchmarks.workspace import Workspace

ENDED = """
UPDATE signals SET
    outcome = CASE id % 4 WHEN 0 THEN 'win' WHEN 1 THEN 'loss' WHEN 2 THEN 'expired' END,
    profit_loss_pct = CASE id % 4 WHEN 0 THEN 2.5 WHEN 1 THEN -1.5 WHEN 2 THEN 0.1 END,
    confidence = 60 + id % 41
"""
"""Three of four signals have closed."""
CHANGES = f"""
INSERT INTO outcome_changes (change_id, signal_id, journal_id, who, at, why, before, after)
SELECT lower(hex(randomblob(16))), id, {millions.JOURNAL}, 'monitor',
    strftime('%Y-%m-%dT%H:%M:%SZ', timestamp, '+3 days'), 'closed', '{{"outcome": null}}',
    json_object('outcome', outcome, 'profit_loss_pct', profit_loss_pct)
FROM signals WHERE outcome IS NOT NULL
"""
VOTES = orjson.dumps(
    [
        {
            "source": name, "direction": ("BUY", "SELL", "NEUTRAL", None)[place % 4],
            "confidence": None if place % 4 == 3 else 60.0 + place, "weight": 0.2,
            "figures": {"SMA10": 151.62, "SMA30": 148.62, "RSI14": 61.5, "ATR14": 3.2},
        }
        for place, name in enumerate(("trend", "momentum", "volume", "breakout", "mean_reversion"))
    ]
).decode()  # fmt: skip
VOTED = "UPDATE signal_contexts SET votes = %s"
"""Each signal has five votes, as the generator's have."""
CANDIDATES = """
INSERT INTO candidates (candidate_id, symbol, asset_type, strategy, action, bar_time, made_at,
    entry_price, target_price, stop_price, confidence, agreement, regime, reasoning, votes,
    rejected_for, reasons, kept_at)
WITH RECURSIVE times(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM times LIMIT %s)
SELECT signal_id || n, symbol, asset_type, strategy, action, timestamp, timestamp, entry_price,
    target_price, stop_price, confidence, 0.85, 'BULL', 'reasons', '[]',
    CASE n WHEN 0 THEN 'confidence' WHEN 1 THEN 'confidence cooldown' ELSE 'cooldown' END, '[]',
    '2025-01-15 10:30:00'
FROM signals, times
"""
CANDIDATES_A_SIGNAL = 3
MANY, FEW = 100_000, 1000


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure the figures alone, then reports of many and of few signals."""
    closed = _closed(workspace.size(1_000_000, 200_000))
    took = seconds(lambda: group_figures(closed))
    yield at_most(f"all figures of {closed.outcome.size:,} closed signals", took, 2, " s")
    many = workspace.size(MANY, 20_000)
    _fill(many)
    yield at_most(f"a report of {many:,} signals, with its page", seconds(_report), 10, " s")
    until = "2010-01-01T16:39:59Z"  # a signal a minute: the first thousand
    took = seconds(lambda: _report(until=until))
    yield at_most(f"a report of {FEW:,} signals, with its page", took, 2, " s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield at_most(f"memory at most, with {many:,} signals", peak, 1024, " MiB")


def _report(**filters: str) -> None:
    report_page(make_report(DecidedSelection.model_validate(filters), utc_now()))


def _fill(count: int) -> None:
    millions.fill(settings.DATA_DIR / "signals.db", count)
    with connection.cursor() as cursor:
        cursor.execute(ENDED)
        cursor.execute(CHANGES)
        cursor.execute(VOTED, [VOTES])
        cursor.execute(CANDIDATES, [CANDIDATES_A_SIGNAL])


def _closed(count: int) -> Closed:
    chance = np.random.default_rng(1)
    profit = chance.normal(0.2, 2.0, count)
    opened = np.datetime64("2000-01-01T00:00", "us") + np.arange(count) * np.timedelta64(60, "s")
    held = chance.integers(1, 10**6, count).astype("timedelta64[s]")
    return Closed(
        np.where(profit > 0, "win", "loss"), profit, np.full(count, 2.0), opened, opened + held,
        np.full(count, -1.0), np.full(count, 1.0),
    )  # fmt: skip
