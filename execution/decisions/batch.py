"""Decides on several claimed signals with one look at the account.

The account's money and portfolio are read once for all of them; each order that is made counts for
the next decision at once. The orders are sent after all are stored.
"""

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from execution.accounts import compliance
from execution.accounts.money import with_money
from execution.accounts.portfolio import portfolio
from execution.brokers.protocol import Account, BrokerError
from execution.context import TradingContext
from execution.decisions import metrics, queue
from execution.decisions.intents import intent_of, size
from execution.decisions.prechecks import precheck
from execution.decisions.queue import ClaimedDecision
from execution.models import Counterfactual, Decision, Order
from execution.orders.bracket import new_bracket
from execution.orders.router import send
from execution.risk.headroom import Headroom, headroom
from execution.risk.model import Intent, Portfolio
from execution.risk.rules import denials
from execution.types import Denial, Reason
from signals.dialect import WHOLE_DATABASE
from signals.ledger.outcomes import record_order
from signals.log_context import about_signal
from signals.models import Signal

logger = logging.getLogger(__name__)

LOOK_FOR = 2.0
"""Seconds after which no more prices are looked up for a batch: the first ones would be old."""
RETRY_AFTER = timedelta(seconds=5)
BY = "execution"


class Wanted(NamedTuple):
    """A claimed decision, and the trade that its signal wants or the reasons to skip it.

    Neither if the decision was postponed, because of `failure`.
    """

    claimed: ClaimedDecision
    intent: Intent | None
    why: Sequence[Denial] = ()
    failure: Exception | None = None

    @property
    def signal(self) -> Signal:
        """Return the signal that is decided on."""
        return self.claimed.decision.signal


class Made(NamedTuple):
    """A decision that is stored: an order, or the reasons to skip the signal.

    Neither if it was postponed, or if another worker has it. `failure` is the error for which it
    was postponed or its order could not be sent, except one of the broker, which health reports by
    itself.
    """

    signal: Signal
    entry: Order | None = None
    why: Sequence[Denial] = ()
    failure: Exception | None = None

    @property
    def status(self) -> Decision.Status:
        """Return the status of the decision."""
        if self.entry is not None:
            return Decision.Status.EXECUTED
        return Decision.Status.SKIPPED if self.why else Decision.Status.PENDING


@dataclass
class Judge:
    """Decides on one trade after the other, on an account that is locked meanwhile.

    `broken` are the firm's broken rules, which deny every trade.
    """

    context: TradingContext
    held: Portfolio
    broken: Sequence[Denial]

    def judge(self, wanted: Wanted, intent: Intent) -> Made:
        """Ask all rules, and store either the order or every denial.

        The next decision sees this one's order.
        """
        context, now = self.context, self.context.clock()
        intent, why = size(context, intent, self.held)
        why += denials(intent, self.held, context.limits, now)
        why += [*self.broken, *compliance.flat_time(context, intent.symbol, now)]
        if why:
            return _skipped(context, wanted._replace(why=why))
        left = headroom(self.held, context.limits, now, intent.symbol)
        entry = _order(context, wanted.claimed, intent, now, left)
        if entry is not None:
            self.held = self.held.with_order(intent, now)
        return Made(wanted.signal, entry)


def decide(context: TradingContext, claimed: Iterable[ClaimedDecision]) -> Iterator[Made]:
    """Decide on these signals in their order, send the orders, and yield each decision."""
    waiting = deque(claimed)
    while waiting:
        found = list(_wanted(context, waiting))
        postponed = (each for each in found if not (each.intent or each.why))
        made = [Made(each.signal, failure=each.failure) for each in postponed]
        made += _skip(context, [each for each in found if each.why])
        made += _judge_or_postpone(context, [each for each in found if each.intent])
        for each in made:
            _report(context, each)
        for each in made:
            yield each if each.entry is None else _sent(context, each, each.entry)


def _wanted(context: TradingContext, waiting: deque[ClaimedDecision]) -> Iterator[Wanted]:
    """Take decisions from `waiting` and yield what each wants; end early if prices come slowly."""
    ends = time.monotonic() + LOOK_FOR
    while waiting:
        yield _want(context, waiting.popleft())
        if time.monotonic() > ends:
            return


def _want(context: TradingContext, claimed: ClaimedDecision) -> Wanted:
    """Return what the signal wants. After an error that is nothing: the decision is postponed."""
    with about_signal(claimed.decision.signal.signal_id):
        try:
            if why := precheck(context, claimed.decision, context.clock()):
                return Wanted(claimed, None, [why])
            return Wanted(claimed, intent_of(context, claimed.decision.signal))
        except WHOLE_DATABASE:
            raise
        except (ValueError, ArithmeticError) as error:
            text = f"the figures of the signal make no trade: {error}"
            return Wanted(claimed, None, [Denial(Reason.FIGURES, text)])
        except Exception as error:  # noqa: BLE001  # one failure must not block the others
            _postpone(context, claimed)
            return Wanted(claimed, None, failure=error)


