"""Decides on every signal that waits: a backlog at once, the others in small batches."""

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from execution.context import TradingContext
from execution.decisions import metrics, queue
from execution.decisions.batch import Made, decide
from execution.decisions.prechecks import precheck
from execution.models import Counterfactual, Decision
from execution.orders.router import send_due
from execution.types import REPLAY, Denial
from signals.config import stored_handlers
from signals.dialect import only_one
from signals.feed.giving_way import GivingWay
from signals.ledger.flush import Flusher
from signals.owner import new_owner_id
from signals.shutdown import stopping

logger = logging.getLogger(__name__)

BATCH_SIZE, BACKLOG_BATCH_SIZE = 20, 500
PATIENCE = timedelta(seconds=30)
"""How long a signal is left to another worker."""
PAUSE = 0.1
"""Seconds between two batches of a backlog, so that other processes can write."""
_backlogs: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""By account: a second thread would write in the pauses of the first."""


@dataclass
class DecisionCounts:
    """The numbers of decisions of one run that were executed, skipped or postponed.

    `failures` are the errors for which some were postponed or not sent, without those of the
    broker.
    """

    executed: int = 0
    skipped: int = 0
    postponed: int = 0
    failures: list[Exception] = field(default_factory=list)

    def check(self) -> None:
        """Raise the first failure, if there is any."""
        if self.failures:
            raise self.failures[0]


def send_and_decide(context: TradingContext) -> DecisionCounts:
    """Send the orders that are due, and decide on every signal that waits.

    A failure to send an order or to decide stops no other decision; it is raised after them.
    """
    try:
        send_due(context)
    finally:
        counts = execute_due(context)
    counts.check()
    return counts


def execute_due(context: TradingContext, only: int | None = None) -> DecisionCounts:
    """Decide on every signal that waits, oldest first, or `only` on the signal of this row.

    End early if the worker is asked to stop, and at once if another worker decides on this account:
    two would wait for each other. A decision that fails is postponed; the caller calls `check` to
    learn of it.
    """
    counts = DecisionCounts()
    if only is not None or context.account == REPLAY:
        _decide_due(context, counts, only)
        return counts
    while True:
        with only_one(f"decisions of {context.account}") as is_ours:
            if not (is_ours or _is_late(context)):
                return counts
            _store_what_the_dead_wrote(context)
            if (skipped := _skip_backlog_alone(context)) is None:
                return counts
            counts.skipped += skipped
            _decide_due(context, counts)
        # a worker that came meanwhile has left its signals to this one
        if stopping.is_set() or not queue.is_due(context.account, context.clock()):
            return counts


def _store_what_the_dead_wrote(context: TradingContext) -> None:
    """Store the journal's lines if a worker died while it decided.

    It may have journaled an order that was never committed. If its signal is skipped now, that
    must be taken back; `decide` sees it only in the signal's row.
    """
    if queue.is_abandoned(context.clock()):
        Flusher(context.journal, handlers=stored_handlers()).flush()


def _is_late(context: TradingContext) -> bool:
    """Return whether the worker that should decide does not: a signal waits for too long."""
    return queue.is_due(context.account, context.clock() - PATIENCE)


def _decide_due(context: TradingContext, counts: DecisionCounts, only: int | None = None) -> None:
    """Claim decisions in batches, decide on them, and count them, until none is left."""
    owner, giving_way = new_owner_id(), GivingWay(context.journal)
    while True:
        claimed = queue.claim(context.account, owner, BATCH_SIZE, context.clock(), only)
        for made in decide(context, claimed):
            _count(counts, made)
        if len(claimed) < BATCH_SIZE or stopping.is_set():
            return
        giving_way.wait()


def _skip_backlog_alone(context: TradingContext) -> int | None:
    """Do as `_skip_backlog`; None if another thread does it, which takes what is new as well."""
    backlog = _backlogs[context.account]
    if not backlog.acquire(blocking=False):
        return None
    try:
        return _skip_backlog(context)
    finally:
        backlog.release()


def _skip_backlog(context: TradingContext) -> int:
    """Skip what needs no rule, many signals in one transaction; return how many were skipped.

    One transaction for each would keep the flush from the database. When few are left, they are
    decided one by one.
    """
    count, giving_way = 0, GivingWay(context.journal)
    while True:
        now = context.clock()
        with transaction.atomic():
            waiting = queue.due_automatic(BACKLOG_BATCH_SIZE, now)
            found = [(each, why) for each in waiting if (why := precheck(context, each, now))]
            queue.skip_each(context.account, found, now)
            skipped = (decision.signal for decision, _ in found)
            Counterfactual.objects.begin(skipped, context.expiry, now)
        _log_backlog(context, (why for _, why in found))
        for _, why in found:
            metrics.skipped(context.account, [why])
        count += len(found)
        if len(found) < BACKLOG_BATCH_SIZE or stopping.is_set():
            return count
        time.sleep(PAUSE)
        giving_way.wait()


def _log_backlog(context: TradingContext, found: Iterable[Denial]) -> None:
    """Log the reasons in one line: there may be hundreds of signals."""
    counts = Counter(str(why.code) for why in found)
    if counts:
        text = ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
        logger.log(context.log_level, "Skipped %d signals: %s", counts.total(), text)


def _count(counts: DecisionCounts, made: Made) -> None:
    names = {Decision.Status.EXECUTED: "executed", Decision.Status.SKIPPED: "skipped"}
    name = names.get(made.status, "postponed")
    setattr(counts, name, getattr(counts, name) + 1)
    if made.failure is not None:
        counts.failures.append(made.failure)
