"""The seed's five metrics, from the database."""

from datetime import datetime, timedelta

from django.conf import settings
from ninja import Field, Schema

from execution import status as execution_status
from signals.ledger.recent import Recent, recent
from signals.ledger.sums.answer import totals
from signals.status_text import share
from sync import counts


class SummaryQuery(Schema):
    """The window that the rates are taken over."""

    window: int = Field(3600, ge=60, le=7 * 86400, description="Seconds before now")


class StorageLatency(Schema):
    """Milliseconds from the call that logs a signal to its row, of the live signals in the window;
    null without a signal. Half, 95% and 99% of them took at most this long."""

    p50: float | None
    p95: float | None
    p99: float | None


class GenerationRate(Schema):
    """`per_second` is the number of live signals per second. If the window has more than 20,000,
    the rate is that of the newest 20,000, over `seconds`."""

    per_second: float
    signals: int
    seconds: float


class ExecutionRate(Schema):
    """Decisions in the window. `rate` is the executed share of all, 0 to 1; null without any.
    `skipped_for` counts each reason; a signal may have several. If `at_least`, there were more, and
    these are the newest ones."""

    executed: int
    skipped: int
    rate: float | None
    at_least: bool
    skipped_for: dict[str, int]


class SyncRate(Schema):
    """Deliveries that ended in the window. `rate` is the delivered share, 0 to 1; null if none.
    If `at_least`, there were more, and these are the newest ones."""

    delivered: int
    dead: int
    rate: float | None
    at_least: bool


class Outcomes(Schema):
    """`n` signals have an outcome. `win_rate` is the share of wins among them, 0 to 1.
    `average_profit_loss_pct` is the mean over those that have a profit or loss."""

    n: int
    win_rate: float | None
    average_profit_loss_pct: float | None


class Summary(Schema):
    """What the seed asks to monitor."""

    window_seconds: int = Field(description="The rates are of the last so many seconds")
    generation_rate: GenerationRate
    storage_latency: StorageLatency
    sync_success_rate: SyncRate
    execution_rate: ExecutionRate
    outcomes: Outcomes


def summary(window: timedelta, now: datetime, *, exact: bool = False) -> Summary:
    """Return the five metrics over `window` before `now`; outcomes are those of all time.

    Deliveries and decisions are counted up to a number; with `exact`, which takes as long as there
    are many in the window, all of them.
    """
    since, found = now - window, recent(window, now)
    decided, skipped_for = execution_status.made_since(
        since, settings.TRADING_ACCOUNT, None if exact else execution_status.MOST
    )
    ended = counts.ended_since(since, None if exact else counts.MOST)
    return Summary(
        window_seconds=int(window.total_seconds()),
        generation_rate=GenerationRate(
            per_second=found.rate, signals=found.signals, seconds=found.seconds
        ),
        storage_latency=_latency(found),
        sync_success_rate=SyncRate(
            delivered=ended.delivered,
            dead=ended.dead,
            rate=share(ended.delivered, ended.delivered + ended.dead),
            at_least=ended.at_least,
        ),
        execution_rate=ExecutionRate(
            executed=decided.executed,
            skipped=decided.skipped,
            rate=decided.share,
            at_least=decided.at_least,
            skipped_for=skipped_for,
        ),
        outcomes=_outcomes(),
    )


def _latency(found: Recent) -> StorageLatency:
    p50, p95, p99 = (
        None if seconds is None else round(seconds * 1000, 3)
        for seconds in map(found.percentile, (50, 95, 99))
    )
    return StorageLatency(p50=p50, p95=p95, p99=p99)


def _outcomes() -> Outcomes:
    found = totals().total
    return Outcomes(
        n=found.ended,
        win_rate=found.win_rate,
        average_profit_loss_pct=found.average_profit_loss_pct,
    )