def _skip(context: TradingContext, wanted: Sequence[Wanted]) -> list[Made]:
    """Skip what needs no rule."""
    if not wanted:
        return []
    with transaction.atomic():
        return [_skipped(context, each) for each in wanted]


def _judge_or_postpone(context: TradingContext, wanted: Sequence[Wanted]) -> list[Made]:
    """Judge all trades in one transaction; postpone them if the broker or the account fails."""
    if not wanted:
        return []
    failure: Exception | None = None
    try:
        return _judge(context, wanted)
    except WHOLE_DATABASE:
        raise
    except BrokerError as error:
        logger.warning("%d signals are not decided yet, the broker failed: %s", len(wanted), error)
    except Exception as error:  # they are skipped once they are too old
        logger.exception("%d signals are not decided yet", len(wanted))
        failure = error
    for each in wanted:
        queue.postpone(each.claimed, context.clock() + RETRY_AFTER)
    return [Made(each.signal, failure=failure) for each in wanted]


def _judge(context: TradingContext, wanted: Sequence[Wanted]) -> list[Made]:
    def act(money: Account) -> list[Made]:
        held = portfolio(context, money, context.clock())
        judge = Judge(context, held, compliance.broken_rules(context, money))
        return [_judge_one(judge, each, each.intent) for each in wanted if each.intent is not None]

    return with_money(context, act)


def _judge_one(judge: Judge, wanted: Wanted, intent: Intent) -> Made:
    """Judge one trade; one that fails is postponed and blocks no other."""
    with about_signal(wanted.signal.signal_id):
        try:
            with transaction.atomic():  # what a failure leaves is rolled back
                return judge.judge(wanted, intent)
        except WHOLE_DATABASE:
            raise
        except Exception as error:  # noqa: BLE001  # one failure must not block the others
            _postpone(judge.context, wanted.claimed)
            return Made(wanted.signal, failure=error)


def _postpone(context: TradingContext, claimed: ClaimedDecision) -> None:
    """Log the error that is being handled, and decide later; skipped once it is too old."""
    logger.exception("%s: not decided yet", claimed.decision.signal)
    queue.postpone(claimed, context.clock() + RETRY_AFTER)


def _order(
    context: TradingContext,
    claimed: ClaimedDecision,
    intent: Intent,
    now: datetime,
    left: Sequence[Headroom],
) -> Order | None:
    """Store the order, the decision and the signal's `order_id` in the caller's transaction.

    None, and a rollback, if another worker has the decision now.
    """
    entry = new_bracket(context, claimed.decision.signal, intent, now)
    if not queue.mark_executed(claimed, entry.client_order_id, now, left):
        transaction.set_rollback(True)
        return None
    Counterfactual.objects.forget(claimed.decision.pk)  # it may stem from an earlier decision
    record_order(claimed.decision.signal.signal_id, entry.client_order_id, who=BY,
                 why="executed", now=now, journal=context.journal)  # fmt: skip
    return entry


def _skipped(context: TradingContext, wanted: Wanted) -> Made:
    """Store the reasons in the caller's transaction, and follow the signal as not traded."""
    now, signal = context.clock(), wanted.signal
    if not queue.mark_skipped(wanted.claimed, wanted.why, now):
        return Made(signal)
    Counterfactual.objects.begin([signal], context.expiry, now)
    if signal.order_id:  # journaled by a worker that died before its order was a row
        record_order(signal.signal_id, None, who=BY, why="there is no such order",
                     now=now, journal=context.journal)  # fmt: skip
    return Made(signal, why=wanted.why)


def _report(context: TradingContext, made: Made) -> None:
    with about_signal(made.signal.signal_id):
        if made.entry is not None:
            metrics.executed(context.account)
            logger.log(context.log_level, "Executed: %s", made.entry)
        elif made.why:
            _report_skipped(context, made)


def _report_skipped(context: TradingContext, made: Made) -> None:
    metrics.skipped(context.account, made.why)
    if logger.isEnabledFor(context.log_level):
        reasons = "; ".join(f"{each.code}: {each.text}" for each in made.why)
        logger.log(context.log_level, "Skipped %s: %s", made.signal, reasons)


def _sent(context: TradingContext, made: Made, entry: Order) -> Made:
    """Send the order now; if that fails, keep the error: the monitor's next look sends it."""
    try:
        send(context, entry)
    except WHOLE_DATABASE:
        raise
    except Exception as error:
        logger.exception("%s could not be sent yet", entry)
        return made._replace(failure=error)
    return made
