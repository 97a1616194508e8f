"""Which signals came: today's and those of 30 days, from the kept sums, and the newest ones."""

from datetime import UTC, date, datetime, time, timedelta

from argo.dashboard.charts import Bar, day_bars
from argo.dashboard.panel import Content, Moment
from signals.ledger.pages import PageQuery, page
from signals.ledger.sums.answer import stats
from signals.ledger.sums.figures import Figures
from signals.ledger.sums.query import StatsQuery

DAYS = 30
NEWEST = 6


def read(moment: Moment) -> Content:
    """Return the counts of today and of the last 30 days (UTC), and the newest signals."""
    today = moment.now.date()
    first = today - timedelta(days=DAYS - 1)
    found = stats(StatsQuery(by="day", since=datetime.combine(first, time(), UTC), limit=DAYS + 2))
    by_day = {date.fromisoformat(group["day"]): figures for group, figures in found.items}
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return {
        "today": by_day.get(today, Figures()),
        "month": found.total,
        "first": first,
        "pending": found.counted.pending,
        "chart": day_bars(
            f"Signals of each of the last {DAYS} days",
            [Bar(day.isoformat(), by_day[day].n if day in by_day else 0) for day in days],
        ),
        "newest": page(PageQuery(limit=NEWEST))[0],
    }
