"""What the account is worth: its equity, without deposits, and how far it is below its peak."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from argo.dashboard import accounts
from argo.dashboard.panel import Content, Moment
from argo.reports.svg import line_chart
from execution.accounts.equity import Close, closes_since
from execution.models import TradingAccount
from execution.money import HUNDRED, ZERO
from execution.types import REPLAY

MOST_DAYS = 7320
"""Twenty years of days are read at most."""
POINTS = 300


def read(moment: Moment) -> Content:
    """Return the equity of each day with its drawdown, as a chart and as figures."""
    content = {
        "account": moment.account,
        "accounts": accounts.names(),
        "is_replay": moment.account == REPLAY,
        "days": 0,
    }
    row = TradingAccount.objects.filter(name=moment.account).first()
    days = _closes(row, moment) if row else []
    if row is None or len(days) < 2:
        return content
    last, start = days[-1].equity, row.start_equity
    equities = [float(day.equity) for day in days]
    drawdowns = _drawdowns(equities, float(start))
    drawn = _ends(len(days))
    times = [days[end].day.isoformat() for end in drawn]
    return content | {
        "days": len(days),
        "first": days[0].day,
        "last": days[-1].day,
        "equity": last,
        "gain": last - start,
        "gain_pct": _percent(last - start, start),
        "drawdown_pct": drawdowns[-1],
        "worst_pct": min(drawdowns),
        "chart": line_chart(
            "Equity at the end of each day, without deposits and withdrawals",
            times, [equities[end] for end in drawn], form=",.0f",
        ),
        "drawdown_chart": line_chart(
            "How far the equity was below its peak, in percent",
            times, _deepest(drawdowns, drawn), form=".1f", filled=True,
        ),
    }  # fmt: skip


def _closes(row: TradingAccount, moment: Moment) -> list[Close]:
    since = row.counted_from or date.min
    latest = accounts.last_mark(row.name) or moment.now
    return closes_since(row.name, max(since, latest.date() - timedelta(days=MOST_DAYS)))


def _drawdowns(equities: Sequence[float], start: float) -> list[float]:
    """Return how far each end is below the highest one before it, in percent."""
    peaks = accumulate(equities, max, initial=start)
    next(peaks)
    return [
        round((equity - peak) / peak * 100, 3) if peak > 0 else 0.0
        for equity, peak in zip(equities, peaks, strict=True)
    ]


def _ends(count: int) -> range:
    """Return the places of at most `POINTS` days, the last one among them."""
    step = -(-count // POINTS)
    return range((count - 1) % step, count, step)


def _deepest(drawdowns: Sequence[float], ends: range) -> list[float]:
    """Return the deepest drawdown of each stretch that ends at one of these places."""
    return [min(drawdowns[max(0, end - ends.step + 1) : end + 1]) for end in ends]


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return part / whole * HUNDRED if whole > ZERO else None
