"""Decides on signals: applies the rules, and stores either an order or every denial."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from execution import metrics
from execution.accounts import compliance
from execution.accounts.portfolio import portfolio
from execution.brokers.protocol import Account, BrokerError
from execution.context import TradingContext
from execution.decisions import queue
from execution.decisions.intents import intent_of, size
from execution.decisions.prechecks import precheck
from execution.decisions.queue import ClaimedDecision
from execution.models import Counterfactual, Decision, Order
from execution.orders.bracket import new_bracket
from execution.orders.router import send, send_due
from execution.risk.model import Intent
from execution.risk.rules import denials
from execution.types import REPLAY, Denial, Reason
from signals.ledger.outcomes import record_order
from signals.log_context import about_signal
from signals.models import Signal
from signals.owner import new_owner_id
from signals.shutdown import stopping

logger = logging.getLogger(__name__)

BATCH_SIZE, BACKLOG_BATCH_SIZE = 20, 500
PAUSE = 0.1
"""Seconds between two batches of a backlog, so that other processes can write."""
RETRY_AFTER = timedelta(seconds=5)
BY = "execution"


@dataclass
class DecisionCounts:
    """The numbers of decisions of one run that were executed, skipped or postponed.

    `failures` are the errors for which some were postponed, without those of the broker.
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

    End early if the worker is asked to stop. A decision that fails is postponed; the caller calls
    `check` to learn of it.
    """
    owner = new_owner_id()
    counts = DecisionCounts()
    if only is None and context.account != REPLAY:  # a replay decides on signals as it makes them
        counts.skipped = _skip_backlog(context)
    while True:
        claimed = queue.claim(context.account, owner, BATCH_SIZE, context.clock(), only)
        for each in claimed:
            _decide_isolated(context, each, counts)
        if len(claimed) < BATCH_SIZE or stopping.is_set():
            return counts


def _skip_backlog(context: TradingContext) -> int:
    """Skip what needs no rule, many signals in one transaction; return how many were skipped.

    One transaction for each would keep the flush from the database. When few are left, they are
    decided one by one.
    """
    count = 0
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


def _log_backlog(context: TradingContext, found: Iterable[Denial]) -> None:
    """Log the reasons in one line: there may be hundreds of signals."""
    counts = Counter(str(why.code) for why in found)
    if counts:
        text = ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
        logger.log(context.log_level, "Skipped %d signals: %s", counts.total(), text)


def _count(counts: DecisionCounts, status: Decision.Status) -> None:
    names = {Decision.Status.EXECUTED: "executed", Decision.Status.SKIPPED: "skipped"}
    name = names.get(status, "postponed")
    setattr(counts, name, getattr(counts, name) + 1)


def _decide_isolated(
    context: TradingContext, claimed: ClaimedDecision, counts: DecisionCounts
) -> None:
    """Decide and count. A failure is kept for the end, so that it does not block the others."""
    try:
        _count(counts, _decide(context, claimed))
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("%s: not decided yet", claimed.decision.signal)
        counts.postponed += 1
        counts.failures.append(error)


def _decide(context: TradingContext, claimed: ClaimedDecision) -> Decision.Status:
    with about_signal(claimed.decision.signal.signal_id):
        return _decide_or_postpone(context, claimed)


def _decide_or_postpone(context: TradingContext, claimed: ClaimedDecision) -> Decision.Status:
    """Decide now, or later if something fails; a signal that becomes too old is skipped."""
    try:
        if why := precheck(context, claimed.decision, context.clock()):
            return _skip(context, claimed, [why])
        asked_at = context.clock()
        return _judge(context, claimed, replace(context.broker.account(), time=asked_at))
    except DatabaseError:
        raise
    except BrokerError as error:
        logger.warning("%s: not decided yet, the broker failed: %s", claimed.decision.signal, error)
    except Exception:
        queue.postpone(claimed, context.clock() + RETRY_AFTER)
        raise
    queue.postpone(claimed, context.clock() + RETRY_AFTER)
    return Decision.Status.PENDING


def _judge(context: TradingContext, claimed: ClaimedDecision, money: Account) -> Decision.Status:
    """Ask all rules. The account is locked, so that the next decision sees this one's order."""
    try:
        wanted = intent_of(context, claimed.decision.signal)
    except (ValueError, ArithmeticError) as error:
        text = f"the figures of the signal make no trade: {error}"
        return _skip(context, claimed, [Denial(Reason.FIGURES, text)])
    with transaction.atomic():
        now = context.clock()
        held = portfolio(context, money, now)
        intent, why = size(context, wanted, held)
        why += denials(intent, held, context.limits, now)
        why += compliance.denials(context, money, intent.symbol, now)
        entry = None if why else _order(context, claimed, intent, now)
    if why:
        return _skip(context, claimed, why)
    if entry is None:  # another worker has the decision
        return Decision.Status.PENDING
    metrics.executed(context.account)
    logger.log(context.log_level, "Executed: %s", entry)
    _send(context, entry)
    return Decision.Status.EXECUTED


def _send(context: TradingContext, entry: Order) -> None:
    """Send the order now; if that fails, the monitor's next look sends it."""
    try:
        send(context, entry)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s could not be sent yet", entry)


def _order(
    context: TradingContext, claimed: ClaimedDecision, intent: Intent, now: datetime
) -> Order | None:
    """Store the order, the decision and the signal's `order_id` in the caller's transaction.

    None, and a rollback, if another worker has the decision now.
    """
    entry = new_bracket(context, claimed.decision.signal, intent, now)
    if not queue.mark_executed(claimed, entry.client_order_id, now):
        transaction.set_rollback(True)
        return None
    Counterfactual.objects.forget(claimed.decision.pk)  # it may stem from an earlier decision
    record_order(claimed.decision.signal.signal_id, entry.client_order_id, who=BY,
                 why="executed", now=now, journal=context.journal)  # fmt: skip
    return entry


def _skip(
    context: TradingContext, claimed: ClaimedDecision, why: Sequence[Denial]
) -> Decision.Status:
    now, signal = context.clock(), claimed.decision.signal
    with transaction.atomic():
        if is_ours := queue.mark_skipped(claimed, why, now):
            Counterfactual.objects.begin([signal], context.expiry, now)
            if signal.order_id:  # journaled by a worker that died before its order was a row
                record_order(signal.signal_id, None, who=BY, why="there is no such order",
                             now=now, journal=context.journal)  # fmt: skip
    if is_ours:
        _report_skipped(context, signal, why)
    return Decision.Status.SKIPPED


def _report_skipped(context: TradingContext, signal: Signal, why: Sequence[Denial]) -> None:
    metrics.skipped(context.account, why)
    if logger.isEnabledFor(context.log_level):
        reasons = "; ".join(f"{each.code}: {each.text}" for each in why)
        logger.log(context.log_level, "Skipped %s: %s", signal, reasons)
