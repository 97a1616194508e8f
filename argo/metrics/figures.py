"""Figures from the database, the journal and the message broker, read at each scrape.

Every node that shares a database reports the same figures of it, so alerting rules take their
`max`, never their `sum`. Their help texts say so.
"""

import logging
from collections.abc import Callable, Iterable, Iterator

from django.db import DatabaseError
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from argo.celery import app
from argo.metrics.alerts import alert_figures
from argo.metrics.queues import queue_depths
from argo.version import version
from execution import status as execution_status
from signals import config
from signals.clock import utc_now
from signals.dialect import is_shared
from signals.feed.places import end_of_feed
from signals.health.feed import oldest_waiting
from signals.ledger.dead_letters import unresolved
from signals.ledger.durability.copies import one_copy
from signals.ledger.journal_state import journal_state
from signals.ledger.sums.answer import totals
from signals.status_text import PERIODS, age
from sync import counts
from sync.webhooks.status import statuses, totals_of

logger = logging.getLogger(__name__)
SHARED = "the same on every node of one database: use max, not sum"
NODE = "of this node"


class Figures(Collector):
    """Reads each group of figures by itself: one that cannot be read does not hide the others."""

    def collect(self) -> Iterator[Metric]:
        """Yield the figures, and for each group if it could be read."""
        readable = GaugeMetricFamily(
            "argo_figures_readable", "1 if this group of figures could be read", labels=["group"]
        )
        for name, read in GROUPS.items():
            try:
                yield from list(read())
                readable.add_metric([name], 1)
            except (DatabaseError, OSError) as error:
                logger.warning("The figures of %s cannot be read: %s", name, error)
                readable.add_metric([name], 0)
        yield readable


def _journal() -> Iterator[Metric]:
    state = journal_state(config.journal())
    yield _one(
        "argo_journal_pending_bytes", f"Journal not in the database yet, {NODE}",
        state.pending_bytes,
    )  # fmt: skip
    yield _one(
        "argo_journal_oldest_pending_seconds",
        f"Age of the oldest line that is not in the database, {NODE}",
        age(state.oldest, utc_now()) or 0,
    )


def _durability() -> Iterator[Metric]:
    if not is_shared("default"):
        return
    undrained, _ = one_copy(config.journal())
    if undrained is None:
        return
    yield _one(
        "argo_signals_on_one_disk",
        f"Acknowledged lines that are on this machine's disk only, {NODE}", undrained.lines,
    )  # fmt: skip
    yield _one(
        "argo_signals_on_one_disk_oldest_seconds", f"Age of the oldest of them, {NODE}",
        age(undrained.oldest, utc_now()) or 0,
    )  # fmt: skip


def _ledger() -> Iterator[Metric]:
    yield _one("argo_dead_letters", f"Dead letters that wait for a person; {SHARED}", unresolved())


def _feed() -> Iterator[Metric]:
    yield _one("argo_feed_index", f"Index of the last event of the feed; {SHARED}", end_of_feed())
    yield _one(
        "argo_feed_oldest_pending_seconds",
        f"Age of the oldest line that is stored and not in the feed, {NODE}",
        age(oldest_waiting(), utc_now()) or 0,
    )


def _outcomes() -> Iterator[Metric]:
    found = totals().total
    outcomes = _family("argo_outcomes", f"Signals by outcome; {SHARED}", "outcome")
    for outcome, count in found.outcomes.items():
        outcomes.add_metric([outcome], count)
    yield outcomes
    yield _one(
        "argo_outcomes_win_ratio", f"Share of wins among what has ended; {SHARED}", found.win_rate
    )
    yield _one(
        "argo_outcomes_average_profit_loss_percent",
        f"Mean profit or loss in percent; {SHARED}",
        found.average_profit_loss_pct,
    )


def _sync() -> Iterator[Metric]:
    now = utc_now()
    waiting, oldest = counts.waiting(now)
    yield _one(
        "argo_sync_pending_deliveries",
        f"Deliveries not sent yet, at most {counts.MOST:,}; {SHARED}", waiting.number,
    )  # fmt: skip
    yield _one(
        "argo_sync_oldest_pending_seconds", f"Age of the oldest of them; {SHARED}", oldest or 0
    )
    yield _one(
        "argo_sync_dead_deliveries", f"Deliveries that wait for a person; {SHARED}",
        counts.dead().number,
    )  # fmt: skip
    rate = counts.ended_since(now - PERIODS["last_hour"]).as_dict()["success_rate"]
    yield _one(
        "argo_sync_success_ratio", f"Delivered share of what ended in the last hour; {SHARED}", rate
    )


def _alerts() -> Iterator[Metric]:
    yield from alert_figures(SHARED)


def _events() -> Iterator[Metric]:
    found = totals_of(statuses(utc_now()))
    yield _one("argo_events_pending", f"Events not sent yet; {SHARED}", found.pending)
    yield _one(
        "argo_events_oldest_pending_seconds", f"Age of the oldest of them; {SHARED}", found.oldest
    )
    yield _one("argo_events_dead", f"Events that wait for a person; {SHARED}", found.dead)
    states = _family("argo_subscriptions", f"Subscriptions by their state; {SHARED}", "state")
    for state, number in found.states.items():
        states.add_metric([state], number)
    yield states


def _execution() -> Iterator[Metric]:
    now = utc_now()
    waiting = execution_status.waiting()
    yield _one(
        "argo_decisions_pending",
        f"Signals not decided on yet, at most {execution_status.MOST:,}; {SHARED}",
        waiting.number.number,
    )
    oldest = (now - waiting.oldest).total_seconds() if waiting.oldest else 0
    yield _one("argo_decisions_oldest_pending_seconds", f"Age of the oldest; {SHARED}", oldest)
    equity = _family("argo_account_equity", f"Equity at the last mark; {SHARED}", "account")
    positions = _family("argo_open_positions", f"Open positions; {SHARED}", "account")
    halts = _family("argo_halts_active", f"Halts that a person has not lifted; {SHARED}", "account")
    for account in execution_status.accounts():
        if account.equity is not None:
            equity.add_metric([account.name], float(account.equity))
        positions.add_metric([account.name], account.positions)
        halts.add_metric([account.name], account.halts)
    yield from (equity, positions, halts)


def _queues() -> Iterator[Metric]:
    depths = queue_depths(app).read()
    yield _one(
        "argo_broker_answers", "1 if the Celery broker has answered within a minute", bool(depths)
    )
    messages = _family(
        "argo_queue_messages", f"Messages that wait in a Celery queue; {SHARED}", "queue"
    )
    for name, depth in depths.items():
        messages.add_metric([name], depth)
    yield messages


def _build() -> Iterator[Metric]:
    build = _family("argo_build_info", "Always 1; its label is Argo's version", "version")
    build.add_metric([version()], 1)
    yield build


GROUPS: dict[str, Callable[[], Iterable[Metric]]] = {
    "build": _build,
    "journal": _journal,
    "durability": _durability,
    "ledger": _ledger,
    "feed": _feed,
    "outcomes": _outcomes,
    "sync": _sync,
    "alerts": _alerts,
    "events": _events,
    "execution": _execution,
    "queues": _queues,
}


def _one(name: str, text: str, value: float | None) -> GaugeMetricFamily:
    """Return a figure; without a value it has only its name and text."""
    return GaugeMetricFamily(name, text, value=value)


def _family(name: str, text: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=[label])
